import { BUILTIN_MODULES, builtinModuleBytes, type BuiltinModule } from './builtin-modules.js'
import type { CompiledModule, CompiledModules } from './compiled-modules.js'
import { sha256 } from '../graph/sha256.js'
import { kernelErrors } from './errors.js'
import { checkModule, checkOverlap, CORE_FUNCTIONS, type DeclaredKernel, type ModuleRole } from './module-check.js'
import type { DataSegment } from './module-facts.js'
import { unsharedVariant } from './module-variant.js'
import { openWasmSource, type WasmSource } from './wasm-source.js'

/** What an engine loads beside or in place of the built-in modules. */
export interface CompileOptions {
  /** For shared memory, else for private memory (MW-56). */
  readonly shared: boolean
  /** Files in place of the inlined built-in modules, by name. */
  readonly wasm?: WasmSource | Readonly<Record<string, WasmSource | undefined>>
  /** Users' modules by name (KE-21). */
  readonly kernels?: Readonly<Record<string, WasmSource>>
  /** Kernels that node definitions name, by module: their exports are checked. */
  readonly declared?: Readonly<Record<string, readonly DeclaredKernel[]>>
  readonly signal?: AbortSignal
}

/** Built-in modules of this realm by name and kind of memory: bytes are decoded, checked and compiled once (PK-17). */
const builtin = new Map<string, Promise<Checked>>()
interface Checked { readonly compiled: CompiledModule; readonly data: readonly DataSegment[] }

/**
 * Compiles all modules of an engine, the core first. The result is plain data that workers receive as it is (MW-43). Throws `KERNEL_ABI`
 * naming the module and the finding, or what the host threw when it forbids compiling.
 */
export async function compileModules(options: CompileOptions): Promise<CompiledModules> {
  const given = sourcesOf(options.wasm)
  const loads = BUILTIN_MODULES.map((name) => given[name] === undefined ? loadBuiltin(name, options.shared)
    : load(name, roleOf(name), given[name], options))
  for (const [name, source] of Object.entries(options.kernels ?? {})) {
    if ((BUILTIN_MODULES as readonly string[]).includes(name)) {
      throw kernelErrors.KERNEL_ABI({ module: name, what: 'name', expected: `none of ${BUILTIN_MODULES.join(', ')}`, got: name })
    }
    loads.push(load(name, 'user', source, options))
  }
  const checked = await Promise.all(loads)
  checkOverlap(checked.map(({ compiled, data }) => ({ name: compiled.name, data })))
  return { shared: options.shared, modules: checked.map(({ compiled }) => compiled) }
}

/** Sources by name: one that is given alone is the core's. */
export function sourcesOf(wasm: CompileOptions['wasm']): Readonly<Record<string, WasmSource | undefined>> {
  if (wasm === undefined) return {}
  const plain = typeof wasm === 'object' && !(wasm instanceof URL) && !(wasm instanceof Promise) && !ArrayBuffer.isView(wasm)
    && Object.getPrototypeOf(wasm) === Object.prototype
  return plain ? wasm as Readonly<Record<string, WasmSource | undefined>> : { core: wasm as WasmSource }
}

function roleOf(name: string): ModuleRole { return name === 'core' ? 'core' : 'assembly' }

function loadBuiltin(name: BuiltinModule, shared: boolean): Promise<Checked> {
  const key = `${name}:${shared ? 'shared' : 'private'}`
  let entry = builtin.get(key)
  if (entry === undefined) {
    entry = builtinModuleBytes(name).then((bytes) => compileBytes(name, roleOf(name), bytes, { shared }))
    // A refusal (a policy that may change with the page) is not kept.
    entry.catch(() => builtin.delete(key))
    builtin.set(key, entry)
  }
  return entry
}

async function load(name: string, role: ModuleRole, source: WasmSource, options: CompileOptions): Promise<Checked> {
  const input = await openWasmSource(name, source, options.shared, options.signal)
  if (input.kind === 'module') {
    return { compiled: { name, module: checkImportList(name, role, input.module), digest: digestOf(input.module) }, data: [] }
  }
  const digest = sha256(input.bytes)
  if (input.kind === 'bytes') {
    const { compiled, data } = await compileBytes(name, role, input.bytes, options)
    return { compiled: { ...compiled, digest }, data }
  }
  const data = checkModule(input.bytes, { name, role, kernels: options.declared?.[name] ?? [] })
  return { compiled: { name, module: await input.module.catch((cause: unknown) => { throw invalid(name, cause) }), digest }, data }
}

/** A compiled module does not tell its bytes: it equals itself only, in this realm. */
function digestOf(module: WebAssembly.Module): Uint8Array {
  let digest = identities.get(module)
  if (digest === undefined) identities.set(module, digest = crypto.getRandomValues(new Uint8Array(32)))
  return digest
}
const identities = new WeakMap<WebAssembly.Module, Uint8Array>()

async function compileBytes(
  name: string, role: ModuleRole, bytes: Uint8Array, options: Pick<CompileOptions, 'shared' | 'declared'>,
): Promise<Checked> {
  const data = checkModule(bytes, { name, role, kernels: options.declared?.[name] ?? [] })
  const variant = options.shared ? bytes : unsharedVariant(bytes)
  try {
    return { compiled: { name, module: await WebAssembly.compile(variant as Uint8Array<ArrayBuffer>) }, data }
  } catch (cause) {
    throw invalid(name, cause)
  }
}

/** A module that came compiled shows only names: its data cannot be checked, which the caller answers for. */
function checkImportList(name: string, role: ModuleRole, module: WebAssembly.Module): WebAssembly.Module {
  const stray = WebAssembly.Module.imports(module).find((one) => one.kind !== 'memory' && !(role === 'core' && one.kind === 'table'))
  if (stray !== undefined) {
    throw kernelErrors.KERNEL_ABI({
      module: name, what: 'imports', expected: 'nothing but the memory', got: `${stray.kind} ${stray.module}.${stray.name}`,
    })
  }
  const exports = new Set(WebAssembly.Module.exports(module).map((one) => one.name))
  const missing = ['millrace_abi', ...(role === 'core' ? CORE_FUNCTIONS : [])].find((one) => !exports.has(one))
  if (missing !== undefined) {
    throw kernelErrors.KERNEL_ABI({ module: name, what: 'exports', expected: `function ${missing}`, got: 'none of that name' })
  }
  return module
}

/**
 * A malformed module is `KERNEL_ABI`; a host that forbids compiling (content security policy) throws its own error, which decides the tier.
 */
function invalid(name: string, cause: unknown): unknown {
  if (!(cause instanceof WebAssembly.CompileError) || /policy|unsafe-eval|disallowed/i.test(cause.message)) return cause
  return kernelErrors.KERNEL_ABI({
    module: name, what: 'module', expected: 'valid WebAssembly of the baseline features', got: cause.message,
  }, { cause })
}

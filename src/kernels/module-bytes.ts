import { BUILTIN_MODULES, builtinModuleBytes, type BuiltinModule } from './builtin-modules.js'
import { sourcesOf, type CompileOptions } from './compile.js'
import { kernelErrors } from './errors.js'
import { unsharedVariant } from './module-variant.js'
import { openWasmSource } from './wasm-source.js'

/** A module's bytes, to be compiled where they are. */
export interface ModuleBytes { readonly name: string; readonly module: Uint8Array }

/**
 * Bytes of an engine's modules for private memory, for scopes that get no compiled ones (PK-54); they were checked when the engine compiled
 * them. Throws `KERNEL_ABI` for a module that was given compiled, and so has no bytes.
 */
export async function moduleBytes({ wasm, kernels = {} }: Pick<CompileOptions, 'wasm' | 'kernels'>): Promise<ModuleBytes[]> {
  const given = { ...sourcesOf(wasm), ...kernels }, names = [...new Set([...BUILTIN_MODULES, ...Object.keys(given)])]
  return Promise.all(names.map(async (name) => {
    const source = given[name]
    if (source === undefined) return { name, module: unsharedVariant(await builtinModuleBytes(name as BuiltinModule)) }
    const input = await openWasmSource(name, source, false)
    if (input.kind === 'module') {
      throw kernelErrors.KERNEL_ABI({
        module: name, what: 'source', expected: 'bytes or a URL (this host posts no compiled modules)', got: 'a compiled module',
      })
    }
    return { name, module: unsharedVariant(input.bytes) }
  }))
}

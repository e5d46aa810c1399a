import type { Tier } from '../graph/tiers.js'
import { compileModules, type CompileOptions } from '../kernels/compile.js'
import { hostFacts } from '../kernels/host-facts.js'
import type { KernelCode } from '../kernels/kernel-code.js'
import type { KernelSpec } from '../kernels/kernel-spec.js'
import { referenceCode, type ReferenceParts } from '../kernels/reference-code.js'
import { instantiateRuntime } from '../kernels/runtime.js'
import { GuardedMemory } from './guarded-memory.js'
import { KnownTables } from './known-tables.js'

/** One tier to try a node in: a memory with canaries, and the code that runs there. Owner: the caller; nothing to close. */
export interface ConformanceHost {
  readonly tier: Tier
  readonly memory: GuardedMemory
  /** Tables of kernels, filled once. */
  readonly tables: KnownTables
  /** True where code is compiled: Init is checked by the kernel itself. */
  readonly compiled: boolean
  /** The node's functions here. Throws `KERNEL_ABI` when a module or export is missing. */
  code(spec: KernelSpec, parts: ReferenceParts): KernelCode
  /** Allocations made by compiled code so far. */
  allocations(): number
}

/** The `js` tier: references over a plain ArrayBuffer. */
export function referenceHost(): ConformanceHost {
  const memory = new GuardedMemory({ shared: false, wasm: false })
  return {
    tier: 'js', memory, tables: new KnownTables(memory), compiled: false,
    code: (spec, parts) => referenceCode(spec, parts, memory),
    allocations: () => 0,
  }
}

/** A WebAssembly tier: `shared` memory is `wasm-threads`, private memory `wasm`. `kernels`: users' modules by name. */
export async function compiledHost(shared: boolean, kernels?: CompileOptions['kernels']): Promise<ConformanceHost> {
  const compiled = await compileModules({ shared, ...(kernels ? { kernels } : {}) })
  const memory = new GuardedMemory({ shared, wasm: true })
  const runtime = instantiateRuntime(compiled, memory.memory!)
  return {
    tier: shared ? 'wasm-threads' : 'wasm', memory, tables: new KnownTables(memory), compiled: true,
    code: (spec) => runtime.kernel(spec.module, spec.export), allocations: () => runtime.core.alloc_count(),
  }
}

/** Every tier that this host offers. Shared memory is left out where there is none. */
export async function conformanceHosts(kernels?: CompileOptions['kernels']): Promise<readonly ConformanceHost[]> {
  const { wasm, sab } = hostFacts()
  return [
    ...(wasm && sab ? [await compiledHost(true, kernels)] : []), ...(wasm ? [await compiledHost(false, kernels)] : []), referenceHost(),
  ]
}

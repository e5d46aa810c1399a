import { layoutHash } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import type { RingCore } from '../memory/ring/ring-end.js'
import type { CompiledModule, CompiledModules } from './compiled-modules.js'
import { ABI_VERSION, LIMIT } from './contract.js'
import { kernelErrors } from './errors.js'
import type { KernelCall } from './interpreter-words.js'

/** The functions of one kernel (spec kernels.md section 1). Addresses and results are i32 words. */
export interface KernelExports {
  readonly size: (init: Address) => number
  readonly shared?: (shared: Address, init: Address) => number
  readonly init: (state: Address, init: Address) => number
  readonly process: (state: Address, io: Address) => number
  readonly flush?: (state: Address, io: Address) => number
  readonly reset: (state: Address) => number
}

/** The functions of the core module that are no kernel's (crate engine). */
export interface CoreExports extends RingCore {
  /** One pass over a segment; see `PASS` and `THREAD_ID` of the contract. */
  readonly segment_run: (program: Address, thread: number) => number
  readonly segment_step: (program: Address, thread: number, step: number) => number
  /** 0, or a finding of `CHECK`; `high` 0 = 4 GiB. */
  readonly segment_check: (program: Address, low: Address, high: Address) => number
  readonly queue_init: (ring: Address, capacity: number) => void
  readonly queue_push: (ring: Address, value: number) => number
  readonly queue_pop: (ring: Address) => number
  /** 1 when no live slot touches a ring: a run's rings may be freed after its `rebuilding` flag was set. */
  readonly queue_quiet: (arena: Address) => number
  /**
   * A task's address (signed: use `>>> 0`) or a code of `TAKE`. `facts`: bits of what this thread has (MW-36).
   * Waits: only workers may pass `waitMs` > 0.
   */
  readonly task_take: (arena: Address, slot: number, facts: number, waitMs: number) => number
  /** `slot`: NONE (−1) on the engine's thread. 0, or −1 for an unknown task. */
  readonly task_finish: (arena: Address, slot: number, task: Address, state: number, status: number) => number
  /**
   * `run`: index of the run record. 0; 1 when no ring took it: its run is rebuilt or must be; −1 when the task
   * is neither PENDING, WAITING nor DELAYED.
   */
  readonly task_push: (arena: Address, run: number, task: Address) => number
  /**
   * Makes counts and rings of a run again from its tasks' states; see rebuild.rs. Gives how many tasks
   * are DELAYED now that had lost their worker.
   */
  readonly run_rebuild: (arena: Address, run: number) => number
  /** Order and levels of a graph: nodes in order, or −1. Tables of u32 words; `work`: 3·count + edges + 1. */
  readonly graph_order: (count: number, edges: number, from: Address, to: Address, order: Address, levels: Address, work: Address) => number
  /** Cycles as lengths and nodes: words written to `cycles` (2·count words), or −1. `work`: 14·count + 2·edges + 3 words. */
  readonly graph_cycles: (count: number, edges: number, from: Address, to: Address, cycles: Address, work: Address) => number
  /** SHA-256 of padded messages, level by level, digests put into their gaps: 0, or −1 for tables that contradict themselves. */
  readonly graph_hash: (
    messages: Address, offsets: Address, count: number, levels: Address, levelCount: number, gaps: Address, gapCount: number,
    digests: Address, starts: Address) => number
  /** Gives the core's allocator a span for good: {@link THREAD_SPAN_BYTES} per worker, before it starts. */
  readonly alloc_donate: (address: Address, bytes: number) => void
  /** A thread starts (1) or has started (0): what is allocated between is noted. One at a time. */
  readonly alloc_watch: (starts: number) => void
  /** The thread that started is gone: frees what it had allocated, and the allocator's lock if it held it. */
  readonly alloc_undo: () => void
  readonly alloc_count: () => number
  readonly alloc_used: () => number
}

/** What a thread's start took from the core's allocator; the engine thread frees it after the thread is gone (PK-25). */
export interface StackFacts { readonly tlsBase: Address; readonly stackAlloc: Address }

/** Span that a worker's start needs from the core's allocator: its stack, its thread-local block, the records between. */
export const THREAD_SPAN_BYTES = LIMIT.STACK_BYTES + 4_096

/** A thread's instances of all modules over the engine's one memory, and its function table (KE-11). */
export interface KernelRuntime {
  readonly memory: WebAssembly.Memory
  readonly table: WebAssembly.Table
  readonly core: CoreExports
  /** Stack of this thread's core instance; {0, 0} on the thread that came first. */
  readonly stack: StackFacts
  /** Functions of a kernel. Throws `KERNEL_ABI` naming what is missing. */
  kernel(module: string, name: string): KernelExports
  /** Gives kernel `id` its table entries: `process` at 1024 + 2·id, `flush` at 1025 + 2·id. Idempotent. Throws `KERNEL_ABI`. */
  register(id: number, module: string, name: string): void
  /** Calls a table entry: what the TypeScript interpreter uses. */
  readonly call: KernelCall
  /** Frees what the start of a thread that is gone had taken. */
  destroyThread(stack: StackFacts): void
}

/** Table entry of a kernel's `process`; `flush` is the next one. */
export function processEntry(id: number): number { return LIMIT.FIRST_KERNEL_ENTRY + 2 * id }
/** Kernel ids of one engine: 0 … MOST_KERNELS − 1. */
export const MOST_KERNELS = (LIMIT.TABLE_ENTRIES - LIMIT.FIRST_KERNEL_ENTRY) / 2

/**
 * Instantiates all modules over `memory`, synchronously (worklets have no other way, MW-75), the core first and `__wbindgen_start` at once,
 * which gives every instance after the first a stack of its own (MW-60). The engine's thread does so before any worker, one thread at a
 * time (PK-24). Compares contract and layout before any kernel runs (MW-01). Throws `KERNEL_ABI`. About 0.5 ms.
 */
export function instantiateRuntime(compiled: CompiledModules, memory: WebAssembly.Memory): KernelRuntime {
  const table = new WebAssembly.Table({ initial: LIMIT.TABLE_ENTRIES, maximum: LIMIT.TABLE_ENTRIES, element: 'anyfunc' })
  const instances = new Map<string, WebAssembly.Exports>()
  const ordered = [...compiled.modules].sort((a, b) => Number(b.name === 'core') - Number(a.name === 'core'))
  for (const one of ordered) instances.set(one.name, instantiate(one, memory, table))
  const own = instances.get('core')
  if (own === undefined) throw kernelErrors.KERNEL_ABI({ module: 'core', what: 'module', expected: 'the core module', got: 'none' })
  const core = own as unknown as CoreExports
  const registered = new Map<number, string>()
  const entries: (KernelExports['process'] | undefined)[] = []

  function kernel(module: string, name: string): KernelExports {
    const exports = instances.get(module)
    if (exports === undefined) {
      throw kernelErrors.KERNEL_ABI({
        module, what: `kernel ${name}`,
        expected: `a module of that name (${[...instances.keys()].join(', ')})`,
        got: 'none',
      })
    }
    return kernelExports(exports, module, name)
  }
  return {
    memory, table, core, kernel,
    stack: { tlsBase: globalValue(own, '__tls_base'), stackAlloc: globalValue(own, '__stack_alloc') },
    register(id, module, name) {
      if (!(Number.isInteger(id) && id >= 0 && id < MOST_KERNELS)) {
        throw kernelErrors.KERNEL_ABI({ module, what: `kernel ${name}: id`, expected: `0…${MOST_KERNELS - 1}`, got: String(id) })
      }
      const key = `${module}.${name}`, before = registered.get(id)
      if (before === key) return
      if (before !== undefined) throw kernelErrors.KERNEL_ABI({ module, what: `kernel id ${id}`, expected: before, got: key })
      const functions = kernel(module, name), entry = processEntry(id)
      table.set(entry, functions.process)
      entries[entry] = functions.process
      if (functions.flush !== undefined) {
        table.set(entry + 1, functions.flush)
        entries[entry + 1] = functions.flush
      }
      registered.set(id, key)
    },
    call: (index, state, io) => entries[index]!(state, io),
    destroyThread(stack) {
      if (stack.stackAlloc === 0) return
      const destroy = own['__wbindgen_thread_destroy'] as (tls: number, alloc: number, bytes: number) => void
      destroy(stack.tlsBase, stack.stackAlloc, LIMIT.STACK_BYTES)
    },
  }
}

/** One instance. The module's imports were checked when it was compiled; a module that came compiled is checked by its import list. */
function instantiate(one: CompiledModule, memory: WebAssembly.Memory, table: WebAssembly.Table): WebAssembly.Exports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module, name, kind } of WebAssembly.Module.imports(one.module)) {
    const value = kind === 'memory' ? memory : kind === 'table' && one.name === 'core' ? table : undefined
    if (value === undefined) {
      throw kernelErrors.KERNEL_ABI({ module: one.name, what: 'imports', expected: 'one memory', got: `${kind} ${module}.${name}` })

    }(imports[module] ??= {})[name] = value
  }
  let exports: WebAssembly.Exports
  try {
    exports = new WebAssembly.Instance(one.module, imports).exports
  } catch (cause) {
    throw kernelErrors.KERNEL_ABI({
      module: one.name, what: 'instance', expected: 'a module for this memory', got: cause instanceof Error ? cause.message : String(cause),
    }, { cause })
  }
  const start = exports['__wbindgen_start']
  if (typeof start === 'function') start(LIMIT.STACK_BYTES)
  compare(exports, one.name, 'millrace_abi', ABI_VERSION)
  compare(exports, one.name, 'millrace_layout', layoutHash())
  return exports
}

function compare(exports: WebAssembly.Exports, module: string, name: string, expected: number): void {
  const got = exports[name]
  if (typeof got !== 'function') throw kernelErrors.KERNEL_ABI({ module, what: name, expected: 'a function', got: 'no export' })
  const value = Number(got()) >>> 0
  if (value !== expected) {
    throw kernelErrors.KERNEL_ABI({ module, what: name, expected: `0x${expected.toString(16)}`, got: `0x${value.toString(16)}` })
  }
}

function kernelExports(exports: WebAssembly.Exports, module: string, name: string): KernelExports {
  const optional = (suffix: string): ((...words: number[]) => number) | undefined => {
    const value = exports[`${name}_${suffix}`]
    return typeof value === 'function' ? value as unknown as (...words: number[]) => number : undefined
  }
  const required = (suffix: string): (...words: number[]) => number => {
    const value = optional(suffix)
    if (value === undefined) {
      throw kernelErrors.KERNEL_ABI({ module, what: `kernel ${name}`, expected: `export ${name}_${suffix}`, got: 'none' })
    }
    return value
  }
  const shared = optional('shared'), flush = optional('flush')
  return {
    size: required('size'), init: required('init'), process: required('process'), reset: required('reset'),
    ...(shared && { shared }), ...(flush && { flush }),
  }
}

function globalValue(exports: WebAssembly.Exports, name: string): number {
  const value = exports[name]
  return value instanceof WebAssembly.Global ? Number(value.value) >>> 0 : 0
}

import { isMillraceError } from '../errors/millrace-error.js'
import { instantiateRuntime, type KernelRuntime } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import { checkHeader, slotAddress } from '../memory/arena-header.js'
import { SLOT, SLOT_PHASE, SLOT_STATUS, WINDOW } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { isShared, memoryViews, type MemoryViews } from '../memory/views.js'
import { workerErrors } from './errors.js'
import { StackCanary } from './stack-canary.js'
import type { PrivateMemory } from './private-memory.js'
import { WORKER_PROTOCOL, type BootStep, type StartOptions, type StartReport } from './protocol.js'

/** A worker that has started: its modules over the engine's memory, or over an arena of its own. */
export interface BootedWorker {
  readonly options: StartOptions
  readonly views: MemoryViews
  readonly base: Address
  readonly runtime: KernelRuntime
  readonly canary: StackCanary
  /** Transfer mode. */
  readonly arena: Arena | null
  readonly report: StartReport
}

/**
 * Starts a worker in the order of MW-42: options, memory with magic and layout, modules with the thread's own stack, handshake, slot,
 * kernels. Throws `WORKER_SPAWN` with the step that failed and its cause. `own` makes private memories; `greet` says the worker's first
 * word on shared memory.
 */
export function bootWorker(options: StartOptions, own?: PrivateMemory, greet?: (views: MemoryViews, base: Address) => void): BootedWorker {
  let step: BootStep = 'options'
  try {
    if (options.protocol !== WORKER_PROTOCOL) {
      throw workerErrors.PROTOCOL_MISMATCH({ worker: options.ordinal, expected: WORKER_PROTOCOL, got: options.protocol })
    }
    step = 'arena'
    const { memory, arena } = mapMemory(options, own)
    const views = memoryViews(memory.buffer), base = WINDOW.ARENA
    checkHeader(views.u32, base)
    step = 'modules'
    const runtime = instantiateRuntime(options.compiled, memory)
    const canary = new StackCanary(views.u32, runtime.stack.stackAlloc)
    step = 'handshake'
    greet?.(views, base)
    step = 'slot'
    if (options.shared !== undefined && options.shared.slot >= 0) claimSlot(views.i32, base, options.shared.slot, options.ordinal)
    step = 'kernels'
    for (const { id, module, name } of options.kernels) runtime.register(id, module, name)
    return {
      canary, options, views, base, runtime, arena,
      report: { protocol: WORKER_PROTOCOL, shared: isShared(memory.buffer), stack: runtime.stack },
    }
  } catch (cause) {
    throw workerErrors.WORKER_SPAWN({
      worker: options.ordinal, timeoutMs: options.timeoutMs,
      cause: isMillraceError(cause) ? `${cause.code}: ${cause.message}` : String(cause),
      step,
    }, { cause })
  }
}

function mapMemory(
  { shared, own, ordinal }: StartOptions, make: PrivateMemory | undefined,
): { memory: WebAssembly.Memory; arena: Arena | null } {
  if (shared !== undefined) return { memory: shared.memory, arena: null }
  if (own === undefined || make === undefined) {
    throw workerErrors.IPC_ERROR({ channel: `worker ${ordinal}`, reason: 'start names no memory' })
  }
  const arena = make.arena(own)
  return { memory: arena.memory!, arena }
}

/** A slot is free while its pid is 0; claiming it is one compare-and-swap. Throws `IPC_ERROR` when it is taken. */
export function claimSlot(i32: Int32Array, base: Address, slot: number, ordinal: number): void {
  const record = slotAddress(base, slot) >>> 2
  const before = Atomics.compareExchange(i32, record + SLOT.PID / 4, 0, ordinal)
  if (before !== 0) throw workerErrors.IPC_ERROR({ channel: `slot ${slot}`, reason: `taken by worker ${before}` })
  Atomics.store(i32, record + SLOT.PHASE / 4, SLOT_PHASE.IDLE)
  Atomics.store(i32, record + SLOT.STATUS / 4, SLOT_STATUS.IDLE)
}

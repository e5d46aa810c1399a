import type { MillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import type { Address } from '../memory/memory-host.js'
import type { FlightRecord } from '../memory/recorder.js'
import type { Clock } from '../schedule/clock.js'
import type { ModeChoice } from './mode.js'
import type { SlotState } from './slots.js'
import type { EndReason, SpawnWorker } from './spawn.js'

/** A worker that ended by itself, was killed, hung, or trapped. */
export interface LostWorker {
  readonly worker: number
  /** −1 in transfer mode. */
  readonly slot: number
  readonly reason: EndReason
  readonly detail: string
  /** What its slot said when it was found: run and task indices, −1 without a job. */
  readonly state: SlotState | undefined
  /** Address of the task that trapped. */
  readonly task: Address | undefined
  /** `WORKER_LOST`; the cause of a trap is what the kernel threw, of a hang `HEARTBEAT_LOST`. */
  readonly error: MillraceError
  /** Last entries of its slot in the flight recorder (MW-06). */
  readonly records: readonly FlightRecord[]
  /** Settles when the thread is gone and its slot is free: from then on its blocks may be freed. */
  readonly cleaned: Promise<void>
}

/** How a pool is made. */
export interface PoolOptions {
  readonly arena: Arena
  /** The engine thread's instances: it came first, and frees the stacks of threads that are gone. */
  readonly runtime: KernelRuntime
  /** Modules for shared or for private memory; asked for once per kind. */
  readonly compiled: (shared: boolean) => Promise<CompiledModules>
  readonly mode: ModeChoice
  /** May a worker's answer turn shared mode into transfer (option `auto`)? */
  readonly mayTransfer: boolean
  /** What is thrown when it may not; default `SHARED_MEMORY`. */
  readonly refused?: (reason: string) => MillraceError
  readonly spawn: SpawnWorker
  /** Most workers. */
  readonly size: number
  readonly startTimeoutMs: number
  readonly clock: Clock
  /** Milliseconds since 1970 at which `clock.nowUs()` was 0. */
  readonly clockOriginMs: number
  /** Bytes of the arena of a worker with private memory; default 32 MiB. */
  readonly ownBytes?: number
  /** Workers that wait, booted, to take a lost one's place; default 1 (MW-48). They boot while work is pending. */
  readonly warmSpares?: number
  /** Replacements within 60 s after which no more are made; default 10. */
  readonly respawns?: number
  /** How long a busy worker's heartbeat may stand still, ms; default 3 000. */
  readonly hangMs?: number
  /** As {@link hangMs}, of what a slot executes now. */
  readonly hangMsOf?: (state: SlotState) => number | undefined
  /** Nodes that a slot executes now, for errors; default its run and task. */
  readonly nodesOf?: (state: SlotState) => string | undefined
  /**
   * Bits of what a worker has, by its place (slot, or number among those that run) and the modules
   * that it instantiated (MW-36); default all.
   */
  readonly facts?: (place: number, modules: readonly string[]) => number
  /** A worker is in use. `after`: the lost one whose place it takes. */
  readonly onStarted?: (worker: number, slot: number, after: number | undefined) => void
  /** A worker says something for the log. */
  readonly onLog?: (level: 'info' | 'warn', text: string, facts: Readonly<Record<string, unknown>>) => void
  /** A worker is lost: at once. */
  readonly onLost?: (lost: LostWorker) => void
  /** It is gone and the runs are rebuilt: tasks that it held are DELAYED. */
  readonly onRecovered?: (lost: LostWorker) => void
  /** No worker is replaced any more, or the arena is corrupt: nothing will be executed. */
  readonly onBroken?: (error: MillraceError) => void
}

import type { CompiledModules } from '../kernels/compiled-modules.js'
import type { StackFacts } from '../kernels/runtime.js'
import type { Media } from '../media/media-type.js'
import type { OutputMode, SegmentReport } from '../schedule/open-segment.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { SegmentSnapshot } from '../schedule/segment-snapshot.js'
import type { EncodedError } from '../errors/codec.js'
import type { ChannelAddresses } from './codec/ring-channel.js'

/**
 * What the engine and its workers say to each other. Both sides are built from this file; a worker of another version is refused with
 * `PROTOCOL_MISMATCH`. Comlink carries {@link WorkerControl}, cold calls only. Shared memory: packets of the codec over two rings
 * (`worker-mail`, `pool-mail`); transfer: a MessagePort of its own carries {@link WorkerEvent} and {@link JobRequest}. In steady state with
 * shared memory nothing is posted at all (MW-41).
 */
export const WORKER_PROTOCOL = 1

/** Name of the processor that runs a segment in an audio context. */
export const SEGMENT_PROCESSOR = 'millrace-segment'

/** Processor → page. Any message to it ends it. */
export type ProcessorEvent = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly error: EncodedError }

/** Steps of a worker's start, in order (MW-42). */
export type BootStep = 'options' | 'arena' | 'modules' | 'handshake' | 'slot' | 'kernels'

/**
 * The first word of a worker, and what it says of a message that it could not read. `lock`: it holds
 * the web lock of its name as long as it lives.
 */
export type Greeting =
  | { readonly millrace: 'hello'; readonly protocol: number; readonly lock?: boolean }
  | { readonly millrace: 'unreadable' }

/** Gives a kernel of a module its number, the same on every thread. */
export interface KernelBinding { readonly id: number; readonly module: string; readonly name: string }

/** Everything that a worker needs to start. */
export interface StartOptions {
  readonly protocol: number
  readonly ordinal: number
  readonly compiled: CompiledModules
  readonly kernels: readonly KernelBinding[]
  /** Shared mode: the engine's memory and the slot to claim. */
  readonly shared?: {
    readonly memory: WebAssembly.Memory
    /** Slot to claim at once; −1: a spare, which waits for {@link WorkerControl.claim}. */
    readonly slot: number
    /** Rings for messages; a spare gets them with its slot. */
    readonly rings?: ChannelAddresses | undefined
    /** Say `doorbell` after the host event changed: the engine cannot wait on it. */
    readonly doorbell: boolean
    /** Bits of what this thread has, for tasks that need it (MW-36). */
    readonly facts: number
  }
  /** Transfer mode: size and id of the worker's own arena. */
  readonly own?: {
    readonly bytes: number
    readonly arenaId: number
    /** Where it writes its entries of the flight recorder, if it can (MW-06). */
    readonly log?: ArrayBufferLike
  }
  /** Milliseconds since 1970 at which the engine's clock was 0: workers tell the engine's time. */
  readonly clockOriginMs: number
  /** Limit of the start, for its error. */
  readonly timeoutMs: number
  readonly port: MessagePort
}

/** A worker's answer to `start`. */
export interface StartReport {
  readonly protocol: number
  /** The memory that the worker sees is a SharedArrayBuffer: what decides the mode (MW-55). */
  readonly shared: boolean
  /** To be freed by the engine's thread after the worker is gone (PK-25). */
  readonly stack: StackFacts
}

/** State of a worker for `doctor` and tests. */
export interface WorkerDump {
  readonly ordinal: number
  readonly kernels: readonly KernelBinding[]
  readonly tasks: number
  readonly mails: number
  readonly jobs: number
  /** Used in the worker's own arena; 0 in shared mode. */
  readonly bytes: number
}

/** Remote calls of a worker. No typed arrays, no media (PK-53). */
export interface WorkerControl {
  start(options: StartOptions): StartReport
  register(kernels: readonly KernelBinding[]): void
  /** A spare takes this slot and begins to work (MW-48). */
  claim(slot: number, facts: number, rings: ChannelAddresses): void
  dump(): WorkerDump
}

/** Something thrown on a worker that is no MillraceError: name, message and stack, so that the engine can tell a trap from a bug. */
export interface Fault { readonly name: string; readonly message: string; readonly stack: string }

/** Worker → engine, on the port. */
export type WorkerEvent =
  /**
   * A task trapped or threw. The worker runs nothing any more; the engine ends the task and the worker (MW-49). Posted
   * where the ring could not carry it, `because`.
   */
  | { readonly kind: 'task-failed'; readonly task: number; readonly fault: Fault; readonly because: string }
  /** The worker's own loop threw: it serves nothing any more, and the engine ends it (MW-46). `because`: as above. */
  | { readonly kind: 'worker-failed'; readonly fault: Fault; readonly because: string }
  /**
   * It found bytes that only an overflow writes: the arena's magic, or the canary of its own stack (MW-02, MW-53).
   * Posted: a ring stands in that same memory.
   */
  | { readonly kind: 'corrupt'; readonly expected: string; readonly got: string; readonly offset: number }
  | { readonly kind: 'doorbell' }
  /** Transfer mode: it executes a segment and lives (MW-45). */
  | { readonly kind: 'beat' }
  | JobReply

/** A packet on its way between two memories: audio as stored, in a buffer that is transferred; other data cloned. */
export interface WirePacket {
  readonly media: Media
  readonly data: unknown
  /** Audio: `frames` frames from the start of `bytes`, planar channel after channel or interleaved, as `media` says. */
  readonly audio?: { readonly bytes: ArrayBuffer; readonly frames: number }
  readonly position: number
  readonly duration: number
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Engine → worker in transfer mode. `job`: number of an opened segment; `buffer`: index into its plan's buffers. */
export type JobRequest =
  | {
    readonly kind: 'job-open'
    readonly job: number
    readonly plan: SegmentPlan
    readonly outputs: readonly (readonly [number, OutputMode])[]
    readonly runId: string
    readonly startUs: number
    /** Goes on where it stood on another worker. */
    readonly from?: SegmentSnapshot
  }
  /** `ahead`: kept until an `advance` takes it (MW-57). */
  | { readonly kind: 'chunk'; readonly job: number; readonly buffer: number; readonly packet: WirePacket; readonly ahead?: boolean }
  | { readonly kind: 'input-end'; readonly job: number; readonly buffer: number; readonly ahead?: boolean }
  /**
   * `snapshot`: the answer brings what another worker needs to go on from there. `spent`: buffers of earlier answers, for the next ones.
   * `take`: inputs that read what was sent ahead; absent: those that are hungry when the pass before it has ended. Who asks later must say
   * them: an input that is fed may make another one hungry.
   */
  | {
    readonly kind: 'advance'
    readonly job: number
    readonly snapshot?: boolean
    readonly spent?: readonly ArrayBuffer[]
    readonly take?: readonly number[]
  }
  /** Inputs read now what was sent ahead: their pass is asked for later, when it is its turn. */
  | { readonly kind: 'take'; readonly job: number; readonly buffers: readonly number[] }
  | { readonly kind: 'job-cancel'; readonly job: number }
  | { readonly kind: 'job-close'; readonly job: number }

/**
 * Worker → engine in transfer mode. `job-opened` answers `job-open`, `result` answers `advance`; `job-failed` may answer either. After
 * `done` or a failure `advance` is not answered any more.
 */
export type JobReply =
  | { readonly kind: 'job-opened'; readonly job: number; readonly hungry: readonly number[] }
  | {
    readonly kind: 'result'
    readonly job: number
    readonly done: boolean
    readonly hungry: readonly number[]
    readonly report: SegmentReport
    readonly outputs: readonly { readonly buffer: number; readonly packet: WirePacket }[]
    /** After the last pass: whole values, or what is left of those that came in pieces. */
    readonly collected: readonly { readonly buffer: number; readonly packet: WirePacket }[]
    readonly snapshot?: SegmentSnapshot
    /** Buffers of chunks that were copied in, for the next ones. */
    readonly spent: readonly ArrayBuffer[]
  }
  | { readonly kind: 'job-failed'; readonly job: number; readonly error: EncodedError; readonly fault?: Fault }
  | { readonly kind: 'job-closed'; readonly job: number }

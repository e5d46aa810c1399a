import type { ReferenceParts } from '../kernels/reference-code.js'
import type { RunMemory } from '../memory/run-memory.js'
import type { Packet } from '../media/packet.js'
import type { SegmentPlan, ValueId } from './segment-plan.js'

/** What one kernel did, read from the state headers that the kernels themselves write (KE-08). */
export interface StepReport {
  readonly nodeId: string
  readonly calls: number
  /** Tag of the code that ran: RUST, ASCR or JSRF. */
  readonly tag: string
  readonly nonfinite: number
  readonly clipped: number
  /** Frames of input 0 that it took (a source: frames it made). */
  readonly framesIn: number
  /** Frames of output 0 that it made; a pass-through gives what it took. */
  readonly framesOut: number
  /**
   * Most bytes of the arena that it held at a time: state, tables of its own, rooms of its outputs
   * (the first step: what the segment shares).
   */
  peakBytes: number
  /** Nanoseconds of the sampled passes that this step took. */
  readonly sampleNs: number
}

/** What a segment did on its thread. */
export interface SegmentReport {
  readonly steps: readonly StepReport[]
  /** The memory that its states were read in is shared between threads (GR-45). Absent: false. */
  readonly shared?: boolean
  readonly passes: number
  /** µs that a thread spent executing it, waiting excluded. */
  readonly busyUs: number
  /** µs between being ready and being taken by a thread, summed over activations. */
  readonly queuedUs: number
  /** µs since the run's start. */
  readonly startUs: number
  /** Slot of the worker that ran it last; −1 the engine's own thread. */
  readonly worker: number
  /** Bytes copied to and from another thread's memory. */
  readonly copyBytes: number
  /** The same by value (`node.port`). */
  readonly copied?: ReadonlyMap<ValueId, number>
  /** How often it was given to a thread: 1 and one more for each that was lost with it. Absent: 1. */
  readonly deliveries?: number
  /** Bytes of states that were copied so that a lost worker's segment can go on; no part of `copyBytes`. */
  readonly checkpointBytes?: number
}

/**
 * How an output leaves: packet by packet as it is produced (`pieces`: and {@link OpenSegment.collected} gives the rest), or as one value
 * at the end (`frames`: its bound when known).
 */
export type OutputMode = { readonly mode: 'emit' | 'pieces' } | {
  readonly mode: 'collect'
  readonly frames: number | undefined
  /** False: only other segments of the run read it. */
  readonly wanted?: boolean
}

/** A segment opened on some thread: the driver feeds it and takes what it produced. One owner, one call of `advance` at a time. */
export interface OpenSegment {
  readonly plan: SegmentPlan
  /** External inputs (buffer indices) that hold nothing and have not ended. */
  hungry(): readonly number[]
  /** Gives the next packet of an external input; owns it until it has been read. Only for hungry inputs. */
  feed(buffer: number, packet: Packet): Promise<void>
  /** No packet follows on that input. */
  end(buffer: number): void
  /**
   * While `advance` runs: inputs that take, by `feed` and `end`, what follows on what they read now; it is read when
   * they are hungry. Absent: none ever (MW-57).
   */
  ahead?(): readonly number[]
  /**
   * While `advance` runs: the next pass begins when this one has ended, if all its inputs were fed ahead;
   * `advance` gives its outputs when it is called.
   */
  goOn?(): void
  /** Set by its driver: called while `advance` runs when {@link goOn} may do what it did not, since others were before it. */
  again?: (() => void) | undefined
  /** Runs until an input is missing or everything has ended; returns what outputs that are not collected produced, in order. */
  advance(): Promise<Advance>
  /** The collected value of an output, after `done`. The caller owns it. */
  collected(buffer: number): Packet
  report(): SegmentReport
  /** Gives back everything; stops a pass that is under way at its next block. */
  close(): Promise<void>
}
export interface Advance { readonly done: boolean; readonly outputs: readonly { readonly buffer: number; readonly packet: Packet }[] }

/** A segment of whole values and where its inputs come from. */
export interface ValueTask {
  readonly plan: SegmentPlan
  readonly outputs: ReadonlyMap<number, OutputMode>
  /** Inputs at hand. The executor owns these packets; it takes each out of the map as it feeds it. */
  readonly literals: Map<number, Packet>
  /** Inputs that another task of the list writes: buffer → writer's task index and value. */
  readonly links: ReadonlyMap<number, { readonly task: number; readonly value: ValueId }>
}

/** Something that executes segments: the engine's own thread, workers on shared memory, workers with private memory. */
export interface SegmentExecutor {
  readonly where: 'engine' | 'worker'
  /** µs that segments have taken of the engine's own thread since it began; absent where they run elsewhere. */
  readonly busyUs?: number
  /** Starts what it needs (workers, modules). */
  prepare(plans: readonly SegmentPlan[], signal: AbortSignal): Promise<void>
  open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, run: RunScope): Promise<OpenSegment>
  /** Executes a graph of whole-value segments; resolves when all are done, rejects with the first failure after all have stopped. */
  runValues(tasks: readonly ValueTask[], run: RunScope): Promise<readonly OpenSegment[]>
}

/**
 * A run among others on the same workers (MW-32): higher priority first, then the older one. One object per run: its identity is the run,
 * and what the run runs within it has the same one.
 */
export interface RunShare {
  readonly priority: number
  /** Most workers that execute segments of the run at once; 0: no bound. */
  readonly limit: number
  /** Less than that of runs that began later. */
  readonly age: number
}

/** What a run shares with its executors. */
export interface RunScope {
  readonly runId: string
  readonly signal: AbortSignal
  readonly startUs: number
  /** False: steps are not timed one by one. Default true. */
  readonly timed?: boolean
  /** Where leases and copies are counted. Absent: nobody asks. */
  readonly memory?: RunMemory
  /** How it stands among other runs on workers. Absent: alone, without a bound. */
  readonly share?: RunShare
  /** Where the references of nodes in the `js` tier come from, by node index. */
  reference(node: number): ReferenceParts | undefined
  /** A segment moved on by this many head frames (progress). */
  progressed(segment: number, frames: number): void
}

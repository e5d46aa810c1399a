import type { Diagnostic } from '../errors/diagnostic.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { Packet } from '../media/packet.js'
import type { RunMetrics } from './metrics.js'
import type { ProgressListener } from './progress.js'

/** See {@link RunOptions.materialize}. */
export type Materialize = 'segments' | 'outputs' | 'all'

/** Options of `engine.run` (spec execution.md). */
export interface RunOptions {
  /** Cancels the run; everything it holds is freed before the promise rejects with `CANCELLED`. */
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /**
   * The run's id, for `engine.cancel`, events and errors; 1–128 characters, no other run under way
   * has it. Default: one that the engine makes.
   */
  readonly runId?: string
  /** Values for the graph's declared inputs, by name. */
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Run outputs wanted; default all. */
  readonly outputs?: readonly string[]
  /** `stop`: the first failure ends the run; `continue`: branches that do not depend on it go on. Default `stop`. */
  readonly onError?: 'stop' | 'continue'
  /** Frames per pass of a segment, 64–65 536; default 4 096. Never changes a bit of the result. */
  readonly blockFrames?: number
  /**
   * What is kept of values between nodes (EX-05): `outputs`: nothing; `segments`: whole values that several segments read; `all`: every
   * node's outputs, but for sources that are read chunk by chunk. Found in {@link RunResult.nodeOutputs}. Default `segments`.
   */
  readonly materialize?: Materialize
  readonly seed?: number | bigint
  /**
   * Among the runs of this engine on its workers: −100…100, higher first, then the older one; within a run lanes (`policy.priority`)
   * decide. On shared and on private memory, for whole values and for chunks: what is more urgent waits for what its worker executes and
   * for one pass that is there already. What this run runs within it has the same. Default 0.
   */
  readonly priority?: number
  /**
   * Most workers that execute segments of this run at once, what runs within it included, on shared and on private memory;
   * 1–256. Default: as many as there are workers.
   */
  readonly workers?: number
  /** ms of a node's own time per packet, for nodes whose policy names no `timeoutMs`; 0: none. Default 300 000. */
  readonly nodeTimeoutMs?: number
  readonly negotiate?: 'auto' | 'safe' | 'strict'
  /** False: the metrics tell of the run as a whole only, no step is timed, and estimates learn nothing. Default: the graph's, else true. */
  readonly metrics?: boolean
}

/** Result of one run. Audio in `outputs` lies in the arena until `close()` of the buffer, of this result or of the engine. */
export interface RunResult<O extends Readonly<Record<string, unknown>> = Readonly<Record<string, Packet>>> {
  readonly runId: string
  readonly status: 'success' | 'partialfailure' | 'failed' | 'cancelled'
  readonly outputs: O
  /** Values kept beside the outputs, as `node.port`; absent when there are none. */
  readonly nodeOutputs?: Readonly<Record<string, Packet>>
  readonly metrics: RunMetrics
  readonly diagnostics: readonly Diagnostic[]
  readonly error?: MillraceError
  /** Gives back all audio of `outputs` and `nodeOutputs`. */
  close(): void
  [Symbol.dispose](): void
}

/** What `engine.run` rejects with: the error, and what the run had finished (EX-51). */
export interface RunFailure extends MillraceError { readonly result: RunResult }

import type { Diagnostic } from '../../errors/diagnostic.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import type { Packet } from '../../media/packet.js'
import type { CompiledPlan } from '../compiled-plan.js'
import type { OpenSegment, RunShare, SegmentExecutor } from '../open-segment.js'
import type { EdgeCounters } from '../packet-queue.js'
import type { ProgressListener } from '../progress.js'
import type { ValueId } from '../segment-plan.js'
import type { CancelJob } from './jobs.js'
import type { NodeReport } from './node-task.js'
import type { RunServices } from './services.js'

/** What a finished (or failed) batch run leaves behind. */
export interface BatchOutcome {
  readonly outputs: Readonly<Record<string, Packet>>
  readonly nodeOutputs: Readonly<Record<string, Packet>>
  readonly failures: readonly MillraceError[]
  readonly cancelled: boolean
  readonly segments: readonly (OpenSegment | undefined)[]
  readonly nodes: ReadonlyMap<string, NodeReport>
  readonly edges: readonly { readonly from: ValueId; readonly to: string; readonly counters: EdgeCounters }[]
  readonly failedNodes: ReadonlyMap<string, MillraceError>
  /** Nodes that came to their end. */
  readonly endedNodes: ReadonlySet<string>
  /** Nodes that did not run, or not to their end, and why: what they need failed, or was blocked, or nobody asked for them. */
  readonly skippedNodes: ReadonlyMap<string, SkipReason>
}
/** Why a node of a plan did not run. */
export type SkipReason = 'dependency-failed' | 'blocked' | 'lazy'

/** Everything one batch run needs. */
export interface BatchRequest {
  readonly compiled: CompiledPlan
  /** `worker`: undefined where none can run; the planner then gives it nothing. */
  readonly executors: { readonly engine: SegmentExecutor; readonly worker: SegmentExecutor | undefined }
  readonly services: RunServices
  readonly runId: string
  /** When the run began, by the clock, µs: what all start times count from. */
  readonly startUs: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: ProgressListener | undefined
  readonly onError: 'stop' | 'continue'
  /** False: nothing is timed step by step (`metrics: false`). Default true. */
  readonly timed?: boolean
  /** Gets how to cancel a job of the run, before the first one starts. */
  readonly onJobs?: (cancel: CancelJob) => void
  readonly share?: RunShare
  readonly diagnostics: Diagnostic[]
  /** Seed of random numbers; default 0. */
  readonly seed?: bigint
  /** ms of own time per packet for nodes that name no limit; 0: none; default 300 000. */
  readonly nodeTimeoutMs?: number
}

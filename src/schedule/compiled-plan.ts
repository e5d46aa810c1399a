import type { ChannelView } from '../graph/node-definition.js'
import type { Media } from '../media/media-type.js'
import type { LazyBranches } from '../graph/resolve/lazy-branches.js'
import type { OwnBytes } from './estimates.js'
import type { Plan } from './plan.js'
import type { ResolvedNode } from './resolved-graph.js'
import type { SegmentPlan, ValueId } from './segment-plan.js'

/** A plan with what executing it needs beside the printable part: functions of definitions, resolved media, segment data. */
export interface CompiledPlan {
  readonly plan: Plan
  /** Bytes without which it cannot run to its end. */
  readonly leastBytes: number
  /** Estimates of what nodes written in TypeScript hold of their own, by index, and what is counted for packets that they give. */
  readonly ownBytes: ReadonlyMap<number, OwnBytes>
  readonly roomBytes: ReadonlyMap<number, number>
  /** In topological order; `index` = position. */
  readonly nodes: readonly ResolvedNode[]
  /** Nodes that change nothing for their params and media and do not run. */
  readonly removed: ReadonlySet<string>
  /** Value id → the value id of its real writer. */
  readonly origin: ReadonlyMap<ValueId, ValueId>
  /** Values that are some channels of their origin. */
  readonly views: ReadonlyMap<ValueId, ChannelView>
  readonly media: ReadonlyMap<ValueId, Media>
  /** Run output name → value id (its writer's). */
  readonly outputs: ReadonlyMap<string, ValueId>
  /** Values kept beside the outputs (EX-05) → their writers' values. */
  readonly stored: ReadonlyMap<ValueId, ValueId>
  /** Run output name → the value that it names, where that is an alias. */
  readonly shown: ReadonlyMap<string, ValueId>
  readonly segments: readonly SegmentPlan[]
  /** What waits to be asked for; undefined: nothing does. */
  readonly lazy?: LazyBranches | undefined
  /** Where each segment runs, by index. */
  readonly where: readonly ('engine' | 'worker')[]
  /** Upper bounds of whole lengths, frames. */
  readonly totals: ReadonlyMap<ValueId, number>
}

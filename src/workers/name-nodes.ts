import type { SegmentPlan } from '../schedule/segment-plan.js'

/** Nodes of segments by id and type, as errors name what a thread was at. */
export function nameNodes(plans: readonly Pick<SegmentPlan, 'nodes'>[]): string {
  return plans.flatMap(({ nodes }) => nodes.map(({ spec }) => `${spec.nodeId} (${spec.type})`)).join(', ')
}

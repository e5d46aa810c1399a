import type { RunMemory } from '../../memory/run-memory.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import type { Tier } from '../../graph/tiers.js'
import type { SkippedNode } from '../policy/skips.js'
import type { CompiledPlan } from '../compiled-plan.js'
import type { CostHistory } from '../estimates.js'
import type { EdgeMetrics, NodeMetrics, RunMetrics } from '../metrics.js'
import type { SegmentReport } from '../open-segment.js'
import { nodeOf, type ResolvedNode } from '../resolved-graph.js'
import type { SegmentPlan } from '../segment-plan.js'
import type { BatchOutcome } from './batch-types.js'
import { copiesOf, edgeRows } from './edge-rows.js'

/**
 * Tier by the tag that the code itself wrote into its state, and the memory that this state was read in
 * (GR-45); code that was never called has no tag.
 */
function tierOfState(tag: string, shared: boolean | undefined): Tier | undefined {
  return tag === 'JSRF' ? 'js' : tag === NO_TAG ? undefined : shared === true ? 'wasm-threads' : 'wasm'
}
const NO_TAG = '\0\0\0\0'

/** Facts about a run that its outcome does not hold. */
export interface RunFacts {
  readonly runId: string
  readonly pipelineId: string
  readonly version: string
  readonly startMs: number
  readonly endMs: number
  readonly startUs: number
  readonly endUs: number
  readonly status: RunMetrics['status']
  readonly clockResolutionUs: number
  readonly arena: RunMetrics['arena']
  readonly memory: RunMemory
  readonly workers: number
  /** Threads lost and put in a lost one's place while the run was under way. */
  readonly lost: number
  readonly respawned: number
  readonly error: MillraceError | undefined
  /** Nodes that `skipIf` took out, and what needs them. */
  readonly skipped: readonly SkippedNode[]
  /** False (`metrics: false`): the run as a whole only; nodes, edges and critical path stay empty. */
  readonly detailed: boolean
}

/** Metrics of a batch run (spec execution.md section 8) from what its segments and nodes reported. `history` learns the measured costs. */
export function batchMetrics(
  compiled: CompiledPlan, outcome: BatchOutcome, facts: RunFacts, nowUs: () => number, history: CostHistory,
): RunMetrics {
  const began = nowUs()
  const reports = facts.detailed ? outcome.segments.map((segment) => segment?.report()) : []
  const found = compiled.segments.map((segment, i) => lookUp(segment, reports[i]))
  const copied = copiesByNode(facts.memory)
  const nodes = !facts.detailed ? [] : compiled.nodes.filter((node) => !compiled.removed.has(node.id)).map((node) => {
    const planned = compiled.plan.nodes[node.index]!, { id, definition } = node, report = outcome.nodes.get(id), base: Base = {
      id, type: definition.type, version: definition.version, where: planned.where, segment: planned.segment, status: 'success',
      error: undefined, reason: undefined,
      attempts: report?.attempts || 1, deliveries: report?.deliveries || 1, memoryPeakBytes: facts.memory.peakBytes(id),
      copyBytes: copied.get(id) ?? 0,
    }
    setStatus(base, outcome)
    return node.tier === null
      ? typescriptNode(base, node, compiled, outcome, facts, history)
      : kernelNode(base, compiled, reports[planned.segment], found[planned.segment], history)
  })
  const busyUs = reports.reduce((sum, report) => sum + (report && report.worker >= 0 ? report.busyUs : 0), 0)
  const totalTimeUs = facts.endUs - facts.startUs
  const checkpointBytes = reports.reduce((sum, report) => sum + (report?.checkpointBytes ?? 0), 0)
  return {
    pipelineId: facts.pipelineId, runId: facts.runId, graphHash: compiled.plan.graphHash, driver: 'batch', version: facts.version,
    startTime: new Date(facts.startMs).toISOString(), endTime: new Date(facts.endMs).toISOString(), totalTimeUs, status: facts.status,
    clockResolutionUs: facts.clockResolutionUs, peakMemoryBytes: facts.memory.all.peakBytes,
    copyBytes: facts.memory.copies.bytes() + reports.reduce((sum, report) => sum + (report?.copyBytes ?? 0), 0),
    nodesTotal: compiled.nodes.length - compiled.removed.size + facts.skipped.length,
    nodesExecuted: nodes.filter((node) => node.kernelCalls > 0 || node.itemsOut > 0 || node.itemsIn > 0).length, nodesCached: 0,
    cache: { hits: 0, misses: 0, evicted: 0 },
    arena: facts.arena,
    workers: {
      count: facts.workers, lost: facts.lost, respawned: facts.respawned,
      busyRatio: facts.workers > 0 && totalTimeUs > 0 ? Math.min(1, busyUs / (totalTimeUs * facts.workers)) : 0,
      ...(checkpointBytes > 0 && { checkpointBytes }),
    },
    criticalPath: facts.detailed ? criticalPath(compiled, nodes) : [],
    nodes: facts.detailed ? [...nodes, ...facts.skipped.map(skippedNode)] : [],
    edges: facts.detailed ? edgesOf(compiled, outcome, facts.memory, reports) : [], metricsOverheadUs: nowUs() - began,
    ...(facts.error === undefined ? {} : { error: { code: facts.error.code, message: facts.error.message } }),
  }
}

/** A node that was never dispatched. */
function skippedNode({ id, type, version, reason }: SkippedNode): NodeMetrics {
  return rowOf({
    id, type, version, status: 'skipped', error: undefined, reason, where: 'engine', segment: -1, attempts: 0, deliveries: 0,
    memoryPeakBytes: 0, copyBytes: 0,
  }, IDLE)
}

/** What a node that did nothing has measured. */
const IDLE: Measured = {
  runtime: '', tier: '', worker: -1, startTimeUs: 0, queueUs: 0, executionTimeUs: 0, kernelCalls: 0, itemsIn: 0, itemsOut: 0, framesIn: 0,
  framesOut: 0, nonfinite: 0, clipped: 0,
}

/** One literal with all fields: copies by spread took 15 µs a node, this takes a tenth of one. */
function rowOf(base: Base, m: Measured): NodeMetrics {
  const row: NodeMetrics = {
    id: base.id, type: base.type, version: base.version, where: base.where, segment: base.segment, status: base.status,
    attempts: base.attempts, deliveries: base.deliveries, runtime: m.runtime, tier: m.tier, worker: m.worker, startTimeUs: m.startTimeUs,
    queueUs: m.queueUs, executionTimeUs: m.executionTimeUs,
    memoryPeakMb: Math.round(base.memoryPeakBytes / 1_048_576 * 1000) / 1000, memoryPeakBytes: base.memoryPeakBytes,
    copyBytes: base.copyBytes, kernelCalls: m.kernelCalls, itemsIn: m.itemsIn, itemsOut: m.itemsOut, framesIn: m.framesIn,
    framesOut: m.framesOut, nonfinite: m.nonfinite, clipped: m.clipped,
  }
  if (base.error) return { ...row, error: base.error }
  return base.reason === undefined ? row : { ...row, reason: base.reason }
}

/** What every row says, built up in place. */
interface Base {
  readonly id: string; readonly type: string; readonly version: string; where: NodeMetrics['where']; readonly segment: number
  status: NodeMetrics['status']; error: NodeMetrics['error'] | undefined; reason: string | undefined
  readonly attempts: number; deliveries: number; memoryPeakBytes: number; copyBytes: number
}
type Measured = Omit<NodeMetrics, keyof Base | 'memoryPeakMb'>

function setStatus(base: Base, { endedNodes, skippedNodes, failedNodes }: BatchOutcome): void {
  const failed = failedNodes.get(base.id)
  if (failed) {
    base.status = failed.code === 'CANCELLED' ? 'cancelled' : 'failed'
    base.error = { code: failed.code, message: failed.message }
  }
  else if ((base.reason = skippedNodes.get(base.id)) !== undefined) base.status = 'skipped'
  else base.status = !endedNodes.has(base.id) ? 'cancelled' : base.attempts > 1 ? 'retried' : 'success'
}

function typescriptNode(
  base: Base, node: ResolvedNode, compiled: CompiledPlan, outcome: BatchOutcome, facts: RunFacts, history: CostHistory,
): NodeMetrics {
  const report = outcome.nodes.get(base.id)
  if (report === undefined) return rowOf(base, { ...IDLE, runtime: 'typescript', tier: 'typescript' })
  base.where = report.where ?? base.where
  // A source that is one packet at hand (`whole`) holds nothing of its own: what it gives is somebody else's.
  const rooms = compiled.roomBytes.get(node.index), { inputBytes } = compiled.ownBytes.get(node.index)!
  if (base.status === 'success') {
    history.addRun(
      node, report.busyUs, compiled,
      rooms === undefined ? undefined : { bytes: Math.max(0, base.memoryPeakBytes - rooms), inputBytes },
    )
  }
  return rowOf(base, {
    runtime: 'typescript', tier: 'typescript', worker: -1, startTimeUs: report.startUs - facts.startUs, queueUs: report.queuedUs,
    executionTimeUs: report.busyUs, kernelCalls: 0, itemsIn: report.itemsIn, itemsOut: report.itemsOut, framesIn: report.framesIn,
    framesOut: report.framesOut, nonfinite: 0, clipped: 0,
  })
}

/** A segment's parts by name: looked up once per node. */
interface Lookup { readonly indexOf: ReadonlyMap<string, number>; readonly sampled: number }

function lookUp(segment: SegmentPlan, report: SegmentReport | undefined): Lookup | undefined {
  if (report === undefined) return undefined
  return {
    indexOf: new Map(segment.nodes.map((node, i) => [node.spec.nodeId, i])),
    sampled: report.steps.reduce((sum, step) => sum + step.sampleNs, 0),
  }
}

function kernelNode(
  base: Base, compiled: CompiledPlan, report: SegmentReport | undefined, found: Lookup | undefined, history: CostHistory,
): NodeMetrics {
  const segment = compiled.segments[base.segment], index = found?.indexOf.get(base.id) ?? -1
  const step = report?.steps[index], sampled = found?.sampled ?? 0
  const share = step === undefined ? 0 : sampled > 0 ? step.sampleNs / sampled : 1 / (report?.steps.length ?? 1)
  const executionTimeUs = Math.round((report?.busyUs ?? 0) * share)
  const tier = tierOfState(step?.tag ?? NO_TAG, report?.shared) ?? segment?.tier ?? ''
  const node = compiled.nodes[segment?.nodes[index]?.node ?? -1]
  const link = node?.inputs.find((input) => input.from !== null)?.link, media = link === undefined ? undefined : node?.media[link]
  if (step && tier !== 'js') history.add(base.type, executionTimeUs, step.framesIn * (media?.kind === 'audio' ? media.channels : 1))
  base.deliveries = report?.deliveries ?? 1
  base.memoryPeakBytes = Math.max(base.memoryPeakBytes, step?.peakBytes ?? 0)
  if (index === 0) base.copyBytes += report?.copyBytes ?? 0
  return rowOf(base, {
    runtime: tier, tier, worker: report?.worker ?? -1, startTimeUs: report?.startUs ?? 0, queueUs: report?.queuedUs ?? 0, executionTimeUs,
    kernelCalls: step?.calls ?? 0,
    itemsIn: step ? report!.passes : 0, itemsOut: step ? report!.passes : 0, framesIn: step?.framesIn ?? 0, framesOut: step?.framesOut ?? 0,
    nonfinite: step?.nonfinite ?? 0, clipped: step?.clipped ?? 0,
  })
}

/** Bytes copied by node: what the ledger charges to its outputs. */
function copiesByNode({ copies }: RunMemory): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { edge, bytes } of copies.entries()) { const node = nodeOf(edge); sums.set(node, (sums.get(node) ?? 0) + bytes) }
  return sums
}

/** What has carried or copied something: an edge inside a segment does neither. */
function edgesOf(
  compiled: CompiledPlan, outcome: BatchOutcome, memory: RunMemory, reports: readonly (SegmentReport | undefined)[],
): EdgeMetrics[] {
  const metrics: EdgeMetrics[] = []
  for (const { copyBytes: { thread, convert, platform, user }, queued, ...row } of edgeRows(
    compiled.plan.edges, outcome.edges, copiesOf(memory.copies, reports), true,
  )) {
    const copyBytes = thread + convert + platform + user
    if (copyBytes > 0 || queued) metrics.push({ ...row, copyBytes })
  }
  return metrics
}

/** The chain of nodes with the greatest sum of measured times. */
function criticalPath(compiled: CompiledPlan, nodes: readonly NodeMetrics[]): string[] {
  const time = new Map(nodes.map((node) => [node.id, node.executionTimeUs]))
  const best = new Map<string, { us: number; from: string | undefined }>()
  for (const node of compiled.nodes) {
    let us = 0, from: string | undefined
    for (const input of node.inputs) {
      if (input.from === null) continue
      const id = input.from.slice(0, input.from.lastIndexOf('.')), before = best.get(id)
      if (before && (from === undefined || before.us > us)) { us = before.us; from = id }
    }
    best.set(node.id, { us: us + (time.get(node.id) ?? 0), from })
  }
  // Of equals the later one: a clock of 0.1 ms (plain pages) may give a node no time at all, and it is on the path still.
  let last: string | undefined
  for (const [id, { us }] of best) if (last === undefined || us >= best.get(last)!.us) last = id
  const path: string[] = []
  for (let id = last; id !== undefined; id = best.get(id)?.from) path.unshift(id)
  return path
}

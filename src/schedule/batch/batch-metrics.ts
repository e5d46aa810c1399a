import type { RunMemory } from '../../memory/run-memory.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import type { SkippedNode } from '../policy/skips.js'
import type { CompiledPlan } from '../compiled-plan.js'
import type { CostHistory } from '../estimates.js'
import type { EdgeMetrics, NodeMetrics, RunMetrics } from '../metrics.js'
import type { SegmentReport } from '../open-segment.js'
import { nodeOf } from '../resolved-graph.js'
import type { SegmentPlan } from '../segment-plan.js'
import type { BatchOutcome } from './batch-types.js'

/** Tier by the tag that the code itself wrote into its state. */
const TIER_OF_TAG: Readonly<Record<string, string>> = { JSRF: 'js' }

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
  readonly lost: number
  readonly error: MillraceError | undefined
  /** Nodes that `skipIf` took out, and what needs them. */
  readonly skipped: readonly SkippedNode[]
  /** False (`metrics: false`): the run as a whole only; nodes, edges and critical path stay empty. */
  readonly detailed: boolean
}

/** Metrics of a batch run (spec execution.md section 8) from what its segments and nodes reported. `history` learns the measured costs. */
export function batchMetrics(compiled: CompiledPlan, outcome: BatchOutcome, facts: RunFacts, nowUs: () => number, history: CostHistory): RunMetrics {
  const began = nowUs()
  const reports = facts.detailed ? outcome.segments.map((segment) => segment?.report()) : [], found = compiled.segments.map((segment, i) => lookUp(segment, reports[i]))
  const copied = copiesByNode(facts.memory)
  const nodes = !facts.detailed ? [] : compiled.nodes.filter((node) => !compiled.removed.has(node.id)).map((node) => {
    const planned = compiled.plan.nodes[node.index]!
    const failed = outcome.failedNodes.get(node.id)
    const base = { id: node.id, type: node.definition.type, version: node.definition.version, where: planned.where, segment: planned.segment, ...outcomeOf(node.id, failed, outcome), attempts: outcome.nodes.get(node.id)?.attempts || 1, deliveries: outcome.nodes.get(node.id)?.deliveries || 1, memoryPeakBytes: facts.memory.peakBytes(node.id), copyBytes: copied.get(node.id) ?? 0 }
    return node.tier === null ? typescriptNode(base, outcome, facts) : kernelNode(base, compiled, reports[planned.segment], found[planned.segment], history)
  })
  const busyUs = reports.reduce((sum, report) => sum + (report && report.worker >= 0 ? report.busyUs : 0), 0)
  const totalTimeUs = facts.endUs - facts.startUs, checkpointBytes = reports.reduce((sum, report) => sum + (report?.checkpointBytes ?? 0), 0)
  return {
    pipelineId: facts.pipelineId, runId: facts.runId, graphHash: compiled.plan.graphHash, driver: 'batch', version: facts.version,
    startTime: new Date(facts.startMs).toISOString(), endTime: new Date(facts.endMs).toISOString(), totalTimeUs, status: facts.status,
    clockResolutionUs: facts.clockResolutionUs, peakMemoryBytes: facts.memory.all.peakBytes, copyBytes: facts.memory.copies.bytes() + reports.reduce((sum, report) => sum + (report?.copyBytes ?? 0), 0),
    nodesTotal: compiled.nodes.length - compiled.removed.size + facts.skipped.length, nodesExecuted: nodes.filter((node) => node.kernelCalls > 0 || node.itemsOut > 0 || node.itemsIn > 0).length, nodesCached: 0, cache: { hits: 0, misses: 0, evicted: 0 },
    arena: facts.arena, workers: { count: facts.workers, lost: facts.lost, respawned: 0, busyRatio: facts.workers > 0 && totalTimeUs > 0 ? Math.min(1, busyUs / (totalTimeUs * facts.workers)) : 0, ...(checkpointBytes > 0 && { checkpointBytes }) },
    criticalPath: facts.detailed ? criticalPath(compiled, nodes) : [], nodes: facts.detailed ? [...nodes, ...facts.skipped.map(skippedNode)] : [], edges: facts.detailed ? edgesOf(outcome) : [], metricsOverheadUs: nowUs() - began,
    ...(facts.error === undefined ? {} : { error: { code: facts.error.code, message: facts.error.message } }),
  }
}

/** A node that was never dispatched. */
function skippedNode({ id, type, version, reason }: SkippedNode): NodeMetrics {
  return {
    id, type, version, reason, status: 'skipped', runtime: '', tier: '', where: 'engine', worker: -1, segment: -1, startTimeUs: 0, queueUs: 0, executionTimeUs: 0, memoryPeakMb: 0, memoryPeakBytes: 0,
    attempts: 0, deliveries: 0, kernelCalls: 0, itemsIn: 0, itemsOut: 0, framesIn: 0, framesOut: 0, copyBytes: 0, nonfinite: 0, clipped: 0,
  }
}

type Base = Pick<NodeMetrics, 'id' | 'type' | 'version' | 'where' | 'segment' | 'status' | 'attempts' | 'deliveries' | 'memoryPeakBytes' | 'copyBytes'> & Partial<Pick<NodeMetrics, 'error' | 'reason'>>

function outcomeOf(id: string, failed: MillraceError | undefined, { endedNodes, skippedNodes, nodes }: BatchOutcome): Pick<Base, 'status' | 'error' | 'reason'> {
  if (failed) return { status: 'failed', error: { code: failed.code, message: failed.message } }
  const reason = skippedNodes.get(id)
  if (reason !== undefined) return { status: 'skipped', reason }
  return { status: !endedNodes.has(id) ? 'cancelled' : (nodes.get(id)?.attempts ?? 1) > 1 ? 'retried' : 'success' }
}

function typescriptNode(base: Base, outcome: BatchOutcome, facts: RunFacts): NodeMetrics {
  const report = outcome.nodes.get(base.id)
  return {
    ...base, runtime: 'typescript', tier: 'typescript', where: report?.where ?? base.where, worker: -1, startTimeUs: report ? report.startUs - facts.startUs : 0, queueUs: report?.queuedUs ?? 0, executionTimeUs: report?.busyUs ?? 0,
    memoryPeakMb: megabytes(base.memoryPeakBytes), kernelCalls: 0, itemsIn: report?.itemsIn ?? 0, itemsOut: report?.itemsOut ?? 0, framesIn: report?.framesIn ?? 0, framesOut: report?.framesOut ?? 0,
    nonfinite: 0, clipped: 0,
  }
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

function kernelNode(base: Base, compiled: CompiledPlan, report: SegmentReport | undefined, found: Lookup | undefined, history: CostHistory): NodeMetrics {
  const segment = compiled.segments[base.segment], index = found?.indexOf.get(base.id) ?? -1
  const step = report?.steps[index], sampled = found?.sampled ?? 0
  const share = step === undefined ? 0 : sampled > 0 ? step.sampleNs / sampled : 1 / (report?.steps.length ?? 1)
  const executionTimeUs = Math.round((report?.busyUs ?? 0) * share)
  const tier = TIER_OF_TAG[step?.tag ?? ''] ?? segment?.tier ?? ''
  const node = compiled.nodes[segment?.nodes[index]?.node ?? -1]
  const link = node?.inputs.find((input) => input.from !== null)?.link, media = link === undefined ? undefined : node?.media[link]
  if (step && tier !== 'js') history.add(base.type, executionTimeUs, step.framesIn * (media?.kind === 'audio' ? media.channels : 1))
  const memoryPeakBytes = Math.max(base.memoryPeakBytes, step?.peakBytes ?? 0)
  return {
    ...base, runtime: tier, tier, worker: report?.worker ?? -1, startTimeUs: report?.startUs ?? 0, queueUs: report?.queuedUs ?? 0, executionTimeUs,
    deliveries: report?.deliveries ?? 1, memoryPeakMb: megabytes(memoryPeakBytes), memoryPeakBytes, kernelCalls: step?.calls ?? 0, itemsIn: step ? report!.passes : 0, itemsOut: step ? report!.passes : 0,
    framesIn: step?.framesIn ?? 0, framesOut: step?.framesOut ?? 0, copyBytes: base.copyBytes + (index === 0 ? report?.copyBytes ?? 0 : 0), nonfinite: step?.nonfinite ?? 0, clipped: step?.clipped ?? 0,
  }
}

function megabytes(bytes: number): number { return Math.round(bytes / 1_048_576 * 1000) / 1000 }

/** Bytes copied by node: what the ledger charges to its outputs. */
function copiesByNode({ copies }: RunMemory): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { edge, bytes } of copies.entries()) { const node = nodeOf(edge); sums.set(node, (sums.get(node) ?? 0) + bytes) }
  return sums
}

function edgesOf(outcome: BatchOutcome): EdgeMetrics[] {
  return outcome.edges.map(({ from, to, counters: { waitedUs: _waited, ...counters } }) => ({ from, to, transport: 'queue', ...counters }))
}

/** The chain of nodes with the greatest sum of measured times. */
function criticalPath(compiled: CompiledPlan, nodes: readonly NodeMetrics[]): string[] {
  const time = new Map(nodes.map((node) => [node.id, node.executionTimeUs])), best = new Map<string, { us: number; from: string | undefined }>()
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

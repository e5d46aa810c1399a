import type { Diagnostic } from '../errors/diagnostic.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { Graph } from '../graph/graph.js'
import type { Outputs } from '../graph/graph-from.js'
import { RunMemory } from '../memory/run-memory.js'
import { runBatch } from '../schedule/batch/batch-run.js'
import type { BatchOutcome } from '../schedule/batch/batch-types.js'
import { batchMetrics } from '../schedule/batch/batch-metrics.js'
import type { CancelJob } from '../schedule/batch/jobs.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import type { CostHistory } from '../schedule/estimates.js'
import type { NodeInstances } from '../schedule/node-instances.js'
import type { SkippedNode } from '../schedule/policy/skips.js'
import { restingNodes } from '../schedule/lazy-sources.js'
import { primeSources } from '../schedule/prime-sources.js'
import type { RunOptions, RunResult } from '../schedule/run-types.js'
import { EdgeLog } from './edge-log.js'
import { NestedRuns, type Budget } from './nested-runs.js'
import { makeRunResult } from './run-result.js'
import type { EngineParts } from './engine-parts.js'
import type { EngineStats } from './engine-stats.js'
import { cancelledRun, probeFailure, withResult } from './run-errors.js'
import type { RunCompiler } from './run-compiler.js'
import { runServices, startSource } from './run-services.js'
import { threadStats } from './thread-stats.js'

/** One run of a graph at a time: from the call to its result. Nested runs come back here. */
export class GraphRuns {
  /** What the edges of the last runs carried. */
  readonly edges = new EdgeLog()
  readonly #p: EngineParts
  readonly #compiler: RunCompiler
  readonly #instances: NodeInstances
  readonly #history: CostHistory
  #age = 0

  constructor(parts: EngineParts, compiler: RunCompiler, instances: NodeInstances, history: CostHistory) {
    this.#p = parts
    this.#compiler = compiler
    this.#instances = instances
    this.#history = history
  }

  /** Runs it. Rejects with what the run failed with, its result hung on. */
  async execute(
    runId: string, target: Outputs | Graph, options: RunOptions, signal: AbortSignal, budget: Budget, onJobs?: (cancel: CancelJob) => void,
  ): Promise<RunResult> {
    const { clock, arena } = this.#p
    const startMs = clock.nowMs(), startUs = clock.nowUs(), before = threadStats(this.#p)
    const share = budget.share ??= { priority: options.priority ?? 0, limit: options.workers ?? 0, age: this.#age++ }
    if (signal.aborted) throw cancelledRun(runId, signal)
    // Once it was stopped, that is why it ends, whatever else goes wrong on the way.
    const stopped = (error: unknown): never => { throw signal.aborted ? cancelledRun(runId, signal) : error }
    const prepared = await this.#compiler.prepare(target, options, signal, runId).catch(stopped)
    const diagnostics: Diagnostic[] = []
    const detailed = options.metrics ?? prepared.graph.config.metrics ?? true
    const onError = options.onError ?? prepared.graph.config.onError ?? 'stop'
    if (signal.aborted) throw cancelledRun(runId, signal)
    const resting = prepared.failures.size === 0 ? undefined : restingNodes(prepared.graph)
    for (const [id, failure] of prepared.failures) if (resting?.has(id) !== true) throw probeFailure(id, failure, prepared.graph)
    const nested = new NestedRuns(budget, this.#p.options.limits.expandedNodes, (graph, node, inner, shared) =>
      this.execute(`${runId}/${node}`, graph, {
        ...(options.seed !== undefined && { seed: options.seed }),
        ...(options.blockFrames !== undefined && { blockFrames: options.blockFrames }),
      }, inner, shared))
    const memory = new RunMemory(arena), services = runServices(this.#p, this.#instances, { runId, graph: prepared.given, nested }, memory)
    const primed = await primeSources(prepared.graph, prepared.known, (node) => startSource(
      this.#p.hashFacts, this.#instances, node, services, runId, signal, diagnostics,
      BigInt(options.seed ?? prepared.graph.config.seed ?? 0),
    ), { clock, signal, hangMs: services.hangMs, hung: ({ id }, ms) => { diagnostics.push(services.hung(id, ms)) } }).catch(stopped)
    let compiled: CompiledPlan, outcome: BatchOutcome
    try {
      compiled = await this.#compiler.compile(
        { ...prepared, ...primed, ...(primed.graph !== prepared.graph && { solved: undefined }) },
        options, signal,
      ).catch((error: unknown) => { throw signal.aborted ? cancelledRun(runId, signal) : error })
      if (await this.#compiler.sharingFailed(compiled, signal)) return await this.execute(runId, target, options, signal, budget, onJobs)
      for (const one of compiled.plan.diagnostics.concat(this.#compiler.requireRoom(runId, compiled))) diagnostics.push(one)
      outcome = await runBatch({
        ...(onJobs !== undefined && { onJobs }),
        compiled, executors: { engine: this.#p.inline, worker: this.#p.workers.executor }, services, runId, startUs, signal,
        onProgress: options.onProgress, onError, diagnostics, timed: detailed,
        seed: BigInt(options.seed ?? prepared.graph.config.seed ?? 0),
        ...(options.nodeTimeoutMs !== undefined && { nodeTimeoutMs: options.nodeTimeoutMs }),
        share,
      })
    } finally { await primed.abandon() }
    this.edges.add(runId, compiled, outcome, memory.copies)
    // A job that was cancelled is no reason to stop: the rest of the run counts.
    const failed = outcome.failures.find(({ code }) => code !== 'CANCELLED')
    const error = outcome.cancelled ? cancelledRun(runId, signal) : failed ?? outcome.failures[0]
    const status = outcome.cancelled ? 'cancelled'
      : error === undefined ? 'success'
      : (onError === 'continue' || failed === undefined) && Object.keys(outcome.outputs).length > 0 ? 'partialfailure'
      : failed === undefined ? 'cancelled'
      : 'failed'
    const metrics = nested.report(this.#measure(runId, compiled, outcome, status, error, {
      startMs, startUs, before, memory, detailed, skipped: prepared.skipped,
    }))
    const result = makeRunResult(runId, status, outcome.outputs, metrics, diagnostics, error, outcome.nodeOutputs)
    if (error === undefined || status === 'partialfailure') return result
    throw withResult(error, result)
  }

  #measure(
    runId: string, compiled: CompiledPlan, outcome: BatchOutcome, status: RunResult['status'], error: MillraceError | undefined,
    from: {
      startMs: number
      startUs: number
      before: EngineStats['workers']
      memory: RunMemory
      detailed: boolean
      skipped: readonly SkippedNode[]
    },
  ): RunResult['metrics'] {
    const { clock, arena } = this.#p, after = arena.stats(), { count, lost, respawns } = threadStats(this.#p)
    return batchMetrics(compiled, outcome, {
      runId, pipelineId: compiled.plan.graphHash.slice(0, 16), version: MILLRACE_VERSION, startMs: from.startMs, endMs: clock.nowMs(),
      startUs: from.startUs, endUs: clock.nowUs(), status,
      clockResolutionUs: clock.resolutionUs, memory: from.memory, workers: count, lost: lost - from.before.lost,
      respawned: respawns - from.before.respawns, error, detailed: from.detailed, skipped: from.skipped,
      arena: {
        capacityBytes: after.capacityBytes, usedPeakBytes: after.peakBytes, allocs: from.memory.all.allocs, frees: from.memory.all.frees,
        evictions: 0, fragmentation: after.fragmentation,
      },
    }, () => clock.nowUs(), this.#history)
  }
}

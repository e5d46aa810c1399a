import type { Diagnostic } from '../errors/diagnostic.js'
import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import { errorOf } from '../errors/error-of.js'
import { loadPart } from '../errors/load-part.js'
import type { AnyHandle, AnyOutput } from '../graph/output-ref.js'
import { graphErrors } from '../graph/errors.js'
import { nearest } from '../graph/nearest.js'
import { toDocument } from '../graph/document/to-document.js'
import { createGraph, type Graph, type GraphNode } from '../graph/graph.js'
import type { NodeBlock, NodeContext } from '../graph/node-definition.js'
import { graphFrom, type Outputs } from '../graph/graph-from.js'
import { resolveParams } from '../graph/params.js'
import type { Registry } from '../graph/registry.js'
import { flatGraph } from '../graph/subgraph/flatten.js'
import { parseTier, type Tier } from '../graph/tiers.js'
import type { Negotiation } from '../graph/negotiate/index.js'
import type { GraphPasses } from '../graph/passes.js'
import { examineGraph } from '../graph/validate/validate-graph.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import type { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Arena } from '../memory/arena.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import { RunMemory } from '../memory/run-memory.js'
import { SAMPLE_BYTES } from '../media/convert-samples.js'
import type { AudioApi } from '../memory/audio-api.js'
import { runBatch } from '../schedule/batch/batch-run.js'
import type { BatchOutcome } from '../schedule/batch/batch-types.js'
import { nodeContext, randomKey } from '../schedule/batch/node-context.js'
import type { ScriptHost } from '../schedule/batch/script-host.js'
import { batchMetrics } from '../schedule/batch/batch-metrics.js'
import type { RunServices } from '../schedule/batch/services.js'
import { bindInputs } from '../schedule/bind-inputs.js'
import type { Clock } from '../schedule/clock.js'
import { compilePlan } from '../schedule/compile-plan.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import { CostHistory } from '../schedule/estimates.js'
import { wrapNodeFailure } from '../schedule/node-failure.js'
import { NodeInstances } from '../schedule/node-instances.js'
import type { SegmentExecutor } from '../schedule/open-segment.js'
import type { Plan } from '../schedule/plan.js'
import type { Limiters } from '../schedule/policy/limiters.js'
import { applySkips, type SkippedNode } from '../schedule/policy/skips.js'
import { readPolicy } from '../schedule/policy/node-policy.js'
import { primeSources, type StartSource } from '../schedule/prime-sources.js'
import { probeSources, type Discovered } from '../schedule/probe-sources.js'
import type { RunFailure, RunOptions, RunResult } from '../schedule/run-types.js'
import type { HostFacts } from '../kernels/host-facts.js'
import type { WorkerHost } from '../workers/worker-host.js'
import { audioBuffer } from '../nodes/io/audio-buffer.js'
import type { AnyNode } from '../graph/node-factory.js'
import type { AudioMedia, Media } from '../media/media-type.js'
import { openNode, type OpenNode, type OpenNodeOptions } from './open-node.js'
import { joinPackets } from './audio-join.js'
import type { EngineStats, ModeFacts } from './engine-stats.js'
import type { FilledOptions } from './engine-options.js'
import type { OutputsOf } from './output-types.js'
import type { EventStream } from '../observe/events.js'
import { PressureGate } from './pressure-gate.js'
import { checkRunCall } from './run-options.js'
import { callGraph, NestedRuns, type Budget } from './nested-runs.js'
import { makeRunResult } from './run-result.js'
import type { WorkletContext, WorkletInput, WorkletOptions, WorkletSegment } from './worklet.js'

/** What an engine is made of; put together by `createEngine`. */
export interface EngineParts {
  readonly options: FilledOptions
  readonly facts: HostFacts
  readonly registry: Registry
  readonly tier: Tier
  readonly mode: ModeFacts
  readonly arena: Arena
  readonly audio: AudioApi
  readonly runtime: KernelRuntime | undefined
  /** Order and hashes of graphs. */
  readonly passes: GraphPasses
  readonly shared: SharedBlocks
  readonly clock: Clock
  readonly inline: SegmentExecutor
  readonly workers: WorkerHost
  /** Threads for nodes written in TypeScript. */
  readonly scripts: ScriptHost | undefined
  readonly limiters: Limiters
  readonly warnings: readonly Diagnostic[]
  readonly events: EventStream
}

/** A graph that is sound, with what its sources told. */
interface Prepared extends Omit<Discovered, 'known'> { readonly given: Graph; readonly graph: Graph; readonly found: readonly Diagnostic[]; /** Agreed media, until sources tell more. */ readonly solved: Negotiation | undefined; readonly skipped: readonly SkippedNode[]; readonly known: Discovered['known'] | ReadonlyMap<string, Media> }

/** What the services of one run know of it. */
interface RunFacts { readonly runId: string; readonly graph: Graph; readonly nested: NestedRuns }

/** Options of `engine.plan`. */
export type PlanOptions = Pick<RunOptions, 'inputs' | 'signal' | 'negotiate' | 'blockFrames' | 'seed' | 'outputs' | 'materialize'>

/** Frames per pass when nothing is said. */
const BLOCK_FRAMES = 4_096

/** Share of the free arena above which a run is called tight. */
const TIGHT = 0.85

/**
 * Owns the arena, the compiled modules and the workers; nothing is global (DESIGN section 1). `close` stops everything, rejects what is pending
 * with `CLOSED`, and may be called again.
 */
export class Engine {
  /** Audio in the arena. */
  readonly audio: AudioApi
  /** The engine's memory, for rings and blocks (`millrace/memory`). */
  readonly arena: Arena
  readonly #p: EngineParts
  readonly #history = new CostHistory()
  readonly #instances = new NodeInstances()
  readonly #gate: PressureGate
  readonly #running = new Map<string, { abort: AbortController; done: Promise<void> }>()
  #runs = 0
  #closed = false
  #warned = false
  #closing: Promise<void> | undefined

  constructor(parts: EngineParts) {
    this.#p = parts
    this.audio = parts.audio
    this.arena = parts.arena
    this.#gate = new PressureGate(parts.arena.store, () => {
      parts.shared.trim()
      // A node's own `dispose` that throws is nobody's run.
      return this.#instances.evict().catch((error: MillraceError) => { parts.options.logger('warn', error.message, { code: error.code }) })
    }, (change) => { parts.events.emit('memory.pressure', { ...change }) })
  }

  /** Compiles without running: order, media, converters, segments, buffers, estimates. Sources are asked for their media (at most 64 KiB read). */
  async plan(target: Outputs | Graph, options: PlanOptions = {}): Promise<Plan> { return (await this.#compiled(target, options)).plan }

  /** Brings Millrace's processor into an audio context, once; see {@link openWorklet}. Throws `NETWORK`, `UNSUPPORTED`, `CONFIG_INVALID`. */
  async addWorklet(context: WorkletContext): Promise<void> {
    this.#requireOpen('addWorklet')
    return (await worklets()).addWorklet(this.#p, context)
  }

  /**
   * Runs one segment of kernels inside an audio context, a render quantum at a time: `build` gets what is connected to the node and gives what it puts out. It has a
   * memory of its own and outlives the engine. Throws what {@link addWorklet} and {@link plan} throw, `TIER_UNAVAILABLE` in the `js` tier, `INVALID_ARGUMENT` for a graph that is no such segment.
   * @example
   * const { node, ready } = await engine.openWorklet(context, (input) => gain(input, { gainDb: -6 }), { channels: 2 })
   * source.connect(node).connect(context.destination)
   */
  async openWorklet(context: WorkletContext, build: (input: WorkletInput) => AnyOutput | AnyHandle, options?: WorkletOptions): Promise<WorkletSegment> {
    this.#requireOpen('openWorklet')
    return (await worklets()).openWorklet(this.#p, (target) => this.#compiled(target), context, build, options)
  }

  async #compiled(target: Outputs | Graph, options: PlanOptions = {}): Promise<CompiledPlan> {
    this.#requireOpen('plan')
    checkRunCall('plan', target, options)
    const signal = options.signal ?? new AbortController().signal, prepared = await this.#prepare(target, options, signal)
    if (signal.aborted) throw this.#cancelled('plan', signal)
    const untold = [...prepared.failures].map(([id, failure]) => warningOf(probeFailure(id, failure, prepared.graph)))
    return this.#compile({ ...prepared, found: [...prepared.found, ...untold] }, options)
  }

  /**
   * Runs a graph to its end and returns its outputs (batch). Rejects with a coded error that carries what was finished as `result` (EX-51): all problems of
   * the graph are in `details.diagnostics`. A cancelled run rejects with `CANCELLED`; in every case the arena is as before, outputs apart.
   */
  async run<const T extends Outputs | Graph>(target: T, options: RunOptions = {}): Promise<RunResult<OutputsOf<T>>> {
    this.#requireOpen('run')
    checkRunCall('run', target, options)
    const runId = `run-${this.#p.arena.epoch.toString(36)}-${++this.#runs}`, abort = new AbortController()
    const forward = (): void => { abort.abort(options.signal?.reason) }
    if (options.signal?.aborted) forward(); else options.signal?.addEventListener('abort', forward, { once: true })
    const work = this.#admitted(runId, target, options, abort.signal)
    this.#running.set(runId, { abort, done: work.then(() => undefined, () => undefined) })
    try { return await work as RunResult<OutputsOf<T>> } finally {
      this.#running.delete(runId)
      this.#gate.wake()
      options.signal?.removeEventListener('abort', forward)
    }
  }

  /** Opens one kernel node for synchronous calls, without a graph (AU-17). See {@link OpenNode}. */
  openNode(node: AnyNode, params: Readonly<Record<string, unknown>>, media: Omit<AudioMedia, 'kind'>, options: OpenNodeOptions = {}): OpenNode {
    this.#requireOpen('openNode')
    return openNode(this.#p, node, params, media, options)
  }

  /** Memory, workers, mode: cheap, at any time. */
  stats(): EngineStats {
    const { arena, workers } = this.#p, now = workers.mode()
    // A worker may have said that it did not get the shared memory (MW-55).
    const mode = now === undefined || now.mode === this.#p.mode.mode ? this.#p.mode : { ...this.#p.mode, mode: now.mode, why: now.reason }
    return { arena: arena.stats(), mode, workers: workers.stats(), runs: this.#running.size }
  }

  /** What the engine was made of; for its own package. @internal */
  get parts(): EngineParts { return this.#p }

  /** Ends runs with `CLOSED`, stops workers, frees the arena. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> { await this.close() }

  /** Takes no new runs, lets those under way end, at most `ms`, then closes (MW-51). */
  async drain(ms = 30_000): Promise<void> {
    this.#closed = true
    const late = new AbortController()
    await Promise.race([Promise.all([...this.#running.values()].map(({ done }) => done)), this.#p.clock.sleep(ms, late.signal)])
    late.abort()
    await this.close()
  }

  async #close(): Promise<void> {
    this.#closed = true
    const pending = [...this.#running.values()]
    for (const { abort } of pending) abort.abort(commonErrors.CLOSED({ thing: 'Engine', event: 'close' }))
    await Promise.all(pending.map(({ done }) => done))
    try { await this.#instances.close() } finally {
      try { await Promise.all([this.#p.workers.close(), this.#p.scripts?.close()]) } finally {
        this.#p.shared.close()
        this.#p.arena.close()
      }
    }
  }

  /** A run as a job of the arena: what it leases is not moved. */
  async #admitted(runId: string, target: Outputs | Graph, options: RunOptions, signal: AbortSignal): Promise<RunResult> {
    // Of two that wait, the one that came first goes when no other is left.
    const first = (): number => [...this.#running.keys()].indexOf(runId)
    await this.#gate.admit(first, signal)
    const end = this.#p.arena.store.beginJob()
    try { return await this.#execute(runId, target, options, signal, { added: 0 }) } finally { end() }
  }

  async #execute(runId: string, target: Outputs | Graph, options: RunOptions, signal: AbortSignal, budget: Budget): Promise<RunResult> {
    const { clock, arena } = this.#p
    const startMs = clock.nowMs(), startUs = clock.nowUs()
    arena.checkHeader()
    if (signal.aborted) throw this.#cancelled(runId, signal)
    const prepared = await this.#prepare(target, options, signal), diagnostics: Diagnostic[] = [], detailed = options.metrics ?? prepared.graph.config.metrics ?? true
    const onError = options.onError ?? prepared.graph.config.onError ?? 'stop'
    if (signal.aborted) throw this.#cancelled(runId, signal)
    for (const [id, failure] of prepared.failures) throw probeFailure(id, failure, prepared.graph)
    const nested = new NestedRuns(budget, this.#p.options.limits.expandedNodes, (graph, node, inner, shared) => this.#execute(`${runId}/${node}`, graph, {
      ...(options.seed !== undefined && { seed: options.seed }), ...(options.blockFrames !== undefined && { blockFrames: options.blockFrames }),
    }, inner, shared))
    const memory = new RunMemory(arena), services = this.#services({ runId, graph: prepared.given, nested }, memory)
    const primed = await primeSources(prepared.graph, prepared.known, (node) => this.#startSource(node, services, runId, signal, diagnostics, BigInt(options.seed ?? prepared.graph.config.seed ?? 0)))
    let compiled: CompiledPlan, outcome: BatchOutcome
    try {
      compiled = this.#compile({ ...prepared, ...primed, ...(primed.graph !== prepared.graph && { solved: undefined }) }, options)
      for (const one of compiled.plan.diagnostics.concat(this.#requireRoom(runId, compiled))) diagnostics.push(one)
      outcome = await runBatch({
        compiled, executors: { engine: this.#p.inline, worker: this.#p.workers.executor }, services, runId, startUs, signal,
        onProgress: options.onProgress, onError, diagnostics, timed: detailed, seed: BigInt(options.seed ?? prepared.graph.config.seed ?? 0),
        ...(options.nodeTimeoutMs !== undefined && { nodeTimeoutMs: options.nodeTimeoutMs }), ...(options.priority !== undefined && { priority: options.priority }),
        ...(options.workers !== undefined && { workers: options.workers }),
      })
    } finally { await primed.abandon() }
    const error = outcome.cancelled ? this.#cancelled(runId, signal) : outcome.failures[0]
    const status = outcome.cancelled ? 'cancelled' : outcome.failures.length === 0 ? 'success' : onError === 'continue' && Object.keys(outcome.outputs).length > 0 ? 'partialfailure' : 'failed'
    const metrics = nested.report(this.#measure(runId, compiled, outcome, status, error, { startMs, startUs, memory, detailed, skipped: prepared.skipped }))
    const result = makeRunResult(runId, status, outcome.outputs, metrics, diagnostics, error, outcome.nodeOutputs)
    if (error === undefined || status === 'partialfailure') return result
    throw withResult(error, result)
  }

  #measure(
    runId: string, compiled: CompiledPlan, outcome: BatchOutcome, status: RunResult['status'], error: MillraceError | undefined,
    from: { startMs: number; startUs: number; memory: RunMemory; detailed: boolean; skipped: readonly SkippedNode[] },
  ): RunResult['metrics'] {
    const { clock, arena, workers } = this.#p, after = arena.stats(), pool = workers.stats(), threads = this.#p.scripts?.stats()
    return batchMetrics(compiled, outcome, {
      runId, pipelineId: compiled.plan.graphHash.slice(0, 16), version: MILLRACE_VERSION, startMs: from.startMs, endMs: clock.nowMs(), startUs: from.startUs, endUs: clock.nowUs(), status,
      clockResolutionUs: clock.resolutionUs, memory: from.memory, workers: pool.count + (threads?.count ?? 0), lost: pool.lost + (threads?.lost ?? 0), error, detailed: from.detailed, skipped: from.skipped,
      arena: { capacityBytes: after.capacityBytes, usedPeakBytes: after.peakBytes, allocs: from.memory.all.allocs, frees: from.memory.all.frees, evictions: 0, fragmentation: after.fragmentation },
    }, () => clock.nowUs(), this.#history)
  }

  /** Binds inputs, validates, asks sources. Throws the first problem with all of them in `details.diagnostics`. */
  async #prepare(target: Outputs | Graph, options: PlanOptions, signal: AbortSignal): Promise<Prepared> {
    const { registry, facts, options: filled } = this.#p
    const given = 'nodes' in target && Array.isArray(target.nodes) ? target as Graph : graphFrom(target as Outputs)
    const { graph, skipped } = applySkips(this.#choose(bindInputs(flatGraph(withDefinitions(given, registry), registry, filled.limits), options.inputs ?? {}, literalSource), options.outputs))
    // Of a fallback the engine tells by itself, once.
    const examined = examineGraph(graph, registry, { ...facts, fallbackReported: true, ...(this.#p.workers.available && { workerTags: Object.keys(filled.workerTags) }) }, filled.limits, this.#p.passes)
    // Sources that nothing needs are neither asked nor started, and none are asked for a graph that is refused anyway.
    const told = await probeSources(examined.sound ? examined.graph : createGraph(), signal)
    const { diagnostics: found, solved } = examined.settle({ mode: options.negotiate ?? graph.config.negotiate ?? 'auto', known: told.known })
    const errors = found.filter((d) => d.severity === 'error')
    if (errors.length > 0) throw errorOf(errors[0]!, errors)
    return { given, graph: examined.graph, found, solved, skipped, ...told }
  }

  #compile({ graph, found, solved, known, lengths }: Prepared, options: PlanOptions): CompiledPlan {
    const { registry, facts, options: filled } = this.#p
    const workers = filled.workers === 'auto' ? Math.min(facts.cores, 16) : filled.workers
    return compilePlan(graph, {
      registry, negotiate: options.negotiate ?? graph.config.negotiate ?? 'auto', solved, passes: this.#p.passes, known, lengths, tierOf: (node) => this.#tierOf(node),
      workers: this.#p.workers.available ? workers : 0, forceWorkers: filled.workers !== 'auto', blockFrames: options.blockFrames ?? BLOCK_FRAMES, materialize: options.materialize ?? 'segments',
      seed: BigInt(options.seed ?? graph.config.seed ?? 0), history: this.#history, threads: this.#p.scripts !== undefined, private: !this.#p.arena.shared, hasLimiter: (name) => this.#p.limiters.has(name), workerTags: new Set(Object.keys(filled.workerTags)), diagnostics: [...this.#warnOnce(), ...found],
    })
  }

  /** The context of a source that starts before its run is compiled. */
  async #startSource(node: GraphNode, services: RunServices, runId: string, signal: AbortSignal, diagnostics: Diagnostic[], seed: bigint): ReturnType<StartSource> {
    const definition = node.definition!
    const log = (level: 'debug' | 'info' | 'warn' | 'error', text: string, details?: Readonly<Record<string, unknown>>): void => { services.log(level, text, { node: node.id, ...details }) }
    const random = randomKey(seed, node.id), { scripts } = services, policy = readPolicy(node, definition, {}), threaded = definition.thread === 'worker' && !policy.main && scripts !== undefined
    const context = (instance: unknown): NodeContext => nodeContext({ node: { id: node.id, type: node.type, runId }, services, signal, diagnostics, random, instance, progress: () => undefined }).ctx
    if (threaded) {
      await scripts.prepare([definition], signal)
      return { lease: { instance: undefined, release: () => Promise.resolve() }, ctx: context(undefined), pull: (params, ctx) => scripts.run({ definition, params, inputs: {}, ctx, random, hangMs: policy.hangMs, deliveries: 1 }) }
    }
    const lease = await this.#instances.take(definition, resolveParams(definition, node.params).values, node.id, { signal, log })
    return { lease, ctx: context(lease.instance) }
  }

  /** Outputs that cannot fit are refused before anything runs; those that nearly fill the arena are named (stage 13). */
  #requireRoom(runId: string, { leastBytes: need }: CompiledPlan): Diagnostic[] {
    const { capacityBytes, usedBytes } = this.#p.arena.stats(), have = capacityBytes - usedBytes
    if (need > have) throw graphErrors.RESOURCE_EXHAUSTED({ run: runId, need, have, largest: this.#p.arena.largestFreeBytes() }, { runId })
    if (need <= TIGHT * have) return []
    return [graphErrors.MEMORY_TIGHT.diagnostic({ node: 'run', what: `needs about ${need} of ${have} free bytes`, todo: 'Give the engine a larger arenaBytes, or end long outputs in a writer.' })]
  }

  #choose(graph: Graph, names: readonly string[] | undefined): Graph {
    if (names === undefined) return graph
    for (const name of names) if (!graph.outputs.has(name)) throw graphErrors.OUTPUT_NOT_FOUND({ name, names: [...graph.outputs.keys()] })
    return { ...graph, outputs: new Map([...graph.outputs].filter(([name]) => names.includes(name))) }
  }

  /** Warnings about the engine itself (a fallback of `auto`) stand in the first plan only (GR-43). */
  #warnOnce(): readonly Diagnostic[] {
    if (this.#warned) return []
    this.#warned = true
    return this.#p.warnings
  }

  /** A node's own tier: the engine's or `js`; the memory of an engine is of one kind. */
  #tierOf(node: GraphNode): { tier: Tier; why: string } {
    const { tier, mode } = this.#p
    const wanted = node.tier === undefined ? 'auto' : parseTier(node.tier)
    if (wanted === undefined || wanted === 'auto') return { tier, why: mode.why }
    const list = typeof wanted === 'string' ? [wanted] : wanted
    const found = list.find((one) => one === tier || one === 'js')
    if (found !== undefined) return { tier: found, why: 'named by the node' }
    throw graphErrors.TIER_UNAVAILABLE({ node: node.id, wanted: list.join(', '), missing: [`an engine of that tier (this one is ${tier}: createEngine({ tier: '${list[0]}' }))`] }, { nodeId: node.id, nodeType: node.type })
  }

  #services(run: RunFacts, memory?: RunMemory): RunServices {
    const { clock, options, arena, audio, registry, events } = this.#p
    return {
      clock, log: options.logger,
      instances: this.#instances, limiters: this.#p.limiters, scripts: this.#p.scripts,
      memory,
      alloc: (bytes, dtype, node) => arena.alloc(dtype === undefined ? bytes : { dtype, shape: [bytes] }, { zero: true, ...(memory && { holder: memory.holder(node) }) }) as unknown as NodeBlock,
      allocAudio: (spec, node) => {
        const buffer = audio.alloc(spec, { zero: false, ...(memory && { holder: memory.holder(node) }) })
        memory?.copies.add(`${node}.*`, buffer.samples * SAMPLE_BYTES[buffer.format], 'platform')
        return buffer
      },
      nested: (target, node, signal) => run.nested.run('nodes' in target && Array.isArray(target.nodes) ? target as Graph : graphFrom(target as Outputs), node, signal),
      call: (type, inputs, params, node, signal) => {
        const definition = registry.get(type)
        if (definition === undefined) throw graphErrors.NODE_TYPE_UNKNOWN({ node, type, near: nearest(type, registry.list().map((one) => one.type)) })
        return run.nested.run(callGraph({ id: 'op', type: definition.type, definition, params }, inputs, literalSource), node, signal)
      },
      document: () => toDocument(run.graph),
      preview: ({ media, data }, node) => { events.emit('node.preview', { media, data }, { runId: run.runId, nodeId: node }) },
      owns: (buffer) => buffer instanceof ArenaAudio && buffer.isIn(arena),
      join: (media, parts) => joinPackets(arena, audio, memory, media, parts),
    }
  }

  #cancelled(runId: string, signal: AbortSignal): MillraceError {
    const reason: unknown = signal.reason
    if (isMillraceError(reason) && reason.code === 'CLOSED') return reason
    return commonErrors.CANCELLED({ id: runId, reason: reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'by the caller' }, { runId, cause: reason })
  }

  #requireOpen(event: string): void {
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'Engine', event })
  }
}

const worklets = (): Promise<typeof import('./worklet.js')> => loadPart('worklet', () => import('./worklet.js'))

/** Types that only the engine's registry knows (a document was read with a smaller one) get their definitions. */
function withDefinitions(graph: Graph, registry: Registry): Graph {
  if (graph.nodes.every((node) => node.definition !== undefined)) return graph
  return { ...graph, nodes: graph.nodes.map((node) => {
    const definition = node.definition ?? registry.get(node.type)
    return definition === undefined ? node : { ...node, definition }
  }) }
}

/** Audio given for a port becomes an `io::audio-buffer` node. */
function literalSource(id: string, value: unknown): GraphNode | undefined {
  const audio = typeof value === 'object' && value !== null && (Array.isArray(value) || value instanceof Float32Array || 'tryView' in value)
  return audio ? { id, type: audioBuffer.definition.type, definition: audioBuffer.definition, params: { data: value } } : undefined
}

/** A source that could not tell its media: its own error, with its place. */
function probeFailure(id: string, failure: unknown, graph: Graph): MillraceError {
  return wrapNodeFailure(failure, { node: id, type: graph.nodes.find((node) => node.id === id)?.type ?? '', operation: 'probe' })
}

/** The same fact as a warning of a plan that can still be made. */
function warningOf({ code, message, hint, nodeId }: MillraceError): Diagnostic {
  return { code, severity: 'warning', stage: 12, message, hint, docs: `errors/${code}`, ...(nodeId !== undefined && { node: nodeId }) }
}

/** Gives back the audio of a failed run's outputs when nobody looks at them any more. */
const forgotten = new FinalizationRegistry<() => void>((release) => { release() })

/** Hangs the result on the error. Its outputs are given back by `result.close()`, or once the result is unreachable. */
function withResult(error: MillraceError, result: RunResult): RunFailure {
  forgotten.register(result, result.close)
  return Object.defineProperty(error, 'result', { value: result, enumerable: false, configurable: true }) as RunFailure
}

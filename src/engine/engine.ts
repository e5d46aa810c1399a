import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import { loadPart } from '../errors/load-part.js'
import type { AnyHandle, AnyOutput } from '../graph/output-ref.js'
import type { Graph } from '../graph/graph.js'
import type { Tier } from '../graph/tiers.js'
import type { Outputs } from '../graph/graph-from.js'
import type { Arena } from '../memory/arena.js'
import type { AudioApi } from '../memory/audio-api.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import type { CancelJob } from '../schedule/batch/jobs.js'
import { CostHistory } from '../schedule/estimates.js'
import { withPatience } from '../schedule/batch/patience.js'
import { NodeInstances } from '../schedule/node-instances.js'
import { onAbort } from '../schedule/on-abort.js'
import type { Plan } from '../schedule/plan.js'
import type { RunOptions, RunResult } from '../schedule/run-types.js'
import type { AnyNode } from '../graph/node-factory.js'
import type { AudioMedia } from '../media/media-type.js'
import { openNode, type OpenNode, type OpenNodeOptions } from './open-node.js'
import type { EngineStats } from './engine-stats.js'
import { threadStats } from './thread-stats.js'
import type { OutputsOf } from './output-types.js'
import { PressureGate } from './pressure-gate.js'
import { checkRunCall } from './run-options.js'
import type { WorkletContext, WorkletInput, WorkletOptions, WorkletSegment } from './worklet.js'
import type { EngineParts } from './engine-parts.js'
import { cancelledRun, probeFailure, warningOf } from './run-errors.js'
import { RunCompiler, type PlanOptions } from './run-compiler.js'
import { GraphRuns } from './graph-runs.js'

/** Options of `engine.cancel`. `node`: only its work; default the whole run. `reason` stands in the error. */
export interface CancelOptions { readonly node?: string; readonly reason?: string }

/** A run under way: how it is cancelled, and jobs of it that were before it had any. */
interface RunningRun {
  readonly abort: AbortController
  readonly early: [node: string, reason: string][]
  cancel: CancelJob | undefined
  done: Promise<void>
}

/**
 * Owns the arena, the compiled modules and the workers; nothing is global (DESIGN section 1). `close` stops everything, rejects what is
 * pending with `CLOSED`, and may be called again.
 */
export class Engine {
  /** Audio in the arena. */
  readonly audio: AudioApi
  /** The engine's memory, for rings and blocks (`millrace/memory`). */
  readonly arena: Arena
  readonly #p: EngineParts
  readonly #compiler: RunCompiler
  readonly #runs: GraphRuns
  readonly #instances = new NodeInstances()
  readonly #gate: PressureGate
  readonly #running = new Map<string, RunningRun>()
  /** Plans that are being made. */
  readonly #planning = new Set<Pick<RunningRun, 'abort' | 'done'>>()
  #count = 0
  #closed = false
  #closing: Promise<void> | undefined

  constructor(parts: EngineParts) {
    this.#p = parts
    this.audio = parts.audio
    this.arena = parts.arena
    const history = new CostHistory()
    this.#compiler = new RunCompiler(parts, history)
    this.#runs = new GraphRuns(parts, this.#compiler, this.#instances, history)
    this.#gate = new PressureGate(parts.arena.store, () => {
      parts.shared.trim()
      // A node's own `dispose` that throws is nobody's run.
      return this.#patiently(this.#instances.evict())
        .catch((error: MillraceError) => { parts.options.logger('warn', error.message, { code: error.code }) })
    }, (change) => { parts.events.emit('memory.pressure', { ...change }) })
  }

  /**
   * Compiles without running: order, media, converters, segments, buffers, estimates. Sources are
   * asked for their media (at most 64 KiB read).
   */
  async plan(target: Outputs | Graph, options: PlanOptions = {}): Promise<Plan> { return (await this.#compiled(target, options)).plan }

  /**
   * Brings Millrace's processor into an audio context, once; see {@link openWorklet}. Throws `NETWORK`, `UNSUPPORTED`, `CONFIG_INVALID`.
   */
  async addWorklet(context: WorkletContext): Promise<void> {
    this.#requireOpen('addWorklet')
    return (await worklets()).addWorklet(this.#p, context)
  }

  /**
   * Runs one segment of kernels inside an audio context, a render quantum at a time: `build` gets what is connected to the node and gives
   * what it puts out. It has a memory of its own and outlives the engine. Throws what {@link addWorklet} and {@link plan} throw,
   * `TIER_UNAVAILABLE` for nodes that are to run in another tier than `wasm`, `INVALID_ARGUMENT` for a graph that is no such segment.
   * @example
   * const { node, ready } = await engine.openWorklet(context, (input) => gain(input, { gainDb: -6 }), { channels: 2 })
   * source.connect(node).connect(context.destination)
   */
  async openWorklet(
    context: WorkletContext, build: (input: WorkletInput) => AnyOutput | AnyHandle, options?: WorkletOptions,
  ): Promise<WorkletSegment> {
    this.#requireOpen('openWorklet')
    return (await worklets())
      .openWorklet(this.#p, (target) => this.#compiled(target, {}, this.#p.tier === 'js' ? 'js' : 'wasm'), context, build, options)
  }

  async #compiled(target: Outputs | Graph, options: PlanOptions = {}, tier?: Tier): Promise<CompiledPlan> {
    this.#requireOpen('plan')
    checkRunCall('plan', target, options)
    const abort = new AbortController(), given = options.signal, forward = (): void => { abort.abort(given!.reason) }, { signal } = abort
    if (given?.aborted) forward()
    const deaf = given && onAbort(given, forward)
    const work = this.#makePlan(target, options, signal, tier)
    const pending = { abort, done: work.then(() => undefined, () => undefined) }
    this.#planning.add(pending)
    try { return await work } catch (error) { throw signal.aborted ? cancelledRun('plan', signal) : error } finally {
      this.#planning.delete(pending)
      deaf?.()
    }
  }

  async #makePlan(target: Outputs | Graph, options: PlanOptions, signal: AbortSignal, tier: Tier | undefined): Promise<CompiledPlan> {
    const prepared = await this.#compiler.prepare(target, options, signal)
    signal.throwIfAborted()
    const untold = [...prepared.failures].map(([id, failure]) => warningOf(probeFailure(id, failure, prepared.graph)))
    const compiled = await this.#compiler.compile({ ...prepared, found: [...prepared.found, ...untold] }, options, signal, tier)
    signal.throwIfAborted()
    return compiled
  }

  /**
   * Runs a graph to its end and returns its outputs (batch). Rejects with a coded error that carries what was finished as `result` (EX-51):
   * all problems of the graph are in `details.diagnostics`. A cancelled run rejects with `CANCELLED`; in every case the arena is as before,
   * outputs apart.
   */
  async run<const T extends Outputs | Graph>(target: T, options: RunOptions = {}): Promise<RunResult<OutputsOf<T>>> {
    this.#requireOpen('run')
    checkRunCall('run', target, options)
    const runId = options.runId ?? `run-${this.#p.arena.epoch.toString(36)}-${++this.#count}`, abort = new AbortController()
    if (this.#running.has(runId)) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'engine.run runId', expected: 'an id that no run under way has', got: runId })
    }
    const { signal } = options, forward = (): void => { abort.abort(signal!.reason) }
    if (signal?.aborted) forward()
    const deaf = signal && onAbort(signal, forward)
    const run: RunningRun = { abort, early: [], cancel: undefined, done: Promise.resolve() }
    this.#running.set(runId, run)
    const work = this.#admitted(runId, target, options, run)
    run.done = work.then(() => undefined, () => undefined)
    try { return await work as RunResult<OutputsOf<T>> } finally {
      this.#running.delete(runId)
      this.#gate.wake()
      deaf?.()
    }
  }

  /**
   * Cancels a run by its id, as its `signal` would; or, with `node`, only what that node does, with what is done together with it (EX-52):
   * a node written in TypeScript, its segment of kernels, or whole-value kernels that workers start by themselves. Who depends on it is
   * skipped, the rest of the run goes on, and ends as `partialfailure` with what is left of its outputs, or rejects with `CANCELLED`.
   * False: no such run is under way, or the node has ended.
   */
  cancel(runId: string, { node, reason = 'by engine.cancel' }: CancelOptions = {}): boolean {
    const run = this.#running.get(runId)
    if (run === undefined || run.abort.signal.aborted) return false
    if (node === undefined) run.abort.abort(reason)
    else if (run.cancel !== undefined) return run.cancel(node, reason)
    // Its plan is being made.
    else run.early.push([node, reason])
    return true
  }

  /** Opens one kernel node for synchronous calls, without a graph (AU-17). See {@link OpenNode}. */
  openNode(
    node: AnyNode, params: Readonly<Record<string, unknown>>, media: Omit<AudioMedia, 'kind'>, options: OpenNodeOptions = {},
  ): OpenNode {
    this.#requireOpen('openNode')
    return openNode(this.#p, node, params, media, options)
  }

  /** Memory, workers, mode: cheap, at any time. */
  stats(): EngineStats {
    const { arena, workers } = this.#p, now = workers.mode()
    // A worker may have said that it did not get the shared memory (MW-55).
    const mode = now === undefined || now.mode === this.#p.mode.mode ? this.#p.mode : { ...this.#p.mode, mode: now.mode, why: now.reason }
    return {
      arena: arena.stats(), guests: this.#p.inline.stats(), mode, workers: threadStats(this.#p), edges: this.#runs.edges.list(arena.copies),
      runs: this.#running.size,
    }
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
    await Promise.race([Promise.all(this.#pending.map(({ done }) => done)), this.#p.clock.sleep(ms, late.signal)])
    late.abort()
    await this.close()
  }

  async #close(): Promise<void> {
    this.#closed = true
    this.#p.unlisten()
    const pending = this.#pending
    for (const { abort } of pending) abort.abort(commonErrors.CLOSED({ thing: 'Engine', event: 'close' }))
    await Promise.all(pending.map(({ done }) => done))
    try { await this.#patiently(this.#instances.close()) } finally {
      try { await Promise.all([this.#p.workers.close(), this.#p.scripts?.close()]) } finally {
        this.#p.inline.close()
        this.#p.shared.close()
        this.#p.arena.close()
      }
    }
  }

  /** What `close` ends and waits for. */
  get #pending(): readonly Pick<RunningRun, 'abort' | 'done'>[] { return [...this.#running.values(), ...this.#planning] }

  /** Idle instances may hang in their `dispose`: nobody waits for them longer than for a node that was stopped. */
  async #patiently(work: Promise<void>): Promise<void> {
    const late = new Error('a dispose did not end')
    try { await withPatience(work, AbortSignal.abort(late), this.#p.clock) } catch (error) {
      if (error !== late) throw error
      this.#p.options.logger('error', late.message)
    }
  }

  /** A run as a job of the arena: what it leases is not moved. */
  async #admitted(runId: string, target: Outputs | Graph, options: RunOptions, run: RunningRun): Promise<RunResult> {
    // Of two that wait, the one that came first goes when no other is left.
    const first = (): number => [...this.#running.keys()].indexOf(runId)
    const { signal } = run.abort
    await this.#gate.admit(first, signal)
    this.#expectSound()
    const end = this.#p.arena.store.beginJob()
    try {
      const result = await this.#runs.execute(runId, target, options, signal, { added: 0 }, (cancel) => {
        run.cancel = cancel
        for (const [node, reason] of run.early) cancel(node, reason)
      })
      this.#expectSound()
      return result
    } finally { end() }
  }

  /**
   * Before a run and after it. In a corrupt arena nothing can be trusted any more (MW-02): the run fails with that, then the engine closes.
   */
  #expectSound(): void {
    const { arena, clock } = this.#p
    try { arena.checkHeader() } catch (error) {
      void clock.yield().then(() => this.close()).catch(() => undefined)
      throw error
    }
  }

  #requireOpen(event: string): void {
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'Engine', event })
  }
}

const worklets = (): Promise<typeof import('./worklet.js')> => loadPart('worklet', () => import('./worklet.js'))

import type { Diagnostic } from '../errors/diagnostic.js'
import { errorOf } from '../errors/error-of.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { createGraph, type Graph, type GraphNode } from '../graph/graph.js'
import { graphFrom, type Outputs } from '../graph/graph-from.js'
import { withDefinitions } from '../graph/with-definitions.js'
import { tierWithin, wantedTier, type Tier } from '../graph/tiers.js'
import { negotiate, type Negotiation } from '../graph/negotiate/index.js'
import { validate } from '../graph/validate/index.js'
import { examineGraph } from '../graph/validate/validate-graph.js'
import { bindInputs, dropUnread } from '../schedule/bind-inputs.js'
import { openChosen } from '../schedule/choose-outputs.js'
import { checkInputs } from '../schedule/check-inputs.js'
import { compilePlan } from '../schedule/compile-plan.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import type { CostHistory } from '../schedule/estimates.js'
import { applySkips, type SkippedNode } from '../schedule/policy/skips.js'
import { probeSources, type Discovered } from '../schedule/probe-sources.js'
import type { RunOptions } from '../schedule/run-types.js'
import type { Media } from '../media/media-type.js'
import type { HostFacts } from '../kernels/host-facts.js'
import { engineErrors } from './errors.js'
import { hungNode } from './hung-node.js'
import { wholeCalls } from './nested-runs.js'
import type { EngineParts } from './engine-parts.js'
import { literalSource } from './literal-source.js'

/** A graph that is sound, with what its sources told. */
export interface Prepared extends Omit<Discovered, 'known'> {
  readonly given: Graph
  readonly graph: Graph
  readonly found: readonly Diagnostic[]
  /** Agreed media, until sources tell more. */
  readonly solved: Negotiation | undefined
  readonly skipped: readonly SkippedNode[]
  readonly known: Discovered['known'] | ReadonlyMap<string, Media>
}

/** Options of `engine.plan`. */
export type PlanOptions = Pick<RunOptions, 'inputs' | 'signal' | 'negotiate' | 'blockFrames' | 'seed' | 'outputs' | 'materialize'>

/** Frames per pass when nothing is said. */
const BLOCK_FRAMES = 4_096

/** Share of the free arena above which a run is called tight. */
const TIGHT = 0.85

/** Graphs → plans of one engine: sound, asked, negotiated, compiled. */
export class RunCompiler {
  readonly #p: EngineParts
  readonly #history: CostHistory
  #warned = false

  constructor(parts: EngineParts, history: CostHistory) {
    this.#p = parts
    this.#history = history
  }

  /** Binds inputs, validates, asks sources. Throws the first problem with all of them in `details.diagnostics`. */
  async prepare(target: Outputs | Graph, options: PlanOptions, signal: AbortSignal, runId?: string): Promise<Prepared> {
    try { return await this.#prepare(target, options, signal, runId) } catch (cause) {
      if (isMillraceError(cause) || !('nodes' in target && Array.isArray(target.nodes))) throw cause
      // What is no graph breaks whoever reads it first: validation says what is wrong with it.
      const errors = validate(target, this.#p.registry).filter((d) => d.severity === 'error')
      throw errors.length > 0 ? errorOf(errors[0]!, errors) : cause
    }
  }

  async #prepare(target: Outputs | Graph, options: PlanOptions, signal: AbortSignal, runId?: string): Promise<Prepared> {
    const { registry, options: filled } = this.#p, facts = this.#facts
    const given = 'nodes' in target && Array.isArray(target.nodes) ? target as Graph : graphFrom(target as Outputs)
    const chosen = openChosen(withDefinitions(given, registry), options.outputs, registry, filled.limits)
    const { graph: whole, skipped } = applySkips(bindInputs(chosen.graph, options.inputs ?? {}, literalSource))
    const graph = dropUnread(whole, given)
    // Of a fallback the engine tells by itself, once.
    const examined = examineGraph(graph, registry, {
      ...facts, engineTier: this.#tier, fallbackReported: true,
      ...(this.#p.workers.available && { workerTags: Object.keys(filled.workerTags) }),
    }, filled.limits, this.#p.passes, false, chosen.graph)
    // Sources that nothing needs are neither asked nor started, and none are asked for a graph that is refused anyway.
    const hangs: Diagnostic[] = []
    const told = await probeSources(examined.sound ? examined.graph : createGraph(), {
      clock: this.#p.clock, signal, hangMs: filled.pool.hangMs,
      hung: ({ id }, ms) => { hangs.push(hungNode(this.#p, id, ms, runId)) },
    })
    checkInputs(given.inputs, told.known)
    const { diagnostics: found, solved } = examined.settle({
      mode: options.negotiate ?? graph.config.negotiate ?? 'auto', known: told.known,
    })
    const errors = found.filter((d) => d.severity === 'error')
    if (errors.length > 0) throw errorOf(errors[0]!, errors)
    return { given, graph: examined.graph, found: [...chosen.found, ...found, ...hangs], solved, skipped, ...told }
  }

  /** The plan of a sound graph, in an engine of `tier`. Rejects with what {@link HashFacts.of} rejects with. */
  async compile(
    { graph, found, solved: agreed, known, lengths, marks }: Prepared,
    options: PlanOptions, signal: AbortSignal, tier = this.#tier,
  ): Promise<CompiledPlan> {
    const { registry, facts, options: filled } = this.#p, mode = options.negotiate ?? graph.config.negotiate ?? 'auto'
    const solved = agreed ?? negotiate(graph, registry, { mode, known }), outside = await this.#p.hashFacts.of(solved.graph, marks, signal)
    const workers = filled.workers === 'auto' ? Math.min(facts.cores, 16) : filled.workers
    return compilePlan(graph, {
      registry, negotiate: mode, solved, passes: this.#p.passes, outside, known, lengths, tier, tierOf: (node) => this.#tierOf(node, tier),
      workers: this.#p.workers.available && tier !== 'js' ? workers : 0, forceWorkers: filled.workers !== 'auto',
      blockFrames: options.blockFrames ?? BLOCK_FRAMES, materialize: options.materialize ?? 'segments',
      seed: BigInt(options.seed ?? graph.config.seed ?? 0), history: this.#history, hangMs: filled.pool.hangMs,
      threads: this.#p.scripts !== undefined, private: !this.#p.arena.shared, hasLimiter: (name) => this.#p.limiters.has(name),
      perItem: (node) => wholeCalls(node, literalSource), workerTags: new Set(Object.keys(filled.workerTags)),
      diagnostics: [...this.#warnOnce(), ...found],
    })
  }

  /**
   * What may run in shared memory only has its workers asked whether they get it, before anything runs. True when
   * one did not: the plan is to be made again.
   */
  async sharingFailed({ segments, where, nodes }: CompiledPlan, signal: AbortSignal): Promise<boolean> {
    const { tier, lesser, mode, workers } = this.#p
    if (tier !== 'wasm-threads' || lesser === undefined || this.#unshared) return false
    const there = segments.filter((_, i) => where[i] === 'worker')
    if (!there.some((segment) => lesser !== 'wasm' || segment.nodes.some(({ node }) => nodes[node]!.tierWhy !== mode.why))) return false
    // What else fails, fails the run.
    await workers.executor?.prepare(there, signal).catch(() => undefined)
    return this.#unshared
  }

  /** A worker did not get the shared memory (MW-55). */
  get #unshared(): boolean { return this.#p.tier === 'wasm-threads' && this.#p.workers.mode()?.mode === 'transfer' }
  get #facts(): HostFacts { return this.#unshared ? { ...this.#p.facts, sab: false } : this.#p.facts }
  /** What nodes run in that name no tier: the engine's, whose workers may have private memories, or references. */
  get #tier(): Tier { return this.#unshared && this.#p.lesser === 'js' ? 'js' : this.#p.tier }

  /** Outputs that cannot fit are refused before anything runs; those that nearly fill the arena are named (stage 13). */
  requireRoom(runId: string, { leastBytes: need }: CompiledPlan): Diagnostic[] {
    const { capacityBytes, usedBytes } = this.#p.arena.stats(), have = capacityBytes - usedBytes
    if (need > have) throw engineErrors.RESOURCE_EXHAUSTED({ run: runId, need, have, largest: this.#p.arena.largestFreeBytes() }, { runId })
    if (need <= TIGHT * have) return []
    return [engineErrors.MEMORY_TIGHT.diagnostic({
      node: 'run', what: `needs about ${need} of ${have} free bytes`,
      todo: 'Give the engine a larger arenaBytes, or end long outputs in a writer.',
    })]
  }

  /** Warnings about the engine itself (a fallback of `auto`) stand in the first plan only (GR-43). */
  #warnOnce(): readonly Diagnostic[] {
    if (this.#warned) return []
    this.#warned = true
    return this.#p.warnings
  }

  /** A node's own tier; validation has refused those that the host lacks. */
  #tierOf({ tier: named, definition }: GraphNode, tier: Tier): { tier: Tier; why: string } {
    const { mode } = this.#p, facts = this.#facts, wanted = wantedTier(named, definition?.kernel, tier)
    return {
      tier: tierWithin(tier, wanted, facts) ?? tier,
      why: (named ?? 'auto') !== 'auto' ? 'named by the node' : wanted !== named ? 'what its kernel is made for' : mode.why,
    }
  }
}

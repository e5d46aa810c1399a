import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import { commonErrors } from '../../errors/common-errors.js'
import { isMillraceError, type MillraceError } from '../../errors/millrace-error.js'
import type { Packet } from '../../media/packet.js'
import type { CompiledPlan } from '../compiled-plan.js'
import { scheduleErrors } from '../errors.js'
import { wrapNodeFailure } from '../node-failure.js'
import type { OpenSegment, OutputMode, RunScope, SegmentExecutor, ValueTask } from '../open-segment.js'
import { releasePacket, sharePacket, viewPacket } from '../packet-data.js'
import { PacketQueue, queueCapacity, type EdgeCounters } from '../packet-queue.js'
import { NO_POLICY } from '../policy/node-policy.js'
import { Turn } from '../policy/turn.js'
import { ProgressMeter, type ProgressListener } from '../progress.js'
import { nodeOf, referenceParts, valueId, type ResolvedNode } from '../resolved-graph.js'
import type { SegmentPlan, ValueId } from '../segment-plan.js'
import { randomKey } from './node-context.js'
import { nodeReport, runNodeTask, type NodeReport } from './node-task.js'
import { runSegmentTask } from './segment-task.js'
import type { RunFrame, RunServices } from './services.js'
import { StallBreaker } from './stall-breaker.js'
import { summarise } from './summaries.js'
import { ValueRoutes } from './value-routes.js'

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
  /** Nodes that came to their end, and those that did not run because what they need failed. */
  readonly endedNodes: ReadonlySet<string>
  readonly skippedNodes: ReadonlySet<string>
}

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
  /** See the options of a run. */
  readonly priority?: number
  readonly workers?: number
  readonly diagnostics: Diagnostic[]
  /** Seed of random numbers; default 0. */
  readonly seed?: bigint
  /** ms of own time per packet for nodes that name no limit; 0: none; default 300 000. */
  readonly nodeTimeoutMs?: number
}

/** Own time per packet of a node that names no limit, ms. */
const NODE_TIMEOUT_MS = 300_000

/** The batch driver: runs a compiled plan to completion (EX-30). Everything it opened is closed again before it returns, except the outputs' blocks. */
export async function runBatch(request: BatchRequest): Promise<BatchOutcome> {
  return new BatchRun(request).execute()
}

class BatchRun {
  readonly #r: BatchRequest
  readonly #abort = new AbortController()
  readonly #routes = new ValueRoutes()
  readonly #stall = new StallBreaker()
  readonly #segments: (OpenSegment | undefined)[] = []
  readonly #nodes = new Map<string, NodeReport>()
  readonly #failed = new Map<string, MillraceError>()
  readonly #ended = new Set<string>()
  readonly #skipped = new Set<string>()
  readonly #failures: MillraceError[] = []
  readonly #edges: { from: ValueId; to: string; counters: EdgeCounters }[] = []
  readonly #readers = new Map<PacketQueue, string>()
  readonly #nodeQueues = new Map<string, Map<string, PacketQueue>>()
  readonly #segmentQueues = new Map<number, Map<number, PacketQueue>>()
  readonly #modes: Map<number, OutputMode>[]
  /** Values that segments write for others, with how the segment is fed. */
  readonly #written: ReadonlyMap<ValueId, SegmentPlan['feed']>
  readonly #returned: ReadonlySet<ValueId>
  /** Values that a TypeScript node or another segment reads. */
  readonly #readOutside: ReadonlySet<ValueId>
  /** Why a segment could not be opened. */
  readonly #unopened = new Map<number, MillraceError>()
  readonly #collected = new Map<ValueId, Packet>()
  /** Values whose writer came to its end. */
  readonly #finished = new Set<ValueId>()
  readonly #progress: ProgressMeter
  readonly #parts = new Map<string, number>()
  readonly #headFrames: number[] = []
  #cancelled = false

  constructor(request: BatchRequest) {
    this.#r = request
    const { segments, nodes } = request.compiled
    const typescript = nodes.filter((node) => node.tier === null)
    segments.forEach((_, i) => this.#parts.set(`#${i}`, i))
    typescript.forEach((node, i) => this.#parts.set(node.id, segments.length + i))
    this.#progress = new ProgressMeter([...segments.map((_, i) => request.compiled.plan.segments[i]!.estUs), ...typescript.map((node) => node.estUs)],
      request.services.clock, request.onProgress)
    const { origin, outputs } = request.compiled
    this.#written = new Map(segments.flatMap((segment) => outputsOf(segment).map((value) => [value, segment.feed] as const)))
    this.#returned = new Set([...outputs.values(), ...request.compiled.stored.values()])
    this.#readOutside = new Set([
      ...typescript.flatMap((node) => node.inputs.flatMap((input) => input.from === null ? [] : [origin.get(input.from) ?? input.from])),
      ...segments.flatMap((segment) => segment.buffers.flatMap((b) => b.kind === 'input' ? [b.value] : [])),
    ])
    this.#modes = segments.map((segment) => this.#outputModes(segment))
  }

  async execute(): Promise<BatchOutcome> {
    const { signal } = this.#r
    const onAbort = (): void => { this.#cancel(signal?.reason) }
    if (signal?.aborted) onAbort(); else signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (!this.#cancelled) await this.#prepare()
      if (!this.#abort.signal.aborted) {
        this.#connect()
        await Promise.all([...this.#nodeTasks(), ...this.#segmentTasks(), this.#valueTasks()])
      }
      const whole = new Map<ValueId, Packet>(), given = new Set<ValueId>()
      const outputs = this.#gather(this.#r.compiled.outputs, whole, given), nodeOutputs = this.#gather(this.#r.compiled.stored, whole, given)
      // Of what is returned as views only, they have the leases.
      for (const [value, packet] of whole) if (!given.has(value)) releasePacket(packet)
      if (this.#failures.length === 0 && !this.#cancelled) this.#progress.finish()
      return { outputs, nodeOutputs, failures: this.#failures, cancelled: this.#cancelled, segments: this.#segments, nodes: this.#nodes, edges: this.#edges, failedNodes: this.#failed, endedNodes: this.#ended, skippedNodes: this.#skipped }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#routes.close()
      const closed = await Promise.allSettled(this.#segments.map((segment) => segment?.close()))
      for (const packet of this.#collected.values()) releasePacket(packet)
      for (const one of closed) if (one.status === 'rejected') this.#r.services.log('error', 'a segment did not close', { run: this.#r.runId, error: String(one.reason) })
    }
  }

  #cancel(reason: unknown): void {
    this.#cancelled = true
    const text = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'by the caller'
    this.#stopAll(commonErrors.CANCELLED({ id: this.#r.runId, reason: text }, { runId: this.#r.runId, cause: reason }))
  }

  #stopAll(error: MillraceError): void {
    this.#routes.failAll(error)
    this.#abort.abort(error)
  }

  /** Starts workers and opens the segments that the driver feeds. */
  async #prepare(): Promise<void> {
    const { compiled, executors } = this.#r
    for (const where of ['engine', 'worker'] as const) {
      const plans = compiled.segments.filter((_, i) => compiled.where[i] === where)
      if (plans.length > 0) await this.#guard(() => executors[where]!.prepare(plans, this.#abort.signal), plans[0]!.nodes[0]!.node)
    }
    for (const node of this.#typescript()) {
      if (nodeReport(node, this.#frame()).where === 'worker') await this.#guard(() => this.#r.services.scripts!.prepare([node.definition], this.#abort.signal), node.index)
    }
    for (const [i, segment] of compiled.segments.entries()) {
      if (segment.feed !== 'chunks' || this.#abort.signal.aborted) continue
      await this.#guard(async () => { this.#segments[i] = await executors[compiled.where[i]!]!.open(segment, this.#modes[i]!, this.#scope()) }, segment.nodes[0]!.node, i)
    }
  }

  async #guard(work: () => Promise<void>, node: number, index?: number): Promise<void> {
    try { await work() } catch (error) {
      const failure = this.#fail(error, node, 'start')
      if (index !== undefined) this.#unopened.set(index, failure)
    }
  }

  /** A queue for every edge between tasks, a shelf for every run output that is not collected by its segment. */
  #connect(): void {
    const { compiled } = this.#r
    for (const node of compiled.nodes) {
      if (node.tier !== null || compiled.removed.has(node.id)) continue
      const links = new Map<string, PacketQueue>()
      for (const input of node.inputs) if (input.from !== null) links.set(input.link, this.#queue(compiled.origin.get(input.from) ?? input.from, node.id, input.link, input.from))
      this.#nodeQueues.set(node.id, links)
    }
    for (const [i, segment] of compiled.segments.entries()) {
      if (segment.feed !== 'chunks') continue
      const queues = new Map<number, PacketQueue>()
      segment.buffers.forEach((buffer, b) => {
        if (buffer.kind === 'input') queues.set(b, this.#queue(buffer.value, segment.nodes[buffer.readers[0]!]!.spec.nodeId))
      })
      this.#segmentQueues.set(i, queues)
    }
    for (const value of this.#returned) if (!this.#isCollected(value)) this.#routes.of(value).shelf ??= []
  }

  /** A queue for `reader`, at its input `link` where that is known, which sees the value as `shown` (a view of channels). */
  #queue(value: ValueId, reader: string, link?: string, shown = value): PacketQueue {
    const { clock, join } = this.#r.services, media = this.#r.compiled.media.get(shown)!, view = this.#r.compiled.views.get(shown)
    const queue = new PacketQueue(media, queueCapacity(media?.kind), {
      nowUs: () => clock.nowUs(), ownUs: () => this.#ownUs(), join, ...(view && { show: (packet: Packet) => viewPacket(packet, view, media) }), waiting: (q, end, waits) => { this.#stall.waiting(q, end, waits) } })
    this.#routes.of(value).queues.push(queue)
    this.#readers.set(queue, reader)
    this.#edges.push({ from: value, to: link === undefined ? reader : `${reader}.${link}`, counters: queue.counters })
    return queue
  }

  #nodeTasks(): Promise<void>[] {
    return this.#typescript().map((node) => this.#task([node.index], async () => {
      const frame = this.#frame(), report = nodeReport(node, frame)
      this.#nodes.set(node.id, report)
      await runNodeTask(node, this.#nodeQueues.get(node.id)!, this.#routes, frame, report)
    }, Object.keys(node.definition.outputs).map((port) => valueId(node.id, port))))
  }

  #typescript(): ResolvedNode[] {
    const { nodes, removed } = this.#r.compiled
    return nodes.filter((node) => node.tier === null && !removed.has(node.id))
  }

  /** The turn of a segment: its nodes have one policy. */
  #turn(node: number): Turn {
    const { clock, limiters } = this.#r.services, { claim } = this.#r.compiled.nodes[node]!.policy ?? NO_POLICY
    return new Turn({ limiters, claim, clock, nowUs: () => clock.nowUs(), signal: this.#abort.signal })
  }

  #segmentTasks(): Promise<void>[] {
    return this.#r.compiled.segments.flatMap((plan, i) => {
      if (plan.feed !== 'chunks') return []
      const segment = this.#segments[i]
      return [this.#task(plan.nodes.map(({ node }) => node), async () => {
        if (segment === undefined) {
          // It could not be opened: nobody reads its inputs, and its readers must hear of it.
          for (const queue of this.#segmentQueues.get(i)!.values()) queue.leave()
          throw this.#unopened.get(i)
        }
        const first = this.#r.compiled.nodes[plan.nodes[0]!.node]!
        await runSegmentTask(segment, this.#segmentQueues.get(i)!, this.#routes, this.#turn(first.index), first)
        this.#collect(segment, i)
      }, outputsOf(plan))]
    })
  }

  /** Whole-value segments: literals are read first, then the executor schedules the rest by itself. */
  async #valueTasks(): Promise<void> {
    const { compiled, executors } = this.#r
    const list = compiled.segments.map((plan, i) => ({ plan, i })).filter(({ plan }) => plan.feed === 'values')
    if (list.length === 0) return
    const taskOf = new Map(list.flatMap(({ plan }, task) => plan.buffers.filter((b) => b.kind === 'output').map((b) => [b.value, task] as const)))
    const queues = list.map(({ plan }) => new Map(plan.buffers.flatMap((buffer, b) =>
      buffer.kind === 'input' && !taskOf.has(buffer.value) ? [[b, this.#queue(buffer.value, plan.nodes[buffer.readers[0]!]!.spec.nodeId)] as const] : [])))
    await this.#task(list.flatMap(({ plan }) => plan.nodes.map(({ node }) => node)), async () => {
      const tasks: ValueTask[] = []
      try {
        for (const [t, { plan, i }] of list.entries()) {
          const literals = new Map<number, Packet>(), links = new Map<number, { task: number; value: ValueId }>()
          plan.buffers.forEach((buffer, b) => { if (buffer.kind === 'input' && taskOf.has(buffer.value)) links.set(b, { task: taskOf.get(buffer.value)!, value: buffer.value }) })
          tasks.push({ plan, outputs: this.#modes[i]!, literals, links })
          for (const [b, queue] of queues[t]!) literals.set(b, sharePacket(await queue.whole()))
        }
      } catch (error) {
        for (const { literals } of tasks) for (const packet of literals.values()) releasePacket(packet)
        throw error
      } finally { for (const map of queues) for (const queue of map.values()) queue.leave() }
      const turn = this.#turn(list[0]!.plan.nodes[0]!.node)
      await turn.enter()
      const done = await executors.worker!.runValues(tasks, this.#scope()).finally(() => { turn.leave() })
      for (const [t, { plan, i }] of list.entries()) {
        this.#segments[i] = done[t]
        this.#collect(done[t]!, i)
        this.#report(i, 1)
        for (const value of outputsOf(plan)) await this.#giveCollected(value)
      }
    }, list.flatMap(({ plan }) => outputsOf(plan)))
  }

  /** Runs one task of some nodes; its failure fails what depends on it, or the whole run. Ends its outputs in any case. */
  async #task(nodes: readonly number[], work: () => Promise<void>, outputs: readonly ValueId[]): Promise<void> {
    this.#stall.started()
    try {
      await work()
      for (const value of outputs) { this.#routes.end(value); this.#finished.add(value) }
      // What came to its end after the run was stopped gave nothing to anybody.
      if (!this.#abort.signal.aborted) for (const node of nodes) this.#ended.add(this.#r.compiled.nodes[node]!.id)
    } catch (error) {
      const failure = this.#fail(error, nodes[0]!, 'process')
      const resolved = this.#r.compiled.nodes[nodes[0]!]!
      if (failure.code === 'DEPENDENCY_FAILED') for (const node of nodes) this.#skipped.add(this.#r.compiled.nodes[node]!.id)
      for (const value of outputs) {
        for (const queue of this.#routes.of(value).queues) {
          queue.fail(scheduleErrors.DEPENDENCY_FAILED({ node: this.#readers.get(queue)!, port: value, failed: resolved.id }, { cause: failure, nodeId: resolved.id }))
        }
      }
    } finally { this.#stall.ended() }
  }

  #fail(error: unknown, node: number, operation: string): MillraceError {
    if (isMillraceError(error) && this.#abort.signal.aborted && error === this.#abort.signal.reason) return error
    const place = isMillraceError(error) && error.nodeId !== undefined ? this.#r.compiled.nodes.find((n) => n.id === error.nodeId) : undefined
    const { id, definition } = place ?? this.#r.compiled.nodes[node]!
    const failure = wrapNodeFailure(error, { node: id, type: definition.type, operation, runId: this.#r.runId })
    if (failure.code === 'DEPENDENCY_FAILED' || this.#cancelled || this.#failed.has(failure.nodeId!)) return failure
    this.#failed.set(failure.nodeId!, failure)
    this.#failures.push(failure)
    if (this.#r.onError === 'stop') this.#stopAll(failure)
    return failure
  }

  #frame(): RunFrame {
    return { runId: this.#r.runId, signal: this.#abort.signal, services: this.#r.services, diagnostics: this.#r.diagnostics, ownUs: () => this.#ownUs(),
      nodeTimeoutMs: this.#r.nodeTimeoutMs ?? NODE_TIMEOUT_MS, random: (node) => randomKey(this.#r.seed ?? 0n, this.#r.compiled.plan.nodes[node]!.hash), onStuck: (callback) => this.#stall.onStuck(callback),
      progress: (nodeId, done, total) => { if (total) this.#progress.report(this.#parts.get(nodeId) ?? 0, done / total, nodeId) } }
  }

  #ownUs(): number {
    return this.#r.services.clock.nowUs() - (this.#r.executors.engine.busyUs ?? 0)
  }

  #scope(): RunScope {
    const { compiled } = this.#r
    return {
      ...(this.#r.priority !== undefined && { priority: this.#r.priority }), ...(this.#r.workers !== undefined && { taskLimit: this.#r.workers }),
      runId: this.#r.runId, signal: this.#abort.signal, startUs: this.#r.startUs, timed: this.#r.timed !== false, ...(this.#r.services.memory && { memory: this.#r.services.memory }),
      reference: (index) => referenceParts(compiled.nodes[index]!),
      progressed: (segment, frames) => {
        this.#headFrames[segment] = (this.#headFrames[segment] ?? 0) + frames
        const input = compiled.segments[segment]!.buffers.find((b) => b.kind === 'input'), total = input && compiled.totals.get(input.value)
        if (total) this.#report(segment, this.#headFrames[segment]! / total)
      },
    }
  }

  #report(segment: number, fraction: number): void {
    this.#progress.report(this.#parts.get(`#${segment}`)!, fraction, this.#r.compiled.segments[segment]!.nodes.at(-1)?.spec.nodeId)
  }

  /**
   * A run output of known length that nothing else reads packet by packet is written straight into its final block by the segment. One of unknown length is
   * collected in pieces and joined at the end: growing one block would need as much room, and leave holes.
   */
  #outputModes(plan: SegmentPlan): Map<number, OutputMode> {
    const modes = new Map<number, OutputMode>()
    plan.buffers.forEach((buffer, b) => {
      if (buffer.kind !== 'output') return
      modes.set(b, this.#isCollected(buffer.value) ? { mode: 'collect', frames: this.#r.compiled.totals.get(buffer.value), wanted: this.#isWanted(buffer.value) } : { mode: 'emit' })
    })
    return modes
  }

  /** A value that leaves the segments: to the caller, or to a node written in TypeScript. */
  #isWanted(value: ValueId): boolean {
    const { nodes, origin } = this.#r.compiled
    return this.#returned.has(value) || nodes.some((node) => node.tier === null && node.inputs.some(({ from }) => from !== null && (origin.get(from) ?? from) === value))
  }

  #isCollected(value: ValueId): boolean {
    const feed = this.#written.get(value)
    return feed === 'values' || (feed === 'chunks' && this.#returned.has(value) && this.#r.compiled.totals.has(value) && !this.#readOutside.has(value))
  }

  #collect(segment: OpenSegment, index: number): void {
    for (const [buffer, mode] of this.#modes[index]!) if (mode.mode === 'collect' && mode.wanted !== false) this.#collected.set(segment.plan.buffers[buffer]!.value, segment.collected(buffer))
  }

  async #giveCollected(value: ValueId): Promise<void> {
    const packet = this.#collected.get(value)
    if (packet && this.#routes.of(value).queues.length > 0) await this.#routes.give(value, sharePacket(packet))
  }

  /** Finished run outputs by name; those of failed branches are missing. */
  #gather(names: ReadonlyMap<string, ValueId>, whole: Map<ValueId, Packet>, given: Set<ValueId>): Record<string, Packet> {
    const { compiled, services } = this.#r, outputs: Record<string, Packet> = {}
    if (this.#cancelled) return outputs
    for (const [name, value] of names) {
      if (!this.#finished.has(value)) continue
      const shown = names === compiled.stored ? name : compiled.shown.get(name) ?? value, view = compiled.views.get(shown)
      let packet = whole.get(value)
      if (packet !== undefined) { /* another name for it */ }
      else if (this.#collected.has(value)) { packet = this.#collected.get(value)!; this.#collected.delete(value) }
      else {
        const parts = this.#routes.of(value).shelf?.splice(0) ?? []
        // media that only the packets know: an output whose node discovers them
        const media: Media = compiled.media.get(value) ?? parts[0]?.media ?? { kind: 'json' }
        try { packet = services.join(media, parts) } catch (error) {
          // The other outputs are whole.
          this.#fail(error, compiled.nodes.findIndex((node) => node.id === nodeOf(value)), 'join')
          continue
        }
      }
      whole.set(value, packet)
      if (view) { outputs[name] = viewPacket(sharePacket(packet), view, compiled.media.get(shown)!); continue }
      outputs[name] = summarise(given.has(value) ? sharePacket(packet) : packet, value, compiled, this.#segments)
      given.add(value)
    }
    return outputs
  }
}

function outputsOf(plan: SegmentPlan): ValueId[] {
  return plan.buffers.filter((b) => b.kind === 'output').map((b) => b.value)
}

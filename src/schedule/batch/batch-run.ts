import { isMillraceError, type MillraceError } from '../../errors/millrace-error.js'
import type { Packet } from '../../media/packet.js'
import { BLOCKED } from '../blocked.js'
import { wrapNodeFailure } from '../node-failure.js'
import { onAbort } from '../on-abort.js'
import type { OpenSegment, OutputMode, RunScope } from '../open-segment.js'
import { releasePacket, sharePacket, viewPacket } from '../packet-data.js'
import { PacketQueue, queueCapacity, type EdgeCounters } from '../packet-queue.js'
import { NO_POLICY } from '../policy/node-policy.js'
import { Turn } from '../policy/turn.js'
import { nodeOf, referenceParts, valueId, type ResolvedNode } from '../resolved-graph.js'
import type { SegmentPlan, ValueId } from '../segment-plan.js'
import type { BatchOutcome, BatchRequest, SkipReason } from './batch-types.js'
import { connectionsOf } from './connections.js'
import { Demand } from './demand.js'
import { keepMedia } from './keep-media.js'
import { gatherOutputs } from './gather-outputs.js'
import { cancelledBy, Jobs } from './jobs.js'
import { randomKey } from './node-context.js'
import { nodeReport, runNodeTask, type NodeReport } from './node-task.js'
import { OutputModes, outputsOf } from './output-modes.js'
import { Readers } from './readers.js'
import { RunProgress } from './run-progress.js'
import { runSegmentTask } from './segment-task.js'
import type { RunFrame } from './services.js'
import { StallBreaker } from './stall-breaker.js'
import { nodesOf, ValueGroup } from './value-group.js'
import { ValueRoutes } from './value-routes.js'

/** Own time per packet of a node that names no limit, ms. */
const NODE_TIMEOUT_MS = 300_000

/**
 * The batch driver: runs a compiled plan to completion (EX-30). Everything it opened is closed again
 * before it returns, except the outputs' blocks.
 */
export async function runBatch(request: BatchRequest): Promise<BatchOutcome> {
  return new BatchRun(request).execute()
}

class BatchRun {
  readonly #r: BatchRequest
  readonly #abort = new AbortController()
  readonly #jobs: Jobs
  readonly #routes = new ValueRoutes()
  readonly #stall = new StallBreaker()
  readonly #segments: (OpenSegment | undefined)[] = []
  readonly #nodes = new Map<string, NodeReport>()
  readonly #failed = new Map<string, MillraceError>()
  readonly #ended = new Set<string>()
  readonly #skipped = new Map<string, SkipReason>()
  readonly #failures: MillraceError[] = []
  readonly #edges: { from: ValueId; to: string; counters: EdgeCounters }[] = []
  readonly #readers = new Readers()
  readonly #nodeQueues = new Map<string, Map<string, PacketQueue>>()
  readonly #segmentQueues = new Map<number, Map<number, PacketQueue>>()
  readonly #valueGroups = new Map<string, ValueGroup>()
  readonly #modes: Map<number, OutputMode>[] = []
  /** All tasks that have started. */
  readonly #tasks: Promise<void>[] = []
  readonly #demand: Demand | undefined
  readonly #shapes: OutputModes
  /** Why a segment could not be opened. */
  readonly #unopened = new Map<number, MillraceError>()
  readonly #collected = new Map<ValueId, Packet>()
  /** Values whose writer came to its end. */
  readonly #finished = new Set<ValueId>()
  readonly #progress: RunProgress
  /** Segments by their first nodes. */
  #startOf: ReadonlyMap<number, number> | undefined
  #cancelled = false

  constructor(request: BatchRequest) {
    this.#r = request
    this.#jobs = new Jobs(request.compiled, this.#abort.signal)
    const { segments, nodes } = request.compiled
    this.#progress = new RunProgress(request.compiled, request.services.clock, request.onProgress)
    this.#shapes = new OutputModes(request.compiled)
    const { lazy } = request.compiled
    if (lazy) {
      this.#demand = new Demand(nodes, lazy, (keys) => { this.#tasks.push(this.#launch((key) => keys.has(key))) }, (key, members) => {
        this.#drop(key, members)
      })
    }
    this.#connect()
    segments.forEach((segment) => this.#modes.push(this.#shapes.of(segment, (value) => this.#routes.of(value).queues.length > 0)))
  }

  async execute(): Promise<BatchOutcome> {
    const { signal } = this.#r
    const cancel = (): void => { this.#cancel(signal!.reason) }, deaf = signal && onAbort(signal, cancel)
    this.#r.onJobs?.((node, reason) => this.#cancelJob(node, reason))
    if (signal?.aborted) cancel()
    try {
      if (!this.#cancelled) await this.#launch((key) => key === '')
      // Tasks that ask for lazy inputs start more of them; none rejects.
      for (let i = 0; i < this.#tasks.length; i++) await this.#tasks[i]
      const { compiled, services } = this.#r
      const { outputs, nodeOutputs } = this.#cancelled ? { outputs: {}, nodeOutputs: {} } : gatherOutputs({
        compiled, services, segments: this.#segments, routes: this.#routes, collected: this.#collected, finished: this.#finished,
        failed: (value, error) => { this.#fail(error, compiled.nodes.findIndex((node) => node.id === nodeOf(value)), 'join') },
      })
      if (this.#failures.length === 0 && !this.#cancelled) this.#progress.finish()
      return {
        outputs, nodeOutputs, failures: this.#failures, cancelled: this.#cancelled, segments: this.#segments, nodes: this.#nodes,
        edges: this.#edges, failedNodes: this.#failed, endedNodes: this.#ended, skippedNodes: this.#skipped,
      }
    } finally {
      deaf?.()
      this.#routes.close()
      const closed = await Promise.allSettled(this.#segments.map((segment) => segment?.close()))
      for (const packet of this.#collected.values()) releasePacket(packet)
      for (const one of closed) if (one.status === 'rejected') {
        this.#r.services.log('error', 'a segment did not close', { run: this.#r.runId, error: String(one.reason) })
      }
    }
  }

  #cancel(reason: unknown): void {
    this.#cancelled = true
    this.#stopAll(cancelledBy(reason, this.#r.runId))
  }

  /** What is done together with a node ends, and its readers hear of it; the run goes on without (EX-52). */
  #cancelJob(id: string, reason: unknown): boolean {
    if (this.#ended.has(id) || this.#failed.has(id) || this.#skipped.has(id)) return false
    return this.#jobs.cancelNode(id, reason, this.#r.runId, (node) =>
      this.#valueGroups.get(this.#keyOf(node)), (members, outputs, error) => {
        for (const queue of this.#readBy(members)) queue.fail(error)
        this.#readers.fail(outputs, this.#routes, id, error)
      })
  }

  #readBy(members: readonly number[]): PacketQueue[] {
    return this.#readers.of(new Set(members.map((node) => this.#r.compiled.nodes[node]!.id)))
  }

  #stopAll(error: MillraceError): void {
    this.#routes.failAll(error)
    this.#abort.abort(error)
  }

  /** Starts what some lazy inputs ask for, or, with key '', what nobody needs to ask for. */
  async #launch(starts: (key: string) => boolean): Promise<void> {
    const chosen = (node: number): boolean => starts(this.#keyOf(node))
    const groups = [...this.#valueGroups].flatMap(([key, group]) => starts(key) ? [group] : [])
    this.#stall.started()
    await this.#prepare(chosen)
    if (!this.#abort.signal.aborted) {
      this.#tasks.push(...this.#nodeTasks(chosen), ...this.#segmentTasks(chosen), ...groups.map((group) => this.#valueTask(group)))
    }
    this.#stall.ended()
  }

  /** Nobody will ask for these nodes any more: what they would have read goes on without them. */
  #drop(key: string, members: readonly number[]): void {
    const { nodes, segments } = this.#r.compiled
    this.#valueGroups.get(key)?.leave()
    this.#startOf ??= new Map(segments.map((segment, i) => [segment.nodes[0]!.node, i]))
    for (const index of members) {
      const node = nodes[index]!, i = this.#startOf.get(index)
      if (i !== undefined) {
        for (const queue of this.#segmentQueues.get(i)?.values() ?? []) queue.leave()
        this.#progress.segment(i, 1)
      }
      for (const queue of this.#nodeQueues.get(node.id)?.values() ?? []) queue.leave()
      if (!this.#abort.signal.aborted) this.#skipped.set(node.id, 'lazy')
      this.#progress.node(node.id, 1)
      this.#closeAsks(node)
    }
  }

  #closeAsks(node: ResolvedNode): void { for (const { link } of node.inputs) this.#demand?.close(`${node.id}.${link}`) }
  #keyOf(node: number): string { return this.#r.compiled.lazy?.keys[node] ?? '' }

  /** Starts workers and opens the segments that the driver feeds. */
  async #prepare(chosen: (node: number) => boolean): Promise<void> {
    const { compiled, executors } = this.#r
    const segments = compiled.segments.map((segment, i) => ({ segment, i })).filter(({ segment }) => chosen(segment.nodes[0]!.node))
    for (const where of ['engine', 'worker'] as const) {
      const plans = segments.flatMap(({ segment, i }) => compiled.where[i] === where ? [segment] : [])
      if (plans.length > 0) await this.#guard(() => executors[where]!.prepare(plans, this.#abort.signal), plans[0]!.nodes[0]!.node)
    }
    for (const node of this.#typescript()) {
      if (chosen(node.index) && nodeReport(node, this.#frame(node.index)).where === 'worker') {
        await this.#guard(() => this.#r.services.scripts!.prepare([node.definition], this.#abort.signal), node.index)
      }
    }
    for (const { segment, i } of segments) {
      if (segment.feed !== 'chunks' || this.#abort.signal.aborted) continue
      await this.#guard(async () => {
        this.#segments[i] =
          await executors[compiled.where[i]!]!.open(segment, this.#modes[i]!, this.#scope(segment.nodes.map(({ node }) => node)))
      }, segment.nodes[0]!.node, i)
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
      for (const input of node.inputs) if (input.from !== null) {
        links.set(input.link, this.#queue(
          compiled.origin.get(input.from) ?? input.from, node.id, input.link, input.from, node.definition.inputs[input.port]?.changes,
        ))
      }
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
    const whole = new Map<string, { plan: SegmentPlan; index: number }[]>()
    for (const [index, plan] of compiled.segments.entries()) {
      if (plan.feed !== 'values') continue
      const key = this.#keyOf(plan.nodes[0]!.node)
      whole.set(key, [...whole.get(key) ?? [], { plan, index }])
    }
    for (const [key, segments] of whole) this.#valueGroups.set(key, new ValueGroup(segments, (value, reader) => this.#queue(value, reader)))
    for (const value of this.#shapes.returned) if (!this.#shapes.isCollected(value)) this.#routes.of(value).shelf ??= []
  }

  /** A queue for `reader`, at its input `link` where that is known, which sees the value as `shown` (a view of channels). */
  #queue(value: ValueId, reader: string, link?: string, shown = value, changes = false): PacketQueue {
    const { clock, join } = this.#r.services, media = this.#r.compiled.media.get(shown)!
    const view = this.#r.compiled.views.get(shown)
    const port = link === undefined ? shown : `${reader}.${link}`
    const queue = new PacketQueue(media, queueCapacity(media?.kind), {
      nowUs: () => clock.nowUs(), ownUs: () => this.#ownUs(), join,
      ...(!changes && { refuse: keepMedia(port, link === undefined ? nodeOf(shown) : reader, value) }),
      ...(view && { show: (packet: Packet) => viewPacket(packet, view, media) }),
      waiting: (q, end, waits) => { this.#stall.waiting(q, end, waits) } })
    this.#routes.of(value).queues.push(queue)
    this.#readers.add(queue, reader)
    this.#demand?.join(queue, nodeOf(value), reader, link)
    this.#edges.push({ from: value, to: link === undefined ? reader : `${reader}.${link}`, counters: queue.counters })
    return queue
  }

  #nodeTasks(chosen: (node: number) => boolean): Promise<void>[] {
    return this.#typescript().filter((node) => chosen(node.index)).map((node) => this.#task([node.index], async () => {
      const frame = this.#frame(node.index), report = nodeReport(node, frame)
      this.#nodes.set(node.id, report)
      try { await runNodeTask(node, this.#nodeQueues.get(node.id)!, this.#routes, frame, report) } finally { this.#closeAsks(node) }
    }, Object.keys(node.definition.outputs).map((port) => valueId(node.id, port))))
  }

  #typescript(): ResolvedNode[] {
    const { nodes, removed } = this.#r.compiled
    return nodes.filter((node) => node.tier === null && !removed.has(node.id))
  }

  /** The turn of a segment: its nodes have one policy. */
  #turn(node: number): Turn {
    const { clock, limiters } = this.#r.services, { claim } = this.#r.compiled.nodes[node]!.policy ?? NO_POLICY
    return new Turn({ limiters, claim, clock, nowUs: () => clock.nowUs(), signal: this.#jobs.signal([node]) })
  }

  #segmentTasks(chosen: (node: number) => boolean): Promise<void>[] {
    return this.#r.compiled.segments.flatMap((plan, i) => {
      if (plan.feed !== 'chunks' || !chosen(plan.nodes[0]!.node)) return []
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
  #valueTask(group: ValueGroup): Promise<void> {
    const nodes = group.nodes, outputs = group.segments.flatMap(({ plan }) => outputsOf(plan)), signal = this.#jobs.signal(nodes)
    return this.#task(nodes, async () => {
      const { tasks, kept, missing } = await group.tasks(this.#modes, signal), turn = this.#turn(nodes[0]!)
      nodes.splice(0, nodes.length, ...nodesOf(kept))
      outputs.splice(0, outputs.length, ...kept.flatMap(({ plan }) => outputsOf(plan)))
      for (const [segment, error] of missing) this.#missed(error, nodesOf([segment]), outputsOf(segment.plan))
      if (tasks.length === 0) return
      await turn.enter()
      const done = await this.#r.executors.worker!.runValues(tasks, this.#scope(group.nodes)).finally(() => { turn.leave() })
      for (const [t, { plan, index }] of kept.entries()) {
        this.#segments[index] = done[t]
        this.#collect(done[t]!, index)
        this.#progress.segment(index, 1)
        for (const value of outputsOf(plan)) await this.#giveCollected(value)
      }
    }, outputs)
  }

  /** Runs one task of some nodes; its failure fails what depends on it, or the whole run. Ends its outputs in any case. */
  async #task(nodes: readonly number[], work: () => Promise<void>, outputs: readonly ValueId[]): Promise<void> {
    this.#stall.started()
    const [first] = nodes as [number]
    try {
      // Dropped before it began: nobody reads what it would have read.
      if (this.#jobs.signal(nodes).aborted && !this.#abort.signal.aborted) for (const queue of this.#readBy(nodes)) queue.leave()
      else await work()
      const cancelled = this.#jobs.cancelled(first)
      if (cancelled !== undefined && nodes.length > 0) throw cancelled
      for (const value of outputs) if (!this.#routes.of(value).blocked) { this.#routes.end(value); this.#finished.add(value) }
      // What came to its end after the run was stopped gave nothing to anybody.
      if (!this.#abort.signal.aborted) for (const node of nodes) this.#ended.add(this.#r.compiled.nodes[node]!.id)
    } catch (error) { this.#missed(this.#jobs.cancelled(first) ?? error, nodes, outputs) } finally { this.#stall.ended() }
  }

  /** Nodes did not come to their end: what reads them hears of it. */
  #missed(error: unknown, nodes: readonly number[], outputs: readonly ValueId[]): void {
    const resolved = this.#r.compiled.nodes[nodes[0]!]!
    const skip = (reason: SkipReason): void => { for (const node of nodes) this.#skipped.set(this.#r.compiled.nodes[node]!.id, reason) }
    if (error === BLOCKED) {
      skip('blocked')
      for (const value of outputs) this.#routes.block(value)
      return
    }
    const failure = this.#fail(error, nodes[0]!, 'process')
    if (failure.code === 'DEPENDENCY_FAILED') skip('dependency-failed')
    this.#readers.fail(outputs, this.#routes, resolved.id, failure)
  }

  #fail(error: unknown, node: number, operation: string): MillraceError {
    if (isMillraceError(error) && this.#abort.signal.aborted && error === this.#abort.signal.reason) return error
    const place = isMillraceError(error) && error.nodeId !== undefined
      ? this.#r.compiled.nodes.find((n) => n.id === error.nodeId)
      : undefined
    const { id, definition } = place ?? this.#r.compiled.nodes[node]!
    const failure = wrapNodeFailure(error, { node: id, type: definition.type, operation, runId: this.#r.runId })
    if (failure.code === 'DEPENDENCY_FAILED' || this.#cancelled || this.#failed.has(failure.nodeId!)) return failure
    this.#failed.set(failure.nodeId!, failure)
    this.#failures.push(failure)
    if (this.#r.onError === 'stop' && this.#jobs.cancelled(node) === undefined) this.#stopAll(failure)
    return failure
  }

  #frame(node: number): RunFrame {
    return { runId: this.#r.runId, signal: this.#jobs.signal([node]), services: this.#r.services, diagnostics: this.#r.diagnostics,
      ownUs: () => this.#ownUs(),
      nodeTimeoutMs: this.#r.nodeTimeoutMs ?? NODE_TIMEOUT_MS,
      random: (node) => randomKey(this.#r.seed ?? 0n, this.#r.compiled.plan.nodes[node]!.hash),
      onStuck: (callback) => this.#stall.onStuck(callback), ask: (link) => { this.#demand?.ask(link) },
      decline: (links) => { this.#demand?.decline(links) },
      edges: (value) => connectionsOf(this.#r.compiled, value),
      progress: (nodeId, done, total) => { if (total) this.#progress.node(nodeId, done / total) } }
  }

  #ownUs(): number {
    return this.#r.services.clock.nowUs() - (this.#r.executors.engine.busyUs ?? 0)
  }

  #scope(nodes: readonly number[]): RunScope {
    const { compiled } = this.#r
    return {
      ...(this.#r.share && { share: this.#r.share }),
      runId: this.#r.runId, signal: this.#jobs.signal(nodes), startUs: this.#r.startUs, timed: this.#r.timed !== false,
      ...(this.#r.services.memory && { memory: this.#r.services.memory }),
      reference: (index) => referenceParts(compiled.nodes[index]!),
      progressed: (segment, frames) => { this.#progress.frames(segment, frames) },
    }
  }

  #collect(segment: OpenSegment, index: number): void {
    for (const [buffer, mode] of this.#modes[index]!) if (mode.mode === 'collect' && mode.wanted !== false) {
      this.#collected.set(segment.plan.buffers[buffer]!.value, segment.collected(buffer))
    }
  }

  async #giveCollected(value: ValueId): Promise<void> {
    const packet = this.#collected.get(value)
    if (packet && this.#routes.of(value).queues.length > 0) await this.#routes.give(value, sharePacket(packet))
  }
}

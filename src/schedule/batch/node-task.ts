import type { PacketRecord } from '../../graph/node-definition.js'
import { memoryErrors } from '../../memory/errors.js'
import { isBlocker } from '../../media/blocker.js'
import { LIST_MARK } from '../../media/list-mark.js'
import type { Media } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import { BLOCKED, isBlocked } from '../blocked.js'
import { scheduleErrors } from '../errors.js'
import { wrapNodeFailure } from '../node-failure.js'
import type { InstanceLease } from '../node-instances.js'
import { BlockWatch } from '../block-watch.js'
import { onAbort } from '../on-abort.js'
import type { PacketQueue } from '../packet-queue.js'
import { isAudioBuffer, releasePacket, releaseRecord } from '../packet-data.js'
import { NO_POLICY } from '../policy/node-policy.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../policy/redelivery.js'
import { Turn } from '../policy/turn.js'
import type { ResolvedNode } from '../resolved-graph.js'
import { valueId } from '../resolved-graph.js'
import { agreedCheck, type AgreedCheck } from './check-agreed.js'
import { asRecord, checkPacket, type Refuse } from './check-packet.js'
import { callCode } from './node-code.js'
import { nodeContext, nodeRandom } from './node-context.js'
import type { InputScope } from './node-input.js'
import { NodeInputs } from './node-inputs.js'
import { OwnAudio } from './own-audio.js'
import { withPatience } from './patience.js'
import { callPerItem, type NodeCode } from './per-item.js'
import type { RunFrame } from './services.js'
import type { ValueRoutes } from './value-routes.js'

/** Counters of a node written in TypeScript. `worker`: its code ran on a thread of its own. */
export interface NodeReport {
  startUs: number
  busyUs: number
  queuedUs: number
  itemsIn: number
  itemsOut: number
  framesIn: number
  framesOut: number
  attempts: number
  deliveries: number
  readonly where: 'engine' | 'worker'
}

/**
 * Executes one node written in TypeScript: a source (`pull`) or a `process`, on the engine's thread or on one of its own. Packets go to the
 * routes as they come, so a slow reader slows the node. Checks that each declared, connected output was written at least once or is a
 * stream that ended (GR-27); of inputs without a packet come outputs without one. Code that failed is called again when its policy says so,
 * a lost thread's node is delivered again: both only while nothing was given out and all that was read can be read again.
 */
export async function runNodeTask(
  node: ResolvedNode, links: ReadonlyMap<string, PacketQueue>, routes: ValueRoutes, frame: RunFrame, report: NodeReport,
): Promise<void> {
  const task = new NodeTask(node, links, routes, frame, report)
  try { await task.run() } finally { task.close(links) }
}

/** Counters of a node that has not run yet. */
export function nodeReport(node: ResolvedNode, frame: RunFrame): NodeReport {
  return {
    startUs: frame.services.clock.nowUs(), busyUs: 0, queuedUs: 0, itemsIn: 0, itemsOut: 0, framesIn: 0, framesOut: 0, attempts: 0,
    deliveries: 0, where: onThread(node, frame) ? 'worker' : 'engine',
  }
}

function onThread(node: ResolvedNode, frame: RunFrame): boolean {
  return node.definition.thread === 'worker' && node.policy?.main !== true && frame.services.scripts !== undefined
}

class NodeTask {
  readonly #node: ResolvedNode
  readonly #routes: ValueRoutes
  readonly #frame: RunFrame
  readonly #report: NodeReport
  readonly #scope: InputScope
  readonly #inputs: NodeInputs
  readonly #given = new Set<string>()
  readonly #undeclared = new Set<string>()
  readonly #seq = new Map<string, number>()
  readonly #agreed = new Map<string, AgreedCheck>()
  /** Lengths of tensors by name. */
  #names: Map<string, number> | undefined
  readonly #random: readonly [number, number]
  /** Audio of the call of the node's code that goes on. */
  #own = new OwnAudio()

  constructor(node: ResolvedNode, links: ReadonlyMap<string, PacketQueue>, routes: ValueRoutes, frame: RunFrame, report: NodeReport) {
    this.#node = node
    this.#routes = routes
    this.#frame = frame
    this.#report = report
    this.#random = frame.random(node.index)
    if (node.perItem !== true) this.#names = new Map()
    const { definition, policy = NO_POLICY } = node, repeatable = definition.idempotent ?? definition.effects !== 'write'
    this.#scope = {
      turn: this.#newTurn(frame.signal),
      replayable: repeatable && (report.where === 'worker' || policy.retry !== undefined),
      join: (media, parts) => frame.services.join(media, parts),
    }
    this.#inputs = new NodeInputs(node, links, this.#scope, frame, this.#names)
  }

  async run(): Promise<void> {
    const { retry } = this.#node.policy ?? NO_POLICY, { clock } = this.#frame.services
    const { signal } = this.#frame, draw = nodeRandom(this.#random)
    await this.#inputs.dispatchable()
    for (let attempt = 1, delivery = 1; ;) {
      try {
        this.#report.attempts = attempt
        this.#report.deliveries++
        await this.#once(attempt, delivery)
        break
      } catch (error) {
        if (isBlocked(error)) throw BLOCKED
        const failure = this.#place(error, attempt, delivery)
        if (!this.#scope.replayable || signal.aborted) throw failure
        let waitMs: number
        if (failure.kind === 'worker' && this.#report.where === 'worker') {
          // Nobody is started any more after a loop of crashes (MW-48).
          if (delivery > MOST_REDELIVERIES || (failure.code === 'WORKER_LOST' && !failure.retryable)) throw failure
          waitMs = redeliveryDelayMs(delivery)
          delivery++
        } else {
          if (retry === undefined || !failure.retryable || failure.code === 'DEPENDENCY_FAILED') throw failure
          if (attempt > retry.retries) {
            throw attempt === 1 ? failure : scheduleErrors.RETRY_LIMIT({ node: this.#node.id, attempts: attempt, last: failure.message }, {
              cause: failure, nodeId: this.#node.id, nodeType: this.#node.definition.type,
            })
          }
          waitMs = retry.delayMs(attempt, () => draw.at(attempt, 1))
          attempt++
          delivery = 1
        }
        await clock.sleep(waitMs, signal)
        if (signal.aborted) throw failure
        this.#inputs.rewind()
      }
    }
    const { process, inputs } = this.#node.definition
    if (!signal.aborted && (process !== undefined || Object.keys(inputs).length > 0) && !this.#inputs.empty) this.#requireOutputs()
  }

  /** Counts what was read and leaves the inputs. */
  close(links: ReadonlyMap<string, PacketQueue>): void {
    for (const queue of links.values()) { this.#report.itemsIn += queue.counters.items; this.#report.framesIn += queue.counters.frames }
    this.#inputs.leave()
  }

  /** Calls the node's code once. */
  async #once(attempt: number, delivery: number): Promise<void> {
    // Nothing was given out: what an earlier call said binds nobody.
    this.#names?.clear()
    this.#agreed.clear()
    const { definition, params, id, policy = NO_POLICY } = this.#node
    const { services, signal } = this.#frame, threaded = this.#report.where === 'worker'
    const abort = new AbortController(), forward = (): void => { abort.abort(signal.reason) }
    if (signal.aborted) forward()
    const hung = (ms: number): void => { this.#frame.diagnostics.push(services.hung(id, ms)) }
    const unforward = onAbort(signal, forward)
    const watch = threaded ? undefined : new BlockWatch({ clock: services.clock, hangMs: policy.hangMs, blocked: hung })
    const turn = this.#scope.turn = this.#newTurn(abort.signal, watch)
    await turn.enter()
    let expired: MillraceError | undefined
    let failure: { readonly error: unknown } | undefined
    let lease: InstanceLease | undefined, end: (() => void) | undefined, last = false
    const timeoutMs = policy.timeoutMs ?? this.#frame.nodeTimeoutMs
    const expire = (): void => {
      abort.abort(expired = scheduleErrors.NODE_TIMEOUT({ node: id, timeoutMs }, { nodeId: id, nodeType: definition.type }))
    }
    const stop = turn.watch(timeoutMs, policy.timeoutMs === undefined, expire)
    // What the node runs in its place is covered too (GR-30).
    const covered = async <T>(work: Promise<T>): Promise<T> => {
      if (!policy.timeoutMs) return work
      const ended = new AbortController()
      void services.clock.sleep(policy.timeoutMs, ended.signal).then(() => { if (!ended.signal.aborted) expire() })
      try { return await work } finally { ended.abort() }
    }
    const own = this.#own = new OwnAudio()
    const context = (instance: unknown, of?: OwnAudio): ReturnType<typeof nodeContext> => nodeContext({ own: of,
      node: { id, type: definition.type, runId: this.#frame.runId }, services, signal: abort.signal, diagnostics: this.#frame.diagnostics,
      random: this.#random, instance, attempt, delivery, need: (port) => this.#inputs.need(port),
      decline: (port) => { this.#inputs.decline(port) }, outside: (work) => turn.outside(covered(work)), watch,
      progress: (done, total) => { this.#frame.progress(id, done, total) },
    })
    try {
      if (watch && definition.init) {
        lease = await withPatience(
          watch.call(() => services.instances.take(definition, params, id, context(undefined).ctx)),
          abort.signal, services.clock, (late) => late.release(false),
        )
      }
      const { ctx, end: done } = context(lease?.instance, own)
      end = done
      const call = (driven: readonly string[]): NodeCode => (inputs, values) => watch === undefined
        ? services.scripts!.run({
          definition, params: values, driven, inputs, ctx, random: this.#random, hangMs: policy.hangMs, deliveries: MOST_REDELIVERIES + 1,
          onLast: () => { last = true }, ...(services.memory && { memory: services.memory }),
        })
        : watch.call(() => callCode(definition, inputs, values, ctx))
      const work = async (): Promise<void> => {
        if (this.#node.perItem === true) {
          await this.#drain(callPerItem({
            node: this.#node, inputs: this.#inputs, params, ctx, call: call([]), join: (media, parts) => services.join(media, parts),
            wanted: (port) => this.#routes.wanted(valueId(id, port)),
            check: (port, packet) => { this.#check(port, packet, definition.outputs[port]!.list === true) },
            missing: (port) => this.#refuse(port, 'a packet', 'nothing'), undeclared: (port) => { this.#warnUndeclared(port) },
          }), turn, abort.signal, () => false)
          return
        }
        const driven = this.#inputs.drivenParams(params)
        await driven.advance()
        await this.#drain(
          call(driven.names)(this.#inputs.streams(), driven.values), turn, abort.signal, () => last,
          driven.byInput ? undefined : () => driven.advance(),
        )
      }
      const working = work()
      // Not while it goes on: code that does not stop writes where it wrote.
      working.then(() => { if (abort.signal.aborted) own.close() }, () => { own.close() })
      await withPatience(working, abort.signal, services.clock)
    } catch (error) { failure = { error } }
    stop()
    turn.close()
    this.#report.busyUs += turn.ownUs
    this.#report.queuedUs += turn.queuedUs
    end?.()
    if (expired !== undefined) failure = { error: expired }
    if (lease) {
      const { release } = lease, sound = failure === undefined && !abort.signal.aborted
      // It has a grace time of its own: what the node holds is worth waiting for.
      try { await withPatience(watch!.call(() => release(sound)), abort.signal, services.clock) } catch (error) {
        if (sound) failure = { error }
        else services.log('error', 'dispose failed', { node: id, error: String(error) })
      }
    }
    unforward()
    if (failure) throw failure.error
  }

  #newTurn(signal: AbortSignal, watch?: BlockWatch): Turn {
    const { clock, limiters } = this.#frame.services, { claim } = this.#node.policy ?? NO_POLICY
    return new Turn({ limiters, claim, signal, clock, nowUs: () => this.#frame.ownUs(), watch })
  }

  #place(error: unknown, attempt: number, delivery: number): MillraceError {
    const { id, definition } = this.#node
    return wrapNodeFailure(error, {
      node: id, type: definition.type, operation: definition.pull ? 'pull' : 'process', runId: this.#frame.runId, attempt, delivery,
    })
  }

  /**
   * Takes packets from a generator, or the one record of a promise. Stops a source that nobody reads any more. After the `last` record no
   * code of the node's runs, so it takes no permits again.
   */
  async #drain(
    result: ReturnType<NodeCode>, turn: Turn, signal: AbortSignal, last: () => boolean, afterEach?: () => Promise<void>,
  ): Promise<void> {
    if (!(Symbol.asyncIterator in asRecord(result, this.#node.id))) {
      const record = asRecord(await result, this.#node.id)
      turn.close()
      await this.#emit(record)
      return
    }
    for await (const record of result as AsyncIterable<PacketRecord>) {
      if (signal.aborted) { releaseRecord(record); return }
      if (last()) {
        turn.close()
        await this.#emit(asRecord(record, this.#node.id))
        continue
      }
      await turn.outside(this.#emit(asRecord(record, this.#node.id)))
      if (!this.#wanted()) return
      await afterEach?.()
    }
  }

  async #emit(record: PacketRecord): Promise<void> {
    if (this.#scope.replayable) {
      this.#scope.replayable = false
      this.#inputs.forget()
    }
    const { id, definition: { outputs }, perItem, lists } = this.#node, left = new Map(Object.entries(record))
    try {
      for (const [port, packet] of left) {
        if (outputs[port] === undefined) { this.#warnUndeclared(port); continue }
        if (isBlocker(packet)) {
          this.#given.add(port)
          this.#routes.block(valueId(id, port))
          continue
        }
        const list = outputs[port].list === true || perItem === true
          || (lists !== undefined && (packet as Partial<Packet> | undefined)?.metadata?.[LIST_MARK] === true)
        const media = this.#check(port, packet, list)
        this.#given.add(port)
        left.delete(port)
        this.#own.give(packet.data)
        this.#report.itemsOut++
        this.#report.framesOut += packet.duration
        const number = this.#seq.get(port) ?? 0
        this.#seq.set(port, number + 1)
        await this.#routes.give(valueId(id, port), {
          ...packet, media, streamId: packet.streamId || `${id}.${port}`, seq: number, arrivalUs: this.#frame.services.clock.nowUs(),
          ...(list && { metadata: { ...packet.metadata, [LIST_MARK]: true } }),
        })
      }
    } finally {
      // What no port takes is nobody's.
      releaseRecord(Object.fromEntries(left))
    }
  }

  /** Refuses what is no packet of that output; gives the media that it goes on with. */
  #check(port: string, packet: Packet, list: boolean): Media {
    const refuse: Refuse = (...fault) => this.#refuse(port, ...fault)
    checkPacket(packet, this.#node.definition.outputs[port]!.media, list, refuse)
    let agreed = this.#agreed.get(port)
    if (agreed === undefined) this.#agreed.set(port, agreed = agreedCheck(this.#node, port, this.#names))
    const media = agreed(packet, refuse)
    for (const data of list ? packet.data as readonly unknown[] : [packet.data]) {
      if (isAudioBuffer(data) && !this.#frame.services.owns(data)) throw foreign(this.#node, port, packet)
    }
    return media
  }

  /** Throws `OUTPUT_INVALID` with node, port and all edges of the output (GR-27). */
  #refuse(port: string, expected: string, got: string, field?: string): never {
    const { id, definition: { type } } = this.#node, value = valueId(id, port), edges = this.#frame.edges(value), more = edges.length - 3
    throw scheduleErrors.OUTPUT_INVALID({
      port: value, field, expected, got,
      ...(edges.length > 0 && { edge: `${edges.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`, edges }),
    }, { nodeId: id, nodeType: type, port })
  }

  #requireOutputs(): void {
    for (const [port, { media }] of Object.entries(this.#node.definition.outputs)) {
      if (this.#given.has(port) || media.kind === 'events' || !this.#routes.wanted(valueId(this.#node.id, port))) continue
      this.#own.close()
      this.#refuse(port, 'a packet', 'nothing')
    }
  }

  #warnUndeclared(port: string): void {
    if (this.#undeclared.has(port)) return
    this.#undeclared.add(port)
    const { id, definition } = this.#node
    this.#frame.diagnostics.push(scheduleErrors.OUTPUT_INVALID.diagnostic(
      {
        port: valueId(id, port),
        expected: `one of ${Object.keys(definition.outputs).join(', ') || 'no output'}`,
        got: 'an undeclared output',
      }, { severity: 'warning', node: id, port }))
  }

  /** True while some reader remains, or nothing ever read it (a sink's report). */
  #wanted(): boolean {
    const { id, definition, inputs } = this.#node, outputs = Object.keys(definition.outputs)
    return outputs.length === 0 || inputs.length > 0 || outputs.some((port) => this.#routes.wanted(valueId(id, port)))
  }
}

/** Audio of another engine: its address means other bytes here. */
function foreign(node: ResolvedNode, port: string, packet: Packet): Error {
  releasePacket(packet)
  return memoryErrors.INVALID_HANDLE({
    handle: `of ${valueId(node.id, port)}`, reason: 'arena', what: 'it belongs to another engine; pass toArray()',
  }, { nodeId: node.id, nodeType: node.definition.type, port })
}

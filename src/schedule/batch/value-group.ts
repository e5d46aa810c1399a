import type { Packet } from '../../media/packet.js'
import { BLOCKED } from '../blocked.js'
import { scheduleErrors } from '../errors.js'
import type { OutputMode, ValueTask } from '../open-segment.js'
import { releasePacket, sharePacket } from '../packet-data.js'
import type { PacketQueue } from '../packet-queue.js'
import { nodeOf } from '../resolved-graph.js'
import type { SegmentPlan, ValueId } from '../segment-plan.js'

/** Segments of whole values that are given to the executor together: it schedules them by itself once the values from outside are there. */
export class ValueGroup {
  /** With the segments' places in the plan. */
  readonly segments: readonly { readonly plan: SegmentPlan; readonly index: number }[]
  readonly #taskOf: ReadonlyMap<ValueId, number>
  readonly #queues: readonly ReadonlyMap<number, PacketQueue>[]

  /** `connect`: a queue for a value from outside, and its reader. */
  constructor(segments: ValueGroup['segments'], connect: (value: ValueId, reader: string) => PacketQueue) {
    this.segments = segments
    this.#taskOf = new Map(segments.flatMap(({ plan }, task) => plan.buffers.filter((b) => b.kind === 'output')
      .map((b) => [b.value, task] as const)))
    this.#queues = segments.map(({ plan }) => new Map(plan.buffers.flatMap((buffer, b) =>
      buffer.kind === 'input' && !this.#taskOf.has(buffer.value)
        ? [[b, connect(buffer.value, plan.nodes[buffer.readers[0]!]!.spec.nodeId)] as const]
        : [])))
  }

  /** Indices of its nodes. */
  get nodes(): number[] { return nodesOf(this.segments) }

  /**
   * Waits for the values from outside. Segments that a value fails or blocks, and those behind them, are left out, with the error. The
   * caller owns what the tasks hold. Throws once the run is stopped.
   */
  async tasks(modes: readonly ReadonlyMap<number, OutputMode>[], signal: AbortSignal): Promise<{
    readonly tasks: ValueTask[]
    readonly kept: ValueGroup['segments']
    readonly missing: readonly (readonly [ValueGroup['segments'][number], unknown])[]
  }> {
    const all: { literals: Map<number, Packet>; links: Map<number, { task: number; value: ValueId }> }[] = []
    const missing = new Map<number, unknown>()
    const release = (t: number): void => { for (const packet of all[t]!.literals.values()) releasePacket(packet) }
    try {
      for (const [t, { plan }] of this.segments.entries()) {
        const literals = new Map<number, Packet>(), links = new Map<number, { task: number; value: ValueId }>(), queues = this.#queues[t]!
        plan.buffers.forEach((buffer, b) => {
          if (buffer.kind === 'input' && this.#taskOf.has(buffer.value)) {
            links.set(b, { task: this.#taskOf.get(buffer.value)!, value: buffer.value })
          }
        })
        all.push({ literals, links })
        try { for (const [b, queue] of queues) literals.set(b, sharePacket(await queue.whole())) } catch (error) {
          if (signal.aborted) throw error
          missing.set(t, error)
          for (const queue of queues.values()) queue.leave()
        }
      }
    } catch (error) {
      all.forEach((_, t) => { release(t) })
      throw error
    } finally { this.leave() }
    for (let before = -1; before < missing.size;) {
      before = missing.size
      for (const [t, { links }] of all.entries()) for (const { task, value } of links.values()) {
        if (!missing.has(task) || missing.has(t)) continue
        const cause = missing.get(task), node = this.segments[t]!.plan.nodes[0]!.spec.nodeId
        missing.set(t, cause === BLOCKED
          ? cause
          : scheduleErrors.DEPENDENCY_FAILED({ node, port: value, failed: nodeOf(value) }, { cause, nodeId: node }))
      }
    }
    const places = [...all.keys()].filter((t) => !missing.has(t)), placeOf = new Map(places.map((t, place) => [t, place]))
    for (const t of missing.keys()) release(t)
    return {
      tasks: places.map((t) => ({
        plan: this.segments[t]!.plan, outputs: modes[this.segments[t]!.index]!, literals: all[t]!.literals,
        links: new Map([...all[t]!.links].map(([b, { task, value }]) => [b, { task: placeOf.get(task)!, value }])),
      })),
      kept: places.map((t) => this.segments[t]!), missing: [...missing].map(([t, error]) => [this.segments[t]!, error]),
    }
  }

  /** Reads no more. */
  leave(): void { for (const map of this.#queues) for (const queue of map.values()) queue.leave() }
}

/** Indices of the nodes of segments. */
export function nodesOf(segments: ValueGroup['segments']): number[] {
  return segments.flatMap(({ plan }) => plan.nodes.map(({ node }) => node))
}

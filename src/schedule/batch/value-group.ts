import type { Packet } from '../../media/packet.js'
import type { OutputMode, ValueTask } from '../open-segment.js'
import { releasePacket, sharePacket } from '../packet-data.js'
import type { PacketQueue } from '../packet-queue.js'
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
    this.#taskOf = new Map(segments.flatMap(({ plan }, task) => plan.buffers.filter((b) => b.kind === 'output').map((b) => [b.value, task] as const)))
    this.#queues = segments.map(({ plan }) => new Map(plan.buffers.flatMap((buffer, b) =>
      buffer.kind === 'input' && !this.#taskOf.has(buffer.value) ? [[b, connect(buffer.value, plan.nodes[buffer.readers[0]!]!.spec.nodeId)] as const] : [])))
  }

  /** Indices of its nodes. */
  get nodes(): number[] { return this.segments.flatMap(({ plan }) => plan.nodes.map(({ node }) => node)) }

  /** Waits for the values from outside. The caller owns what the tasks hold. Throws what failed one of them. */
  async tasks(modes: readonly ReadonlyMap<number, OutputMode>[]): Promise<ValueTask[]> {
    const tasks: ValueTask[] = []
    try {
      for (const [t, { plan, index }] of this.segments.entries()) {
        const literals = new Map<number, Packet>(), links = new Map<number, { task: number; value: ValueId }>()
        plan.buffers.forEach((buffer, b) => { if (buffer.kind === 'input' && this.#taskOf.has(buffer.value)) links.set(b, { task: this.#taskOf.get(buffer.value)!, value: buffer.value }) })
        tasks.push({ plan, outputs: modes[index]!, literals, links })
        for (const [b, queue] of this.#queues[t]!) literals.set(b, sharePacket(await queue.whole()))
      }
      return tasks
    } catch (error) {
      for (const { literals } of tasks) for (const packet of literals.values()) releasePacket(packet)
      throw error
    } finally { this.leave() }
  }

  /** Reads no more. */
  leave(): void { for (const map of this.#queues) for (const queue of map.values()) queue.leave() }
}

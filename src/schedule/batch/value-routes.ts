import type { Packet } from '../../media/packet.js'
import { BLOCKED } from '../blocked.js'
import { sharePacket, releasePacket } from '../packet-data.js'
import type { PacketQueue } from '../packet-queue.js'
import { nodeOf } from '../resolved-graph.js'
import type { ValueId } from '../segment-plan.js'
import { keepMedia } from './keep-media.js'

/** Who gets the packets of a value: queues of its readers, and a shelf where a run output collects them. */
export interface Route {
  readonly queues: PacketQueue[]
  shelf: Packet[] | undefined
  /** Looks at what comes onto the shelf. */
  keep?: ReturnType<typeof keepMedia>
  /** Its writer stopped what depends on it. */
  blocked?: boolean
}

/** Hands the packets of values to their readers. Owner of a given packet: the routes. */
export class ValueRoutes {
  readonly #routes = new Map<ValueId, Route>()

  of(value: ValueId): Route {
    let route = this.#routes.get(value)
    if (!route) this.#routes.set(value, route = { queues: [], shelf: undefined })
    return route
  }

  /** Gives a packet to every reader; settles when all had room. Throws `MEDIA_CHANGED` where a run output cannot take it. */
  async give(value: ValueId, packet: Packet): Promise<void> {
    const route = this.of(value)
    if (route.shelf) {
      const refused = (route.keep ??= keepMedia(value, nodeOf(value)))(packet)
      if (refused !== undefined) { releasePacket(packet); throw refused }
      route.shelf.push(sharePacket(packet))
    }
    const shared = route.queues.map((queue, i) => i === route.queues.length - 1 ? packet : sharePacket(packet))
    if (route.queues.length === 0) releasePacket(packet)
    for (const [i, queue] of route.queues.entries()) await queue.push(shared[i]!)
  }

  /** True when every reader can take so many packets without waiting. */
  hasRoom(value: ValueId, packets: number): boolean { return this.of(value).queues.every((queue) => queue.hasRoom(packets)) }

  /** Stops who reads the value (GR-29). */
  block(value: ValueId): void {
    const route = this.of(value)
    route.blocked = true
    for (const queue of route.queues) queue.fail(BLOCKED)
  }

  /** True when something still reads the value. */
  wanted(value: ValueId): boolean {
    const route = this.of(value)
    return route.shelf !== undefined || route.queues.some((queue) => !queue.abandoned)
  }

  end(value: ValueId): void { for (const queue of this.of(value).queues) queue.end() }
  failAll(error: unknown): void { for (const route of this.#routes.values()) for (const queue of route.queues) queue.fail(error) }

  /** Releases what was collected and not taken. */
  close(): void {
    for (const route of this.#routes.values()) {
      for (const packet of route.shelf?.splice(0) ?? []) releasePacket(packet)
      // What a late node still gives has no reader any more.
      route.shelf = undefined
      for (const queue of route.queues) queue.leave()
    }
  }
}

import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import type { NodeContext } from '../../graph/node-definition.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { sharePacket } from '../../schedule/packet-data.js'

/** Item `index` of a list as a packet: json, one position per item. */
export function itemPacket<T>(data: T, index: number, ctx: NodeContext): Packet<T> {
  return {
    media: { kind: 'json' }, data, position: index, duration: 1, streamId: ctx.node.id, seq: index, arrivalUs: ctx.nowUs(), metadata: {},
  }
}

/** A packet to pass on: audio, also in a list, is shared, not copied, and its receiver closes it. */
export function passedOn(packet: Packet): Packet { return sharePacket(packet) }

/** Applies a function to each item, in order. */
export async function* mapItems(
  stream: PacketStream, ctx: NodeContext, apply: (value: unknown, index: number) => unknown,
): AsyncGenerator<{ readonly out: Packet }> {
  let index = 0
  for await (const packet of stream) {
    ctx.signal.throwIfAborted()
    yield { out: { ...packet, data: apply(packet.data, index++) } }
  }
}

/** The number that an item must be. Throws `INVALID_ARGUMENT` naming node and item. */
export function numberItem(value: unknown, index: number, type: string): number {
  if (typeof value === 'number') return value
  throw commonErrors.INVALID_ARGUMENT({ function: `${type}, item ${index}`, expected: 'a number', got: show(value) })
}

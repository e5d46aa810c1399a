/**
 * Gathers everything that comes into one list: the data of each packet, in order. Holds all of it;
 * streams of any length belong into a writer.
 */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { anyMedia, json } from '../../media/media-type.js'
import type { AudioBuffer } from '../../media/audio-buffer.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { itemPacket } from './items.js'

const params = {} as const satisfies ParamTable

export const listSink = /* @__PURE__ */ defineNode({
  type: 'core::list-sink', version: '1.0.0', title: 'List sink', family: 'core', tags: ['sink', 'list'], aliases: ['ListSinkNode'],
  doc: 'Gathers items into a list; of audio it keeps a copy of the samples per packet, as stored.', params,
  inputs: { in: { media: anyMedia(), doc: 'Anything.' } },
  outputs: { items: { media: json(), doc: 'The list, once the input has ended.' } }, costUs: 10, memoryBytes: 0,
  process: (inputs, _params: ParamValues, ctx) => gather(inputs['in'] as PacketStream, ctx),
})

async function gather(stream: PacketStream, ctx: NodeContext): Promise<{ readonly items: Packet<readonly unknown[]> }> {
  const items: unknown[] = []
  for await (const { media, data } of stream) {
    ctx.signal.throwIfAborted()
    items.push(media.kind === 'audio' ? (data as AudioBuffer).toArray() : data)
  }
  return { items: { ...itemPacket(items, 0, ctx), duration: items.length } }
}

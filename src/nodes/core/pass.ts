/** Passes packets of any media on, unchanged and uncopied: a place for an editor to hang wires on. */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { match } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { passedOn } from './items.js'

const params = {} as const satisfies ParamTable

export const pass = /* @__PURE__ */ defineNode({
  type: 'core::pass', version: '1.0.0', title: 'Pass', family: 'core', tags: ['identity'], aliases: ['PassThroughNode', 'PassThrough'],
  doc: 'Gives what it gets.', params, inputs: { in: { media: match('T'), doc: 'Anything.' } },
  outputs: { out: { media: match('T'), doc: 'The same.' } }, costUs: 10, memoryBytes: 0,
  process: (inputs, _params: ParamValues, ctx) => forward(inputs['in'] as PacketStream, ctx),
})

async function* forward(stream: PacketStream, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet }> {
  for await (const packet of stream) {
    ctx.signal.throwIfAborted()
    yield { out: passedOn(packet) }
  }
}

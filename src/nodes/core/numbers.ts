/** Numbers as a source of json items. */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { itemPacket } from './items.js'

const params = {
  values: { type: 'array', items: { type: 'number', doc: 'A number.' }, default: [], main: true, doc: 'What is given, in order.' },
} as const satisfies ParamTable

export const numbers = /* @__PURE__ */ defineNode({
  type: 'core::numbers', version: '1.0.0', title: 'Numbers', family: 'core', tags: ['source', 'list'], aliases: ['NumberSourceNode'],
  doc: 'Gives numbers, one by one.', params, inputs: {}, outputs: { out: { media: json(), doc: 'One packet per number.' } }, costUs: 10,
  pull,
})

async function* pull(p: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet }> {
  for (const [index, value] of (p['values'] as readonly number[]).entries()) {
    ctx.signal.throwIfAborted()
    yield { out: itemPacket(value, index, ctx) }
  }
}

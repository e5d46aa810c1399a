/** Multiplies each number of a stream of json items; f64 arithmetic. */
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { PacketStream } from '../../media/packet.js'
import { mapItems, numberItem } from '../core/items.js'

const params = { factor: { type: 'number', default: 1, main: true, doc: 'The second number.' } } as const satisfies ParamTable

export const multiply = /* @__PURE__ */ defineNode({
  type: 'math::multiply', version: '1.0.0', title: 'Multiply', family: 'math', tags: ['number'], aliases: ['MultiplyNode'],
  doc: 'Multiplies each number.', params, inputs: { in: { media: json(), doc: 'Numbers.' } },
  outputs: { out: { media: json(), doc: 'One result per number.' } }, costUs: 10,
  process: (inputs, { factor: by }, ctx) => mapItems(inputs['in'] as PacketStream, ctx, (value, index) =>
    numberItem(value, index, 'math::multiply') * (by as number)),
})

/** Adds each number of a stream of json items; f64 arithmetic. */
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { PacketStream } from '../../media/packet.js'
import { mapItems, numberItem } from '../core/items.js'

const params = { addend: { type: 'number', default: 0, main: true, doc: 'The second number.' } } as const satisfies ParamTable

export const add = /* @__PURE__ */ defineNode({
  type: 'math::add', version: '1.0.0', title: 'Add', family: 'math', tags: ['number'], aliases: ['AddNode'],
  doc: 'Adds each number.', params, inputs: { in: { media: json(), doc: 'Numbers.' } },
  outputs: { out: { media: json(), doc: 'One result per number.' } }, costUs: 10,
  process: (inputs, { addend: by }, ctx) => mapItems(inputs['in'] as PacketStream, ctx, (value, index) =>
    numberItem(value, index, 'math::add') + (by as number)),
})

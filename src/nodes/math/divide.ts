/** Divides each number of a stream of json items; f64 arithmetic. */
import { commonErrors } from '../../errors/common-errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { PacketStream } from '../../media/packet.js'
import { mapItems, numberItem } from '../core/items.js'

const params = { divisor: { type: 'number', default: 1, main: true, doc: 'The second number.' } } as const satisfies ParamTable

export const divide = /* @__PURE__ */ defineNode({
  type: 'math::divide', version: '1.0.0', title: 'Divide', family: 'math', tags: ['number'], aliases: ['DivideNode'],
  doc: 'Divides each number.', params, inputs: { in: { media: json(), doc: 'Numbers.' } },
  outputs: { out: { media: json(), doc: 'One result per number.' } }, costUs: 10,
  process: (inputs, { divisor: by }, ctx) => mapItems(inputs['in'] as PacketStream, ctx, (value, index) =>
    divided(numberItem(value, index, 'math::divide'), by as number, index)),
})

function divided(x: number, by: number, index: number): number {
  if (by !== 0) return x / by
  throw commonErrors.INVALID_ARGUMENT({
    function: `math::divide, item ${index}`, expected: 'a divisor other than 0', got: String(by), hint: 'Change the param divisor.',
  })
}

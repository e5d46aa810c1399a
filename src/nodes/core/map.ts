/** Applies one of a few named functions to each item. Not a script: a function of one's own is a node of one's own. */
import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { PacketStream } from '../../media/packet.js'
import { mapItems, numberItem } from './items.js'

const ops = ['square', 'negate', 'absolute', 'upper', 'lower', 'length', 'string'] as const
const params = { op: { type: 'enum', values: ops, default: 'string', main: true, doc: 'The function.' } } as const satisfies ParamTable

export const map = /* @__PURE__ */ defineNode({
  type: 'core::map', version: '1.0.0', title: 'Map', family: 'core', tags: ['list', 'function'], aliases: ['MapNode'],
  doc: 'A function of each item: square, negate, absolute of numbers; upper, lower, length of texts; string of anything.', params,
  inputs: { in: { media: json(), doc: 'Items.' } }, outputs: { out: { media: json(), doc: 'One result per item.' } }, costUs: 10,
  process: (inputs, { op }, ctx) => mapItems(inputs['in'] as PacketStream, ctx, (value, index) =>
    apply(op as typeof ops[number], value, index)),
})

function apply(op: typeof ops[number], value: unknown, index: number): unknown {
  if (op === 'string') return typeof value === 'string' ? value : JSON.stringify(value)
  if (op === 'square' || op === 'negate' || op === 'absolute') {
    const x = numberItem(value, index, 'core::map')
    return op === 'square' ? x * x : op === 'negate' ? -x : Math.abs(x)
  }
  if (typeof value !== 'string') {
    throw commonErrors.INVALID_ARGUMENT({ function: `core::map, item ${index}`, expected: 'a text', got: show(value) })
  }
  return op === 'upper' ? value.toUpperCase() : op === 'lower' ? value.toLowerCase() : value.length
}

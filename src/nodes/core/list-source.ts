/** A list as a source of json items, if wanted with a delay between them. Not for audio: that is `io::audio-buffer`. */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { json } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { itemPacket } from './items.js'

const params = {
  items: { type: 'array', items: { type: 'json', doc: 'Any JSON value.' }, default: [], main: true, doc: 'What is given, in order.' },
  delayMs: { type: 'number', unit: 'ms', min: 0, max: 60_000, default: 0, doc: 'Pause before each item.' },
} as const satisfies ParamTable

export const listSource = /* @__PURE__ */ defineNode({
  type: 'core::list-source', version: '1.0.0', title: 'List source', family: 'core', tags: ['source', 'list'], aliases: ['ListSourceNode'],
  doc: 'Gives the items of a list, one by one.', params, inputs: {}, outputs: { out: { media: json(), doc: 'One packet per item.' } },
  costUs: 10, pull,
})

async function* pull(p: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet }> {
  const items = p['items'] as readonly unknown[], delay = p['delayMs'] as number
  for (const [index, item] of items.entries()) {
    if (delay > 0) await ctx.clock.sleep(delay)
    ctx.signal.throwIfAborted()
    yield { out: itemPacket(item, index, ctx) }
    ctx.progress(index + 1, items.length)
  }
}

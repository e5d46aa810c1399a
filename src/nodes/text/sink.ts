/**
 * Writes what comes as text, one line per item: texts as they are, everything else as JSON; a packet of events gives one line per event.
 */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { events, json, oneOf, text } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'

const params = {} as const satisfies ParamTable

export const textSink = /* @__PURE__ */ defineNode({
  type: 'text::sink', version: '1.0.0', title: 'Text sink', family: 'text', tags: ['sink'], aliases: ['TextSinkNode'],
  doc: 'Lines of text from texts, values or events.', params,
  inputs: { in: { media: oneOf(text(), json(), events()), doc: 'Texts, values or events.' } },
  outputs: { text: { media: text(), doc: 'All lines, once the input has ended.' } }, costUs: 10,
  process: (inputs, _params: ParamValues, ctx) => write(inputs['in'] as PacketStream, ctx),
})

async function write(stream: PacketStream, ctx: NodeContext): Promise<{ readonly text: Packet<string> }> {
  const lines: string[] = []
  for await (const { media, data } of stream) {
    ctx.signal.throwIfAborted()
    for (const item of media.kind === 'events' ? data as readonly unknown[] : [data]) {
      lines.push(typeof item === 'string' ? item : JSON.stringify(item))
    }
  }
  return {
    text: {
      media: { kind: 'text' }, data: lines.join('\n'), position: 0, duration: 0, streamId: ctx.node.id, seq: 0, arrivalUs: ctx.nowUs(),
      metadata: { lines: lines.length },
    },
  }
}

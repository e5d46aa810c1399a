/**
 * Reads ahead of a slow reader, up to a number of items: evens out a source and a sink that take turns
 * being slow. Order is kept; nothing is dropped.
 */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { match } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { passedOn } from './items.js'

const params = {
  size: { type: 'integer', min: 1, max: 1_024, default: 16, main: true, doc: 'Items held at most.' },
} as const satisfies ParamTable

export const buffer = /* @__PURE__ */ defineNode({
  type: 'core::buffer', version: '1.0.0', title: 'Buffer', family: 'core', tags: ['queue', 'backpressure'], aliases: ['BufferNode'],
  doc: 'Holds a few items between a source and a reader of uneven speed.', params,
  inputs: { in: { media: match('T'), doc: 'Anything.' } }, outputs: { out: { media: match('T'), doc: 'The same, in order.' } }, costUs: 20,
  // At most `size` packets of what comes: chunks of 65 536 frames, where it is audio.
  memoryBytes: ({ in: input }, { size }) =>
    Math.min(input?.bytes ?? 0, size as number * 65_536 * (input?.bytes ?? 0) / (input?.frames || 1)),
  process: (inputs, p, ctx) => readAhead(inputs['in'] as PacketStream, p, ctx),
})

async function* readAhead(stream: PacketStream, p: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet }> {
  const size = p['size'] as number, held: Packet[] = []
  let ended = false, failure: unknown, wakeReader = (): void => undefined, wakeWriter = (): void => undefined
  const fill = async (): Promise<void> => {
    try {
      for await (const packet of stream) {
        held.push(passedOn(packet))
        wakeReader()
        while (held.length >= size && !ctx.signal.aborted && !ended) await new Promise<void>((resolve) => { wakeWriter = resolve })
        if (ended) return
      }
    } catch (error) { failure = error } finally { ended = true; wakeReader() }
  }
  const stop = (): void => { wakeReader(); wakeWriter() }
  ctx.signal.addEventListener('abort', stop)
  const filling = fill()
  try {
    for (;;) {
      ctx.signal.throwIfAborted()
      const packet = held.shift()
      if (packet !== undefined) { wakeWriter(); yield { out: packet } } else if (ended) break
      else await new Promise<void>((resolve) => { wakeReader = resolve })
    }
    if (failure !== undefined) throw failure as Error
  } finally {
    ctx.signal.removeEventListener('abort', stop)
    ended = true
    stop()
    await filling
    for (const packet of held) if (packet.media.kind === 'audio') (packet.data as { close(): void }).close()
  }
}

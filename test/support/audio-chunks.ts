import type { NodeContext, PacketRecord } from '../../src/graph/node-definition.js'

/**
 * A source's mono f32 audio as packets of output `out`: `sizes` frames each, over and over. `before` is called before each
 * packet, with its number.
 */
export async function* audioChunks(
  ctx: NodeContext, samples: Float32Array, sizes: readonly number[], rate: number, before?: (packet: number) => void | Promise<void>,
): AsyncGenerator<PacketRecord> {
  for (let at = 0, i = 0; at < samples.length; i++) {
    await before?.(i)
    const frames = Math.min(sizes[i % sizes.length]!, samples.length - at), data = await ctx.allocAudio({ rate, channels: 1, frames })
    data.channel(0).set(samples.subarray(at, at + frames))
    yield {
      out: {
        streamId: '', seq: 0, media: { kind: 'audio', rate, channels: 1, format: 'f32', layout: 'planar' },
        data, position: at, duration: frames, metadata: {},
      } as never,
    }
    at += frames
  }
}

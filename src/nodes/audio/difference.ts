/**
 * How far two signals are apart: peak and RMS of a − b over all channels, and where they differ first.
 * The shorter one counts as silence at its end.
 */
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import type { AudioBuffer } from '../../media/audio-buffer.js'
import { audio, json, sameAs } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { itemPacket } from '../core/items.js'

/** What it gives: linear peak and RMS of the difference, frames compared, and the first frame that differs (null: none). */
export interface Difference { readonly peak: number; readonly rms: number; readonly frames: number; readonly firstFrame: number | null }

const params = {} as const satisfies ParamTable

export const difference = /* @__PURE__ */ defineNode({
  type: 'audio::difference', version: '1.0.0', title: 'Difference', family: 'audio', tags: ['test', 'compare'], aliases: ['DifferenceNode'],
  doc: 'Peak and RMS of the difference of two signals.', params,
  inputs: {
    a: { media: audio({ format: 'f32', layout: 'planar' }), doc: 'One signal.' },
    b: { media: audio({ format: 'f32', layout: 'planar', rate: sameAs('a'), channels: sameAs('a') }), doc: 'The other one.' },
  },
  outputs: { out: { media: json(), doc: 'peak, rms, frames, firstFrame.' } },
  process: (inputs, _params: ParamValues, ctx) =>
    compare(inputs['a'] as PacketStream<AudioBuffer>, inputs['b'] as PacketStream<AudioBuffer>, ctx),
})

/** Samples of a stream, taken in pieces of any length: a packet is held until all of it was read. */
class Reader {
  readonly #packets: AsyncIterator<Packet<AudioBuffer>>
  #data: AudioBuffer | undefined
  #at = 0

  constructor(stream: PacketStream<AudioBuffer>) { this.#packets = stream[Symbol.asyncIterator]() }

  /** Frames that can be read now; 0: ended. */
  async ready(): Promise<number> {
    while (this.#data === undefined || this.#at === this.#data.frames) {
      const next = await this.#packets.next()
      if (next.done === true) { this.#data = undefined; return 0 }
      this.#data = next.value.data
      this.#at = 0
    }
    return this.#data.frames - this.#at
  }

  take(frames: number): readonly Float32Array[] {
    const data = this.#data!, from = this.#at
    this.#at += frames
    return Array.from({ length: data.channels }, (_, c) => data.channel(c).subarray(from, from + frames))
  }
}

async function compare(
  a: PacketStream<AudioBuffer>, b: PacketStream<AudioBuffer>, ctx: NodeContext,
): Promise<{ readonly out: Packet<Difference> }> {
  const left = new Reader(a), right = new Reader(b)
  let peak = 0, squares = 0, samples = 0, frames = 0, firstFrame: number | null = null
  for (;;) {
    ctx.signal.throwIfAborted()
    const [m, n] = await Promise.all([left.ready(), right.ready()])
    if (m === 0 && n === 0) break
    const count = m === 0 ? n : n === 0 ? m : Math.min(m, n), x = m === 0 ? [] : left.take(count), y = n === 0 ? [] : right.take(count)
    for (let c = 0; c < Math.max(x.length, y.length); c++) {
      for (let i = 0; i < count; i++) {
        const d = Math.abs((x[c]?.[i] ?? 0) - (y[c]?.[i] ?? 0))
        if (d !== 0 && (firstFrame === null || frames + i < firstFrame)) firstFrame = frames + i
        if (!(d <= peak)) peak = d
        squares += d * d
      }
    }
    samples += count * Math.max(x.length, y.length)
    frames += count
  }
  return { out: itemPacket({ peak, rms: samples === 0 ? 0 : Math.sqrt(squares / samples), frames, firstFrame }, 0, ctx) }
}

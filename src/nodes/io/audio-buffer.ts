/**
 * Audio that is already in memory, as a source: an AudioBuffer of the engine (one packet, no copy) or plain `Float32Array`s, one per
 * channel (chunks, one copy into the arena). The AudioBuffer stays its owner's: the node shares its block and never closes it.
 */
import type { AudioBuffer } from '../../media/audio-buffer.js'
import { audio, type AudioMedia } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'

const CHUNK_FRAMES = 65_536
/** Most samples of one chunk of plain arrays: 10 MB of f32 (spec execution.md, EX-33). */
const CHUNK_SAMPLES = 2_500_000

const params = {
  data: { type: 'json', required: true, main: true, doc: 'AudioBuffer of this engine, or one Float32Array per channel.' },
  rate: { type: 'number', unit: 'Hz', min: 1, max: 768_000, default: 48_000, doc: 'Rate of plain arrays; an AudioBuffer has its own.' },
} as const satisfies ParamTable

export const audioBuffer = /* @__PURE__ */ defineNode({
  type: 'io::audio-buffer', version: '1.0.0', title: 'Audio buffer', family: 'io', tags: ['source', 'memory'], aliases: ['AudioBufferNode'],
  doc: 'Audio from memory: an AudioBuffer or Float32Arrays.',
  params, inputs: {}, outputs: { out: { media: audio({ discovered: true }), doc: 'The audio as it is.' } },
  deterministic: 'yes',
  probe: (values) => Promise.resolve(describe(values)),
  pull: emit,
  whole: ({ data }) => isAudioBuffer(data),
})

function describe(values: ParamValues): { readonly media: { readonly out: AudioMedia }; readonly frames: number } {
  const { data } = values
  if (isAudioBuffer(data)) return { media: { out: mediaOf(data) }, frames: data.frames }
  const planes = planesOf(data)
  return {
    media: { out: mediaOf({ rate: values['rate'] as number, channels: planes.length, format: 'f32', layout: 'planar' }) },
    frames: planes[0]!.length,
  }
}

async function* emit(values: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet<AudioBuffer> }> {
  const { data } = values
  if (isAudioBuffer(data)) {
    yield { out: packetOf(data.clone(), 0, data.position, ctx) }
    return
  }
  const planes = planesOf(data)
  const frames = planes[0]!.length
  const step = Math.min(CHUNK_FRAMES, Math.floor(CHUNK_SAMPLES / planes.length))
  for (let from = 0, seq = 0; from < frames; from += step, seq++) {
    ctx.signal.throwIfAborted()
    const count = Math.min(step, frames - from)
    const buffer = await ctx.allocAudio({
      rate: values['rate'] as number, channels: planes.length, frames: count, format: 'f32', layout: 'planar',
    })
    planes.forEach((plane, channel) => buffer.channel(channel).set(plane.subarray(from, from + count)))
    yield { out: packetOf(buffer, seq, from, ctx) }
    ctx.progress(from + count, frames)
  }
}

function mediaOf({ rate, channels, format, layout }: Pick<AudioBuffer, 'rate' | 'channels' | 'format' | 'layout'>): AudioMedia {
  return { kind: 'audio', rate, channels, format, layout }
}

function packetOf(data: AudioBuffer, seq: number, position: number, ctx: NodeContext): Packet<AudioBuffer> {
  return {
    media: mediaOf(data), data, position, duration: data.frames, streamId: ctx.node.id, seq, arrivalUs: ctx.nowUs(),
    metadata: { speakers: data.speakers },
  }
}

/** Structural, because buffers of another copy of the library are buffers too. */
function isAudioBuffer(value: unknown): value is AudioBuffer {
  const buffer = value as Partial<AudioBuffer> | null
  return typeof buffer === 'object' && buffer !== null && typeof buffer.tryView === 'function' && typeof buffer.clone === 'function'
}

/** One array of equal length per channel, 1 to 64; a single array is mono. */
function planesOf(value: unknown): readonly Float32Array[] {
  const planes = value instanceof Float32Array ? [value] : value
  const ok = Array.isArray(planes) && planes.length >= 1 && planes.length <= 64
    && planes.every((plane) => plane instanceof Float32Array && plane.length === (planes[0] as Float32Array).length)
  if (ok) return planes as readonly Float32Array[]
  throw commonErrors.INVALID_ARGUMENT({
    function: 'io::audio-buffer',
    expected: 'an AudioBuffer or 1 to 64 Float32Arrays of one length',
    got: show(value),
  })
}

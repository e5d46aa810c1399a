/**
 * WAV file as a source: RIFF, RIFX, RF64, BW64, Wave64 with PCM, float, A-law, µ-law or IMA ADPCM samples, from a path, an address, bytes,
 * a Blob or a stream of bytes, which one run reads once.
 * Emits samples as they are stored, in chunks, each decoded once into the arena (spec audio.md, AU-100; execution.md, EX-33).
 * It does not convert: format, layout, rate and channels are the file's; converters do the rest.
 */
import type { SampleArray, AudioBuffer } from '../../media/audio-buffer.js'
import { audio, type AudioMedia } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { isByteStream } from '../../graph/check-param.js'
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues, ProbeResult } from '../../graph/node-definition.js'
import type { SourceInput } from '../../formats/source/open-source.js'
import { truncated } from '../../formats/wav/parse-header.js'
import type { WavInfo } from '../../formats/wav/wav-info.js'
import { readWav, type WavReader } from '../../formats/wav/wav-reader.js'

/** Most bytes of one chunk, whatever `chunkFrames` says (spec execution.md, EX-33). */
const CHUNK_BYTES = 10_000_000
const ELEMENT_BYTES = { f32: 4, i16: 2, i32: 4, u8: 1 } as const
const ARRAYS = { f32: Float32Array, i16: Int16Array, i32: Int32Array, u8: Uint8Array } as const

const params = {
  path: {
    type: 'file', required: true, main: true, label: 'File',
    doc: 'Path or URL of the file, or its bytes: Uint8Array, ArrayBuffer, Blob, or a stream of them (one run).',
  },
  chunkFrames: {
    type: 'integer', unit: 'frames', min: 1, max: 10_000_000, default: 65_536,
    doc: 'Frames read at a time; a chunk never exceeds 10 MB.',
  },
} as const satisfies ParamTable

export const wavFile = /* @__PURE__ */ defineNode({
  type: 'io::wav-file', version: '1.0.0', title: 'WAV file', family: 'io', tags: ['source', 'file'], aliases: ['WavFileNode'],
  doc: 'Reads a WAV file in chunks, as it is stored.',
  references: ['https://www.loc.gov/preservation/digital/formats/fdd/fdd000001.shtml', 'EBU Tech 3306 (RF64)'],
  params, inputs: {}, outputs: { out: { media: audio({ layout: 'interleaved', discovered: true }), doc: 'Samples as stored.' } },
  deterministic: 'yes', effects: 'read', costUs: 10_000,
  probe: async (values, { signal }): Promise<ProbeResult> => {
    // A stream's header can be read once only: the first packet of the run tells.
    if (isByteStream(values['path'])) return { media: {} }
    const reader = await open(values, signal)
    await reader.close()
    const { info: { frames }, mark } = reader
    return {
      media: { out: mediaOf(reader.info) }, ...(frames === null ? {} : { frames }),
      ...(mark !== undefined && { fingerprint: mark === null ? null : new TextEncoder().encode(mark) }),
    }
  },
  pull: pullChunks,
})

function open(values: ParamValues, signal: AbortSignal): Promise<WavReader> {
  return readWav(values['path'] as SourceInput, { signal })
}

/** Media that the file's samples make. */
function mediaOf({ rate, channels, format }: WavInfo): AudioMedia {
  return { kind: 'audio', rate, channels, format, layout: 'interleaved' }
}

async function* pullChunks(values: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet<AudioBuffer> }> {
  const reader = await open(values, ctx.signal)
  try {
    const { info } = reader
    for (const warning of info.warnings) ctx.warn({ ...warning, node: ctx.node.id })
    const step =
      Math.max(1, Math.min(values['chunkFrames'] as number, Math.floor(CHUNK_BYTES / (info.channels * ELEMENT_BYTES[info.format]))))
    for (let seq = 0; ; seq++) {
      ctx.signal.throwIfAborted()
      const position = reader.position
      const frames = info.frames === null ? step : Math.min(step, info.frames - position)
      const buffer = frames > 0 ? await nextChunk(reader, frames, ctx) : null
      if (!buffer) {
        // An empty stream: nothing but a packet can tell its media.
        if (seq === 0 && isByteStream(values['path'])) yield { out: packetOf(info, await emptyChunk(info, ctx), 0, 0, ctx) }
        break
      }
      yield { out: packetOf(info, buffer, position, seq, ctx) }
      ctx.progress(reader.position, info.frames ?? undefined)
    }
    if (info.frames !== null && reader.position < info.frames) {
      ctx.warn({ ...truncated(info, info.frames * info.blockAlign, reader.position * info.blockAlign), node: ctx.node.id })
    }
  } finally {
    await reader.close()
  }
}

/** Decodes up to `frames` frames into a new arena block; null at the end of the file. */
async function nextChunk(reader: WavReader, frames: number, ctx: NodeContext): Promise<AudioBuffer | null> {
  const { rate, channels, format } = reader.info
  const buffer = await ctx.allocAudio({ rate, channels, frames, format, layout: 'interleaved' })
  let done = 0
  try {
    done = await reader.read(samplesOf(buffer))
    return done === frames ? buffer : done === 0 ? null : buffer.slice(0, done)
  } finally {
    // A slice holds the block by itself.
    if (done < frames) buffer.close()
  }
}

function emptyChunk({ rate, channels, format }: WavInfo, ctx: NodeContext): Promise<AudioBuffer> {
  return ctx.allocAudio({ rate, channels, frames: 0, format, layout: 'interleaved' })
}

function samplesOf(buffer: AudioBuffer): SampleArray {
  const view: SampleArray | null = buffer.tryView<SampleArray>(ARRAYS[buffer.format])
  if (!view) throw new TypeError('io::wav-file: a new interleaved buffer has no view')
  return view
}

function packetOf(info: WavInfo, data: AudioBuffer, position: number, seq: number, ctx: NodeContext): Packet<AudioBuffer> {
  return {
    media: mediaOf(info), data, position, duration: data.frames, streamId: ctx.node.id, seq, arrivalUs: ctx.nowUs(),
    metadata: { speakers: info.speakers, mask: info.mask, codec: info.codec, validBits: info.validBits, totalFrames: info.frames },
  }
}

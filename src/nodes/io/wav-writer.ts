/**
 * Writes audio to a WAV file, packet by packet, in bounded memory (spec audio.md, AU-102; execution.md, EX-33). With `path` the file goes
 * to disk, with `to` into a web stream at its pace, without either the output holds its bytes. Samples are converted to `format` by the
 * table of spec audio.md section 3; rate and channels stay as they come.
 */
import type { AudioBuffer, SampleArray } from '../../media/audio-buffer.js'
import { audio, bytes } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import type { AudioWriter, FramesToWrite } from '../../formats/audio-writer.js'
import { memorySink, type MemorySink } from '../../formats/sink/memory-sink.js'
import type { WavSampleFormat } from '../../formats/wav/encode-samples.js'
import { writeWav, type WavSpec } from '../../formats/wav/wav-writer.js'

const ARRAYS = { f32: Float32Array, i16: Int16Array, i32: Int32Array, u8: Uint8Array } as const

const params = {
  path: { type: 'string', main: true, doc: 'File to write. Left out: the output holds the bytes.' },
  to: {
    type: 'json', cosmetic: true,
    doc: 'WritableStream of bytes to write to; closed at the end, aborted on failure. Its header tells no length.',
  },
  format: { type: 'enum', values: ['u8', 'i16', 'i24', 'i32', 'f32', 'f64'], default: 'i16', doc: 'Sample format of the file.' },
  dither: {
    type: 'enum', values: ['none', 'rect', 'tpdf', 'tpdf-hp', 'shaped'], default: 'none',
    doc: 'Only `none` until dithers exist; others are UNSUPPORTED.',
  },
} as const satisfies ParamTable

export const wavWriter = /* @__PURE__ */ defineNode({
  type: 'io::wav-writer', version: '1.0.0', title: 'WAV writer', family: 'io', tags: ['sink', 'file'], aliases: ['WavWriterNode'],
  doc: 'Writes audio to a WAV file, or to bytes in memory.',
  params, inputs: { in: { media: audio(), doc: 'Any rate, channels, format and layout.' } },
  outputs: {
    file: { media: bytes({ mime: 'audio/wav' }), doc: 'The file; empty when it went elsewhere. Metadata: path, bytes, frames, clipped.' },
  },
  deterministic: 'yes', effects: 'write', memoryBytes: 0, costUs: ({ in: input }) => 1_000 + (input?.frames ?? 480_000) / 100,
  validate: (p) => {
    const { path, to } = p, wrong = (param: string, constraint: string, limit: unknown, got: unknown): readonly Diagnostic[] =>
      [graphErrors.PARAM_INVALID.diagnostic({ node: 'io::wav-writer', param, constraint, limit, got, range: undefined }, {
        port: param, constraint, expected: limit, got,
      })]
    if (to === undefined) return []
    if (path !== undefined) return wrong('to', 'other', 'one of path and to', 'both')
    return typeof to === 'object' && to !== null && 'getWriter' in to ? [] : wrong('to', 'type', 'a WritableStream', show(to))
  },
  process: async (inputs, values, ctx) => {
    const stream = inputs['in'] as PacketStream
    const path = values['path'] as string | undefined, to = values['to'] as WritableStream<Uint8Array> | undefined
    const memory = path === undefined && to === undefined ? memorySink() : null
    const writer = await writeWav(memory ?? to ?? path!, specOf(stream, values))
    try {
      for await (const packet of stream) {
        ctx.signal.throwIfAborted()
        await writePacket(writer, stream, packet as Packet<AudioBuffer>, ctx)
      }
      return { file: await finish(writer, memory, path, ctx) }
    } catch (error) {
      // What went wrong first is told, not what cleaning up after it ran into.
      await writer.abort(error).catch(() => undefined)
      throw error
    }
  },
})

function specOf({ media }: PacketStream, values: ParamValues): WavSpec {
  if (media.kind !== 'audio') throw commonErrors.INVALID_ARGUMENT({ function: 'io::wav-writer', expected: 'audio', got: media.kind })
  return {
    rate: media.rate, channels: media.channels, format: values['format'] as WavSampleFormat,
    dither: values['dither'] as NonNullable<WavSpec['dither']>,
  }
}

async function writePacket(writer: AudioWriter, stream: PacketStream, { data }: Packet<AudioBuffer>, ctx: NodeContext): Promise<void> {
  const { media } = stream
  if (media.kind === 'audio' && (data.rate !== media.rate || data.channels !== media.channels)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'io::wav-writer', expected: `${media.channels} channels at ${media.rate} Hz in every packet`,
      got: `${data.channels} at ${data.rate} Hz`,
    })
  }
  await writer.write(framesOf(data))
  ctx.progress(writer.frames)
}

/** The buffer's samples without a copy: one view, or one per channel. */
function framesOf(data: AudioBuffer): FramesToWrite {
  const { frames, format, layout } = data
  const view: SampleArray | null = data.tryView<SampleArray>(ARRAYS[format])
  if (view) return { samples: view, frames, format, layout }
  const planes = format === 'f32' && layout === 'planar'
  return {
    samples: planes ? Array.from({ length: data.channels }, (_, channel) => data.channel(channel)) : data.toArray(),
    frames, format, layout,
  }
}

async function finish(
  writer: AudioWriter, memory: MemorySink | null, path: string | undefined, ctx: NodeContext,
): Promise<Packet<Uint8Array>> {
  const written = await writer.close()
  return {
    media: { kind: 'bytes', mime: 'audio/wav' }, data: memory ? memory.bytes() : new Uint8Array(0), position: 0, duration: 0,
    streamId: ctx.node.id, seq: 0, arrivalUs: ctx.nowUs(), metadata: { ...(path === undefined ? {} : { path }), ...written },
  }
}

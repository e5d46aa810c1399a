import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import type { SampleArray, Speakers } from '../../media/audio-buffer.js'
import type { AudioWriter, FramesToWrite, WrittenAudio } from '../audio-writer.js'
import type { ByteSink } from '../sink/byte-sink.js'
import { openSink, type SinkInput } from '../sink/open-sink.js'
import { bitCount, maskOf } from './channel-mask.js'
import { sampleEncoder, WAV_SAMPLE_BYTES, type WavSampleFormat } from './encode-samples.js'
import type { WavCue } from './metadata.js'
import { headerPatches, wavHeader, type WavHeader } from './write-header.js'

/** Shape and extras of a WAV file to write. `rate` 1–768 000 Hz, `channels` 1–64. */
export interface WavSpec {
  readonly rate: number
  readonly channels: number
  /** =`i16` */
  readonly format?: WavSampleFormat
  /** A layout or a mask; a mask makes the header EXTENSIBLE. Left out: none is written. */
  readonly speakers?: Speakers
  /** Only `none`: other dithers are `UNSUPPORTED`. */
  readonly dither?: 'none' | 'rect' | 'tpdf' | 'tpdf-hp' | 'shaped'
  /** LIST/INFO: four-letter id → text. */
  readonly info?: Readonly<Record<string, string>>
  readonly cues?: readonly WavCue[]
  /** Document of the graph that makes the file, kept in a chunk of its own. */
  readonly graph?: Uint8Array
}

/** Bytes encoded at a time. */
const ENCODE_BYTES = 262_144
const FORMATS = Object.keys(WAV_SAMPLE_BYTES) as readonly WavSampleFormat[]

/**
 * Opens a WAV file for writing. Nothing is written before the first frames. On a seekable sink the sizes are patched on close, and a file
 * beyond 4 GiB becomes RF64; on a stream they stay 0xFFFFFFFF, which readers take as "to the end". Same input, same bytes.
 * Throws `INVALID_ARGUMENT`, `UNSUPPORTED` and what opening the sink throws.
 * @example const writer = await writeWav('out.wav', { rate: 16_000, channels: 1 })
 */
export async function writeWav(sink: SinkInput, spec: WavSpec): Promise<AudioWriter> {
  const header = wavHeader(checked(spec))
  return new WavWriter(await openSink(sink), header, spec.channels, spec.format ?? 'i16')
}

function checked(spec: WavSpec): Parameters<typeof wavHeader>[0] {
  const { rate, channels, format = 'i16', speakers, dither = 'none', info = {}, cues = [], graph = null } = spec
  const need = (ok: boolean, expected: string, got: unknown): void => {
    if (!ok) throw commonErrors.INVALID_ARGUMENT({ function: 'writeWav', expected, got: show(got) })
  }
  need(Number.isInteger(rate) && rate >= 1 && rate <= 768_000, 'a rate of 1 to 768000 Hz', rate)
  need(Number.isInteger(channels) && channels >= 1 && channels <= 64, '1 to 64 channels', channels)
  need(FORMATS.includes(format), `a format of ${FORMATS.join(', ')}`, format)
  const mask = speakers === undefined ? null : maskOf(speakers)
  need(mask === null || mask === 0 || bitCount(mask) === channels, `a mask of ${channels} speakers`, speakers)
  for (const id of Object.keys(info)) need(/^[ -~]{4}$/.test(id), 'INFO ids of four letters', id)
  for (const cue of cues) {
    need(isWord(cue.id) && isWord(cue.position), 'cue ids and positions of 0 to 2³² − 1', `${cue.id} at ${cue.position}`)
  }
  if (dither !== 'none') {
    throw commonErrors.UNSUPPORTED({
      feature: `writeWav dither ${show(dither)}`, runtime: 'this version', alternative: 'Use dither: "none".',
    })
  }
  return { rate, channels, format, mask, info, cues, graph }
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}

class WavWriter implements AudioWriter {
  readonly #sink: ByteSink
  readonly #header: WavHeader
  readonly #channels: number
  readonly #format: WavSampleFormat
  readonly #room: Uint8Array
  readonly #view: DataView
  #frames = 0
  #clipped = 0
  #begun = false
  #ended: Promise<WrittenAudio> | null = null

  constructor(sink: ByteSink, header: WavHeader, channels: number, format: WavSampleFormat) {
    this.#sink = sink
    this.#header = header
    this.#channels = channels
    this.#format = format
    const frame = channels * WAV_SAMPLE_BYTES[format]
    this.#room = new Uint8Array(Math.floor(ENCODE_BYTES / frame) * frame)
    this.#view = new DataView(this.#room.buffer)
  }

  get frames(): number {
    return this.#frames
  }

  async write(input: FramesToWrite): Promise<void> {
    if (this.#ended) throw commonErrors.CLOSED({ thing: 'AudioWriter', id: this.#sink.name, event: 'write', state: 'closed' })
    const planes = this.#planes(input)
    await this.#begin()
    if (input.format === this.#format && planes[0]!.stride === this.#channels) return this.#copy(planes[0]!.samples, input.frames)
    const sampleBytes = WAV_SAMPLE_BYTES[this.#format]
    const frameBytes = sampleBytes * this.#channels
    const encode = sampleEncoder(input.format, this.#format)
    const step = this.#room.length / frameBytes
    for (let from = 0; from < input.frames; from += step) {
      const count = Math.min(step, input.frames - from)
      planes.forEach(({ samples, at, stride }, channel) => {
        this.#clipped += encode(samples, at + from * stride, stride, count, this.#view, channel * sampleBytes, frameBytes)
      })
      await this.#sink.write(this.#room.subarray(0, count * frameBytes))
      this.#frames += count
    }
  }

  /** Samples that already stand as the file wants them. */
  async #copy(samples: SampleArray, frames: number): Promise<void> {
    const frameBytes = WAV_SAMPLE_BYTES[this.#format] * this.#channels
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, frames * frameBytes)
    for (let from = 0; from < bytes.length; from += this.#room.length) {
      const piece = bytes.subarray(from, from + this.#room.length)
      // Through the writer's own room, because not every sink takes views of shared memory.
      this.#room.set(piece)
      await this.#sink.write(this.#room.subarray(0, piece.length))
      this.#frames += piece.length / frameBytes
    }
  }

  close(): Promise<WrittenAudio> {
    return this.#ended ??= this.#finish().catch(async (error: unknown) => {
      // Half a file is none; what went wrong first is what is told.
      await this.#sink.abort(error).catch(() => undefined)
      throw error
    })
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#ended) return
    this.#ended = Promise.resolve({ frames: this.#frames, bytes: 0, clipped: this.#clipped })
    await this.#sink.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #begin(): Promise<void> {
    if (this.#begun) return
    this.#begun = true
    await this.#sink.write(this.#header.bytes)
  }

  async #finish(): Promise<WrittenAudio> {
    await this.#begin()
    const dataBytes = this.#frames * this.#channels * WAV_SAMPLE_BYTES[this.#format]
    if (dataBytes & 1) await this.#sink.write(new Uint8Array(1))
    if (this.#sink.seekable) {
      for (const [offset, bytes] of headerPatches(this.#header, dataBytes, this.#frames)) await this.#sink.patch(offset, bytes)
    }
    await this.#sink.close()
    return { frames: this.#frames, bytes: this.#header.bytes.length + dataBytes + (dataBytes & 1), clipped: this.#clipped }
  }

  /** Where each channel's samples begin and how far apart they are; checks that they are all there. */
  #planes(
    { samples, frames, layout }: FramesToWrite,
  ): readonly { readonly samples: SampleArray; readonly at: number; readonly stride: number }[] {
    const channels = this.#channels
    const planes = Array.from({ length: channels }, (_, channel) => {
      if (!ArrayBuffer.isView(samples)) return { samples: samples[channel]!, at: 0, stride: 1 }
      return layout === 'planar' ? { samples, at: channel * frames, stride: 1 } : { samples, at: channel, stride: channels }
    })
    for (const plane of planes) {
      const last = plane.at + (frames - 1) * plane.stride
      if (!Number.isInteger(frames) || frames < 0 || plane.samples === undefined || frames > 0 && last >= plane.samples.length) {
        throw commonErrors.INVALID_ARGUMENT({
          function: 'AudioWriter.write', expected: `${channels} channels of ${frames} frames`, got: show(samples),
        })
      }
    }
    return planes
  }
}

import { commonErrors } from '../../errors/common-errors.js'
import type { SampleArray } from '../../media/audio-buffer.js'
import type { SampleFormat } from '../../media/media-type.js'
import type { AudioFrames, AudioReader } from '../audio-reader.js'
import type { ByteSource } from '../source/byte-source.js'
import { openSource, type SourceInput } from '../source/open-source.js'
import { sampleDecoder, type SampleDecoder } from './decode-samples.js'
import { decodeImaBlock } from './ima-adpcm.js'
import { ChunkCollector, collectChunks, isMetadata, parseMetadata, type WavMetadata } from './metadata.js'
import { framesIn, parseWavHeader, wholeBytes } from './parse-header.js'
import type { WavInfo } from './wav-info.js'

const CHUNK_FRAMES = 65_536
/** Bytes that are decoded at a time: stays in the cache between reading and decoding. */
const DECODE_BYTES = 65_536
const ARRAYS = { f32: Float32Array, i16: Int16Array, i32: Int32Array, u8: Uint8Array } as const

/** A new array of the format's element type. */
export function sampleArray(format: SampleFormat, samples: number): SampleArray {
  return new ARRAYS[format](samples)
}

/**
 * Opens a WAV file: RIFF, RIFX, RF64, BW64, Wave64; PCM, float, A-law, µ-law, IMA ADPCM. Reads the header only.
 * Throws `FILE_INVALID`, `CODEC_UNSUPPORTED`, `LIMIT_EXCEEDED`, and what opening the source throws.
 * @example const reader = await readWav('talk.wav'); const samples = new Int16Array(1_000); await reader.read(samples)
 */
export async function readWav(input: SourceInput, options: { readonly signal?: AbortSignal } = {}): Promise<WavReader> {
  const source = await openSource(input, options)
  const passed = source.seekable ? null : new ChunkCollector(source)
  let limit: unknown = null
  try {
    const info = await parseWavHeader(source, passed ? async (window, chunk) => {
      if (limit !== null || !isMetadata(chunk.id)) return
      // Tags that are too long refuse the tags, not the sound.
      try { await passed.take(window, chunk.id, chunk.offset, chunk.bytes) } catch (error) { limit = error }
    } : undefined)
    return new WavReader(source, info, passed ? () => {
      if (limit !== null) throw limit
      return Promise.resolve(parseMetadata(passed.chunks, info))
    } : async () => parseMetadata(await collectChunks(source, info), info))
  } catch (error) {
    await source.close()
    throw error
  }
}

/** One ADPCM block, decoded: the array is used again for the next. */
interface DecodedBlock { readonly index: number; readonly frames: number; readonly samples: Int16Array }

/** Reader of one WAV file; made by {@link readWav}. */
export class WavReader implements AudioReader<WavInfo, WavMetadata> {
  readonly info: WavInfo
  readonly metadata: () => Promise<WavMetadata>
  readonly #source: ByteSource
  readonly #decode: SampleDecoder | null
  /** Encoded bytes on their way; ADPCM: one block. */
  readonly #bytes: Uint8Array
  #block: DecodedBlock | null = null
  #position = 0
  /** First frame that is not there; null while unknown. */
  #end: number | null
  #closed = false

  constructor(source: ByteSource, info: WavInfo, metadata: () => Promise<WavMetadata>) {
    this.#source = source
    this.info = info
    this.#end = info.frames
    this.metadata = metadata
    this.#decode = info.codec === 'ima-adpcm' ? null : sampleDecoder(info, info.container)
    const scratch = info.codec === 'ima-adpcm' ? info.blockAlign : Math.max(1, Math.floor(DECODE_BYTES / info.blockAlign)) * info.blockAlign
    this.#bytes = new Uint8Array(this.#decode || info.codec === 'ima-adpcm' ? scratch : 0)
  }

  /** What tells the file's bytes from others, when the place that it comes from says so; see `ByteSource`. */
  get mark(): string | null | undefined { return this.#source.mark }

  get position(): number {
    return this.#position
  }

  async read(target: SampleArray): Promise<number> {
    this.#checkOpen('read')
    const samples = this.#typed(target)
    const room = Math.floor(samples.length / this.info.channels)
    const frames = this.#end === null ? room : Math.min(room, this.#end - this.#position)
    const done = frames <= 0 ? 0 : this.info.codec === 'ima-adpcm' ? await this.#readBlocks(samples as Int16Array, frames)
      : this.#decode ? await this.#readDecoded(samples, frames, this.#decode) : await this.#readStored(samples, frames)
    this.#position += done
    // The source ended, perhaps within a frame, which a stream cannot give again.
    if (done < frames) this.#end = this.#position
    return done
  }

  async seek(frame: number): Promise<void> {
    this.#checkOpen('seek')
    const { frames } = this.info
    const last = frames ?? Number.MAX_SAFE_INTEGER
    if (!Number.isSafeInteger(frame) || frame < 0 || frame > last) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'AudioReader.seek', expected: `a frame from 0 to ${last}`, got: String(frame) })
    }
    if (!this.#source.seekable && frame < this.#position) {
      throw commonErrors.INVALID_ARGUMENT({
        function: 'AudioReader.seek',
        expected: `a frame from ${this.#position} on (a stream cannot go back)`,
        got: String(frame),
      })
    }
    this.#position = frame
  }

  async* chunks(frames = CHUNK_FRAMES): AsyncGenerator<AudioFrames> {
    for (;;) {
      const left = this.info.frames === null ? frames : Math.min(frames, this.info.frames - this.#position)
      if (left <= 0) return
      const samples = sampleArray(this.info.format, left * this.info.channels)
      const position = this.#position
      const done = await this.read(samples)
      if (done === 0) return
      yield { samples: done === left ? samples : samples.subarray(0, done * this.info.channels), frames: done, position }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#source.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Bytes as they stand, straight into the target. */
  async #readStored(target: SampleArray, frames: number): Promise<number> {
    const { blockAlign, dataOffset } = this.info
    const bytes = new Uint8Array(target.buffer, target.byteOffset, frames * blockAlign)
    return Math.floor(await this.#source.read(dataOffset + this.#position * blockAlign, bytes) / blockAlign)
  }

  async #readDecoded(target: SampleArray, frames: number, decode: SampleDecoder): Promise<number> {
    const { blockAlign, channels, dataOffset } = this.info
    const step = this.#bytes.length / blockAlign
    for (let done = 0; done < frames;) {
      const want = Math.min(step, frames - done)
      const bytes = await this.#fetch(dataOffset + (this.#position + done) * blockAlign, want * blockAlign)
      const got = Math.floor(bytes.length / blockAlign)
      decode(bytes, target, done * channels, got * channels)
      done += got
      if (got < want) return done
    }
    return frames
  }

  async #readBlocks(target: Int16Array, frames: number): Promise<number> {
    const { blockFrames, channels } = this.info
    for (let done = 0; done < frames;) {
      const frame = this.#position + done
      const index = Math.floor(frame / blockFrames)
      const block = this.#block?.index === index ? this.#block : await this.#decodeBlock(index)
      const from = frame - index * blockFrames
      const count = Math.min(frames - done, block.frames - from)
      if (count <= 0) return done
      target.set(block.samples.subarray(from * channels, (from + count) * channels), done * channels)
      done += count
    }
    return frames
  }

  async #decodeBlock(index: number): Promise<DecodedBlock> {
    const { blockAlign, blockFrames, channels, dataOffset, dataBytes } = this.info
    const at = index * blockAlign
    const bytes = await this.#fetch(dataOffset + at, dataBytes === null ? blockAlign : Math.max(0, Math.min(blockAlign, dataBytes - at)))
    const frames = framesIn(this.info, wholeBytes(this.info, bytes.length))
    const samples = this.#block?.samples ?? new Int16Array(blockFrames * channels)
    if (frames > 0) decodeImaBlock(bytes, channels, frames, samples)
    return this.#block = { index, frames, samples }
  }

  /** Encoded bytes: a view where the source has one, else read into the scratch. */
  async #fetch(offset: number, bytes: number): Promise<Uint8Array> {
    const view = this.#source.view(offset, bytes)
    if (view) return view
    const room = this.#bytes.subarray(0, bytes)
    return room.subarray(0, await this.#source.read(offset, room))
  }

  /** The target as an array of the file's element type. */
  #typed(target: SampleArray): SampleArray {
    const type = ARRAYS[this.info.format]
    if (target instanceof type) return target
    if (!(target instanceof Uint8Array) || target.byteOffset % type.BYTES_PER_ELEMENT !== 0) {
      throw commonErrors.INVALID_ARGUMENT({
        function: 'AudioReader.read', expected: `${type.name} or an aligned Uint8Array`,
        got: `${target.constructor.name} at byte ${target.byteOffset}`,
      })
    }
    return new type(target.buffer as ArrayBuffer, target.byteOffset, Math.floor(target.length / type.BYTES_PER_ELEMENT))
  }

  #checkOpen(event: string): void {
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'AudioReader', id: this.info.name, event, state: 'closed' })
  }
}

import type { WavSampleFormat } from './encode-samples.js'
import { WAV_SAMPLE_BYTES } from './encode-samples.js'
import { GRAPH_CHUNK, type WavCue } from './metadata.js'

/** What a header says; all of it known before the first sample. */
export interface WavHeaderSpec {
  readonly rate: number
  readonly channels: number
  readonly format: WavSampleFormat
  /** WAVE channel mask, null when none was asked for. */
  readonly mask: number | null
  readonly info: Readonly<Record<string, string>>
  readonly cues: readonly WavCue[]
  readonly graph: Uint8Array | null
}

/** A header with the places of its sizes, which are known only at the end. All sizes stand as "unknown" until then. */
export interface WavHeader {
  readonly bytes: Uint8Array
  /** Offset of the JUNK chunk that becomes `ds64` beyond 4 GiB. */
  readonly reserve: number
  /** Offset of the frame count in `fact`; null without one. */
  readonly fact: number | null
}

const UNKNOWN = 0xffffffff
const RESERVE_BYTES = 28
const EXTENSIBLE = 0xfffe
const GUID_TAIL = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71]

/**
 * RIFF, JUNK (28 bytes), fmt, fact (float), LIST/INFO, cue with labels, graph, data. Same spec, same bytes. EXTENSIBLE when there are more
 * than two channels, more than 16 bits, or a mask (spec audio.md, AU-102).
 */
export function wavHeader(spec: WavHeaderSpec): WavHeader {
  const out = new HeaderBytes()
  out.text('RIFF').u32(UNKNOWN).text('WAVE')
  const reserve = out.length
  out.text('JUNK').u32(RESERVE_BYTES).zeros(RESERVE_BYTES)
  writeFormat(out, spec)
  const float = isFloat(spec.format)
  const fact = float ? out.length + 8 : null
  if (float) out.text('fact').u32(4).u32(UNKNOWN)
  const texts = Object.entries(spec.info)
  if (texts.length > 0) out.chunk('LIST', (body) => {
    body.text('INFO')
    for (const [id, value] of texts) body.chunk(id, (text) => text.utf8(value).zeros(1))
  })
  if (spec.cues.length > 0) writeCues(out, spec.cues)
  if (spec.graph) out.chunk(GRAPH_CHUNK, (body) => body.raw(spec.graph!))
  out.text('data').u32(UNKNOWN)
  return { bytes: out.take(), reserve, fact }
}

function isFloat(format: WavSampleFormat): boolean {
  return format === 'f32' || format === 'f64'
}

function writeFormat(out: HeaderBytes, { rate, channels, format, mask }: WavHeaderSpec): void {
  const bytes = WAV_SAMPLE_BYTES[format]
  const tag = isFloat(format) ? 3 : 1
  const extensible = channels > 2 || bytes > 2 || mask !== null
  out.chunk('fmt ', (body) => {
    body.u16(extensible ? EXTENSIBLE : tag).u16(channels).u32(rate).u32(rate * channels * bytes).u16(channels * bytes).u16(bytes * 8)
    if (extensible) body.u16(22).u16(bytes * 8).u32(mask ?? 0).u16(tag).raw(Uint8Array.from(GUID_TAIL))
  })
}

function writeCues(out: HeaderBytes, cues: readonly WavCue[]): void {
  out.chunk('cue ', (body) => {
    body.u32(cues.length)
    for (const { id, position } of cues) body.u32(id).u32(position).text('data').u32(0).u32(0).u32(position)
  })
  const labelled = cues.filter((cue) => cue.label !== undefined)
  if (labelled.length > 0) out.chunk('LIST', (body) => {
    body.text('adtl')
    for (const { id, label } of labelled) body.chunk('labl', (text) => text.u32(id).utf8(label ?? '').zeros(1))
  })
}

/** What must be written over a header of a seekable sink once the counts are known: [offset, bytes] pairs. */
export function headerPatches(header: WavHeader, dataBytes: number, frames: number): readonly (readonly [number, Uint8Array])[] {
  const dataAt = header.bytes.length
  const total = dataAt + dataBytes + (dataBytes & 1)
  const large = total - 8 >= UNKNOWN
  const patches: (readonly [number, Uint8Array])[] = []
  if (large) {
    patches.push([0, new HeaderBytes().text('RF64').take()])
    patches.push([
      header.reserve,
      new HeaderBytes().text('ds64').u32(RESERVE_BYTES).u64(total - 8).u64(dataBytes).u64(frames).u32(0).take(),
    ])
    return patches
  }
  patches.push([4, new HeaderBytes().u32(total - 8).take()], [dataAt - 4, new HeaderBytes().u32(dataBytes).take()])
  if (header.fact !== null) patches.push([header.fact, new HeaderBytes().u32(frames).take()])
  return patches
}

/** Little-endian bytes that grow. */
class HeaderBytes {
  #room = new Uint8Array(512)
  #length = 0

  get length(): number {
    return this.#length
  }

  take(): Uint8Array {
    return this.#room.slice(0, this.#length)
  }

  u16(value: number): this {
    return this.raw(Uint8Array.of(value & 255, value >>> 8 & 255))
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16)
  }

  u64(value: number): this {
    return this.u32(value % 4_294_967_296).u32(Math.floor(value / 4_294_967_296))
  }

  text(letters: string): this {
    return this.raw(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)))
  }

  utf8(value: string): this {
    return this.raw(new TextEncoder().encode(value))
  }

  zeros(count: number): this {
    return this.raw(new Uint8Array(count))
  }

  raw(bytes: Uint8Array): this {
    if (this.#length + bytes.length > this.#room.length) {
      const larger = new Uint8Array(Math.max(this.#room.length * 2, this.#length + bytes.length))
      larger.set(this.#room)
      this.#room = larger
    }
    this.#room.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** A chunk: id, size, body, pad to even length. */
  chunk(id: string, write: (body: HeaderBytes) => unknown): this {
    const body = new HeaderBytes()
    write(body)
    return this.text(id).u32(body.length).raw(body.take()).zeros(body.length & 1)
  }
}

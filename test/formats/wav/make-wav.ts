/** Builds WAV files byte by byte, independent of the library: the oracle of the reader's tests. */

/** How one sample list is stored and what a reader must give for it. */
export type Coding = 'u8' | 'i16' | 'i24' | 'i32' | 'f32' | 'f64' | 'a-law' | 'mu-law' | 'i12' | 'i20'
export type Container = 'RIFF' | 'RIFX' | 'RF64' | 'BW64' | 'W64'

export interface MakeOptions {
  readonly container?: Container
  readonly coding: Coding
  readonly rate?: number
  readonly channels?: number
  /** Raw stored values, interleaved (codes for G.711, 24-bit integers for i24, left-aligned). */
  readonly values: readonly number[]
  readonly extensible?: { readonly mask: number; readonly validBits?: number; readonly ambisonic?: boolean }
  readonly before?: readonly { readonly id: string; readonly bytes: readonly number[] }[]
  readonly after?: readonly { readonly id: string; readonly bytes: readonly number[] }[]
  /** Written in place of the true data size. */
  readonly dataSize?: number
  /** Bytes of a fmt chunk beyond the usual. */
  readonly formatPadding?: number
}

const SHAPE: Readonly<Record<Coding, { readonly tag: number; readonly bits: number; readonly bytes: number }>> = {
  u8: { tag: 1, bits: 8, bytes: 1 }, i12: { tag: 1, bits: 12, bytes: 2 }, i16: { tag: 1, bits: 16, bytes: 2 },
  i20: { tag: 1, bits: 20, bytes: 3 },
  i24: { tag: 1, bits: 24, bytes: 3 }, i32: { tag: 1, bits: 32, bytes: 4 }, f32: { tag: 3, bits: 32, bytes: 4 },
  f64: { tag: 3, bits: 64, bytes: 8 },
  'a-law': { tag: 6, bits: 8, bytes: 1 }, 'mu-law': { tag: 7, bits: 8, bytes: 1 },
}

/** Bytes of a number, most significant first or last. */
export function intBytes(value: number, count: number, big = false): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(count * 8, BigInt(Math.trunc(value)))
  for (let i = 0; i < count; i++) {
    bytes.push(Number(rest & 255n))
    rest >>= 8n
  }
  return big ? bytes.reverse() : bytes
}

export function textBytes(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0))
}

function floatBytes(value: number, count: 4 | 8, big: boolean): number[] {
  const view = new DataView(new ArrayBuffer(count))
  if (count === 4) view.setFloat32(0, value, !big)
  else view.setFloat64(0, value, !big)
  return [...new Uint8Array(view.buffer)]
}

export function sampleBytes(coding: Coding, value: number, big: boolean): number[] {
  const { bytes } = SHAPE[coding]
  if (coding === 'f32') return floatBytes(value, 4, big)
  if (coding === 'f64') return floatBytes(value, 8, big)
  return intBytes(value, bytes, big)
}

const W64_TAIL = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a]
const W64_RIFF = [0x72, 0x69, 0x66, 0x66, 0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00]
const W64_LIST = [0x6c, 0x69, 0x73, 0x74, 0x2f, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00]

/** A chunk of the container, padded. `size` may lie. */
export function chunkBytes(container: Container, id: string, body: readonly number[], size = body.length): number[] {
  if (container === 'W64') {
    const guid = id === 'LIST' ? W64_LIST : [...textBytes(id.toLowerCase()), ...W64_TAIL]
    return [...guid, ...intBytes(size + 24, 8), ...body, ...new Array<number>((8 - body.length % 8) % 8).fill(0)]
  }
  return [...textBytes(id), ...intBytes(size, 4, container === 'RIFX'), ...body, ...(body.length % 2 ? [0] : [])]
}

function guidBytes(tag: number, big: boolean, ambisonic: boolean): number[] {
  return ambisonic
    ? [...intBytes(tag, 4, big), ...intBytes(0x0721, 2, big), ...intBytes(0x11d3, 2, big), 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0]
    : [...intBytes(tag, 4, big), ...intBytes(0, 2, big), ...intBytes(0x10, 2, big), 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]
}

export function formatBytes(
  { container = 'RIFF', coding, rate = 8_000, channels = 1, extensible, formatPadding = 0 }: MakeOptions,
): number[] {
  const big = container === 'RIFX'
  const { tag, bits, bytes } = SHAPE[coding]
  const u16 = (value: number): number[] => intBytes(value, 2, big)
  const u32 = (value: number): number[] => intBytes(value, 4, big)
  const head = [...u16(extensible ? 0xfffe : tag), ...u16(channels), ...u32(rate), ...u32(rate * channels * bytes),
    ...u16(channels * bytes),
    ...u16(extensible ? bytes * 8 : bits)]
  const tail = extensible
    ? [...u16(22), ...u16(extensible.validBits ?? bits), ...u32(extensible.mask), ...guidBytes(tag, big, extensible.ambisonic ?? false)]
    : []
  return [...head, ...tail, ...new Array<number>(formatPadding).fill(0)]
}

/** The whole file. */
export function makeWav(options: MakeOptions): Uint8Array {
  const { container = 'RIFF', coding, values, before = [], after = [], dataSize } = options
  const big = container === 'RIFX'
  const large = container === 'RF64' || container === 'BW64'
  const data = values.flatMap((value) => sampleBytes(coding, value, big))
  const ds64 = large
    ? chunkBytes(container, 'ds64', [...intBytes(0, 8), ...intBytes(dataSize ?? data.length, 8), ...intBytes(0, 8), ...intBytes(0, 4)])
    : []
  const parts = [
    ...ds64, ...before.flatMap(({ id, bytes }) => chunkBytes(container, id, bytes)), ...chunkBytes(container, 'fmt ', formatBytes(options)),
    ...chunkBytes(container, 'data', data, large ? 0xffffffff : dataSize),
    ...after.flatMap(({ id, bytes }) => chunkBytes(container, id, bytes)),
  ]
  if (container === 'W64') {
    return Uint8Array.from([...W64_RIFF, ...intBytes(parts.length + 40, 8), ...textBytes('wave'), ...W64_TAIL, ...parts])
  }
  const size = large ? 0xffffffff : parts.length + 4
  return Uint8Array.from([...textBytes(container), ...intBytes(size, 4, big), ...textBytes('WAVE'), ...parts])
}

/** What a reader must give for stored values (spec audio.md, AU-100). */
export function expectedSamples(coding: Coding, values: readonly number[]): number[] {
  switch (coding) {
    case 'i24': case 'i20': return values.map((value) => value * 256 | 0)
    case 'f32': case 'f64': return values.map((value) => Math.fround(value))
    case 'a-law': return values.map(aLaw)
    case 'mu-law': return values.map(muLaw)
    default: return [...values]
  }
}

/** G.711 decoded from the text of the standard: segment ends and steps, no tables. */
function aLaw(code: number): number {
  const bits = code ^ 0x55
  const segment = bits >> 4 & 7
  const step = segment < 2 ? 2 : 2 ** segment
  const start = segment === 0 ? 0 : 16 * 2 ** segment
  // 13-bit value at the middle of its step, times 8 to fill 16 bits.
  const size = start + (bits & 15) * step + step / 2
  return (bits & 0x80 ? size : -size) * 8
}

function muLaw(code: number): number {
  const bits = 255 - code
  const segment = bits >> 4 & 7
  const size = (33 + 2 * (bits & 15)) * 2 ** segment - 33
  const value = (bits & 0x80 ? -size : size) * 4
  return value === 0 ? 0 : value
}

/** Small repeatable random source (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = state + 0x6d2b79f5 | 0
    let t = Math.imul(state ^ state >>> 15, 1 | state)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296
  }
}

/** Values that hit every corner of a coding, then random ones. */
export function valuesOf(coding: Coding, count: number, seed = 1): number[] {
  const next = random(seed)
  const corner: Readonly<Record<Coding, readonly number[]>> = {
    u8: [0, 255, 128, 127], 'a-law': [0, 255, 0x55, 0xd5], 'mu-law': [0, 255, 0x7f, 0x80], i12: [-32_768, 32_752, 0, 16],
    i16: [-32_768, 32_767, 0, -1],
    i20: [-8_388_608, 8_388_592, 0, -16], i24: [-8_388_608, 8_388_607, 0, -1], i32: [-2_147_483_648, 2_147_483_647, 0, -1],
    f32: [-1, 1, 0, 1e-40], f64: [-1, 1, 1 / 3, 1e300],
  }
  const range = { u8: [0, 256, 1], 'a-law': [0, 256, 1], 'mu-law': [0, 256, 1], i12: [-32_768, 65_536, 16], i16: [-32_768, 65_536, 1],
    i20: [-8_388_608, 16_777_216, 16], i24: [-8_388_608, 16_777_216, 1], i32: [-2_147_483_648, 4_294_967_296, 1] } as const
  return Array.from({ length: count }, (_, i) => {
    const first = corner[coding][i]
    if (first !== undefined) return first
    if (coding === 'f32' || coding === 'f64') return coding === 'f32' ? Math.fround(next() * 2 - 1) : next() * 2 - 1
    const [from, span, step] = range[coding]
    return from + Math.floor(next() * (span / step)) * step
  })
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { convert, toPcm16 } from '../../../src/nodes/audio/convert.js'
import type { PortArray } from '../../../src/graph/reference.js'
import type { AudioMedia, SampleFormat, SampleLayout } from '../../../src/media/media-type.js'
import { KernelRig, bytesOf, expectSame, kernelHost, randomNumbers, type KernelHost, type RigTier } from '../../support/kernel-rig.js'
import { registerConformance } from '../../../src/testing/index.js'

const FORMATS = ['f32', 'i16', 'i32', 'u8'] as const
const BITS = { i16: 16, i32: 32, u8: 8 } as const
const ARRAYS = { f32: Float32Array, i16: Int16Array, i32: Int32Array, u8: Uint8Array } as const
let host: KernelHost
let blocks = 0
beforeAll(async () => {
  host = await kernelHost(256)
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

function media(channels: number, format: SampleFormat, layout: SampleLayout): AudioMedia {
  return { kind: 'audio', rate: 48_000, channels, format, layout }
}

/** Converts one contiguous run of mono samples. */
function mono(x: PortArray, from: SampleFormat, to: SampleFormat, tier: RigTier = 'wasm', chunks?: readonly number[]) {
  const rig = new KernelRig(host, convert.definition, tier, {
    params: { format: to }, media: { in: media(1, from, 'planar') }, maxFrames: Math.max(x.length, 1),
  })
  const { outputs, counters } = rig.run([[x]], chunks === undefined ? {} : { chunks })
  rig.close()
  return { y: outputs['out']![0]!, counters }
}

/** Section 3 in exact arithmetic: f64 holds every product, BigInt every shift. */
function rule(x: number, from: SampleFormat, to: SampleFormat): number {
  if (from === to) return x
  if (from === 'f32') {
    const high = 2 ** (BITS[to as 'i16'] - 1)
    if (Number.isNaN(x)) return to === 'u8' ? 128 : 0
    const y = x * high, floor = Math.floor(y), rest = y - floor
    const round = Math.abs(y) === Infinity ? y : rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
    const kept = Math.min(Math.max(round, -high), high - 1)
    return to === 'u8' ? kept + 128 : kept + 0
  }
  if (to === 'f32') return from === 'u8' ? (x - 128) / 128 : from === 'i16' ? x / 32768 : Math.fround(x) / 2 ** 31
  const up = BITS[to as 'i16'] - BITS[from as 'i16'], value = BigInt(from === 'u8' ? x - 128 : x)
  return Number(up >= 0 ? value << BigInt(up) : value >> BigInt(-up)) + (to === 'u8' ? 128 : 0)
}

function same(y: PortArray, expected: (n: number) => number): void {
  for (let n = 0; n < y.length; n++) if (!Object.is(y[n], expected(n))) throw new Error(`sample ${n}: expected ${expected(n)}, got ${y[n]}`)
}

/** Interesting f32: table edges in every format, denormals, infinities, NaN. */
function edges(): Float32Array {
  const values = [
    0, -0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2, NaN, Infinity, -Infinity, 1e-40, -1e-40, 1.4e-45, 3.4e38, -3.4e38, 2 ** 31, -(2 ** 31),
  ]
  for (const bits of [7, 15, 23, 31]) {
    for (const lsb of [
      0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2 ** bits - 0.5, 2 ** bits - 1, 2 ** bits - 1.5, -(2 ** bits) - 0.5, -(2 ** bits) - 1, 2 ** bits,
    ]) {
      const x = Math.fround(lsb / 2 ** bits)
      values.push(x, neighbour(x, 1), neighbour(x, -1))
    }
  }
  return Float32Array.from(values)
}
function neighbour(x: number, by: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, x)
  view.setInt32(0, view.getInt32(0) + by)
  return view.getFloat32(0)
}
/** Random f32: half nominal samples, half random bits. */
function noise(count: number, seed: number): Float32Array {
  const next = randomNumbers(seed), x = new Float32Array(count), words = new Uint32Array(x.buffer)
  for (let n = 0; n < count; n++) if (next() < 0.5) x[n] = next() * 2.4 - 1.2; else words[n] = next() * 2 ** 32
  return x
}

describe('conversion table, section 3', () => {
  test.each(['wasm', 'js'] as const)('all 65 536 i16 and 256 u8 to every format, %s', (tier) => {
    const i16 = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768), u8 = Uint8Array.from({ length: 256 }, (_, n) => n)
    for (const to of FORMATS) {
      same(mono(i16, 'i16', to, tier).y, (n) => rule(i16[n]!, 'i16', to))
      same(mono(u8, 'u8', to, tier).y, (n) => rule(u8[n]!, 'u8', to))
    }
  })

  test.each(['wasm', 'js'] as const)('f32 edges to every integer format at every place in a vector, %s', (tier) => {
    const x = edges()
    for (const to of ['i16', 'i32', 'u8'] as const) for (let lead = 0; lead < 17; lead++) {
      const shifted = new Float32Array(lead + x.length)
      shifted.set(x, lead)
      same(mono(shifted, 'f32', to, tier).y, (n) => rule(shifted[n]!, 'f32', to))
    }
  })

  test('named values', () => {
    const y = mono(Float32Array.of(1, -1, 0.5 / 32768, 1.5 / 32768, NaN, -0, Infinity, -Infinity), 'f32', 'i16').y
    expect([...y]).toEqual([32767, -32768, 0, 2, 0, 0, 32767, -32768])
    expect([...mono(Int32Array.of(-1, 65_535, -65_537, 2 ** 31 - 1), 'i32', 'i16').y]).toEqual([-1, 0, -2, 32767])
    expect([...mono(Int16Array.of(-1, 255, -32768, 32767), 'i16', 'u8').y]).toEqual([127, 128, 0, 255])
  })

  test('4 million random f32 and 1 million random i32, and their counts', () => {
    const x = noise(4_000_000, 1), next = randomNumbers(2), z = Int32Array.from({ length: 1_000_000 }, () => next() * 2 ** 32 | 0)
    for (const to of ['i16', 'i32', 'u8'] as const) {
      const { y, counters } = mono(x, 'f32', to), high = 2 ** (BITS[to] - 1)
      same(y, (n) => rule(x[n]!, 'f32', to))
      let clipped = 0, nan = 0
      for (const one of x) {
        if (Number.isNaN(one)) nan++
        else if (one * high > high - 0.5 - (to === 'i32' ? 0.25 : 0) || one * high < -high - 0.5 || (one * high === high - 0.5)) clipped++
      }
      expect(counters).toMatchObject({ tag: 'ASCR', calls: 1, clipped, nonfinite: nan })
    }
    for (const to of ['f32', 'i16', 'u8'] as const) same(mono(z, 'i32', to).y, (n) => rule(z[n]!, 'i32', to))
  })

  test('the reference counts like the kernel', () => {
    const x = noise(20_000, 3)
    for (const to of ['i16', 'i32', 'u8'] as const) {
      const a = mono(x, 'f32', to, 'wasm', [7, 1_000, 64]).counters, b = mono(x, 'f32', to, 'js').counters
      expect([a.clipped, a.nonfinite]).toEqual([b.clipped, b.nonfinite])
    }
  })

  test('round trips (AU-20)', () => {
    const i16 = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768), u8 = Uint8Array.from({ length: 256 }, (_, n) => n)
    expect(mono(mono(i16, 'i16', 'f32').y, 'f32', 'i16').y).toEqual(i16)
    expect(mono(mono(i16, 'i16', 'i32').y, 'i32', 'i16').y).toEqual(i16)
    expect(mono(mono(u8, 'u8', 'f32').y, 'f32', 'u8').y).toEqual(u8)
    const next = randomNumbers(4)
    const i32 = Int32Array.from({ length: 1_000_000 }, () => next() * 2 ** 32 | 0)
    const back = mono(mono(i32, 'i32', 'f32').y, 'f32', 'i32').y
    let most = 0
    for (let n = 0; n < i32.length; n++) most = Math.max(most, Math.abs(i32[n]! - back[n]!))
    expect(most).toBeLessThanOrEqual(64)
  })

  test('all 2²⁴ i24 values survive f32, as i32 with eight empty bits', () => {
    const part = 2 ** 20, x = new Int32Array(part)
    for (let first = -(2 ** 23); first < 2 ** 23; first += part) {
      for (let n = 0; n < part; n++) x[n] = (first + n) << 8
      const f = mono(x, 'i32', 'f32').y, back = mono(f, 'f32', 'i32').y
      for (let n = 0; n < part; n++) if (f[n] !== (first + n) / 2 ** 23 || back[n] !== x[n]) throw new Error(`i24 ${first + n}`)
    }
  })
})

describe('layout', () => {
  const pairs = [['planar', 'interleaved'], ['interleaved', 'planar']] as const
  test.each(FORMATS)('%s: planar and interleaved, 1–64 channels, 0–67 frames, bits untouched', (format) => {
    const next = randomNumbers(5)
    for (let channels = 1; channels <= 64; channels++) for (const [from, to] of pairs) {
      const rig = new KernelRig(host, convert.definition, 'wasm', {
        params: { format, layout: to }, media: { in: media(channels, format, from) }, maxFrames: 67,
      })
      for (let frames = 1; frames <= 67; frames += frames < 34 && channels < 10 ? 1 : 11) {
        const words = (count: number): PortArray => randomBits(ARRAYS[format], count, next)
        const planes = Array.from({ length: channels }, () => words(frames)), flat = interleaved(planes, ARRAYS[format])
        const { outputs } = rig.run([from === 'planar' ? planes : [flat]], { offset: frames % 16 })
        const expected = to === 'planar' ? planes : [flat]
        expected.forEach((one, c) => expectSame(outputs['out']![c]!, one, `${channels} channels, ${frames} frames`))
      }
      rig.close()
    }
  })

  test('format and layout in one step, all pairs, wasm equals reference', () => {
    const next = randomNumbers(6)
    for (const from of FORMATS) for (const to of FORMATS) for (const [a, b] of pairs) for (const channels of [1, 2, 3, 4, 6, 8, 13]) {
      const frames = 700
      const planes = Array.from({ length: channels }, () =>
        from === 'f32' ? noise(frames, next() * 1e9) : randomBits(ARRAYS[from], frames, next))
      const x = a === 'planar' ? planes : [interleaved(planes, ARRAYS[from])]
      const [wasm, js] = (['wasm', 'js'] as const).map((tier) => {
        const rig =
          new KernelRig(host, convert.definition, tier, { params: { format: to, layout: b }, media: { in: media(channels, from, a) } })
        const run = rig.run([x], { chunks: tier === 'wasm' ? [1, 300, 17, 2] : [700], offset: 3 })
        rig.close()
        return run
      })
      wasm!.outputs['out']!.forEach((y, c) => expectSame(y, js!.outputs['out']![c]!, `${from}→${to} ${a}→${b} × ${channels}`, true))
      expect(wasm!.counters.clipped).toBe(js!.counters.clipped)
    }
  })
})

describe('kernel rules', () => {
  test('flagged silence becomes silence of the format', () => {
    for (const to of FORMATS) {
      const rig = new KernelRig(host, convert.definition, 'wasm', {
        params: { format: to, layout: 'interleaved' }, media: { in: media(2, 'f32', 'planar') },
      })
      const { outputs, quiet } = rig.run([[new Float32Array(50), new Float32Array(50)]], { silent: [true] })
      same(outputs['out']![0]!, () => to === 'u8' ? 128 : 0)
      expect(quiet).toEqual([to !== 'u8'])
      rig.close()
    }
  })
  test('no room: nothing is written or counted', () => {
    const rig = new KernelRig(host, convert.definition, 'wasm', { params: { format: 'i16' }, media: { in: media(1, 'f32', 'planar') } })
    const block = host.arena.allocate(256)
    host.arena.u8.fill(0x5a, block, block + 256)
    rig.instance.setInput(0, { data: block, frames: 16, stride: 64 })
    rig.instance.setOutput(0, { data: block + 128, frames: 15, stride: 64 })
    expect(rig.instance.process(16)).toBe(-3)
    expect(rig.instance.counters().calls).toBe(0)
    expect(host.arena.u8.subarray(block + 128, block + 192).every((byte) => byte === 0x5a)).toBe(true)
    host.arena.free(block)
    rig.close()
  })
  test('what is not there yet is refused by kernel and by validate', () => {
    const x = { in: media(1, 'f32', 'planar') }
    for (const params of [{ dither: 'tpdf' }, { rule: 'asymmetric' }]) {
      expect(() => new KernelRig(host, convert.definition, 'wasm', { params, media: x })).toThrow(/UNSUPPORTED|-7/)
      expect(convert.definition.validate!({ format: 'i16', layout: 'planar', dither: 'none', rule: 'standard', ...params }, {})
        .map((d) => d.code)).toEqual(['UNSUPPORTED'])
    }
  })
})

describe('definition', () => {
  const { converter, identity } = convert.definition
  test('lossless is widening or layout only', () => {
    const widens = new Set(['u8i16', 'u8i32', 'u8f32', 'i16i32', 'i16f32'])
    for (const from of FORMATS) for (const to of FORMATS)
      expect(
        (converter!.lossless as (from: AudioMedia, to: AudioMedia) => boolean)(media(2, from, 'planar'), media(2, to, 'interleaved')),
        `${from}→${to}`,
      ).toBe(from === to || widens.has(from + to))
  })
  test('converts format and layout, nothing else', () => {
    expect(converter!.params(media(2, 'i16', 'interleaved'), media(2, 'f32', 'planar'))).toEqual({ format: 'f32', layout: 'planar' })
    expect(converter!.params(media(2, 'i16', 'interleaved'), media(1, 'f32', 'planar'))).toBeNull()
    expect(converter!.params(media(2, 'f32', 'planar'), media(2, 'f32', 'planar'))).toBeNull()
  })
  test('identity', () => {
    const params = { format: 'f32', layout: 'interleaved', dither: 'none', rule: 'standard' }
    expect(identity!(params, { in: media(1, 'f32', 'planar'), out: media(1, 'f32', 'interleaved') })).toBe(true)
    expect(identity!(params, { in: media(2, 'f32', 'planar'), out: media(2, 'f32', 'interleaved') })).toBe(false)
  })
  test('toPcm16 is convert to i16 interleaved', () => { expect(typeof toPcm16).toBe('function') })
})

function randomBits(make: typeof ARRAYS[SampleFormat], count: number, next: () => number): PortArray {
  const bytes = new Uint8Array(count * make.BYTES_PER_ELEMENT)
  for (let n = 0; n < bytes.length; n++) bytes[n] = next() * 256
  return new make(bytes.buffer)
}
function interleaved(planes: readonly PortArray[], make: typeof ARRAYS[SampleFormat]): PortArray {
  const y = new make(planes.length * planes[0]!.length), size = make.BYTES_PER_ELEMENT, to = bytesOf(y)
  planes.forEach((plane, c) => {
    const from = bytesOf(plane)
    for (let n = 0; n < plane.length; n++) to.set(from.subarray(n * size, (n + 1) * size), (n * planes.length + c) * size)
  })
  return y
}

registerConformance(convert, { describe, test }, {
  setups: [
    { params: { format: 'i16', layout: 'interleaved' } },
    { params: { format: 'u8' } },
    { params: { format: 'f32' }, inputs: { in: { format: 'i16', layout: 'interleaved' } } },
    { params: { format: 'i32' }, inputs: { in: { format: 'u8' } } },
  ],
})

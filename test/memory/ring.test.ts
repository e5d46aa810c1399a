import { beforeAll, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import type { Dtype } from '../../src/media/dtype.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { RING } from '../../src/memory/layout.js'
import { attachReader, createRing, type Ring, type RingSpec } from '../../src/memory/ring/audio-ring.js'
import type { RingCore } from '../../src/memory/ring/ring-end.js'

let arena: Arena, core: RingCore
beforeAll(async () => {
  arena = createArena({ bytes: 2 ** 26, shared: false, wasm: true })
  core = instantiateRuntime(await compileModules({ shared: false }), arena.memory!).core
})
const counting = (frames: number, from = 0): Float32Array => Float32Array.from({ length: frames }, (_, n) => from + n)
const inArena = (frames: number, from = 0): Float32Array => {
  const view = arena.alloc({ dtype: 'f32', shape: [frames] }).view(Float32Array)
  view.set(counting(frames, from))
  return view
}
const u32 = (ring: Ring, offset: number): number => arena.u32[(ring.address + offset) >>> 2]!

describe('control block (section 4)', () => {
  test('three lines of 64 bytes, data from C0, planar, stride = capacity', () => {
    expect(RING).toMatchObject({
      WRITE: 0, WRITER_EVENT: 4, FLAGS: 8, READ: 0x40, READER_EVENT: 0x44, UNDERRUNS: 0x48, CAPACITY: 0x80, CHANNELS: 0x84, STRIDE: 0x88,
      DTYPE: 0x8c, DROPPED: 0x90, OVERRUNS: 0x94, POSITION_U64: 0x98, DATA: 0xc0,
    })
    const ring = createRing(arena, { frames: 32, channels: 3, position: 2 ** 40 + 5 })
    expect(ring.address % 64).toBe(0)
    expect([RING.CAPACITY, RING.CHANNELS, RING.STRIDE, RING.DTYPE, RING.POSITION_U64, RING.POSITION_U64 + 4].map((at) => u32(ring, at)))
      .toEqual([32, 3, 32, 1, 5, 256])
    expect([ring.writer.position, ring.reader.position]).toEqual([2 ** 40 + 5, 2 ** 40 + 5])
    expect([0, 1, 2].map((c) => ring.writer.data(c).byteOffset)).toEqual([0, 1, 2].map((c) => ring.address + 0xc0 + c * 128))
  })
  test.each<[RingSpec, string]>([
    [{ frames: 8 }, 'power of two'], [{ frames: 24 }, 'power of two'], [{ frames: 2 ** 25 }, 'power of two'],
    [{ frames: Number.NaN }, 'power of two'], [{ frames: 16, channels: 0 }, 'channels'],
    [{ frames: 16, channels: 65 }, 'channels'], [{ frames: 16, dtype: 'f31' as Dtype }, 'dtype'],
  ])('%j is refused', (spec, what) => {
    expect(() => createRing(arena, spec))
      .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) as string }))
  })
})

describe.each(['core', 'TypeScript'])('moving frames, by %s', (by) => {
  const make = (spec: RingSpec): Ring => createRing(arena, by === 'core' ? { ...spec, core } : spec)

  test('all of the capacity is usable; more is left with the caller', () => {
    const { writer, reader } = make({ frames: 16 }), x = inArena(20), y = inArena(20)
    expect([writer.free, reader.available]).toEqual([16, 0])
    expect(writer.write(x)).toBe(16)
    expect([writer.free, reader.available, writer.write(x)]).toEqual([0, 16, 0])
    y.fill(-1)
    expect(reader.read(y)).toBe(16)
    expect([...y]).toEqual([...counting(16), -1, -1, -1, -1])
  })

  test.each([0, 2 ** 32 - 7, 2 ** 31 - 3])('random blocks of 2 channels in order, indices from %d (wrap at 2³²)', (firstIndex) => {
    const { writer, reader } = make({ frames: 64, channels: 2, firstIndex, position: 1_000 }),
      block = arena.alloc({ dtype: 'f32', shape: [2, 96] }), all = block.view(Float32Array)
    const outside = [new Float32Array(96), new Float32Array(96)], x = [all.subarray(0, 96), all.subarray(96)]
    let sent = 0, got = 0, seed = 9
    const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
    for (let round = 0; round < 3_000; round++) {
      const n = random(96), samples = random(2) === 0 ? x : outside, from = random(4)
      for (let i = 0; i < 96; i++) { samples[0]![i] = sent + i - from; samples[1]![i] = -(sent + i - from) }
      sent += writer.write(samples, n, from)
      const target = random(2) === 0 ? x : outside, count = reader.read(target, random(96), from)
      for (let i = 0; i < count; i++) if (target[0]![from + i] !== got + i || target[1]![from + i] !== -(got + i)) {
        expect.fail(`frame ${got + i}: ${target[0]![from + i]}`)
      }
      got += count
      expect([writer.position - reader.position, writer.position]).toEqual([sent - got, 1_000 + sent])
    }
    expect(got).toBeGreaterThan(60_000)
  })

  test('nothing outside the given arrays is touched', () => {
    const { writer, reader } = make({ frames: 16 }), wide = inArena(32), middle = wide.subarray(8, 16)
    expect(writer.write(middle, 100)).toBe(8)
    expect(writer.write(middle, 4, 6)).toBe(2)
    expect(writer.write(middle, 4, 9)).toBe(0)
    expect([
      writer.write(middle, -1), writer.write(middle, Number.NaN), writer.write(middle, 3, -2), writer.write(middle, 3, 0.5),
      writer.write(middle, 0.9),
    ]).toEqual([0, 0, 0, 0, 0])
    wide.fill(0)
    expect(reader.read(middle, 99, 1)).toBe(7)
    expect([...wide]).toEqual([...Array<number>(9).fill(0), ...counting(7, 8), ...Array<number>(16).fill(0)])
  })
})

describe('the rest of an end', () => {
  test('core and TypeScript ends on one ring', () => {
    const { writer, address } = createRing(arena, { frames: 32, core }), reader = attachReader(arena, address), out = new Float32Array(32)
    for (let round = 0, next = 0; round < 100; round++, next += 20) {
      expect(writer.write(inArena(20, next).subarray(0, 20))).toBe(20)
      expect(reader.read(out, 20)).toBe(20)
      expect(out[19]).toBe(next + 19)
    }
  })
  test('parts: at most two, in place, without a copy', () => {
    const { writer, reader } = createRing(arena, { frames: 16 }), data = writer.data(0) as Float32Array
    writer.write(counting(12))
    reader.read(new Float32Array(12))
    expect({ ...writer.parts(10) }).toEqual({ frames: 10, start: 12, first: 4, second: 6 })
    data.set([1, 2, 3, 4], 12)
    data.set([5, 6], 0)
    writer.commit(6)
    expect({ ...reader.parts() }).toEqual({ frames: 6, start: 12, first: 4, second: 2 })
    expect(reader.data(0)).not.toBe(data)
    expect(reader.data(0).byteOffset).toBe(data.byteOffset)
    reader.release(5)
    expect([reader.available, writer.free]).toEqual([1, 15])
    for (const wrong of [2, -1, 0.5, Number.NaN]) {
      expect(() => { reader.release(wrong) }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    expect(() => { writer.commit(16) }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
  test('starvation: a worklet hears silence and each short quantum is counted; the end of the stream is none (MW-29)', () => {
    const { writer, reader } = createRing(arena, { frames: 256, core }), quantum = inArena(128)
    writer.write(counting(40, 1))
    expect(reader.readOrSilence(quantum)).toBe(40)
    expect([...quantum]).toEqual([...counting(40, 1), ...Array<number>(88).fill(0)])
    expect(reader.readOrSilence(quantum)).toBe(0)
    expect([reader.underruns, reader.ended]).toEqual([2, false])
    writer.write(counting(5, 1))
    writer.end()
    expect([reader.ended, reader.readOrSilence(quantum), reader.ended]).toEqual([false, 5, true])
    reader.readOrSilence(quantum)
    expect(reader.underruns).toBe(3)
  })
  test('overruns: what has no room is counted, frames and times', () => {
    const { writer, reader } = createRing(arena, { frames: 16 })
    expect([writer.writeOrDrop(counting(20)), writer.writeOrDrop(counting(3)), reader.dropped, reader.overruns]).toEqual([16, 0, 7, 2])
  })
  test.each<[Dtype, () => Samples]>([
    ['i16', () => Int16Array.of(1, -2, 3)], ['i32', () => Int32Array.of(1, -2, 3)], ['f64', () => Float64Array.of(1.5, -2, 3)],
    ['u8', () => Uint8Array.of(1, 2, 3)],
    ['f16', () => Uint16Array.of(1, 2, 3)], ['i64', () => BigInt64Array.of(1n, -2n, 3n)],
  ])('dtype %s', (dtype, samples) => {
    const { writer, reader } = createRing(arena, { frames: 16, dtype, core }), x = samples(), y = samples().reverse()
    expect([writer.write(x), reader.read(y)]).toEqual([3, 3])
    expect(y).toEqual(x)
  })
  test('an event is one frame of eight words', () => {
    const { writer, reader } = createRing(arena, { frames: 16, dtype: 'event', core }), y = new Float32Array(16)
    expect([writer.write(counting(16)), reader.available, reader.read(y)]).toEqual([2, 2, 2])
    expect(y).toEqual(counting(16))
  })
  test('arrays of another dtype or number are refused, never converted', () => {
    const { writer, reader } = createRing(arena, { frames: 16, channels: 2, core })
    for (const wrong of [
      [new Float64Array(4), new Float64Array(4)], [new Float32Array(4)], new Float32Array(8), [new Int32Array(4), new Float32Array(4)],
      [[1], [2]],
    ]) {
      expect(() => writer.write(wrong as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expect(() => reader.read(wrong as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    expect(writer.write([new Float32Array(4), new Float32Array(3)])).toBe(3)
  })
  test('after dispose nothing is moved and the memory is back; twice is once', () => {
    const before = arena.stats().blocks, ring = createRing(arena, { frames: 16, core }), x = inArena(4)
    ring[Symbol.dispose]()
    ring[Symbol.dispose]()
    expect([ring.writer.write(x), ring.reader.read(x), ring.writer.free, ring.reader.closed]).toEqual([0, 0, 0, true])
    expect(arena.stats().blocks).toBe(before + 1)
  })
  test('waiting without blocking: woken by data, by the end, by a doorbell; or late', async () => {
    const { writer, reader } = createRing(arena, { frames: 16 })
    const data = reader.waitAsync(4, 5_000)
    writer.write(counting(2))
    writer.write(counting(2))
    reader.poke()
    expect(await data).toBe(true)
    expect(await reader.waitAsync(5, 5)).toBe(false)
    const room = writer.roomAsync(16, 5_000)
    reader.release(4)
    expect(await room).toBe(true)
    const end = reader.waitAsync(1, 5_000)
    writer.end()
    expect([await end, reader.ended]).toEqual([true, true])
    expect(u32({ address: reader.address } as Ring, RING.WRITER_SLEEPERS)).toBe(0)
  })
})
type Samples = Int16Array | Int32Array | Float64Array | Uint8Array | Uint16Array | BigInt64Array

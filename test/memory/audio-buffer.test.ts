import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { createArena } from '../../src/memory/arena.js'
import { createAudioApi, type AudioApi } from '../../src/memory/audio-api.js'
import type { Arena } from '../../src/memory/arena.js'

const SPEC = { rate: 48_000, channels: 2 } as const
function setUp(wasm = true): { arena: Arena; audio: AudioApi } {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm })
  return { arena, audio: createAudioApi(arena) }
}
function code(action: () => unknown): string {
  try { action() } catch (error) { if (isMillraceError(error)) return error.code; throw error }
  throw new Error('expected an error, got none')
}

describe('fields', () => {
  test('are those of the spec, with defaults', () => {
    const { audio } = setUp(), a = audio.alloc({ ...SPEC, frames: 480, position: 96 })
    expect(a).toMatchObject({
      rate: 48_000, channels: 2, frames: 480, format: 'f32', layout: 'planar', speakers: 'stereo', position: 96, samples: 960,
      seconds: 0.01,
    })
    expect(a.channel(0).every((x) => x === 0)).toBe(true)
    expect(audio.alloc({ rate: 8000, channels: 1, frames: 1 }).speakers).toBe('mono')
    expect(audio.alloc({ rate: 8000, channels: 6, frames: 1 }).speakers).toBe('discrete')
    expect(audio.alloc({ rate: 8000, channels: 6, frames: 1, speakers: 0x3f }).speakers).toBe(0x3f)
  })
  test.each([
    { rate: 0 }, { rate: 768_001 }, { rate: Number.NaN }, { channels: 0 }, { channels: 65 }, { channels: 1.5 }, { frames: -1 },
    { frames: 1.5 }, { frames: undefined },
    { format: 'f64' as never }, { format: '__proto__' as never }, { layout: 'x' as never }, { position: 0.5 },
    { speakers: 'surround' as never }, { speakers: -1 }, { speakers: 2 ** 32 },
  ])('%j is INVALID_ARGUMENT', (wrong) => {
    expect(code(() => setUp().audio.alloc({ rate: 48_000, channels: 2, frames: 10, ...wrong } as never))).toBe('INVALID_ARGUMENT')
  })
})

describe.each([{ name: 'wasm', wasm: true }, { name: 'js', wasm: false }])('from, $name', ({ wasm }) => {
  test('f32 in the arena is borrowed: same address, nothing copied or allocated, writes seen on both sides', () => {
    const { arena, audio } = setUp(wasm), block = arena.alloc({ dtype: 'f32', shape: [200] }), view = block.view(Float32Array)
    const used = arena.stats().usedBytes
    const whole = audio.from(view, SPEC), part = audio.from(view.subarray(20, 60), SPEC)
    const planes = audio.from([view.subarray(0, 100), view.subarray(100)], SPEC)
    expect([whole.address, whole.frames, whole.handle]).toEqual([block.address, 100, block.handle])
    expect([part.channel(0).byteOffset, part.channel(1).byteOffset]).toEqual([view.byteOffset + 80, view.byteOffset + 160])
    planes.channel(1)[0] = 5
    expect([view[100], whole.channel(1)[0], arena.copies.count, arena.stats().usedBytes, block.references]).toEqual([5, 5, 0, used, 4])
    block.release()
    expect(whole.channel(1)[0]).toBe(5)
    for (const a of [whole, part, planes]) a.close()
    expect(arena.stats().blocks).toBe(1)
  })

  test('f32 elsewhere needs copy: true, one counted copy', () => {
    const { arena, audio } = setUp(wasm), data = Float32Array.of(1, 2, 3, 4)
    expect(code(() => audio.from(data, SPEC))).toBe('INVALID_ARGUMENT')
    expect(code(() => audio.from([data, data], SPEC))).toBe('INVALID_ARGUMENT')
    const a = audio.from(data, SPEC, { copy: true }), b = audio.from([data, data.map((x) => -x)], SPEC, { copy: true })
    expect([[...a.channel(0)], [...a.channel(1)], [...b.channel(1)]]).toEqual([[1, 2], [3, 4], [-1, -2, -3, -4]])
    expect(arena.copies.entries()).toEqual([{ edge: 'audio.from', reason: 'user', bytes: 48, copies: 2 }])
  })

  test('integers cost one pass into one new block, kept as stored or converted', () => {
    const { arena, audio } = setUp(wasm), data = Int16Array.of(16_384, -32_768, 1, 0)
    const kept = audio.from(data, { ...SPEC, layout: 'interleaved' }), f32 = audio.from(data, { ...SPEC, format: 'f32' })
    expect([kept.format, kept.layout, kept.frames, [...kept.tryView(Int16Array)!]]).toEqual(['i16', 'interleaved', 2, [...data]])
    expect([f32.format, [...f32.channel(0)], [...f32.channel(1)]]).toEqual(['f32', [0.5, -1], [2 ** -15, 0]])
    expect([
      audio.from(Int32Array.of(-(2 ** 31)), { rate: 1, channels: 1, format: 'f32' }).channel(0)[0],
      audio.from(Uint8Array.of(0), { rate: 1, channels: 1, format: 'f32' }).channel(0)[0],
    ]).toEqual([-1, -1])
    expect(arena.copies.bytes({ reason: 'convert' })).toBe(8 + 4 + 1)
    expect(audio.from(kept.tryView(Int16Array)!, { ...SPEC, layout: 'interleaved' }).handle).toBe(kept.handle)
  })

  test('anything else is INVALID_ARGUMENT, nothing is allocated', () => {
    const { arena, audio } = setUp(wasm)
    const f32 = (n: number): Float32Array => new Float32Array(n)
    const inside = arena.alloc({ dtype: 'f32', shape: [64] }).view(Float32Array)
    const blocks = arena.stats().blocks
    for (const [data, spec] of [
      [new Float64Array(4), {}], [new Int8Array(4), {}], [new DataView(new ArrayBuffer(8)), {}], [[1, 2], {}], [[], {}], [null, {}],
      [f32(5), {}], [f32(4), { frames: 3 }],
      [[f32(2)], {}], [[f32(2), f32(3)], {}], [[f32(2), new Int16Array(2)], {}], [[f32(2), f32(2)], { layout: 'interleaved' }],
      [f32(4), { format: 'i24' }],
      [[inside.subarray(0, 8), inside.subarray(16, 24)], {}], [[inside.subarray(8, 16), inside.subarray(0, 8)], {}],
    ] as [never, object][]) expect(code(() => audio.from(data, { ...SPEC, ...spec }, { copy: false }))).toBe('INVALID_ARGUMENT')
    expect(code(() => audio.from(new Float32Array(arena.buffer, arena.base, 4), SPEC))).toBe('INVALID_ARGUMENT')
    expect(arena.stats().blocks).toBe(blocks)
  })
})

describe('sharing', () => {
  test('clone and slice share bytes; makeMut copies once when shared, never when unique', () => {
    const { arena, audio } = setUp(), a = audio.from([Float32Array.of(0, 1, 2, 3), Float32Array.of(4, 5, 6, 7)], SPEC, { copy: true })
    const before = arena.copies.count, c = a.clone(), s = a.slice(1, 3)
    expect([c.address, s.channel(0).byteOffset, s.channel(1).byteOffset, s.position, s.frames])
      .toEqual([a.address, a.channel(0).byteOffset + 4, a.channel(1).byteOffset + 4, 1, 2])
    expect([[...s.channel(0)], [...s.channel(1)], s.tryView(Float32Array)]).toEqual([[1, 2], [5, 6], null])
    expect([...s.slice(1, 2).channel(1)]).toEqual([6])
    const m = s.makeMut()
    expect([arena.copies.count - before, m === s, s.closed, [...m.tryView(Float32Array)!]]).toEqual([1, false, true, [1, 2, 5, 6]])
    m.channel(0)[0] = 9
    expect(a.channel(0)[1]).toBe(1)
    c.close()
    expect(m.makeMut()).toBe(m)
    expect(arena.copies.count - before).toBe(1)
  })

  test('interleaved audio slices without gaps', () => {
    const { audio } = setUp(), a = audio.from(Int16Array.of(0, 10, 1, 11, 2, 12), { ...SPEC, layout: 'interleaved' }), s = a.slice(1, 3)
    expect([...s.tryView(Int16Array)!]).toEqual([1, 11, 2, 12])
    expect(s.toArray()).toEqual(Int16Array.of(1, 11, 2, 12))
    expect(code(() => a.channel(0))).toBe('INVALID_HANDLE')
  })

  test('toArray copies out as stored', () => {
    const { arena, audio } = setUp(), a = audio.from([Float32Array.of(0, 1, 2), Float32Array.of(3, 4, 5)], SPEC, { copy: true }),
      out = a.slice(1, 3).toArray()
    expect([out, out.buffer === arena.buffer]).toEqual([Float32Array.of(1, 2, 4, 5), false])
  })

  test('tryView is null when the length or the address does not fit, and reinterprets otherwise', () => {
    const { audio } = setUp(), a = audio.from(Uint8Array.of(1, 0, 2, 0, 3, 0, 4), { rate: 8000, channels: 1 })
    for (let from = 0; from <= 7; from++) for (let to = from; to <= 7; to++) {
      const s = a.slice(from, to), fits16 = from % 2 === 0 && (to - from) % 2 === 0, fits32 = from % 4 === 0 && (to - from) % 4 === 0
      expect([s.tryView(Int16Array) !== null, s.tryView(Float32Array) !== null, s.tryView(Uint8Array)?.length])
        .toEqual([fits16, fits32, to - from])
      s.close()
    }
    expect([...a.slice(0, 6).tryView(Int16Array)!]).toEqual([1, 2, 3])
  })

  test('bounds', () => {
    const { audio } = setUp(), a = audio.alloc({ ...SPEC, frames: 10 })
    for (const [from, to] of [[-1, 1], [0, 11], [5, 4], [0.5, 2]] as const) expect(code(() => a.slice(from, to))).toBe('INVALID_HANDLE')
    for (const c of [-1, 2, 0.5]) expect(code(() => a.channel(c))).toBe('INVALID_HANDLE')
    expect([a.slice(10, 10).frames, a.slice(10, 10).channel(1).length]).toEqual([0, 0])
  })

  test('a closed buffer is INVALID_HANDLE in every use; close twice is fine', () => {
    const { arena, audio } = setUp(), a = audio.alloc({ ...SPEC, frames: 10 }), other = a.clone()
    a.close()
    a.close()
    a[Symbol.dispose]()
    for (const use of [
      () => a.channel(0), () => a.tryView(Float32Array), () => a.slice(0, 1), () => a.clone(), () => a.makeMut(), () => a.toArray(),
      () => a.handle, () => a.address,
    ]) {
      expect(code(use)).toBe('INVALID_HANDLE')
    }
    expect([a.frames, a.closed, other.channel(0).length]).toEqual([10, true, 10])
    other.close()
    expect(arena.stats().blocks).toBe(1)
  })

  test('a dead holder takes its audio along', () => {
    const { arena, audio } = setUp(), run = arena.openHolder('run'), a = audio.alloc({ ...SPEC, frames: 1000 }, { holder: run })
    expect(run.bytes).toBe(8000)
    run.drop()
    expect(code(() => a.channel(0))).toBe('INVALID_HANDLE')
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { CHECK, IO, PASS, PROGRAM, STATUS, STEP, THREAD_ID } from '../../src/kernels/contract.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import { ARENA, SCRATCH_SPAN_BYTES, SLOT, THREAD } from '../../src/memory/layout.js'
import { compileFixture } from './fixtures/compile-fixture.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { faulty, stretch } from './fixtures/stretch-node.js'
import { randomSegment, type RandomSegment } from './random-segment.js'
import { drive, openRig, type Rig } from './segment-rig.js'
import { noise, openPlain, planar, specOf, type Bench } from './support.js'

let fixture: Uint8Array
const compiled = new Map<boolean, CompiledModules>()
beforeAll(async () => {
  fixture = await compileFixture('stretch.ts')
  for (const shared of [true, false]) compiled.set(shared, await compileModules({ shared, kernels: { mine: fixture } }))
}, 60_000)

function bench(shared: boolean): Bench {
  const arena = createArena({ bytes: 32 * 2 ** 20, shared, wasm: true })
  return { arena, compiled: compiled.get(shared)!, runtime: instantiateRuntime(compiled.get(shared)!, arena.memory!) }
}
const sample = (seed: number) => (b: number, c: number, n: number): number => Math.fround(Math.sin(seed + b * 7 + c * 3 + n * 0.37))
function randomOf(seed: number): () => number {
  const next = noise(seed)
  return () => (next() + 1) / 2 * 0.999999
}
/** All bytes that a program and its buffers are. */
function image(rig: Rig): Uint8Array {
  const bytes = rig.arena.u32[(rig.program.address + PROGRAM.TOTAL_BYTES) >>> 2]!
  return rig.arena.u8.slice(rig.program.address, rig.program.address + bytes)
}

describe('interpreters on random segments (KE-12, KE-13, KE-14)', () => {
  test.each([
    true, false,
  ])('Rust and TypeScript: equal results, programs and counters after every pass; references: equal bits (shared %s)', (shared) => {
    let passes = 0, blocked = 0, hungry = 0, done = 0
    const first = bench(shared), second = bench(shared), plain = openPlain(), before = plain.stats().blocks
    for (let seed = 1; seed <= 100; seed++) {
      const segment = randomSegment(randomOf(seed)), room = 20 + Math.floor(randomOf(seed * 31)() * 3_000)
      const chunk = (): (() => number) => { const r = randomOf(seed * 17); return () => 1 + Math.floor(r() * 700) }
      const rust = openRig('rust', first, segment, room, sample(seed)), twin = openRig('twin', second, segment, room, sample(seed))
      expect(twin.program.address).toBe(rust.program.address)
      const images: Uint8Array[] = []
      const codes = drive(rust, chunk(), (pass) => pass % 3 === 1, () => images.push(image(rust)))
      const others = drive(twin, chunk(), (pass) => pass % 5 === 2, (pass) => {
        expect(Buffer.compare(image(twin), images[pass]!), `seed ${seed}, pass ${pass}`).toBe(0)
      })
      expect(others, `seed ${seed}`).toEqual(codes)
      expect(twin.program.reports(), `seed ${seed}`).toEqual(rust.program.reports())
      expect([...twin.collected], `seed ${seed}`).toEqual([...rust.collected])
      const oracle = openRig('reference', plain, segment, room, sample(seed))
      const last = drive(oracle, chunk(), () => false).at(-1)
      expect(last, `seed ${seed}`).toBe(codes.at(-1))
      expect([...oracle.collected], `seed ${seed}`).toEqual([...rust.collected])
      if (codes.at(-1) === PASS.DONE) expect(oracle.program.reports().every((report) => report.tag === 'JSRF')).toBe(true)
      for (const rig of [rust, twin, oracle]) rig.close()
      passes += codes.length
      if (codes.at(-1) === PASS.DONE) done++
      blocked += codes.filter((code) => code === PASS.OUTPUT_FULL).length
      hungry += codes.filter((code) => code === PASS.NEED_INPUT).length
    }
    // The generator must reach what it is for.
    expect(passes).toBeGreaterThan(2_000)
    expect(blocked).toBeGreaterThan(50)
    expect(hungry).toBeGreaterThan(50)
    expect(done).toBeGreaterThan(80)
    expect(plain.stats().blocks).toBe(before)
  }, 60_000)

  test('any chunking of the input gives the same bits', () => {
    const one = bench(false)
    for (let seed = 200; seed < 240; seed++) {
      const segment = randomSegment(randomOf(seed))
      const whole = openRig('rust', one, segment, 100_000, sample(seed))
      const code = drive(whole, () => 1e6, () => false).at(-1)!
      for (const size of [1, 13, 500]) {
        const part = openRig('rust', one, segment, 100_000, sample(seed))
        const end = drive(part, () => size, () => false).at(-1)!
        part.close()
        if (code !== PASS.DONE || end !== PASS.DONE) continue
        expect([...part.collected], `seed ${seed}, ${size} frames`).toEqual([...whole.collected])
      }
      whole.close()
    }
  }, 60_000)
})

function faultySegment(what: number): RandomSegment {
  const media = { in: planar(2), out: planar(2) }, spec = specOf(faulty, { params: { what }, media, maxFrames: 64 })
  const buffer = (kind: 'input' | 'output', readers: number[]) => ({
    kind, value: kind, media: planar(2), channels: 2, frameBytes: 4, capacity: 64, offset: -1, readers, skip: 0, live: [0, 0] as const,
  })
  return {
    plan: {
      index: 0, tier: 'wasm', feed: 'chunks', workBytes: 0, headFrames: 64, buffers: [buffer('input', [0]), buffer('output', [])],
      nodes: [{ spec, node: 0, inputs: [0], outputs: [1], latencyFrames: 0 }],
    },
    definitions: [faulty], params: [{ what }], inputFrames: [1_000],
  }
}

describe('what ends a segment early', () => {
  test.each(['rust', 'twin'] as const)('a status, a lie and a trap name the step (%s)', (kind) => {
    const status = openRig(kind, bench(false), faultySegment(1), 2_000, sample(1))
    expect(drive(status, () => 1_000, () => false)).toEqual([PASS.MORE, PASS.MORE, -17])
    expect(status.program.failed(-17))
      .toMatchObject({ code: 'KERNEL_STATUS', details: { node: 'node', kernel: 'mine.faulty', status: -17, name: 'BROKEN' } })
    const lie = openRig(kind, bench(false), faultySegment(3), 2_000, sample(1))
    expect(drive(lie, () => 1_000, () => false).at(-1)).toBe(STATUS.BAD_STATE)
    const trap = openRig(kind, bench(false), faultySegment(2), 2_000, sample(1))
    let thrown: unknown
    try { drive(trap, () => 1_000, () => false) } catch (error) { thrown = error }
    expect(thrown).toBeInstanceOf(WebAssembly.RuntimeError)
    expect(trap.program.trapped(thrown)).toMatchObject({ code: 'KERNEL_TRAP', details: { node: 'node', kernel: 'mine.faulty', block: 3 } })
  })

  test.each(['rust', 'twin'] as const)('frames left in memory that others use are an error, not a wrong sample (%s)', (kind) => {
    const media = { in: planar(2), out: planar(2) }, spec = specOf(stretch, { params: { up: 4, down: 1, hold: 0 }, media, maxFrames: 64 })
    const buffer = (value: string, side: 'input' | 'internal' | 'output', capacity: number, readers: number[]) => (
      {
        kind: side, value, media: planar(2), channels: 2, frameBytes: 4, capacity, offset: side === 'internal' ? 0 : -1, readers, skip: 0,
        live: [0, 1] as const,
      })
    const quiet = specOf(gain.definition, { params: { gainDb: 0, invert: false }, media, maxFrames: 64 })
    const segment: RandomSegment = {
      plan: {
        index: 0, tier: 'wasm', feed: 'chunks', workBytes: 2_048, headFrames: 64,
        // The second step may take 64 frames a pass, the first one gives 256.
        buffers: [buffer('x', 'input', 64, [0]), buffer('y', 'internal', 256, [1]), buffer('z', 'output', 256, [])],
        nodes: [
          { spec, node: 0, inputs: [0], outputs: [1], latencyFrames: 0 },
          { spec: { ...quiet, nodeId: 'slow' }, node: 1, inputs: [1], outputs: [2], latencyFrames: 0 },
        ],
      },
      definitions: [stretch, gain.definition], params: [{}, {}], inputFrames: [1_000],
    }
    const rig = openRig(kind, bench(false), segment, 2_000, sample(1))
    expect(drive(rig, () => 1_000, () => false)).toEqual([STATUS.NO_ROOM])
    expect(rig.program.failed(STATUS.NO_ROOM)).toMatchObject({ code: 'KERNEL_STATUS', details: { node: 'slow', name: 'NO_ROOM' } })
  })

  test.each(['rust', 'twin'] as const)('the cancel word of the thread ends the pass before any step (%s)', (kind) => {
    const rig = openRig(kind, bench(true), faultySegment(0), 2_000, sample(1))
    rig.show(1_000)
    expect(rig.interpreter.run(rig.program.address, 0)).toBe(PASS.MORE)
    const cancel = rig.arena.u32[(rig.program.address + PROGRAM.CANCEL) >>> 2]!
    const before = rig.program.reports()[0]!.calls
    Atomics.store(rig.arena.u32, cancel >>> 2, 1)
    expect(rig.interpreter.run(rig.program.address, 0)).toBe(STATUS.CANCELLED)
    expect(rig.program.reports()[0]!.calls).toBe(before)
    Atomics.store(rig.arena.u32, cancel >>> 2, 0)
    expect(rig.interpreter.run(rig.program.address, 0)).toBe(PASS.MORE)
    const beat = rig.arena.u32[(rig.program.address + PROGRAM.BEAT) >>> 2]!
    expect(rig.arena.u32[beat >>> 2]).toBe(2)
  })
})

describe('threads', () => {
  test.each([
    'rust', 'twin',
  ] as const)('a program is adopted by whoever takes it: scratch, cancel and beat of a thread record or a slot (%s)', (kind) => {
    const rig = openRig(kind, bench(true), faultySegment(0), 2_000, sample(1)), { u32, base } = rig.arena
    const record = base + ARENA.THREADS + 3 * THREAD.BYTES
    const slot = base + ARENA.SLOTS + 7 * SLOT.BYTES, io = u32[(rig.program.steps + STEP.IO) >>> 2]!
    u32[(record + THREAD.SCRATCH) >>> 2] = 0xdeadbe00
    u32[(record + THREAD.SCRATCH_BYTES) >>> 2] = 4_096
    u32[(slot + SLOT.SCRATCH) >>> 2] = 0xdeadbec0
    const seen = (): number[] => [IO.CANCEL, IO.BEAT, IO.SCRATCH, IO.SCRATCH_BYTES].map((field) => u32[(io + field) >>> 2]!)
    rig.show(1_000)
    expect(rig.interpreter.run(rig.program.address, 3)).toBe(PASS.MORE)
    expect(seen()).toEqual([record + THREAD.CANCEL, record + THREAD.BEAT, 0xdeadbe00, 4_096])
    expect(rig.interpreter.run(rig.program.address, THREAD_ID.FIRST_SLOT + 7)).toBe(PASS.MORE)
    expect(seen()).toEqual([slot + SLOT.CANCEL, slot + SLOT.BEAT, 0xdeadbec0, SCRATCH_SPAN_BYTES])
    expect([u32[(record + THREAD.BEAT) >>> 2], u32[(slot + SLOT.BEAT) >>> 2]]).toEqual([1, 1])
    Atomics.store(u32, (slot + SLOT.CANCEL) >>> 2, 1)
    expect(rig.interpreter.run(rig.program.address, THREAD_ID.FIRST_SLOT + 7)).toBe(STATUS.CANCELLED)
    expect(rig.interpreter.run(rig.program.address, 3)).toBe(PASS.MORE)
  })
})

describe('segment_check (KE-13)', () => {
  test('accepts what was built, refuses each word that leads astray', () => {
    const b = bench(false), segment = randomSegment(randomOf(4)), rig = openRig('rust', b, segment, 100, sample(1)), { u32 } = b.arena
    const check = (): number => b.runtime.core.segment_check(rig.program.address, b.arena.base, b.arena.buffer.byteLength)
    expect(check()).toBe(CHECK.OK)
    const step = rig.program.steps, io = u32[(step + STEP.IO) >>> 2]!
    const cases: readonly (readonly [number, number, number])[] = [
      [rig.program.address + PROGRAM.MAGIC, 1, CHECK.MAGIC], [rig.program.address + PROGRAM.STEP_COUNT, 1e6, CHECK.TABLES],
      [rig.program.address + PROGRAM.STEPS, 64, CHECK.TABLES],
      [step + STEP.STATE, 0, CHECK.STATE], [step + STEP.IO, 0xffff_ffc0, CHECK.IO], [step + STEP.PROCESS, 3, CHECK.TABLE_INDEX],
      [step + STEP.FLUSH, 4_096, CHECK.TABLE_INDEX],
      [step + STEP.BINDINGS, 0, CHECK.STEP_ADDRESS], [step + STEP.MAX_FRAMES, 0, CHECK.STEP_ADDRESS],
      [u32[(step + STEP.BINDINGS) >>> 2]!, 99, CHECK.BINDING],
      [u32[(step + STEP.READERS) >>> 2]!, 99, CHECK.READER], [io + 0x18, 8, CHECK.PORTS], [io + 0x10, 7, CHECK.PORTS],
      [rig.program.buffer(0) + 0x24, 16, CHECK.BUFFER_OFFSETS], [rig.program.buffer(0) + 0x00, 0, CHECK.BUFFER_DATA],
      [rig.program.buffer(0) + 0x04, 0x7fff_ffff, CHECK.BUFFER_DATA],
      [rig.program.buffer(0) + 0x14, 65, CHECK.BUFFER_SHAPE], [rig.program.buffer(0) + 0x30, 8, CHECK.BUFFER_DATA],
    ]
    for (const [address, value, finding] of cases) {
      const kept = u32[address >>> 2]!
      u32[address >>> 2] = value
      expect(check(), `word at +${address - rig.program.address}`).toBe(finding)
      u32[address >>> 2] = kept
    }
    expect(check()).toBe(CHECK.OK)
  })
})

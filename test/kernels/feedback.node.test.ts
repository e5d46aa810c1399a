/**
 * Random segments with feedback (GR-12): Rust and TypeScript write the same programs byte for byte, references give the same bits;
 * zeros and pre-rolls stand where they must.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { BUFFER, PASS, PROGRAM, READER, STEP, STEP_MARK } from '../../src/kernels/contract.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import type { SegmentBuffer, SegmentNode } from '../../src/schedule/segment-plan.js'
import { mix } from '../../src/nodes/audio/mix.js'
import { compileFixture } from './fixtures/compile-fixture.js'
import { randomSegment, type Random, type RandomSegment } from './random-segment.js'
import { drive, openRig, type Rig } from './segment-rig.js'
import { noise, openPlain, planar, specOf, type Bench } from './support.js'

const SEGMENTS = Number(process.env['MILLRACE_FEEDBACK_SEGMENTS'] ?? 30)
let compiled: CompiledModules
beforeAll(async () => { compiled = await compileModules({ shared: false, kernels: { mine: await compileFixture('stretch.ts') } }) }, 60_000)
const bench = (): Bench => {
  const arena = createArena({ bytes: 32 * 2 ** 20, shared: false, wasm: true })
  return { arena, compiled, runtime: instantiateRuntime(compiled, arena.memory!) }
}
const randomOf = (seed: number): Random => { const next = noise(seed); return () => (next() + 1) / 2 * 0.999_999 }
const sample = (seed: number) => (b: number, c: number, n: number): number => Math.fround(Math.sin(seed + b * 7 + c * 3 + n * 0.37))
const image = ({ arena, program }: Rig): Uint8Array =>
  arena.u8.slice(program.address, program.address + arena.u32[(program.address + PROGRAM.TOTAL_BYTES) >>> 2]!)

/**
 * Some inputs of mixers read late what a later step, or the mixer itself, writes inside; weak where the mixer has
 * another input. Undefined: nothing to rewire.
 */
function looped(segment: RandomSegment, random: Random): RandomSegment | undefined {
  const { plan } = segment, pick = (n: number): number => Math.floor(random() * n), delays = new Map<number, Map<string, number>>()
  const nodes = plan.nodes.map((node, s): SegmentNode => {
    const inside = plan.nodes.flatMap((one, at) => at >= s ? one.outputs : []).filter((b) => plan.buffers[b]!.kind === 'internal')
    if (node.spec.export !== 'mix' || inside.length === 0) return node
    const at = pick(node.inputs.length), b = inside[pick(inside.length)]!
    const own = delays.get(b) ?? new Map<string, number>()
    delays.set(b, own.set(`${s} ${at}`, 128 + pick(400)))
    return {
      ...node,
      inputs: node.inputs.map((one, i) => i === at ? b : one),
      weak: node.inputs.map((_, i) => i === at && node.inputs.length > 1),
    }
  })
  if (delays.size === 0) return undefined
  let workBytes = 0
  const buffers = plan.buffers.map((buffer, b): SegmentBuffer => {
    const readers = nodes.flatMap(({ inputs, driven }, s) => [
      ...inputs.flatMap((one, i) => one === b ? [[s, i] as const] : []),
      ...(driven ?? []).flatMap((one) => one.buffer === b ? [[s, -1] as const] : []),
    ])
    const own = delays.get(b), kind = buffer.kind === 'internal' && readers.length === 0 ? 'output' : buffer.kind
    const late = own && { zeros: Math.max(0, Math.max(...own.values()) - buffer.skip), preroll: buffer.skip }
    const start = late ? late.zeros + late.preroll : buffer.skip
    const capacity = buffer.capacity + (late ? 2 * late.zeros + late.preroll : 0), offset = kind === 'internal' ? workBytes : -1
    if (kind === 'internal') workBytes += Math.ceil(capacity * 4 / 64) * 64 * buffer.channels
    return {
      ...buffer, kind, capacity, offset, skip: start, readers: readers.map(([s]) => s),
      ...(late && { late: { ...late, keep: buffer.capacity, starts: readers.map(([s, i]) => start - (own!.get(`${s} ${i}`) ?? 0)) } }),
    }
  })
  return { ...segment, plan: { ...plan, nodes, buffers, workBytes } }
}

/** As `drive`, but loops that nothing ends are left after some passes. */
function driveOn(rig: Rig, chunks: () => number, stepwise: (pass: number) => boolean, each: (pass: number) => void = () => {}): number[] {
  const codes: number[] = []
  try {
    drive(rig, chunks, stepwise, (pass, code) => {
      codes.push(code)
      each(pass)
      if (pass === MOST_PASSES) throw STOP
    })
  } catch (error) { if (error !== STOP) throw error }
  return codes
}
const MOST_PASSES = 150, STOP = new Error('enough')

describe('random segments with feedback', () => {
  test(`${SEGMENTS}: equal programs after every pass, equal bits`, () => {
    let done = 0, prerolls = 0, passes = 0
    const first = bench(), second = bench(), plain = openPlain(), before = plain.stats().blocks
    for (let seed = 1, seen = 0; seen < SEGMENTS; seed++) {
      const segment = looped(randomSegment(randomOf(seed)), randomOf(seed * 3))
      if (segment === undefined) continue
      seen++
      const room = 20 + Math.floor(randomOf(seed * 31)() * 3_000)
      const chunk = (): Random => { const r = randomOf(seed * 17); return () => 1 + Math.floor(r() * 700) }
      const rust = openRig('rust', first, segment, room, sample(seed))
      const twin = openRig('twin', second, segment, room, sample(seed))
      const images: Uint8Array[] = []
      const codes = driveOn(rust, chunk(), (pass) => pass % 3 === 1, () => images.push(image(rust)))
      const others = driveOn(twin, chunk(), (pass) => pass % 5 === 2, (pass) => {
        expect(Buffer.compare(image(twin), images[pass]!), `seed ${seed}, pass ${pass}`).toBe(0)
      })
      expect(others, `seed ${seed}`).toEqual(codes)
      expect([...twin.collected], `seed ${seed}`).toEqual([...rust.collected])
      const oracle = openRig('reference', plain, segment, room, sample(seed))
      expect(driveOn(oracle, chunk(), () => false).at(-1), `seed ${seed}`).toBe(codes.at(-1))
      expect([...oracle.collected], `seed ${seed}`).toEqual([...rust.collected])
      for (const rig of [rust, twin, oracle]) rig.close()
      if (codes.at(-1) === PASS.DONE) done++
      if (segment.plan.buffers.some(({ late }) => (late?.preroll ?? 0) > 0)) prerolls++
      passes += codes.length
    }
    // The generator must reach what it is for.
    expect(done).toBeGreaterThan(SEGMENTS / 3)
    expect(prerolls).toBeGreaterThan(0)
    expect(passes).toBeGreaterThan(SEGMENTS * 10)
    expect(plain.stats().blocks).toBe(before)
  }, 60_000)

  test('a program without feedback holds none of it', () => {
    const one = bench()
    for (let seed = 1; seed <= 20; seed++) {
      const rig = openRig('rust', one, randomSegment(randomOf(seed)), 500, sample(seed)), { u32 } = rig.arena, { plan, steps } = rig.program
      plan.buffers.forEach((_, b) => {
        expect([u32[(rig.program.buffer(b) + BUFFER.PREROLL) >>> 2], u32[(rig.program.buffer(b) + BUFFER.KEEP) >>> 2]]).toEqual([0, 0])
      })
      plan.nodes.forEach(({ inputs }, s) => {
        const step = steps + s * STEP.BYTES, readers = u32[(step + STEP.READERS) >>> 2]!
        expect(u32[(step + STEP.MARKS) >>> 2]! & STEP_MARK.PREROLL).toBe(0)
        inputs.forEach((_, i) => { expect(u32[(readers + i * 4) >>> 2]! & READER.WEAK).toBe(0) })
      })
      rig.close()
    }
  })

  test('a latency before the delay: exactly n zeros stand before frame 0 of the content', () => {
    // One mixer adds what comes in and what came out of it, whose content begins with its frame 7.
    const rig = openRig('rust', bench(), latent(), 10_000, (_, c, n) => c === 0 ? n + 1 : 0)
    expect(drive(rig, () => 33, () => false).at(-1)).toBe(PASS.DONE)
    const [out] = [...rig.collected.values()], left = out!.filter((_, i) => i % 2 === 0), y: number[] = []
    for (let n = 0; n < 1_000; n++) y.push(n + 1 + (n < 128 ? 0 : y[n - 128 + 7]!))
    expect(left).toEqual([...new Array<number>(128).fill(0), ...y.slice(7)])
    rig.close()
  })
})

/** in + late(out): the mixer's output is external, read late by itself behind a pre-roll of 7 frames. */
function latent(): RandomSegment {
  const media = planar(2), params = { gainDb: [], pan: [], mute: [], solo: [] }
  const spec = specOf(mix.definition, {
    params, media: { 'in.0': media, 'in.1': media, out: media }, inputs: ['in.0', 'in.1'], maxFrames: 128,
  })
  const buffer = (kind: SegmentBuffer['kind'], more: Partial<SegmentBuffer> = {}): SegmentBuffer => ({
    kind, value: kind, media, channels: 2, frameBytes: 4, capacity: 128, offset: -1, readers: [0], skip: 0, live: [0, 99], ...more,
  })
  return {
    plan: {
      index: 0, tier: 'wasm', feed: 'chunks', headFrames: 128, workBytes: 0,
      nodes: [{ node: 0, spec, inputs: [0, 1], outputs: [1], latencyFrames: 7, weak: [false, true] }],
      buffers: [buffer('input'), buffer('output', { skip: 128, late: { starts: [0], zeros: 121, preroll: 7, keep: 0 } })],
    },
    definitions: [mix.definition], params: [params], inputFrames: [1_000],
  }
}

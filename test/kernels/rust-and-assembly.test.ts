import { describe, expect, test } from 'vitest'
import type { NodeDefinition, ParamValues } from '../../src/graph/node-definition.js'
import { resolveParams } from '../../src/graph/params.js'
import { PASS } from '../../src/kernels/contract.js'
import { SharedBlocks } from '../../src/kernels/shared-blocks.js'
import { KernelInstance } from '../../src/kernels/kernel-instance.js'
import type { Media } from '../../src/media/media-type.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { mix } from '../../src/nodes/audio/mix.js'
import { resample } from '../../src/nodes/audio/resample.js'
import type { SegmentBuffer, SegmentNode } from '../../src/schedule/segment-plan.js'
import type { RandomSegment } from './random-segment.js'
import { drive, openRig } from './segment-rig.js'
import { compiledInstance, floats, hasShared, noise, openBench, openPlain, planar, specOf } from './support.js'

const wide = planar(2, 44_100), narrow = planar(2, 16_000)
const paramsOf = (definition: NodeDefinition, given: Record<string, unknown>): ParamValues => resolveParams(definition, given).values

/**
 * 44.1 kHz → 16 kHz → gain → 44.1 kHz → mixed with the input: Rust and AssemblyScript in one
 * program, a join that waits for the slower side.
 */
function segment(frames: number): RandomSegment {
  const buffer = (kind: SegmentBuffer['kind'], media: Media, capacity: number, offset: number, readers: number[]): SegmentBuffer => (
    { kind, value: `v${offset}`, media, channels: 2, frameBytes: 4, capacity, offset, readers, skip: 0, live: [0, 9] })
  const steps: readonly (readonly [NodeDefinition, Record<string, unknown>, readonly number[], number, Record<string, Media>])[] = [
    [resample.definition, { rate: 16_000, quality: 'low' }, [0], 1, { in: wide, out: narrow }],
    [gain.definition, { gainDb: -6 }, [1], 2, { in: narrow, out: narrow }],
    [resample.definition, { rate: 44_100, quality: 'low' }, [2], 3, { in: narrow, out: wide }],
    [mix.definition, { gainDb: [0, -3] }, [0, 3], 4, { 'in.0': wide, 'in.1': wide, out: wide }],
  ]
  const room = 16_384, bytes = room * 8
  const nodes: SegmentNode[] = steps.map(([definition, params, inputs, output, media], node) => ({
    spec: specOf(
      definition,
      { params: paramsOf(definition, params), media, inputs: Object.keys(media).filter((name) => name !== 'out'), maxFrames: 2_048 },
    ),
    node, inputs, outputs: [output], latencyFrames: 0,
  }))
  return {
    definitions: steps.map(([definition]) => definition), params: steps.map(([definition, params]) => paramsOf(definition, params)),
    inputFrames: [frames],
    plan: {
      index: 0, tier: 'wasm-threads', feed: 'chunks', headFrames: 1_024, workBytes: 3 * bytes, nodes,
      buffers: [
        buffer('input', wide, 1_024, -1, [0, 3]), buffer('internal', narrow, room, 0, [1]), buffer('internal', narrow, room, bytes, [2]),
        buffer('internal', wide, room, 2 * bytes, [3]), buffer('output', wide, room, -1, []),
      ],
    },
  }
}
const wave = (_: number, c: number, n: number): number => Math.fround(0.4 * Math.sin(n * (0.02 + c * 0.013)))

describe.each(hasShared ? [true, false] : [false])('Rust and AssemblyScript kernels in one program, shared memory %s (KE-11)', (shared) => {
  test('both interpreters: equal bits and counters; references within the parity of the resampler', async () => {
    const plan = segment(12_000)
    const rust = openRig('rust', await openBench(shared), plan, 16_384, wave)
    const twin = openRig('twin', await openBench(shared), plan, 16_384, wave)
    expect(drive(rust, () => 3_000, () => false)).toEqual(drive(twin, () => 3_000, () => false))
    expect(twin.program.reports()).toEqual(rust.program.reports())
    expect(rust.program.reports().map((report) => report.tag)).toEqual(['RUST', 'ASCR', 'RUST', 'ASCR'])
    const ours = rust.collected.get(4)!
    expect(twin.collected.get(4)).toEqual(ours)
    expect(Math.abs(ours.length / 2 - 12_000)).toBeLessThanOrEqual(2)
    const oracle = openRig('reference', openPlain(), plan, 16_384, wave)
    expect(drive(oracle, () => 3_000, () => false).at(-1)).toBe(PASS.DONE)
    const exact = oracle.collected.get(4)!
    expect(exact.length).toBe(ours.length)
    expect(exact.reduce((worst, y, i) => Math.max(worst, Math.abs(y - ours[i]!)), 0)).toBeLessThan(1e-5)
    expect(Math.max(...ours)).toBeGreaterThan(0.4)
  })

  test('the core allocates nothing in 10⁶ process calls (MW-62)', async () => {
    const bench = await openBench(shared)
    const spec = specOf(resample.definition, {
      params: paramsOf(resample.definition, { rate: 16_000 }), media: { in: wide, out: narrow }, maxFrames: 256,
    })
    const kernel = compiledInstance(bench, spec), x = floats(bench.arena, 2, 256), y = floats(bench.arena, 2, 4_096), random = noise(3)
    for (let c = 0; c < 2; c++) for (let n = 0; n < 256; n++) x.channel(c)[n] = random()
    const before = bench.runtime.core.alloc_count()
    let produced = 0
    for (let call = 0; call < 1_000_000; call++) {
      const frames = call % 4
      kernel.setInput(0, { data: x.at, frames, stride: x.stride })
      kernel.setOutput(0, { data: y.at, frames: 4_096, stride: y.stride })
      produced += kernel.process(frames)
    }
    expect(produced).toBeGreaterThan(500_000)
    expect(bench.runtime.core.alloc_count()).toBe(before)
    expect(kernel.counters()).toMatchObject({ calls: 1_000_000, tag: 'RUST' })
  })

  test('instances of equal settings use one shared block, others their own; it is freed when nobody needs it', async () => {
    const bench = await openBench(shared), cache = new SharedBlocks(bench.arena), code = bench.runtime.kernel('core', 'resample')
    const open = (rate: number, maxFrames: number): KernelInstance => new KernelInstance(code, specOf(resample.definition, {
      params: paramsOf(resample.definition, { rate }), media: { in: wide, out: planar(2, rate) }, maxFrames,
    }), bench.arena, { shared: cache })
    const before = bench.arena.stats().blocks
    const a = open(16_000, 256), b = open(16_000, 1_024), c = open(22_050, 256)
    expect(a.sharedBytes).toBeGreaterThan(1_000)
    expect(cache.size).toBe(2)
    a.close()
    cache.trim()
    expect(cache.size).toBe(2)
    b.close()
    cache.trim()
    expect(cache.size).toBe(1)
    c.close()
    cache.trim()
    expect(bench.arena.stats().blocks).toBe(before)
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { BUFFER, BUFFER_FLAG, PASS, STEP, TIMELINE } from '../../src/kernels/contract.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { toGain } from '../../src/nodes/audio/gain/decibels.js'
import { mix } from '../../src/nodes/audio/mix.js'
import type { ControlChange } from '../../src/schedule/program.js'
import type { SegmentBuffer, SegmentNode } from '../../src/schedule/segment-plan.js'
import type { RandomSegment } from './random-segment.js'
import { drive, openRig, type Kind, type Rig } from './segment-rig.js'
import { noise, planar, specOf, type Bench } from './support.js'

const KINDS: readonly Kind[] = ['rust', 'twin', 'reference']
const media = planar(2)
let compiled: CompiledModules
beforeAll(async () => { compiled = await compileModules({ shared: false }) })

const hosts = new Map<Kind, Bench | Arena>()
function hostOf(kind: Kind): Bench | Arena {
  const host = hosts.get(kind) ?? openHost(kind)
  hosts.set(kind, host)
  return host
}
function openHost(kind: Kind): Bench | Arena {
  if (kind === 'reference') return createArena({ bytes: 16 * 2 ** 20, shared: false, wasm: false })
  const arena = createArena({ bytes: 16 * 2 ** 20, shared: false, wasm: true })
  return { arena, compiled, runtime: instantiateRuntime(compiled, arena.memory!) }
}
function buffer(kind: SegmentBuffer['kind'], value: string, readers: readonly number[], offset = -1, frames = 64): SegmentBuffer {
  return { kind, value, media, channels: 2, frameBytes: 4, capacity: frames, offset, readers, skip: 0, live: [0, Number.MAX_SAFE_INTEGER] }
}
function gainStep(
  n: number, inputs: readonly number[], outputs: readonly number[], more: Partial<SegmentNode> = {}, gainDb = 0,
): SegmentNode {
  return {
    spec: specOf(gain.definition, { params: { gainDb, invert: false }, media: { in: media, out: media }, maxFrames: 64 }),
    node: n, inputs, outputs, latencyFrames: 0, ...more,
  }
}
function segmentOf(
  nodes: readonly SegmentNode[], buffers: readonly SegmentBuffer[], frames: readonly number[], more: Partial<RandomSegment> = {},
): RandomSegment {
  return {
    plan: { index: 0, tier: 'wasm', feed: 'chunks', workBytes: 65_536, headFrames: 64, buffers, nodes }, inputFrames: frames,
    definitions: nodes.map((node) => node.spec.type === 'audio::mix' ? mix.definition : gain.definition),
    params: nodes.map(() => ({ gainDb: 0, invert: false })), ...more,
  }
}
/** One gain with planned changes over DC of `frames` frames: channel 0 of what comes out. */
function run(kind: Kind, changes: readonly ControlChange[], frames: number, chunk: () => number): { y: number[]; rig: Rig } {
  const segment = segmentOf([gainStep(0, [0], [1], { timeline: Math.max(1, changes.length) })], [
    buffer('input', 'x', [0]), buffer('output', 'y', []),
  ], [frames], { changes: changes.map((change) => ({ step: 0, change })) })
  const rig = openRig(kind, hostOf(kind), segment, 4_000, () => 1)
  expect(drive(rig, chunk, () => false).at(-1)).toBe(PASS.DONE)
  return { y: rig.collected.get(1)!.filter((_, n) => n % 2 === 0), rig }
}

describe.each(KINDS)('changes of controls inside a segment (%s, KE-15, AU-03)', (kind) => {
  test('a step at every offset 0…300 stands at its frame', () => {
    for (let at = 0; at <= 300; at++) {
      const { y, rig } = run(kind, [{ at, control: 0, value: 0.25, ramp: 0 }], 310, () => 1_000)
      expect(y.findIndex((value) => value !== 1), `offset ${at}`).toBe(at)
      expect(y.slice(at).every((value) => value === 0.25), `offset ${at}`).toBe(true)
      rig.close()
    }
  })

  test('ramps are a function of absolute time: closed form, any chunking', () => {
    const next = noise(5), changes: ControlChange[] = []
    for (let at = 0, n = 0; n < 12; n++) {
      changes.push({ at, control: 0, value: Math.fround((next() + 1) / 2), ramp: Math.floor((next() + 1) * 120) })
      at += 20 + Math.floor((next() + 1) * 100)
    }
    const expected: number[] = []
    let from = 1, to = 1, begin = 0, length = 0
    const at = (n: number): number =>
      length === 0 || n - begin >= length ? to : n <= begin ? from : Math.fround(from + (to - from) * ((n - begin) / length))
    for (let n = 0; n < 2_000; n++) {
      for (const change of changes) {
        if (change.at === n) { from = change.ramp === 0 ? change.value : at(n); to = change.value; begin = n; length = change.ramp }
      }
      expected.push(at(n))
    }
    for (const size of [1, 7, 64, 333, 2_000]) {
      const { y, rig } = run(kind, changes, 2_000, () => size)
      expect(y, `${size} frames`).toEqual(expected)
      rig.close()
    }
  })

  test('gain 0 → 1 on DC over 240 frames: no step above 1/240 + 1e-6', () => {
    const { y } = run(kind, [{ at: 0, control: 0, value: 0, ramp: 0 }, { at: 100, control: 0, value: 1, ramp: 240 }], 500, () => 50)
    expect(Math.max(...y.slice(1).map((value, n) => Math.abs(value - y[n]!)))).toBeLessThanOrEqual(1 / 240 + 1e-6)
    expect([y[100], y[340], y[499]]).toEqual([0, 1, 1])
  })

  test('a late change applies at once and is counted; a full timeline takes no more', () => {
    const segment = segmentOf([gainStep(0, [0], [1], { timeline: 1 })], [buffer('input', 'x', [0]), buffer('output', 'y', [])], [300])
    const rig = openRig(kind, hostOf(kind), segment, 4_000, () => 1), { u32 } = rig.arena
    rig.show(128)
    while (rig.interpreter.run(rig.program.address, 0) === PASS.MORE);
    expect(rig.program.change(0, { at: 10, control: 0, value: 0.5, ramp: 0 })).toBe(true)
    expect(rig.program.change(0, { at: 20, control: 0, value: 0.75, ramp: 0 })).toBe(false)
    drive(rig, () => 1_000, () => false)
    const y = rig.collected.get(1)!.filter((_, n) => n % 2 === 0)
    expect(y.findIndex((value) => value === 0.5)).toBe(128)
    expect(u32[(u32[(rig.program.steps + STEP.TIMELINE) >>> 2]! + TIMELINE.LATE) >>> 2]).toBe(1)
    expect(rig.program.change(0, { at: 500, control: 0, value: 1, ramp: 0 })).toBe(true)
  })
})

describe.each(KINDS)('a param driven by an edge (%s)', (kind) => {
  test('decibels frame by frame; NaN holds the last good value; an ended stream holds its last', () => {
    const buffers = [buffer('input', 'x', [0]), buffer('input', 'db', [0]), buffer('output', 'y', [])]
    const db = (n: number): number => n === 70 ? Number.NaN : Math.fround(-n / 8)
    for (const size of [1, 13, 64, 500]) {
      const rig = openRig(
        kind, hostOf(kind),
        segmentOf([gainStep(0, [0], [2], { driven: [{ buffer: 1, control: 0 }] })], buffers, [400, 150]),
        4_000, (b, _, n) => b === 0 ? 1 : db(n),
      )
      expect(drive(rig, () => size, () => false).at(-1)).toBe(PASS.DONE)
      const y = rig.collected.get(2)!.filter((_, n) => n % 2 === 0)
      expect(y).toEqual(Array.from({ length: 400 }, (_, n) => Math.fround(toGain(db(n === 70 ? 69 : Math.min(n, 149))))))
      expect(rig.program.reports()[0]).toMatchObject({ nonfinite: 1, framesIn: 400 })
      rig.close()
    }
  })

  test('the stream is longer than the sound: the segment ends with the sound', () => {
    const buffers = [buffer('input', 'x', [0]), buffer('input', 'db', [0]), buffer('output', 'y', [])]
    const rig = openRig(
      kind, hostOf(kind),
      segmentOf([gainStep(0, [0], [2], { driven: [{ buffer: 1, control: 0 }] })], buffers, [100, 900]),
      4_000, (b) => b === 0 ? 1 : -6,
    )
    expect(drive(rig, () => 30, () => false).at(-1)).toBe(PASS.DONE)
    expect(rig.collected.get(2)!.length).toBe(200)
  })
})

describe.each(['rust', 'twin'] as const)('silence (%s, KE-07)', (kind) => {
  /** Gains in a row, then a mixer of the last two. */
  function chain(): RandomSegment {
    const count = 5, buffers = [buffer('input', 'x', [0])], nodes: SegmentNode[] = []
    for (let n = 0; n < count; n++) {
      nodes.push(gainStep(n, [n], [n + 1], {}, -1))
      buffers.push(buffer('internal', `v${n}`, n === count - 1 ? [count] : n === count - 2 ? [n + 1, count] : [n + 1], n * 512))
    }
    const names = ['in.0', 'in.1'], all = { 'in.0': media, 'in.1': media, out: media }
    nodes.push({
      spec: specOf(mix.definition, { params: { gainDb: [0, 0], pan: [], mute: [], solo: [] }, media: all, inputs: names, maxFrames: 64 }),
      node: count, inputs: [count - 1, count], outputs: [count + 1], latencyFrames: 0,
    })
    buffers.push(buffer('output', 'y', []))
    return segmentOf(nodes, buffers, [64 * 40])
  }

  test('silent blocks call each kernel once; sound that follows is the same as without them', () => {
    const segment = chain(), loud = (n: number): boolean => n < 640 || n >= 1_280 && n < 1_920
    const wave = (_b: number, c: number, n: number): number => loud(n) ? Math.fround(Math.sin(n * 0.1 + c)) : 0
    const plain = openRig(kind, hostOf(kind), segment, 8_000, wave)
    drive(plain, () => 64, () => false)
    const told = openRig(kind, hostOf(kind), segment, 8_000, wave)
    const { u32 } = told.arena
    const flags = (told.program.buffer(0) + BUFFER.FLAGS) >>> 2
    let shown = 0
    drive(told, () => {
      u32[flags] = loud(shown) ? u32[flags]! & ~BUFFER_FLAG.SILENT : u32[flags]! | BUFFER_FLAG.SILENT
      shown += 64
      return 64
    }, () => false)
    expect([...told.collected]).toEqual([...plain.collected])
    // 20 loud blocks, and the first of each silence.
    expect(plain.program.reports().map((report) => report.calls)).toEqual([40, 40, 40, 40, 40, 40])
    expect(told.program.reports().map((report) => report.calls)).toEqual([22, 22, 22, 22, 22, 22])
    expect(told.program.reports().map((report) => report.framesIn)).toEqual([2_560, 2_560, 2_560, 2_560, 2_560, 2_560])
  })
})

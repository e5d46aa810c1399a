import { expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import type { Block } from '../../src/memory/block.js'
import { PressureGauge, type PressureLevel } from '../../src/memory/pressure.js'

test('a scripted fill passes every level, up at its border and down 2 % below (MW-12)', () => {
  const gauge = new PressureGauge(1_000)
  const at = (used: number): [PressureLevel, boolean] => { const changed = gauge.note(used); return [gauge.level, changed] }
  expect([0, 700, 701, 700, 680, 679, 720, 851, 830, 829, 940, 951, 930, 929, 0, 1_000].map(at)).toEqual([
    ['none', false], ['none', false], ['background', true], ['background', false], ['background', false], ['none', true],
    ['background', true], ['before-runs', true],
    ['before-runs', false], ['background', true], ['before-runs', true], ['wait', true], ['wait', false], ['before-runs', true],
    ['none', true], ['wait', true],
  ])
})

test('borders are exactly where the level changes', () => {
  const gauge = new PressureGauge(1_000)
  for (let used = 0; used <= 1_000; used++) expect(gauge.note(used)).toBe(used === 701 || used === 851 || used === 951)
  expect(gauge.above).toBe(Infinity)
  for (let used = 1_000; used >= 0; used--) {
    const passes = used < gauge.below
    expect(gauge.note(used)).toBe(passes)
  }
  expect([gauge.level, gauge.below]).toEqual(['none', -1])
})

test('an arena tells each change once, from its blocks as rounded', () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const seen: PressureLevel[] = [], blocks: Block[] = []
  const step = Math.floor(arena.stats().capacityBytes / 100)
  arena.store.onPressureChange = (level) => { seen.push(level) }
  const share = (): number => arena.stats().usedBytes / arena.stats().capacityBytes
  // Up and down across each border: within 2 % below it the level stays, below that it is left, and told anew.
  for (const [level, border, before] of [
    ['background', 0.7, 'none'], ['before-runs', 0.85, 'background'], ['wait', 0.95, 'before-runs'],
  ] as const) {
    while (share() <= border) blocks.push(arena.alloc(step))
    expect([seen.splice(0), arena.store.pressure]).toEqual([[level], level])
    while (share() > border - 0.01) blocks.pop()!.release()
    expect([seen, arena.store.pressure]).toEqual([[], level])
    while (share() >= border - 0.02) blocks.pop()!.release()
    expect([seen.splice(0), arena.store.pressure]).toEqual([[before], before])
    while (share() <= border) blocks.push(arena.alloc(step))
    expect(seen.splice(0)).toEqual([level])
  }
  while (share() < 0.97) blocks.push(arena.alloc(step))
  expect(seen).toEqual([])
  for (const block of blocks) block.release()
  expect(seen).toEqual(['before-runs', 'background', 'none'])
  expect(arena.store.pressure).toBe('none')
})

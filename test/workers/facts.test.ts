import { describe, expect, test } from 'vitest'
import { isMillraceError, type MillraceError } from '../../src/index.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import { FactBits } from '../../src/workers/facts.js'

const planOf = (module: string, more: Partial<SegmentPlan> = {}): SegmentPlan =>
  ({ tier: 'wasm', nodes: [{ spec: { nodeId: 'n', type: 'test::n', module } }], ...more }) as unknown as SegmentPlan
const refusal = (run: () => void): MillraceError => {
  try { run() } catch (error) { if (isMillraceError(error)) return error; throw error }
  throw new Error('expected a refusal')
}

describe('facts of segments and workers (MW-36)', () => {
  const bits = new FactBits(['core', 'mine'], { heavy: 1, warm: 2 }, 3)
  const workers = [0, 1, 2].map((place) => ({ facts: bits.ofWorker(place, ['core', 'mine']) }))

  test('a record holds only what some worker lacks', () => {
    expect(bits.recorded(planOf('core'))).toBe(0)
    expect(bits.recorded(planOf('mine', { tags: ['os:linux'] }))).toBe(0)
    const heavy = bits.recorded(planOf('core', { tags: ['heavy'] })), both = bits.recorded(planOf('core', { tags: ['heavy', 'warm'] }))
    expect(workers.map(({ facts }) => [(heavy & ~facts) === 0, (both & ~facts) === 0]))
      .toEqual([[true, true], [false, false], [false, false]])
    expect(new FactBits(['core'], { heavy: 3 }, 3).recorded(planOf('core', { tags: ['heavy'] }))).toBe(0)
  })

  test('what no worker has is refused with names', () => {
    bits.require([planOf('core'), planOf('mine', { tags: ['heavy'] })], workers)
    expect(refusal(() => { bits.require([planOf('core', { tags: ['heavy'] })], workers.slice(1)) }))
      .toMatchObject({ code: 'CAPABILITY_MISSING', nodeId: 'n', message: expect.stringContaining('tag heavy') })
    expect(refusal(() => { bits.require([planOf('mine')], [{ facts: bits.ofWorker(0, ['core']) }]) }))
      .toMatchObject({ code: 'CAPABILITY_MISSING', details: { fact: 'a worker with module mine' } })
    expect(refusal(() => { bits.require([planOf('core', { tier: 'js' })], workers) }))
      .toMatchObject({ code: 'TIER_UNAVAILABLE', nodeId: 'n' })
    expect(refusal(() => { bits.require([planOf('core')], []) }).code).toBe('TIER_UNAVAILABLE')
  })

  test('more modules than bits: those beyond count as everywhere', () => {
    const names = Array.from({ length: 40 }, (_, i) => `m${i}`), many = new FactBits(names, { heavy: 1 }, 2)
    expect(names.map((name) => many.recorded(planOf(name)))).toEqual(names.map(() => 0))
    expect(many.recorded(planOf('m39', { tags: ['heavy'] }))).not.toBe(0)
    many.require([planOf('m39')], [{ facts: many.ofWorker(1, names) }])
  })
})

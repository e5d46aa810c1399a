import { expect, test } from 'vitest'
import { BlockWatch } from '../../src/schedule/block-watch.js'
import type { Clock } from '../../src/schedule/clock.js'

/** A watch with `hangMs` 100 on a clock that only the test moves; `turn` lets the event loop turn. */
function rig(hangMs = 100): {
  readonly watch: BlockWatch
  readonly other: BlockWatch
  readonly told: string[]
  readonly pass: (ms: number) => void
  readonly turn: () => Promise<void>
} {
  let now = 0
  const turns: (() => void)[] = [], told: string[] = []
  const clock: Clock = {
    nowUs: () => now, nowMs: () => now / 1000, resolutionUs: 1, sleep: () => Promise.resolve(),
    yield: () => new Promise((resolve) => { turns.push(resolve) }),
  }
  const made = (name: string): BlockWatch => new BlockWatch({ clock, hangMs, blocked: (ms) => { told.push(`${name} ${ms}`) } })
  return {
    watch: made('a'), other: made('b'), told, pass: (ms) => { now += ms * 1000 },
    turn: async () => { for (const go of turns.splice(0)) go(); for (let i = 0; i < 4; i++) await Promise.resolve() },
  }
}

test('a call and what follows an await in the same turn of the event loop are measured; 0 measures nothing', () => {
  const { watch, told, pass } = rig()
  expect(watch.call(() => { pass(101); return 7 })).toBe(7)
  expect(() => watch.call(() => { pass(102); throw new Error('over') })).toThrow('over')
  watch.call(() => { pass(100) })
  watch.begin()
  pass(103)
  watch.end()
  expect(told).toEqual(['a 101', 'a 102', 'a 103'])
  const none = rig(0)
  none.watch.call(() => { none.pass(9_999) })
  none.watch.begin()
  none.pass(9_999)
  none.watch.end()
  expect(none.told).toEqual([])
})

test('who waits blocks nobody, and a sign of life counts from anew', async () => {
  const { watch, told, pass, turn } = rig()
  watch.begin()
  pass(500)
  await turn()
  watch.end()
  expect(told).toEqual([])
  watch.begin()
  for (let n = 0; n < 5; n++) { pass(90); watch.beat() }
  watch.end()
  watch.beat()
  expect(told).toEqual([])
  watch.begin()
  pass(150)
  watch.beat()
  watch.end()
  expect(told).toEqual(['a 150'])
})

test('a call of one node is not laid at the door of another that goes on in the same turn; without calls both are named', () => {
  const { watch, other, told, pass } = rig()
  watch.begin()
  other.call(() => { pass(200) })
  watch.end()
  expect(told).toEqual(['b 200'])
  watch.begin()
  other.begin()
  pass(300)
  watch.end()
  other.end()
  expect(told).toEqual(['b 200', 'a 300', 'b 300'])
})

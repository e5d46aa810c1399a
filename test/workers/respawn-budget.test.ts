import { expect, test } from 'vitest'
import { RespawnBudget } from '../../src/workers/respawn-budget.js'

const MINUTE = 60_000_000

test('a loss is counted once, by whoever starts next; one that is one too many stays owed until there is room', () => {
  const budget = new RespawnBudget<string>(2)
  for (const loss of ['a', 'b', 'c']) budget.owe(loss, 0)
  expect(budget.settle(1, ['b'])).toBeUndefined()
  expect(budget.settle(2, ['b'])).toBeUndefined()
  expect([budget.settle(3), budget.settle(4), budget.owes]).toEqual(['c', 'c', true])
  expect([budget.hasRoom(5), budget.hasRoom(2 + MINUTE)]).toEqual([false, true])
})

test('many that end at once break one minute, not one for each few of them', () => {
  const budget = new RespawnBudget<number>(2)
  for (let loss = 0; loss < 16; loss++) budget.owe(loss, 0)
  expect(budget.settle(1)).toBe(2)
  expect(budget.settle(MINUTE + 1)).toBeUndefined()
  expect([budget.owes, budget.take(MINUTE + 2), budget.take(MINUTE + 3), budget.take(MINUTE + 4)]).toEqual([false, true, true, false])
})

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

test('idle ones that had all started before the first of them ended count as one; those that came in their place count again', () => {
  const budget = new RespawnBudget<string>(2)
  for (let n = 0; n < 16; n++) budget.owe(`first ${n}`, 100 + n, n)
  expect([budget.settle(200), budget.owes]).toEqual([undefined, false])
  for (let n = 0; n < 16; n++) budget.owe(`second ${n}`, 400 + n, 300 + n)
  expect(budget.settle(500)).toBeUndefined()
  for (let n = 0; n < 16; n++) budget.owe(`third ${n}`, 800 + n, 700 + n)
  expect(budget.settle(900)).toBe('third 0')
})

test('one that did something counts, whenever it had started; of idle ones that end a minute apart each counts', () => {
  const budget = new RespawnBudget<string>(10)
  budget.owe('idle', 100, 1)
  for (let n = 0; n < 9; n++) budget.owe(`busy ${n}`, 100)
  expect(budget.settle(101)).toBeUndefined()
  budget.owe('another', 102)
  expect(budget.settle(103)).toBe('another')
  const late = new RespawnBudget<string>(1)
  late.owe('idle', 100, 1)
  expect(late.settle(101)).toBeUndefined()
  late.owe('a minute later', 100 + MINUTE, 1)
  expect([late.owes, late.settle(102 + MINUTE), late.take(103 + MINUTE)]).toEqual([true, undefined, false])
})

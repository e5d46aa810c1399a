import { describe, expect, test } from 'vitest'
import { exploreStates, type Search } from './explore-states.js'
import { brokenIn, keyOf, partsOf, startOf, reachedIn, type Plan } from './task-protocol.js'

function search(plan: Plan): Search {
  try {
    return exploreStates({ start: startOf(plan), parts: partsOf(plan), key: keyOf(plan), broken: brokenIn(plan), reached: reachedIn(plan) })
  } catch (error) { return { states: 0, wrong: (error as Error).message, path: [] } }
}

const CHAIN = [[1], []], PAIR = [[], []], JOIN = [[2], [2], []]

describe('claim, complete, rebuild (MW-34, MW-35): a worker ended between any two steps', () => {
  test.each([
    ['a chain, two workers, one end', { edges: CHAIN, workers: 2, kills: 1 }],
    ['a chain, one worker, two ends', { edges: CHAIN, workers: 1, kills: 2 }],
    ['two tasks, two workers, one end', { edges: PAIR, workers: 2, kills: 1 }],
    ['a join, one worker, two ends', { edges: JOIN, workers: 1, kills: 2 }],
    ['a chain, two workers, one told to stop', { edges: CHAIN, workers: 2, kills: 0, dismissals: 1 }],
    ['a chain, one worker, one told to stop, one end', { edges: CHAIN, workers: 1, kills: 1, dismissals: 1 }],
    ['a chain, two workers, two ends', { edges: CHAIN, workers: 2, kills: 2 }],
    ['a join, two workers, one end', { edges: JOIN, workers: 2, kills: 1 }],
    ['a chain, three workers, one end', { edges: CHAIN, workers: 3, kills: 1 }],
    ['a chain, two workers, one told to stop, one end', { edges: CHAIN, workers: 2, kills: 1, dismissals: 1 }],
  ])('%s: every task is done exactly once', (_name, plan) => {
    const found = search(plan)
    expect(found).toMatchObject({ wrong: undefined, path: [] })
    expect(found.states).toBeGreaterThan(200)
  })

  test.each([
    ['one worker, two ends', { edges: CHAIN, workers: 1, kills: 2 }], ['two workers alike', { edges: PAIR, workers: 2, kills: 0 }],
  ])('%s: what keys of states leave out decides nothing', (_name, plan) => {
    const key = keyOf(plan), reduced = new Set<string>()
    const whole = exploreStates({
      start: startOf(plan), parts: partsOf(plan),
      key: (state) => { reduced.add(key(state).join()); return JSON.stringify(state) },
      broken: brokenIn(plan), reached: reachedIn(plan),
    })
    expect(whole.wrong).toBe(undefined)
    expect(search(plan).states).toBe(reduced.size)
    expect(reduced.size).toBeLessThan(whole.states)
  })

  test.each([
    ['look before announce', CHAIN], ['no quiet', CHAIN], ['finish while rebuilding', PAIR], ['owner word alone', CHAIN],
    ['written is not done', CHAIN], ['pending kept', CHAIN], ['left kept', CHAIN], ['ring kept', CHAIN],
  ])('planted fault found: %s', (fault, edges) => {
    // The smallest model that shows it.
    const found = [[1, 1], [1, 2], [2, 1], [2, 2]].some(([workers, kills]) =>
      search({ edges, workers: workers!, kills: kills!, fault }).wrong !== undefined)
    expect(found, 'no fault found').toBe(true)
  })
  test('planted fault found: a thread told to stop cancels its task, though its run goes on', () => {
    expect(search({ edges: CHAIN, workers: 1, kills: 0, dismissals: 1, fault: 'dismissed is cancelled' }).wrong)
      .toBe('the goal cannot be reached any more')
  })
})

describe('cancel (MW-35): the job is published, then the run’s word read; the word is written, then the slots are scanned', () => {
  test.each([
    ['two workers, no end', CHAIN, 2, 0], ['two workers, one task, one end', [[]], 2, 1], ['one worker, two ends', CHAIN, 1, 2],
  ])('%s: no kernel runs on, no task stays open', (_name, edges, workers, kills) => {
    const found = search({ edges, workers, kills, cancels: true })
    expect(found).toMatchObject({ wrong: undefined, path: [] })
  })
  test('one worker told to stop meanwhile: as well', () => {
    expect(search({ edges: CHAIN, workers: 1, kills: 1, dismissals: 1, cancels: true })).toMatchObject({ wrong: undefined, path: [] })
  })
  test.each(['cancel before publish', 'scan before the word'])('planted fault found: %s', (fault) => {
    expect(search({ edges: CHAIN, workers: 1, kills: 0, cancels: true, fault }).wrong).toMatch(/runs on/)
  })
})

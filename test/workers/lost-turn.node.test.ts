/** A pass of a limited run on shared memory that is lost with its worker: its permit is back until it is delivered again (EX-55, MW-47). */
import { expect, test } from 'vitest'
import { TASK, TASK_STATE } from '../../src/memory/layout.js'
import type { EngineSegment } from '../../src/schedule/engine-segment.js'
import { DispatchQueue, type Handed, type Piece } from '../../src/workers/dispatch-queue.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { SharedRun } from '../../src/workers/shared-run.js'
import type { SharedOptions } from '../../src/workers/shared-executor.js'
import { emptyProgram, makePool } from './support.js'

const ticks = async (): Promise<void> => { for (let n = 0; n < 20; n++) await Promise.resolve() }

test.each([
  [false], [true],
])('others of its run go on meanwhile, and it waits for its turn again (cancelled meanwhile: %s)', async (cancelled) => {
  const { arena, runtime: { core }, pool } = await makePool({}, true)
  const looks = new Set<() => void>(), sleeping: (() => void)[] = [], stop = new AbortController()
  const segment = {
    plan: { nodes: [], hangMs: undefined }, program: {}, save: () => undefined, restore: () => undefined, account: () => undefined,
  } as unknown as EngineSegment
  const options = {
    arena, core,
    clock: { nowUs: () => 1, yield: () => Promise.resolve(), sleep: () => new Promise<void>((resolve) => { sleeping.push(resolve) }) },
    pool: {
      hold: () => () => undefined,
      host: { soon: () => false, listen: (look: () => void) => { looks.add(look); return () => looks.delete(look) } },
      account: () => undefined, cancelRun: () => undefined,
    },
  } as unknown as SharedOptions
  const queue = new DispatchQueue<string>(() => ['all']), share = { priority: 0, limit: 1, age: 0 },
    mine: Piece<string> = { share, lane: 1, index: 0 }, other: Piece<string> = { share, lane: 1, index: 1 }
  let turn: Handed<string> | undefined = await queue.enter(mine, 0, stop.signal)
  const gate = { leave: () => { turn?.leave() }, enter: async () => { turn = await queue.enter(mine, 9, stop.signal) } }
  const run = new SharedRun(options, [{ segment, turn: gate, spec: { program: emptyProgram(arena), successors: [], pending: 0 } }], {
    signal: stop.signal, startUs: 0, share,
  } as never, 0, new Set(), () => undefined)
  const ended = run.activate(0).then((status) => status, (error: unknown) => error)
  const task = run.table.task(0)
  const state = (): number => run.table.state(0)
  let theirs: Handed<string> | undefined
  void Promise.resolve(queue.enter(other, 1, stop.signal)).then((handed) => { theirs = handed }, () => undefined)
  await ticks()
  expect([state(), theirs]).toEqual([TASK_STATE.READY, undefined])
  // Its worker is gone, and the run is rebuilt.
  arena.u32[(task + TASK.STATE) >>> 2] = TASK_STATE.DELAYED
  run.recovered({} as LostWorker)
  await ticks()
  expect([state(), theirs !== undefined]).toEqual([TASK_STATE.DELAYED, true])
  for (const wake of sleeping.splice(0)) wake()
  await ticks()
  // The other one still has the permit.
  expect([state(), queue.size]).toEqual([TASK_STATE.DELAYED, 1])
  if (cancelled) stop.abort(new Error('stopped'))
  theirs!.leave()
  await ticks()
  expect([state(), queue.size]).toEqual([cancelled ? TASK_STATE.CANCELLED : TASK_STATE.READY, 0])
  arena.u32[(task + TASK.STATE) >>> 2] = cancelled ? TASK_STATE.CANCELLED : TASK_STATE.DONE
  for (const look of looks) look()
  await ended
  await run.close()
  await pool.close()
})

import { describe, expect, test } from 'vitest'
import { NONE, PASS, PROGRAM, STATUS, STEP, TAKE } from '../../src/kernels/contract.js'
import { ARENA, RUN, SLOT, TASK, TASK_STATE } from '../../src/memory/layout.js'
import { runLoop, type LoopContext } from '../../src/workers/worker-loop.js'

const TASK_AT = 256, PROGRAM_AT = 512, STEPS_AT = 1024
/** The run that the slot says it executes, and its cancel word. */
const RUN_INDEX = 3
const CANCEL_AT = 64 + ARENA.RUNS + RUN_INDEX * RUN.BYTES + RUN.CANCEL
const SLOT_CANCEL_AT = 64 + ARENA.SLOTS + 5 * SLOT.BYTES + SLOT.CANCEL

/** A loop whose core says what the test says: `takes` in order, then CLOSED; `results` of the passes in order. */
function scripted(
  takes: readonly number[], results: readonly (number | Error)[], steps = 1,
): { context: LoopContext; log: unknown[]; u32: Uint32Array } {
  const u32 = new Uint32Array(0x10000), log: unknown[] = [], left = [...takes], passes = [...results]
  u32[(TASK_AT + TASK.PROGRAM) >>> 2] = PROGRAM_AT
  u32[(PROGRAM_AT + PROGRAM.STEPS) >>> 2] = STEPS_AT
  u32[(64 + ARENA.SLOTS + 5 * SLOT.BYTES + SLOT.RUN) >>> 2] = RUN_INDEX + 1
  u32[(PROGRAM_AT + PROGRAM.STEP_COUNT) >>> 2] = steps
  let now = 1000
  const result = (): number => {
    now += 10
    const next = passes.shift() ?? PASS.DONE
    if (typeof next !== 'number') throw next
    return next
  }
  return {
    log, u32, context: {
      core: {
        task_take: (base, slot, _facts, wait) => { log.push(['take', base, slot, wait]); return left.shift() ?? TAKE.CLOSED },
        task_finish: (_base, slot, task, state, status) => { log.push(['finish', slot, task, state, status]); return 0 },
        segment_run: (program, thread) => { log.push(['run', program, thread]); return result() },
        segment_step: (
          _program, thread, step,
        ) => { log.push(['step', thread, step]); if (step < steps - 1) { now += 3; return PASS.MORE } return result() },
      },
      u32, base: 64, slot: 5, idleMs: 7, nowUs: () => now,
      turn: () => { log.push('turn'); return Promise.resolve() }, mail: () => { log.push('mail'); return Promise.resolve(true) },
      failed: (task, error) => { log.push(['failed', task, (error as Error).message]) },
      finished: () => { log.push('finished'); return true }, corrupt: () => { log.push('corrupt') }, facts: -1,
    },
  }
}
const finishOf = (log: readonly unknown[]): unknown => log.find((entry) => Array.isArray(entry) && entry[0] === 'finish')

describe('what the loop does with what it takes', () => {
  test('nothing: the event loop gets a turn; mail: it is read; closed: the end', async () => {
    const { context, log } = scripted([TAKE.TIMEOUT, TAKE.MAIL, TAKE.CLOSED], [])
    await runLoop(context)
    const take = ['take', 64, 5, 7]
    expect(log).toEqual([take, 'turn', take, 'mail', take])
  })

  test('mail that says stop is the end', async () => {
    const { context, log } = scripted([TAKE.MAIL, TASK_AT], [])
    await runLoop({ ...context, mail: () => Promise.resolve(false) })
    expect(log.length).toBe(1)
  })

  test.each([
    ['DONE', PASS.DONE, TASK_STATE.DONE], ['NEED_INPUT', PASS.NEED_INPUT, TASK_STATE.WAITING],
    ['OUTPUT_FULL', PASS.OUTPUT_FULL, TASK_STATE.WAITING],
    ['CANCELLED', STATUS.CANCELLED, TASK_STATE.CANCELLED], ['BAD_DATA', STATUS.BAD_DATA, TASK_STATE.FAILED],
    ['NO_ROOM', STATUS.NO_ROOM, TASK_STATE.FAILED],
  ])('passes go on until %s', async (_name, code, state) => {
    const { context, log, u32 } = scripted([TASK_AT], [PASS.MORE, PASS.MORE, code])
    u32[(TASK_AT + TASK.QUEUED_US) >>> 2] = 400
    u32[CANCEL_AT >>> 2] = code === STATUS.CANCELLED ? 1 : 0
    await runLoop(context)
    expect(log.filter((entry) => Array.isArray(entry) && entry[0] === 'run'))
      .toEqual(Array.from({ length: 3 }, () => ['run', PROGRAM_AT, 5 + 16]))
    expect(finishOf(log)).toEqual(['finish', 5, TASK_AT, state, code])
    expect([TASK.START_US, TASK.QUEUED_US, TASK.BUSY_US, TASK.PASSES].map((field) => u32[(TASK_AT + field) >>> 2]))
      .toEqual([1000, 600, 30, 3])
  })

  test('a thread that is told to stop while its run goes on leaves the task as it is, and ends', async () => {
    const { context, log, u32 } = scripted([TASK_AT, TASK_AT], [PASS.MORE, STATUS.CANCELLED])
    u32[SLOT_CANCEL_AT >>> 2] = 2
    await runLoop(context)
    expect(finishOf(log)).toBe(undefined)
    expect(log.at(-1)).toEqual(['run', PROGRAM_AT, 5 + 16])
  })

  test('a cancel that was meant for the run before: between passes the task goes on, half way through a kernel it is left to another delivery at once', async () => {
    const late = (step: number): ReturnType<typeof scripted> => {
      const one = scripted([TASK_AT], [PASS.MORE, STATUS.CANCELLED, PASS.MORE, PASS.DONE])
      one.u32[SLOT_CANCEL_AT >>> 2] = 1
      one.u32[(PROGRAM_AT + PROGRAM.FAILED_STEP) >>> 2] = step
      return one
    }
    const between = late(NONE), inside = late(0)
    await runLoop(between.context)
    expect(finishOf(between.log)).toEqual(['finish', 5, TASK_AT, TASK_STATE.DONE, PASS.DONE])
    expect(between.u32[SLOT_CANCEL_AT >>> 2]).toBe(0)
    await runLoop(inside.context)
    expect(finishOf(inside.log)).toBe(undefined)
    expect(inside.log.at(-1)).toEqual(['failed', 0, 'a kernel stopped that nobody cancelled'])
  })

  test('a trap is reported and ends the loop; the task is left to the engine', async () => {
    const { context, log, u32 } = scripted([TASK_AT, TASK_AT], [PASS.MORE, new Error('unreachable')])
    await runLoop(context)
    expect(log.at(-1)).toEqual(['failed', TASK_AT, 'unreachable'])
    expect(finishOf(log)).toBe(undefined)
    expect(log.filter((entry) => Array.isArray(entry) && entry[0] === 'take').length).toBe(1)
    expect(u32[(TASK_AT + TASK.BUSY_US) >>> 2]).toBe(20)
  })

  test('every 64th pass is timed step by step, over all activations of the task', async () => {
    const passes = 130
    const { context, log, u32 } =
      scripted([TASK_AT, TASK_AT], [...Array.from({ length: passes - 1 }, () => PASS.MORE as number), PASS.NEED_INPUT, PASS.DONE], 2)
    await runLoop(context)
    const sampled = log.filter((entry) => Array.isArray(entry) && entry[0] === 'step').length / 2
    expect(u32[(TASK_AT + TASK.PASSES) >>> 2]).toBe(131)
    expect(sampled).toBe(3)
    expect([u32[(STEPS_AT + STEP.SAMPLE_NS) >>> 2], u32[(STEPS_AT + STEP.BYTES + STEP.SAMPLE_NS) >>> 2]]).toEqual([9000, 30_000])
  })
})

/**
 * A worker ended at random instants while it takes and finishes tiny tasks: every task is done exactly once
 * (MW-34). Node, and Chromium with shared memory.
 */
import { afterAll, describe, expect, inject, test } from 'vitest'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { compileModules } from '../../src/kernels/compile.js'
import { PROGRAM, STEP } from '../../src/kernels/contract.js'
import { processEntry } from '../../src/kernels/runtime.js'
import { ARENA, layoutHash, RUN, RUN_FLAG, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import { RunTable, type TaskSpec } from '../../src/workers/run-table.js'
import type { SpawnWorker } from '../../src/workers/spawn.js'
import { craftModule } from '../kernels/craft-module.js'
import { emptyProgram, makePool, shares, spawner } from './support.js'

const node = hostFacts().node
/** `process` counts down from 200 000 (about 100 µs), adds 1 to the last word of its Io, and says that it has ended. */
const BODY = [
  0x41, 0xc0, 0x9a, 0x0c, 0x21, 0x00, 0x03, 0x40, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b,
  0x20, 0x01, 0x20, 0x01, 0x28, 0x02, 0x3c, 0x41, 0x01, 0x6a, 0x36, 0x02, 0x3c, 0x41, 0x7e, 0x0f,
]
const EXPORTS = ['millrace_abi', 'millrace_layout', 'count_size', 'count_init', 'count_reset', 'count_process']
const variables: Readonly<Record<string, string | undefined>> = node ? process.env : inject('variables')
const setting = (name: string, value: number): number => Number(variables[name] ?? value)
const KILLS = setting('MILLRACE_KILLS', node ? 40 : 6), TASKS = 300
/** A program of one step, its Io at the end. */
const PROGRAM_BYTES = PROGRAM.BYTES + STEP.BYTES + 64

/** Ends a thread behind the pool's back, as a host might. */
const threads: { terminate(): unknown; readonly threadId?: number }[] = []
interface Host { Worker: new (...words: never[]) => { terminate(): unknown; readonly threadId?: number } }
const host = (node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as Host, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: never[]) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = Real })

/** Small numbers that look random, the same each time. */
function noise(seed: number): () => number {
  let state = seed >>> 0
  return () => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return state / 2 ** 32 }
}

describe.runIf(shares)('workers ended at random instants', () => {
  test(`${KILLS} times, in random graphs of ${TASKS} tiny tasks: each is done once, none before its predecessors, nothing is left`, {
    timeout: 120_000 + KILLS * 500,
  }, async () => {
    const random = noise(setting('MILLRACE_SEED', 11)), spawn: SpawnWorker = spawner()
    let table: RunTable | undefined, orphans = 0
    const counting = craftModule({ exports: EXPORTS, body: BODY, layout: layoutHash() })
    const { pool, arena, runtime } = await makePool({
      compiled: () => compileModules({ shared: true, kernels: { counting } }), spawn, size: 3, respawns: Number.POSITIVE_INFINITY,
      warmSpares: 1,
      onRecovered: () => {
        for (let task = 0; table !== undefined && task < table.count; task++) {
          if (table.state(task) === TASK_STATE.DELAYED) { orphans++; table.push(task, 1) }
        }
      },
    })
    const letGo = pool.hold()
    await pool.register([{ id: 0, module: 'counting', name: 'count' }])
    await pool.ensure(3)
    const programs = Array.from({ length: TASKS }, () => emptyProgram(arena, 1, processEntry(0)))
    const saved = programs.map((at) => arena.u8.slice(at, at + PROGRAM_BYTES))
    const used = arena.stats(), stacks = runtime.core.alloc_used()
    let kills = 0, rounds = 0
    for (; kills < KILLS; rounds++) {
      const after: number[][] = Array.from({ length: TASKS }, () => []), pending = new Array<number>(TASKS).fill(0)
      for (let task = 1; task < TASKS; task++) {
        for (const before of new Set(Array.from({ length: Math.floor(random() * 3) }, () =>
          Math.max(0, task - 1 - Math.floor(random() * 30))))) { after[before]!.push(task); pending[task]!++ }
      }
      const lanes = ['high', 'normal', 'low'] as const
      const specs = after.map((successors, task): TaskSpec => ({
        program: programs[task]!, successors, pending: pending[task]!, lane: lanes[task % 3]!,
      }))
      programs.forEach((at, i) => { arena.u8.set(saved[i]!, at) })
      const now = table = new RunTable(arena, runtime.core, specs, { limit: rounds % 3 }, pool.recovery)
      const word = (field: number): number => Atomics.load(arena.u32, (arena.base + ARENA.RUNS + now.index * RUN.BYTES + field) >>> 2)
      pending.forEach((n, task) => { if (n === 0) now.push(task, 1) })
      const wanted = 1 + Math.floor(random() * 2)
      for (let k = 0; k < wanted && word(RUN.TASKS_LEFT) > 0; k++, kills++) {
        const until = performance.now() + random() * 12
        while (performance.now() < until) await hostClock.yield()
        // A browser does not tell which are gone already.
        const alive = threads.filter(({ threadId = 1 }) => threadId > 0).slice(-4)
        const ours = pool.workers
        const told = ours[Math.floor(random() * ours.length)]
        // By the host, or by the pool, which first tells a thread to stop: its kernel may see that.
        if (random() < 0.5 && told !== undefined) pool.lose(told, 'hang', 'ended by the test')
        else await alive[Math.floor(random() * alive.length)]?.terminate()
      }
      const begun = performance.now()
      while (word(RUN.TASKS_LEFT) > 0) {
        if (performance.now() - begun > 20_000) {
          throw new Error(`round ${rounds}: ${word(RUN.TASKS_LEFT)} tasks left, states ${specs.map((_, task) => now.state(task)).join('')}: ${JSON.stringify(pool.stats())}`)
        }
        await hostClock.sleep(1)
      }
      await pool.recovery.rebuild()
      expect(specs.every((_, task) => now.state(task) === TASK_STATE.DONE)).toBe(true)
      // Woken workers look once more, and count themselves while they do; a loss that is told late rebuilds once more.
      while ((word(RUN.TASKS_RUNNING) > 0 || (word(RUN.FLAGS) & RUN_FLAG.REBUILDING) !== 0) && performance.now() - begun < 20_000) {
        await hostClock.sleep(1)
      }
      expect([word(RUN.TASKS_LEFT), word(RUN.TASKS_RUNNING), word(RUN.FLAGS) & RUN_FLAG.REBUILDING]).toEqual([0, 0, 0])
      // A kernel came to its end once for each task; twice only where its worker was ended between that and its own word for it.
      const counts = programs.map((at) => arena.u32[(at + PROGRAM_BYTES - 4) >>> 2]!)
      expect(Math.min(...counts)).toBe(1)
      expect(counts.reduce((sum, count) => sum + count - 1, 0)).toBeLessThanOrEqual(orphans)
      await now.close(hostClock)
    }
    while (pool.stats().count < 3) await hostClock.sleep(5)
    letGo()
    expect(pool.broken).toBe(undefined)
    await pool.close()
    expect(Array.from({ length: RUN.COUNT }, (_, run) => Atomics.load(arena.u32, (arena.base + ARENA.RUNS + run * RUN.BYTES) >>> 2))
      .every((epoch) => epoch === 0)).toBe(true)
    // Spans of stacks stay with the core's allocator (PK-26); everything else is back.
    expect(arena.stats().usedBytes).toBeLessThan(used.usedBytes + 69_632 * 3)
    expect(runtime.core.alloc_used()).toBeLessThanOrEqual(stacks)
    console.log(`${kills} ends in ${rounds} graphs, ${orphans} tasks delivered again`)
  })
})

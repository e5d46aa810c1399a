import { expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import { ARENA, TASK_STATE } from '../../src/memory/layout.js'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { hostClock } from '../../src/engine/host-clock.js'
import { RunRecords } from '../../src/workers/run-records.js'
import { RunTable } from '../../src/workers/run-table.js'
import { emptyProgram, shares } from './support.js'

const never = new AbortController().signal

test('records go to those that wait, in order; a signal ends the waiting', async () => {
  const records = new RunRecords(1), got: number[] = [], stop = new AbortController()
  await records.acquire(never)
  const first = records.acquire(never).then(() => { got.push(1) })
  const gone = records.acquire(stop.signal)
  const last = records.acquire(never).then(() => { got.push(2) })
  stop.abort('enough')
  await expect(gone).rejects.toBe('enough')
  expect(got).toEqual([])
  records.release()
  await first
  expect(got).toEqual([1])
  records.release()
  await last
  expect(got).toEqual([1, 2])
  await expect(records.acquire(stop.signal)).rejects.toBe('enough')
})

test('a run that waits for input gives its record up, now or when one is needed; one that works does not', async () => {
  const records = new RunRecords(1)
  let retired = 0
  const retire = (): void => { retired++; records.release() }
  await records.acquire(never)
  records.idle(retire)
  records.busy(retire)
  const waits = records.acquire(never)
  expect(retired).toBe(0)
  records.idle(retire)
  await waits
  expect(retired).toBe(1)
  records.idle(retire)
  await records.acquire(never)
  expect(retired).toBe(2)
})

if (shares) {
  test('a cancelled task tells the engine at once, though others wait for it', async () => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true })
    const { core } = instantiateRuntime(await compileModules({ shared: true }), arena.memory!)
    const table = new RunTable(arena, core, [
      { program: emptyProgram(arena), pending: 0, successors: [1] },
      { program: emptyProgram(arena), pending: 1, successors: [] },
    ])
    table.push(0, 1)
    const word = (arena.base + ARENA.HOST_EVENT) >>> 2, before = Atomics.load(arena.u32, word)
    expect(core.task_finish(arena.base, -1, table.task(0), TASK_STATE.CANCELLED, -1)).toBe(0)
    expect(Atomics.load(arena.u32, word)).not.toBe(before)
    expect(table.state(1)).toBe(TASK_STATE.PENDING)
    await table.close(hostClock)
  })

  test('a table that does not fit leaves nothing allocated', async () => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true })
    const { core } = instantiateRuntime(await compileModules({ shared: true }), arena.memory!)
    const program = emptyProgram(arena), tasks = Array.from({ length: 3_000 }, () => ({ program, pending: 0, successors: [1, 2, 3] }))
    for (let room = arena.largestFreeBytes(); room > 200_000; room = arena.largestFreeBytes()) arena.allocate(room - 150_000)
    const { usedBytes, blocks } = arena.stats()
    expect(() => new RunTable(arena, core, tasks)).toThrow(expect.objectContaining({ code: 'ARENA_FULL' }) as Error)
    expect(arena.stats()).toMatchObject({ usedBytes, blocks })
  })

  test('100 segments at once on two workers all get their turn', async () => {
    await using engine = await createEngine({ workers: 2, tier: 'wasm-threads', arenaBytes: 2 ** 26 })
    const runs = Array.from({ length: 100 }, async (_, i) => {
      using result = await engine.run({
        out: gain(audioBuffer({ data: [Float32Array.from({ length: 500 }, () => i)], rate: 8_000 }), { gainDb: 0, invert: true }),
      })
      return (result.outputs.out.data as { toArray(): Float32Array }).toArray()[499]
    })
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 100 }, (_, i) => 0 - i))
  })
}

/** What ends or stops a worker, and what the pool makes of it (MW-02, MW-36, MW-45 to MW-53). Node, and Chromium with shared memory. */
import { afterEach, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { processEntry } from '../../src/kernels/runtime.js'
import { ARENA, layoutHash, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import type { MillraceError } from '../../src/errors/millrace-error.js'
import type { LostWorker, PoolOptions } from '../../src/workers/pool.js'
import { RunTable } from '../../src/workers/run-table.js'
import { craftModule } from '../kernels/craft-module.js'
import { emptyProgram, makePool, rejection, shares, spawner, workerCode, type Bench } from './support.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'mine_size', 'mine_init', 'mine_reset', 'mine_process'], ENTRY = processEntry(0)
/** Bodies of `process`: never returns; calls itself for ever; is done at once. */
const STUCK = [0x03, 0x40, 0x0c, 0x00, 0x0b], DEEP = [0x20, 0x00, 0x20, 0x01, 0x10, 0x05, 0x1a], DONE = [0x41, 0x7e, 0x0f]

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })
async function poolOf(body: readonly number[], options: Partial<PoolOptions> = {}): Promise<Bench
  & { lost: LostWorker[]; recovered: LostWorker[]; broken: MillraceError[] }> {
    const lost: LostWorker[] = [], recovered: LostWorker[] = [], broken: MillraceError[] = []
    const mine = craftModule({ exports: EXPORTS, body, layout: layoutHash() })
    const bench = await makePool({
      compiled: () => compileModules({ shared: true, kernels: { mine } }), size: 2, onLost: (one) => { lost.push(one) },
      onRecovered: (one) => { recovered.push(one) }, onBroken: (error) => { broken.push(error) }, ...options,
    })
    made.push(bench)
    await bench.pool.register([{ id: 0, module: 'mine', name: 'mine' }])
    return { ...bench, lost, recovered, broken }
  }
const tableOf = ({ arena, runtime, pool }: Bench, count = 1, facts = 0): RunTable =>
  new RunTable(
    arena, runtime.core,
    Array.from({ length: count }, () => ({ program: emptyProgram(arena, 1, ENTRY), pending: 0, successors: [], facts })),
    {}, pool.recovery,
  )
const until = async (reached: () => boolean, ms = 15_000): Promise<void> => {
  for (const end = performance.now() + ms; !reached();) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms`)
    await hostClock.sleep(2)
  }
}

describe.runIf(shares)('the supervisor', () => {
  test('a kernel that never returns is found by its silence, its worker replaced by the spare in the same slot with the next epoch', async () => {
    const bench = await poolOf(STUCK, { hangMs: 400 }), { pool, arena, lost, recovered } = bench, letGo = pool.hold()
    await pool.ensure(2)
    await until(() => pool.stats().spares === 1)
    const table = tableOf(bench), epoch = (slot: number): number => arena.u32[(arena.base + ARENA.SLOTS + slot * 64 + 0x24) >>> 2]!
    const began = performance.now(), epochs = [epoch(0), epoch(1)]
    table.push(0, 0)
    await until(() => lost.length === 1)
    expect(performance.now() - began).toBeGreaterThan(390)
    const [{ slot, error, records }] = lost as [LostWorker]
    expect(lost[0]).toMatchObject({
      reason: 'hang', state: { run: table.index, task: 0 },
      error: { code: 'WORKER_LOST', cause: { code: 'HEARTBEAT_LOST', details: { node: expect.stringContaining('task 0') } } },
    })
    // MW-06: its last entries are in the error.
    expect(records.slice(-2)).toMatchObject([{ kind: 'kernel', slot, task: 0 }, { kind: 'lost', slot }])
    expect(error.details['records']).toBe(records)
    await until(() => recovered.length === 1 && pool.stats().respawns === 1)
    expect(table.state(0)).toBe(TASK_STATE.DELAYED)
    expect(pool.stats()).toMatchObject({ count: 2, lost: 1, respawns: 1 })
    expect(pool.workers.map((worker) => worker.slot).sort()).toEqual([0, 1])
    expect(epoch(slot)).toBe(epochs[slot]! + 1)
    await until(() => pool.stats().spares === 1)
    table.end(0, TASK_STATE.CANCELLED, -1)
    await table.close(hostClock)
    letGo()
  })

  test('a supervisor that was itself held up raises no alarm', async () => {
    // Its clock jumps by a minute between two looks, as after a suspended machine.
    let offset = 0
    const clock = { ...hostClock, get resolutionUs() { return 1 }, nowUs: () => hostClock.nowUs() + offset }
    const bench = await poolOf(STUCK, { hangMs: 900, clock }), { pool, lost } = bench, letGo = pool.hold()
    await pool.ensure(1)
    const table = tableOf(bench)
    table.push(0, 0)
    await until(() => pool.stats().busy === 1)
    await hostClock.sleep(300)
    offset = 60_000_000
    await hostClock.sleep(600)
    expect(lost).toEqual([])
    // Armed again, it still sees the hang.
    await until(() => lost.length === 1)
    table.end(0, TASK_STATE.CANCELLED, -1)
    await until(() => !table.anyOpen() || table.state(0) === TASK_STATE.DELAYED)
    if (table.state(0) === TASK_STATE.DELAYED) table.end(0, TASK_STATE.CANCELLED, -1)
    await table.close(hostClock)
    letGo()
  })

  test('a stack overflow ends in a trap, not in the neighbour: the worker is replaced', async () => {
    const bench = await poolOf(DEEP), { pool, lost, recovered } = bench, letGo = pool.hold(), table = tableOf(bench)
    await pool.ensure(1)
    table.push(0, 0)
    await until(() => recovered.length === 1)
    expect(lost).toMatchObject([{ reason: 'trap', task: table.task(0), error: { cause: { message: expect.stringContaining('stack') } } }])
    expect(table.state(0)).toBe(TASK_STATE.DELAYED)
    table.end(0, TASK_STATE.FAILED, -6)
    await until(() => pool.stats().count === 1)
    await table.close(hostClock)
    letGo()
  })

  test('workers that crash again and again are replaced so often in a minute, then no more, with the cause', async () => {
    const bench = await poolOf(DEEP, { respawns: 3, size: 1 })
    const { pool, lost, broken } = bench, letGo = pool.hold(), table = tableOf(bench, 8)
    await pool.ensure(1)
    for (let task = 0; task < 8; task++) table.push(task, 0)
    await until(() => broken.length === 1)
    expect([lost.length, broken[0]!.code, pool.stats().respawns]).toEqual([4, 'WORKER_LOST', 3])
    expect(broken[0]!.cause).toMatchObject({ message: expect.stringContaining('stack') })
    expect(await rejection(pool.ensure(1))).toBe(broken[0])
    for (let task = 0; task < 8; task++) table.end(task, TASK_STATE.FAILED, -6)
    await table.close(hostClock)
    letGo()
  })

  test.each<readonly [string, string]>([
    ['throws a string', "setTimeout(() => { throw 'a string' })"], ['throws an error', "setTimeout(() => { throw new Error('too late') })"],
    ...(hostFacts().node
      ? [['calls process.exit', 'process.exit(5)'], ['exits by itself', 'setTimeout(() => process.exit(0))']] as const
      : [['closes itself', 'self.close()']] as const),
  ])('a worker that %s is found, replaced, its slot given to the next', async (_name, fatal) => {
    const port = "typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('worker_threads').parentPort : self"
    // A worker on shared memory turns its event loop when mail is announced.
    const code = `${workerCode}\n;{ const port = ${port}; const hear = (data) => { if (data === 'doom') { ${fatal} } }\nif (port.on) port.on('message', hear); else port.addEventListener('message', ({ data }) => hear(data)) }`
    const endpoints: { postMessage(message: unknown): void }[] = [], spawn = spawner(code)
    const bench = await poolOf(DONE, {
      spawn: (name) => { const handle = spawn(name); endpoints.push(handle.endpoint); return handle },
      warmSpares: 0, size: 1,
    })
    const { pool, lost } = bench, letGo = pool.hold()
    await pool.ensure(1)
    const asked = rejection(pool.workers[0]!.pending.call(() => new Promise(() => undefined)))
    endpoints[0]!.postMessage('doom')
    pool.slots.announce(0)
    await until(() => lost.length === 1)
    expect((await asked).code).toBe('WORKER_LOST')
    await until(() => pool.stats().count === 1)
    expect(pool.workers.map(({ ordinal, slot }) => [ordinal, slot])).toEqual([[2, 0]])
    const table = tableOf(bench)
    table.push(0, 0)
    await until(() => table.state(0) === TASK_STATE.DONE)
    await table.close(hostClock)
    letGo()
  })

  test('a magic that was written over is ARENA_CORRUPT: before a job, and at the next look; nobody goes on', async () => {
    for (const busy of [true, false]) {
      const bench = await poolOf(DONE, { size: 1 }), { pool, arena, broken } = bench, letGo = pool.hold(), table = tableOf(bench)
      await pool.ensure(1)
      // A worker that is awake may have looked at the magic already, and takes what comes next.
      await until(() => Atomics.load(arena.u32, (arena.base + ARENA.READY_SLEEPERS) >>> 2) === 1)
      arena.u32[arena.base >>> 2] = 0xdeadbeef
      if (busy) table.push(0, 0)
      await until(() => broken.length === 1 && pool.stats().count === 0)
      expect(broken[0]).toMatchObject({ code: 'ARENA_CORRUPT', details: { got: '0xdeadbeef', offset: 0 } })
      expect(table.state(0)).not.toBe(TASK_STATE.DONE)
      expect((await rejection(pool.ensure(1))).code).toBe('ARENA_CORRUPT')
      letGo()
    }
  })

  test('a canary that was written over is ARENA_CORRUPT after the job', async () => {
    const bench = await poolOf(DONE, { size: 1 }), { pool, arena, broken } = bench, letGo = pool.hold(), table = tableOf(bench)
    await pool.ensure(1)
    const low = pool.workers[0]!.report!.stack.stackAlloc
    arena.u32[(low >>> 2) + 5] = 7
    table.push(0, 0)
    await until(() => broken.length === 1)
    expect(broken[0]).toMatchObject({ code: 'ARENA_CORRUPT', details: { expected: 'canary of a stack', got: '0x7', offset: low + 20 } })
    letGo()
  })

  test('tasks go only to workers that have what they need (MW-36); one task waits for nobody', async () => {
    const bench = await poolOf(DONE, { size: 2, facts: (place) => place === 0 ? 0b01 : 0b11 }), { pool } = bench, letGo = pool.hold()
    await pool.ensure(2)
    const plain = tableOf(bench, 40), special = tableOf(bench, 40, 0b10), nobody = tableOf(bench, 1, 0b100)
    nobody.push(0, 0)
    for (let task = 0; task < 40; task++) { special.push(task, 0); plain.push(task, 0) }
    await until(() => [plain, special].every((table) => Array.from({ length: 40 }, (_, task) => table.state(task))
      .every((state) => state === TASK_STATE.DONE)))
    expect(new Set(Array.from({ length: 40 }, (_, task) => special.times(task).slot)))
      .toEqual(new Set([pool.workers.find(({ slot }) => slot === 1)!.slot]))
    expect(nobody.state(0)).toBe(TASK_STATE.READY)
    // It keeps nobody awake: both sleep, and nothing wakes them.
    const { u32, base } = bench.arena, word = (field: number): number => Atomics.load(u32, (base + field) >>> 2)
    await until(() => word(ARENA.READY_SLEEPERS) === 2)
    const event = word(ARENA.READY_EVENT)
    await hostClock.sleep(60)
    expect(word(ARENA.READY_EVENT)).toBe(event)
    await Promise.all([plain, special, nobody].map((table) => table.close(hostClock)))
    letGo()
  })

  test('draining takes no new work, lets what is under way end, then closes; a run that does not end is cut after its time', async () => {
    const quick = await poolOf(DONE), letGo = quick.pool.hold()
    await quick.pool.ensure(1)
    const drained = quick.pool.drain()
    expect((await rejection(quick.pool.register([{ id: 3, module: 'core', name: 'none' }]))).code).toBe('CLOSED')
    let done = false
    void drained.then(() => { done = true })
    await hostClock.sleep(50)
    expect([done, quick.pool.stats().count]).toEqual([false, 1])
    letGo()
    await drained
    expect(quick.pool.stats().count).toBe(0)
    const slow = await poolOf(STUCK), table = tableOf(slow)
    slow.pool.hold()
    await slow.pool.ensure(1)
    table.push(0, 0)
    await until(() => slow.pool.stats().busy === 1)
    await slow.pool.drain(100)
    expect(slow.pool.stats().count).toBe(0)
  })

  test('idle and busy time of a worker are its whole time (MW-54)', async () => {
    const bench = await poolOf(STUCK, { size: 1 }), { pool } = bench, letGo = pool.hold(), table = tableOf(bench)
    await pool.ensure(1)
    const from = hostClock.nowUs()
    await hostClock.sleep(40)
    table.push(0, 0)
    await until(() => pool.stats().busy === 1)
    await hostClock.sleep(60)
    const { workers: [worker], utilisation } = pool.stats(), wallUs = hostClock.nowUs() - from
    expect(Math.abs(worker!.idleUs + worker!.busyUs - wallUs)).toBeLessThan(20_000)
    expect(worker!.busyUs).toBeGreaterThan(40_000)
    expect(utilisation).toBeCloseTo(worker!.busyUs / (worker!.busyUs + worker!.idleUs), 6)
    letGo()
  })
})

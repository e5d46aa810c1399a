/**
 * Every field that the layout declares for the arena's fixed part, its runs, tasks and blocks is written by somebody, or stands in the
 * table of adr/0023 with the reason why nobody does; and no field stands there that is written (section 1 and MW-10). What is written is
 * found by looking while a worker's loop runs on this thread.
 */
import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { STATUS } from '../../src/kernels/contract.js'
import { compileModules } from '../../src/kernels/compile.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import {
  ARENA, ARENA_FLAG, BLOCK, BLOCK_FLAG, MAIL, QUEUE, RUN, RUN_FLAG, SCRATCH_SPAN_BYTES, SLOT, SLOT_PHASE, SLOT_STATUS, TASK, TASK_FLAG,
  TASK_STATE, THREAD,
} from '../../src/memory/layout.js'
import { layRing } from '../../src/memory/ring/audio-ring.js'
import { engineBlocks } from '../../src/workers/codec/channel-blocks.js'
import { CHANNEL_RING_BYTES, RingChannel } from '../../src/workers/codec/ring-channel.js'
import { HostEvent } from '../../src/workers/host-event.js'
import { Recovery } from '../../src/workers/recovery.js'
import { RunTable } from '../../src/workers/run-table.js'
import { Slots } from '../../src/workers/slots.js'
import { claimSlot } from '../../src/workers/worker-boot.js'
import { SharedWorker } from '../../src/workers/worker-shared.js'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { emptyProgram, makePool } from '../workers/support.js'

type Table = Readonly<Record<string, number>>
/** Starts of regions, and sizes: no words of their own. */
const NOT_FIELDS = ['BYTES', 'COUNT', 'SLOTS', 'GUARD', 'RUNS', 'THREADS', 'RECORDER', 'DATA', 'CELLS', 'CELL_BYTES']
const FIELDS: Readonly<Record<string, Table>> = { ARENA, SLOT, RUN, TASK, QUEUE, THREAD, BLOCK }
/** Of a word that holds bits, and of one that holds one value. */
const BITS: Readonly<Record<string, readonly [of: string, bits: Table]>> = {
  ARENA_FLAG: ['ARENA.FLAGS', ARENA_FLAG], MAIL: ['SLOT.MAIL', MAIL], RUN_FLAG: ['RUN.FLAGS', RUN_FLAG],
  TASK_FLAG: ['TASK.FLAGS', TASK_FLAG], BLOCK_FLAG: ['BLOCK.FLAGS', BLOCK_FLAG],
}
const VALUES: Readonly<Record<string, readonly [of: string, values: Table]>> = {
  SLOT_STATUS: ['SLOT.STATUS', SLOT_STATUS], SLOT_PHASE: ['SLOT.PHASE', SLOT_PHASE], TASK_STATE: ['TASK.STATE', TASK_STATE],
}
const named = (tables: Readonly<Record<string, Table>>): string[] => Object.entries(tables).flatMap(([name, fields]) =>
  Object.keys(fields).filter((field) => !NOT_FIELDS.includes(field)).map((field) => `${name}.${field}`))
const of = (pairs: typeof BITS): Record<string, Table> =>
  Object.fromEntries(Object.entries(pairs).map(([name, [, table]]) => [name, table]))
const declared = named({ ...FIELDS, ...of(BITS), ...of(VALUES) })

const seen = new Set<string>()
/** Notes which fields of a record hold anything. */
function look(memory: { readonly u32: Uint32Array; readonly u8: Uint8Array }, name: string, at: number): void {
  for (const [field, offset] of Object.entries(FIELDS[name]!)) {
    if (NOT_FIELDS.includes(field)) continue
    const value = field.endsWith('_U8') ? memory.u8[at + offset]! : memory.u32[(at + offset) >>> 2]!, path = `${name}.${field}`
    if (value !== 0) seen.add(path)
    for (const [bits, [from, table]] of Object.entries(BITS)) {
      if (from === path) for (const [bit, mask] of Object.entries(table)) if (value & mask) seen.add(`${bits}.${bit}`)
    }
    for (const [values, [from, table]] of Object.entries(VALUES)) {
      if (from === path) for (const [word, number] of Object.entries(table)) if (value === number) seen.add(`${values}.${word}`)
    }
  }
}

test('a worker\'s loop writes its slot, its run and its tasks', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), { u32, i32, base } = arena,
    runtime = instantiateRuntime(await compileModules({ shared: true }), arena.memory!), { core } = runtime
  arena.tick(5_000_000)
  const SLOT_NUMBER = 3, slots = new Slots(arena), holder = arena.openHolder('worker'), watched: number[] = []
  const recovery = new Recovery({
    arena, core, clock: hostClock, slots, corrupt: () => false, damaged: (error) => { throw error }, stuck: () => undefined,
  })
  const looks = (): void => {
    look(arena, 'ARENA', base)
    look(arena, 'SLOT', base + ARENA.SLOTS + SLOT_NUMBER * SLOT.BYTES)
    look(arena, 'RUN', base + ARENA.RUNS)
    look(arena, 'THREAD', base + ARENA.THREADS)
    for (const task of watched) look(arena, 'TASK', task)
    if (watched.length > 0) for (const lane of [RUN.RING_HIGH, RUN.RING_NORMAL, RUN.RING_LOW]) {
      for (let ring = u32[(base + ARENA.RUNS + lane) >>> 2]!; ring !== 0; ring = u32[(ring + QUEUE.NEXT) >>> 2]!) look(arena, 'QUEUE', ring)
    }
  }
  slots.reserve(SLOT_NUMBER, holder.allocate(SCRATCH_SPAN_BYTES))
  looks()
  const lay = (): number => layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address, rings = { toWorker: lay(), toEngine: lay() }
  const mail = new RingChannel(arena, 'engine', rings, {
    name: 'worker', blocks: engineBlocks(arena, holder), sent: () => { slots.announce(SLOT_NUMBER) },
  })
  let heard = 0
  const worker = new SharedWorker({
    views: arena as never, base, slot: SLOT_NUMBER, ordinal: 7, rings, doorbell: false, port: { postMessage: () => undefined },
  }, {
    turn: () => new Promise((resolve) => { looks(); setImmediate(resolve) }), nowUs: () => hostClock.nowUs(),
    epochMs: () => { looks(); return 1 }, idleMs: 1, received: () => heard++,
  })
  claimSlot(i32, base, SLOT_NUMBER, 7)
  const program = emptyProgram(arena), bad = emptyProgram(arena), lost = emptyProgram(arena)
  const table = new RunTable(arena, core, [
    { program, pending: 0, successors: [1], lane: 'high' }, { program, pending: 1, successors: [], lane: 'normal', facts: 1 },
    { program, pending: 0, successors: [], lane: 'normal' },
    { program: bad, pending: 0, successors: [], lane: 'low' }, { program: lost, pending: 0, successors: [], lane: 'low' },
    { program, pending: 0, successors: [], lane: 'low' }, { program: bad, pending: 0, successors: [], lane: 'low' },
  ], { priority: 2, limit: 2 }, recovery)
  watched.push(...Array.from({ length: table.count }, (_, i) => table.task(i)))
  for (const index of [0, 2, 3]) table.push(index, 1)
  mail.send({ type: 'ping', seq: 1, body: {} })
  const results = new Map([[bad, STATUS.BAD_DATA], [lost, 1]])
  let tasks = 0
  const spied: typeof core = {
    ...core, segment_run: (address, thread) => { looks(); return results.get(address) ?? core.segment_run(address, thread) },
    task_take: (...words) => { looks(); const taken = core.task_take(...words); looks(); return taken },
    task_finish: (...words) => { const code = core.task_finish(...words); looks(); tasks++; return code },
  }
  worker.work({ runtime: { ...runtime, core: spied }, canary: { broken: () => 0 } } as never, -1)
  const reached = async (count: number): Promise<void> => {
    while (tasks < count) await new Promise((resolve) => { setImmediate(resolve) })
  }
  await reached(4)
  // One that waits for input, one that is lost with its worker, one that is cancelled before it is taken.
  table.push(4, 2)
  await reached(5)
  expect([0, 1, 2, 3, 4].map((index) => table.state(index)))
    .toEqual([TASK_STATE.DONE, TASK_STATE.DONE, TASK_STATE.DONE, TASK_STATE.FAILED, TASK_STATE.WAITING])
  u32[(table.task(5) + TASK.STATE) >>> 2] = TASK_STATE.RUNNING
  u32[(table.task(5) + TASK.OWNER) >>> 2] = 9
  table.raise()
  looks()
  table.rebuild()
  looks()
  slots.cancelRun(table.index, 1)
  table.push(6, 3)
  while (table.state(6) !== TASK_STATE.CANCELLED) await new Promise((resolve) => { setImmediate(resolve) })
  slots.announce(SLOT_NUMBER, MAIL.DUMP)
  slots.dismiss(SLOT_NUMBER)
  looks()
  slots.markDead(SLOT_NUMBER)
  looks()
  // The order of the first table that there is may be 0.
  look(
    arena, 'RUN',
    base + ARENA.RUNS + new RunTable(arena, core, [{ program, pending: 0, successors: [], lane: 'low' }]).index * RUN.BYTES,
  )
  expect([
    u32[(base + ARENA.SLOTS + SLOT_NUMBER * SLOT.BYTES + SLOT.JOB_LOW) >>> 2],
    u32[(base + ARENA.SLOTS + SLOT_NUMBER * SLOT.BYTES + SLOT.BLOCKS) >>> 2],
    i32[(base + ARENA.SLOTS + SLOT_NUMBER * SLOT.BYTES + SLOT.KERNEL_STATUS) >>> 2],
  ]).toEqual([5, 1, 1])
  recovery.forget(table)
})

test('threads that sleep are counted, and a pool\'s workers write the recorder', async () => {
  const { arena, pool } = await makePool({ size: 1 }), word = (field: number): number => Atomics.load(arena.u32, (arena.base + field) >>> 2)
  const deaf = new HostEvent(arena).listen(() => undefined)
  await pool.ensure(1)
  while (!(seen.has('ARENA.READY_SLEEPERS') && seen.has('ARENA.HOST_SLEEPERS'))) {
    look(arena, 'ARENA', arena.base)
    await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  expect(word(ARENA.RECORDER_NEXT)).toBeGreaterThan(1)
  deaf()
  await pool.close()
})

test('an arena writes its header, its flags and its blocks', () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: true, compacts: true })
  const { u32, base } = arena, table = u32[(base + ARENA.BLOCK_TABLE) >>> 2]!
  const entry = (handle: number): number => table + arena.check(handle) * BLOCK.BYTES
  const us = (at: number, field: number): number => u32[(at + field) >>> 2]!
  expect(arena.tick(7_000_999)).toBe(7_000_999)
  expect(us(base, ARENA.CLOCK)).toBe(7_000)
  const first = arena.alloc(1_000), block = arena.alloc({ dtype: 'f32', shape: [3, 2] }), at = entry(block.handle)
  expect([us(at, BLOCK.CREATED), us(at, BLOCK.LAST_USED)]).toEqual([7_000, 7_000])
  arena.tick(9_000_000)
  block.retain()
  expect([us(at, BLOCK.CREATED), us(at, BLOCK.LAST_USED)]).toEqual([7_000, 9_000])
  arena.tick(11_000_000)
  block.pin()
  look(arena, 'BLOCK', at)
  expect(us(at, BLOCK.LAST_USED)).toBe(11_000)
  block.unpin()
  // While blocks move, any thread sees that they do.
  const { u8 } = arena, { copyWithin } = u8
  let moved = 0
  u8.copyWithin = function (...words) { moved++; look(arena, 'ARENA', base); return copyWithin.apply(this, words) }
  first.release()
  arena.store.compact()
  expect([moved, us(base, ARENA.FLAGS) & ARENA_FLAG.MAINTENANCE]).toEqual([1, 0])
  // What is wrong once stays said, and is no damage of its own.
  u32[(base + ARENA.GUARD) >>> 2] = 1
  expect(() => { arena.checkHeader() }).toThrow(expect.objectContaining({ code: 'ARENA_CORRUPT' }))
  u32[(base + ARENA.GUARD) >>> 2] = 0
  expect(us(base, ARENA.FLAGS) & ARENA_FLAG.CORRUPT).toBe(ARENA_FLAG.CORRUPT)
  arena.checkHeader()
  arena.close()
  arena.checkHeader()
  look(arena, 'ARENA', base)
})

test('an engine tells its time in the header, and its own thread beats in its record', async () => {
  await using engine = await createEngine({ workers: 0 })
  const { arena } = engine.parts, out = gain(audioBuffer({ data: [new Float32Array(50_000)], rate: 8_000 }), { gainDb: -6 });
  (await engine.run({ out })).close()
  look(arena, 'THREAD', arena.base + ARENA.THREADS)
  const ticks = arena.u32[(arena.base + ARENA.CLOCK) >>> 2]!, nowMs = hostClock.nowUs() / 1_000
  expect(nowMs - ticks).toBeGreaterThanOrEqual(0)
  // A run asks for the time: that is not how long ago the engine was made.
  expect(ticks).toBeGreaterThan(0)
})

test('what the core writes and takes back in one go is in its source', () => {
  const source = readFileSync('wasm/crates/engine/src/tasks.rs', 'utf8')
  for (const word of ['SLOT_PHASE.QUEUE', 'TASK_STATE.DONE_WRITTEN']) {
    expect(source).toMatch(new RegExp(`set\\([a-z: +]+, ${word.toLowerCase().replace(/\..*/, '')}::${word.replace(/.*\./, '')}\\)`, 'i'))
    seen.add(word)
  }
})

afterAll(() => {
  const rows = [...readFileSync('docs/adr/0023-fields-of-the-arena.md', 'utf8')
    .matchAll(/^\| `([A-Z_]+\.[A-Z_0-9]+)` \|/gm)].map(([, field]) => field!)
  expect(rows.filter((field) => !declared.includes(field)), 'rows of fields that there are not').toEqual([])
  expect(declared.filter((field) => !seen.has(field)).sort(), 'fields that nobody writes are those of adr/0023').toEqual([...rows].sort())
})

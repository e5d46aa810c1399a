/** Messages of a pool in shared mode: packets over two rings per worker (MW-39 to MW-41). Node, and Chromium with shared memory. */
import { afterEach, describe, expect, test } from 'vitest'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { ARENA, MAIL, RING, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import { CHANNEL_RING_BYTES } from '../../src/workers/codec/ring-channel.js'
import type { LostWorker, PoolOptions } from '../../src/workers/pool.js'
import { RunTable } from '../../src/workers/run-table.js'
import { emptyProgram, makePool, rejection, shares, spawner, workerCode, type Bench } from './support.js'

const setting = (name: string, value: number): number =>
  Number((globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name] ?? value)
/** Frames that hostile workers write; the row's figure is 100 000. */
const FRAMES = setting('MILLRACE_HOSTILE_FRAMES', hostFacts().node ? 1_000 : 400), SEED = setting('MILLRACE_SEED', 7)

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })
const make = async (
  options: Partial<PoolOptions> = {},
): Promise<Bench> => { const one = await makePool(options); made.push(one); return one }

/**
 * The real worker, whose thread also does `body` when it is posted `{ hostile }`: it writes what it likes where the engine reads, at
 * `ring`, on memory `u32` and `u8`, and rings the engine's bell.
 */
const hostile = (body: string): string => `${workerCode}
;(() => {
  const port = typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('worker_threads').parentPort : globalThis
  const hear = (data) => {
    if (!data || !data.hostile) return
    const { memory, ring, bell, seed } = data.hostile, u8 = new Uint8Array(memory.buffer), u32 = new Uint32Array(memory.buffer), i32 = new Int32Array(memory.buffer)
    const at = ring + ${RING.DATA}, write = (ring + ${RING.WRITE}) >>> 2
    let state = seed >>> 0
    const below = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 4294967296 * n) }
    const hand = (bytes) => { Atomics.store(u32, write, Atomics.load(u32, write) + bytes); Atomics.add(i32, bell, 1); Atomics.notify(i32, bell) }
    ${body}
  }
  if (port.on) port.on('message', hear); else port.addEventListener('message', (event) => hear(event.data))
})()`

/** Tells the thread of the pool's only worker to write. */
function attack(bench: Bench, posts: ((message: object) => void)[], seed: number): void {
  posts.at(-1)!({
    hostile: {
      memory: bench.arena.memory!, ring: bench.pool.workers[0]!.rings!.toEngine, bell: (bench.arena.base + ARENA.HOST_EVENT) >>> 2, seed,
    },
  })
}

async function hostilePool(
  body: string, options: Partial<PoolOptions> = {},
): Promise<{ bench: Bench; lost: LostWorker[]; posts: ((message: object) => void)[]; next: () => Promise<LostWorker> }> {
  const lost: LostWorker[] = [], posts: ((message: object) => void)[] = []
  const waiting: ((one: LostWorker) => void)[] = [], spawn = spawner(hostile(body))
  const bench = await make({
    size: 1, respawns: Number.POSITIVE_INFINITY, warmSpares: 0, ...options, onLost: (one) => { lost.push(one); waiting.shift()?.(one) },
    spawn: (name) => { const handle = spawn(name); posts.push((message) => { handle.endpoint.postMessage(message) }); return handle },
  })
  return { bench, lost, posts, next: () => new Promise((resolve) => { waiting.push(resolve) }) }
}

describe.runIf(shares)('messages between a pool and its workers', () => {
  test('each worker says who it is, answers pings and its last word; its rings come back with its slot', async () => {
    const { arena, pool } = await make(), used = arena.stats().usedBytes
    await pool.ensure(2)
    for (const worker of pool.workers) expect([worker.shook, worker.channel!.closed]).toEqual([true, false])
    const { messages, packets } = pool.stats()
    for (let n = 0; n < 100; n++) await Promise.all(pool.workers.map((worker) => worker.ping()))
    expect(pool.stats()).toMatchObject({ messages, packets: packets + 400 })
    const [worker] = pool.workers
    // More than a ring holds, both ways.
    await Promise.all(Array.from({ length: 5_000 }, () => worker!.ping()))
    pool.lose(worker!, 'terminated', 'by the test')
    await worker!.end
    expect((await rejection(worker!.ping())).code).toBe('WORKER_LOST')
    expect(arena.stats().usedBytes - used).toBeLessThan(2 * 69_632 + 262_144 + 2 * (RING.DATA + CHANNEL_RING_BYTES) + 1)
    await pool.close()
    // Spans of stacks stay with the core's allocator.
    expect((arena.stats().usedBytes - used) % 69_632).toBe(0)
  })

  test('a call by Comlink and messages over the rings are announced apart: both are answered, in any order', async () => {
    const { pool } = await make()
    await pool.ensure(1)
    const [worker] = pool.workers
    for (let n = 0; n < 20; n++) {
      const [, dump] = await Promise.all([worker!.ping(), worker!.dump(), worker!.ping()])
      expect(dump.ordinal).toBe(1)
    }
  })

  test('what a worker logs reaches the pool with its number: a call that was announced and never posted', async () => {
    const logs: unknown[] = [], { pool } = await make({ onLog: (level, text, facts) => { logs.push({ level, text, facts }) } })
    await pool.ensure(1)
    pool.slots.announce(0, MAIL.DUMP)
    await expect.poll(() => logs, { timeout: 5_000 })
      .toEqual([{ level: 'warn', text: 'a call was announced and has not come', facts: { worker: 1, context: { turns: 200 } } }])
    await pool.workers[0]!.ping()
  })

  test.each<[string, string, string, string]>([
    ['says something else first', 'type: "handshake"', 'type: "pong"', 'IPC_ERROR'],
    ['is another worker', 'workerId: String(ordinal)', 'workerId: "99"', 'IPC_ERROR'],
    ['is of another version', 'protocolVersion: WORKER_PROTOCOL', 'protocolVersion: 99', 'PROTOCOL_MISMATCH'],
  ])('a worker that %s never comes into use: WORKER_SPAWN at the handshake, with the cause; all that it had comes back', async (
    _, text, other, code,
  ) => {
    expect(workerCode.split(text)).toHaveLength(2)
    const { arena, runtime, pool } = await make({ size: 1, warmSpares: 0, spawn: spawner(workerCode.replace(text, other)) })
    const used = arena.stats().usedBytes, stacks = runtime.core.alloc_used()
    expect(await rejection(pool.ensure(1))).toMatchObject({ code: 'WORKER_SPAWN', details: { step: 'handshake' }, cause: { code } })
    await pool.close()
    expect([runtime.core.alloc_used() - stacks, (arena.stats().usedBytes - used) % 69_632]).toEqual([0, 0])
  })

  test('what a trapped worker says goes over its ring: nothing is posted', async () => {
    let then = 0
    const lost: LostWorker[] = []
    const { pool, arena, runtime } = await make({ size: 1, onLost: (one) => { lost.push(one); then = pool.stats().messages } })
    await pool.ensure(1)
    const { messages } = pool.stats()
    const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena, 1), pending: 0, successors: [] }])
    const letGo = pool.hold()
    table.push(0, 0)
    pool.wake()
    await expect.poll(() => lost.length, { timeout: 5_000 }).toBe(1)
    letGo()
    expect(lost[0]).toMatchObject({ reason: 'trap', task: table.task(0) })
    expect(lost[0]!.error.cause).toBeInstanceOf(WebAssembly.RuntimeError)
    expect(then).toBe(messages)
    await lost[0]!.cleaned
    table.end(0, TASK_STATE.FAILED, -1)
    await table.close(hostClock)
  })

  test.each<[string, string, string, RegExp]>([
    ['a frame of length 0', 'u32[at + (u32[write] & 65535) >>> 2] = 0; hand(72)', 'IPC_ERROR', /a frame of 0 bytes/],
    ['a frame beyond the limit', 'u32[at + (u32[write] & 65535) >>> 2] = 40000; hand(72)', 'IPC_ERROR', /a frame of 40000 bytes/],
    ['a frame that is cut off', 'u32[at + (u32[write] & 65535) >>> 2] = 60; hand(64)', 'IPC_ERROR', /cut off/],
    [
      'an unknown type',
      'const p = at + (u32[write] & 65535); u32[p >>> 2] = 64; u8.fill(0, p + 4, p + 72); u8[p + 4] = 20; u8[p + 6] = 1; hand(72)',
      'IPC_ERROR', /unknown message type/,
    ],
    [
      'a known type that no worker may send',
      'const p = at + (u32[write] & 65535); u32[p >>> 2] = 64 + 4; u8.fill(0, p + 4, p + 80); u8[p + 4] = 7; u8[p + 6] = 1; hand(72)',
      'IPC_ERROR', /unexpected shutdown/,
    ],
    [
      'another version',
      'const p = at + (u32[write] & 65535); u32[p >>> 2] = 64; u8.fill(0, p + 4, p + 72); u8[p + 4] = 14; u8[p + 6] = 9; hand(72)',
      'PROTOCOL_MISMATCH', /expected protocol 1, got 9/,
    ],
    ['an index out of step', 'hand(3)', 'IPC_ERROR', /indices/],
    ['a ring that it closed', `Atomics.or(u32, (ring + ${RING.FLAGS}) >>> 2, 2); hand(0)`, 'IPC_ERROR', /closed|CLOSED/],
  ])('%s: the channel is closed, the worker replaced', async (_, body, code, text) => {
    const { bench, posts, next } = await hostilePool(body), { pool } = bench
    await pool.ensure(1)
    const letGo = pool.hold(), ended = next()
    attack(bench, posts, 1)
    // The thread sleeps on its event: its own messages are read when it is woken.
    pool.slots.announce(0, MAIL.DUMP)
    const one = await ended
    expect(one)
      .toMatchObject({ reason: 'messageerror', error: { code: 'WORKER_LOST', cause: { code, message: expect.stringMatching(text) } } })
    await one.cleaned
    await pool.ensure(1)
    await pool.workers[0]!.ping()
    letGo()
  })

  test('an unknown type with flag 128 is stepped over', async () => {
    const { bench, posts, lost } =
      await hostilePool('const p = at + (u32[write] & 65535); u32[p >>> 2] = 64; u8.fill(0, p + 4, p + 72); u8[p + 4] = 20; u8[p + 5] = 128; u8[p + 6] = 1; hand(72)')
    const { pool } = bench
    await pool.ensure(1)
    const { packets } = pool.stats()
    attack(bench, posts, 1)
    await pool.dump()
    await pool.workers[0]!.ping()
    expect([lost.length, pool.stats().packets]).toEqual([0, packets + 2])
  })
})

/**
 * Noise in every shape: bytes that are nothing, frames whose lengths, types, versions and fields are drawn. Handed over while there
 * is room, as a thread that runs wild would.
 */
const NOISE = `
    for (let n = 0; n < data.hostile.frames; n++) {
      const start = Atomics.load(u32, write) & 65535, kind = below(8), body = 64 + below(kind === 0 ? 400 : 60), p = at + start
      const room = 65536 - (Atomics.load(u32, write) - Atomics.load(u32, (ring + ${RING.READ}) >>> 2) >>> 0), bytes = (body + 11) & ~7
      if (bytes > room || start + bytes > 65536) { const rest = 65536 - start; if (start + bytes > 65536 && rest <= room) { u32[p >>> 2] = 0xffffffff; hand(rest) } continue }
      for (let i = 0; i < bytes; i++) u8[p + i] = below(kind < 4 ? 256 : 3)
      u32[p >>> 2] = kind === 1 ? below(70000) : body
      u8[p + 4] = kind < 6 ? below(16) : below(256); u8[p + 5] = below(3) * 64; u8[p + 6] = kind === 2 ? below(4) : 1; u8[p + 7] = 0
      hand(kind === 3 ? below(200) : bytes)
    }`

describe.runIf(shares)('a worker that writes what it likes (MW-40)', () => {
  test(`${FRAMES} frames, seed ${SEED}: it is lost with a code and replaced, the engine reads nothing outside and does not hang`, {
    timeout: 600_000,
  }, async () => {
    const { bench, lost, posts, next } = await hostilePool(NOISE)
    const { pool, arena } = bench, perThread = 50, codes = new Map<string, number>()
    await pool.ensure(1)
    const letGo = pool.hold(), used = arena.stats().usedBytes
    for (let sent = 0; sent < FRAMES; sent += perThread) {
      const ended = next()
      posts.at(-1)!({
        hostile: {
          memory: arena.memory!, ring: pool.workers[0]!.rings!.toEngine, bell: (arena.base + ARENA.HOST_EVENT) >>> 2, seed: SEED + sent,
          frames: perThread,
        },
      })
      pool.slots.announce(0, MAIL.DUMP)
      // All of it may be messages that a worker may send: then it answers, as it would have.
      const one = await Promise.race([ended, pool.workers[0]!.dump().then(() => undefined, () => ended)])
        ?? (pool.lose(pool.workers[0]!, 'terminated', 'by the test'), await ended)
      const code = (one.error.cause as { code?: string } | undefined)?.code ?? one.reason
      codes.set(code, (codes.get(code) ?? 0) + 1)
      await one.cleaned
      await pool.ensure(1)
    }
    letGo()
    console.log(`${FRAMES} frames: ${lost.length} workers lost: ${[...codes].map(([code, count]) => `${count} ${code}`).join(', ')}`)
    expect([...codes.keys()].filter((code) => !['IPC_ERROR', 'PROTOCOL_MISMATCH', 'terminated', 'trap', 'error'].includes(code)))
      .toEqual([])
    expect(codes.get('IPC_ERROR')).toBeGreaterThan(0)
    expect(codes.get('IPC_ERROR')! + (codes.get('PROTOCOL_MISMATCH') ?? 0)).toBeGreaterThan(lost.length / 2)
    await pool.workers[0]!.ping()
    expect(arena.stats().usedBytes - used).toBe(0)
  })
})

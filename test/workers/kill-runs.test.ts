/**
 * Runs of random graphs while their workers are ended at random instants (MW-34, MW-47), on shared and on private memories: outputs bit for
 * bit, kernels' counters as without an end, nothing left. Node, and Chromium isolated and not.
 */
import { afterAll, describe, expect, inject, test } from 'vitest'
import { createEngine, isMillraceError, type Engine } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { ARENA, RUN } from '../../src/memory/layout.js'
import { WORKER_LEASE_BYTES } from '../../src/workers/pool-mail.js'
import { WorkerPool } from '../../src/workers/pool.js'
import { chunked, drawFrom, drawGraph, outcome } from '../soak/random-run.js'
import { shares } from './support.js'

const node = hostFacts().node, env: Readonly<Record<string, string | undefined>> = node ? process.env : inject('variables')
/** A thread that a browser ends may take two seconds. */
const KILLS = Number(env['MILLRACE_KILLS'] ?? (node ? 10 : 2))
const SEED = Number(env['MILLRACE_SEED'] ?? 5), GRAPHS = node ? 6 : 3, MIB = 2 ** 20
/** Spans of new threads' stacks stay with the core's allocator for the next thread (PK-26). */
const SPAN = 69_632

/** Threads that live, as far as this host tells. */
const threads = new Set<{ terminate(): unknown }>()
interface Host { Worker: new (...words: never[]) => { terminate(): unknown; on?(event: 'exit', listener: () => void): void } }
const host = (node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as Host, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: never[]) {
    super(...words)
    threads.add(this)
    this.on?.('exit', () => { threads.delete(this) })
  }
  override terminate(): unknown { threads.delete(this); return super.terminate() }
}
/** The last pool that was used: an engine shows its numbers only. */
let pool: WorkerPool | undefined
const { ensure } = WorkerPool.prototype, use = (used: WorkerPool): WorkerPool => pool = used
WorkerPool.prototype.ensure = function (this: WorkerPool, count) { return ensure.call(use(this), count) }
afterAll(() => { host.Worker = Real; WorkerPool.prototype.ensure = ensure })

/** All threads may be ended while they start: then the run has not begun. */
async function persistent(engine: Engine, graph: ReturnType<typeof drawGraph>): Promise<string> {
  for (;;) {
    try { return await outcome(engine, graph) } catch (error) { if (!isMillraceError(error) || error.code !== 'WORKER_SPAWN') throw error }
  }
}

describe.each(([
  ['shared memory, whole values', 'wasm-threads', undefined], ['shared memory, chunks', 'wasm-threads', chunked],
  ['private memories, whole values', 'wasm', undefined], ['private memories, chunks', 'wasm', chunked],
] as const).filter(([, tier]) => shares || tier === 'wasm'))('%s', (_name, tier, source) => {
  test(`${KILLS} ends in random graphs`, { timeout: 240_000 + KILLS * (node ? 500 : 3_000) }, async () => {
    await using engine = await createEngine({
      tier, workers: 2, arenaBytes: (tier === 'wasm' ? 128 : 256) * MIB, respawns: Number.POSITIVE_INFINITY, logger: () => undefined,
    })
    // Where the ends fall draws from its own numbers: the graphs are the same each time.
    const below = drawFrom(SEED + 1), draw = drawFrom(SEED)
    const graphs = Array.from({ length: GRAPHS }, () => drawGraph(draw, source))
    const expected: string[] = []
    for (const graph of graphs) expected.push(await outcome(engine, graph))
    const { arena } = engine.parts, { usedBytes: used, blocks } = engine.stats().arena, own = await ownBytes()
    let kills = 0
    while (kills < KILLS || engine.stats().workers.lost === 0) {
      const which = below(GRAPHS), both = [which, below(GRAPHS)], runs = both.map((n) => persistent(engine, graphs[n]!))
      for (let k = 0; k < 2; k++) {
        await new Promise((resolve) => { setTimeout(resolve, below(12)) })
        const alive = [...threads]
        if (alive.length === 0) continue
        kills++
        await alive[below(alive.length)]!.terminate()
      }
      expect(await Promise.all(runs)).toEqual(both.map((n) => expected[n]))
    }
    const { workers } = engine.stats()
    if (tier === 'wasm') {
      const { usedBytes, blocks: now } = engine.stats().arena
      expect([usedBytes, now]).toEqual([used, blocks])
      // Nor in the memories of those that live: they have run what others lost, and what was stopped because of it. Who has just started
      // may have less than those that have worked: tables of kernels.
      expect(await outcome(engine, graphs[0]!)).toBe(expected[0])
      expect(Math.max(...await ownBytes())).toBeLessThanOrEqual(Math.max(...own))
    } else {
      // A thread that is lost when nothing runs is replaced by the next run: its scratch span is back until then,
      // once its end was noticed and dealt with.
      const left = (): number => {
        const { arena: now, workers } = engine.stats()
        return (now.usedBytes + (2 - workers.count) * WORKER_LEASE_BYTES - used) % SPAN
      }
      await expect.poll(left, { timeout: 10_000 }).toBe(0)
      expect(Array.from({ length: RUN.COUNT }, (_, run) => arena.u32[(arena.base + ARENA.RUNS + run * RUN.BYTES) >>> 2]))
        .toEqual(new Array(RUN.COUNT).fill(0))
    }
    console.log(`${kills} ends, ${workers.lost} of working threads, ${workers.respawns} replaced`)
  })
})

/** Bytes used in the memory of each worker that lives, once its jobs are closed. */
async function ownBytes(): Promise<number[]> {
  await expect.poll(async () => (await pool!.dump()).some(({ jobs }) => jobs > 0), { timeout: 10_000 }).toBe(false)
  return (await pool!.dump()).map(({ bytes }) => bytes)
}

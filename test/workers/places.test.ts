/**
 * What a worker has belongs to its place (MW-36): whoever comes for a lost worker takes its place,
 * however slowly the lost one's thread ends.
 */
import { describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { fakeThreads } from './fake-threads.js'
import { makePool, rejection, shares } from './support.js'

/** The first place has a tag. */
const TAG = 2, facts = (place: number): number => place === 0 ? 1 | TAG : 1
const tagged = (workers: readonly { readonly facts: number }[]): boolean => workers.some((worker) => (worker.facts & TAG) !== 0)
const SEEDS = Number((hostFacts().node ? process.env['MILLRACE_PLACES'] : undefined) ?? 12), STEPS = 40, STACK_BYTES = 69_632
const until = async (reached: () => boolean): Promise<void> => { while (!reached()) await hostClock.yield() }
const turns = async (count: number): Promise<void> => { for (let turn = 0; turn < count; turn++) await hostClock.yield() }

describe.each(shares ? [['shared memory', true], ['private memories', false]] as const : [['private memories', false]] as const)(
  'places on %s',
  (_name, shared) => {
    test('a run that begins while the tagged worker ends slowly leaves its place to the one that comes for it', async () => {
      const { spawn, threads } = fakeThreads({ slow: (thread) => thread === 1 }), started: unknown[] = []
      const { pool } = await makePool({ spawn, size: 2, facts, warmSpares: 0, onStarted: (...words) => { started.push(words) } }, shared)
      const letGo = pool.hold()
      await pool.ensure(2)
      expect(pool.workers.map((worker) => worker.facts)).toEqual([3, 1])
      threads[0]!.fail()
      // Who needs no tag is not held up.
      await pool.ensure(2)
      if (shared) expect([threads.length, pool.workers.map(({ slot }) => slot)]).toEqual([2, [1]])
      let has = false
      const ready = pool.ensure(2, tagged).then(() => { has = true })
      await turns(20)
      // A memory of its own is nobody else's: nothing is waited for.
      if (shared) expect(has).toBe(false)
      threads[0]!.finish()
      await ready
      await until(() => pool.workers.length === 2)
      expect(pool.workers.map((worker) => [worker.facts, worker.place, worker.slot]).sort())
        .toEqual([[1, 1, shared ? 1 : -1], [3, 0, shared ? 0 : -1]])
      expect(started).toEqual([[1, shared ? 0 : -1, undefined], [2, shared ? 1 : -1, undefined], [3, shared ? 0 : -1, 1]])
      letGo()
      await pool.close()
    })

    test('all end slowly: a start waits for one of them, never for nobody', async () => {
      const { spawn, threads } = fakeThreads({ slow: (thread) => thread <= 2 })
      const { pool } = await makePool({ spawn, size: 2, facts, warmSpares: 0 }, shared)
      await pool.ensure(2)
      for (const thread of [...threads]) thread.fail()
      const ready = pool.ensure(2)
      await turns(20)
      threads[1]!.finish()
      await ready
      expect(pool.workers.length).toBeGreaterThan(0)
      threads[0]!.finish()
      await pool.ensure(2, tagged)
      expect(tagged(pool.workers)).toBe(true)
      await pool.close()
    })

    test('what only a worker has that cannot be started any more is not waited for: runs fail with the cause', async () => {
      const { spawn, threads } = fakeThreads({ dies: (thread) => thread > 2 ? 1 : undefined }), broken: unknown[] = []
      const { pool } =
        await makePool({ spawn, size: 2, facts, warmSpares: 0, respawns: 5, onBroken: (error) => { broken.push(error) } }, shared)
      const letGo = pool.hold()
      await pool.ensure(2)
      threads[0]!.fail()
      await until(() => broken.length > 0)
      expect(broken).toMatchObject([{ code: 'WORKER_SPAWN', details: { cause: 'exit: by the test' } }])
      expect(await rejection(pool.ensure(2, tagged))).toBe(broken[0])
      letGo()
      await pool.close()
    })

    test(`random ends of ${SEEDS} pools: nobody works in a place that another's thread may still touch, no place is left, every start leaves a worker`, async () => {
      let losses = 0
      for (let seed = 1; seed <= SEEDS; seed++) losses += await play(seed)
      expect(losses).toBeGreaterThan(SEEDS)
    })

    async function play(seed: number): Promise<number> {
      let state = seed, mean = true, losses = 0
      const random = (below: number): number => { state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; return (state >>> 8) % below }
      const at = (what: string): string => `seed ${seed}: ${what}`, inSlot = new Map<number, number>(), failed: string[] = []
      const { spawn, threads } =
        fakeThreads({ slow: () => mean && random(2) === 0, dies: () => mean && random(12) === 0 ? random(3) : undefined })
      const { pool, arena, runtime } = await makePool({
        spawn, size: 3, facts, warmSpares: random(2), respawns: 1_000, onLost: () => { losses++ },
        onStarted(worker, slot) {
          const before = inSlot.get(slot)
          if (shared && before !== undefined && !threads[before - 1]!.gone) {
            failed.push(at(`worker ${worker} in slot ${slot} beside worker ${before}`))
          }
          inSlot.set(slot, worker)
        },
      }, shared)
      const look = (): void => {
        const places = pool.workers.map(({ place }) => place)
        if (new Set(places).size < places.length) failed.push(at(`places ${places.join()}`))
        for (const { place, facts: has, slot } of pool.workers) {
          if (place > 2 || shared && slot !== place && slot >= 0) failed.push(at(`place ${place}, slot ${slot}`))
          if (slot >= 0 && has !== facts(place)) failed.push(at(`place ${place} has ${has}`))
        }
      }
      const starts: Promise<void>[] = [], stacks = runtime.core.alloc_used(), bytes = arena.stats().usedBytes
      let letGo: (() => void) | undefined
      for (let step = 0; step < STEPS; step++) {
        switch (random(6)) {
          case 0: case 1: { const live = threads.filter(({ stopped }) => !stopped); live[random(Math.max(1, live.length))]?.fail(); break }
          case 2: {
            const slow = threads.filter(({ stopped, gone }) => stopped && !gone)
            slow[random(Math.max(1, slow.length))]?.finish()
            break
          }
          case 3: {
            const needs = random(2) === 0
            starts.push(pool.ensure(1 + random(3), needs ? tagged : undefined).then(() => {
              if (pool.workers.length === 0 || needs && !tagged(pool.workers)) failed.push(at('a start that leaves nobody'))
            }, (error: { code: string }) => { if (error.code !== 'WORKER_SPAWN') failed.push(at(error.code)) }))
            break
          }
          case 4: if (letGo === undefined) letGo = pool.hold(); else { letGo(); letGo = undefined } break
          default: await turns(random(20))
        }
        look()
      }
      mean = false
      for (const thread of threads) thread.finish()
      await Promise.all(starts)
      letGo ??= pool.hold()
      await pool.ensure(3)
      await until(() => { look(); return pool.workers.length === 3 && threads.every(({ stopped, gone }) => stopped === gone) })
      expect(failed).toEqual([])
      expect(pool.workers.map((worker) => worker.facts).sort()).toEqual([1, 1, 3])
      letGo()
      await pool.close()
      expect(threads.every(({ gone }) => gone)).toBe(true)
      // Spans of stacks stay with the core's allocator (PK-26).
      expect([runtime.core.alloc_used() - stacks, (arena.stats().usedBytes - bytes) % STACK_BYTES]).toEqual([0, 0])
      return losses
    }
  },
)

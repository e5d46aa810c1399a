import { describe, expect, test } from 'vitest'
import { Limiters, type Claim, type Release } from '../../src/schedule/policy/limiters.js'

const none = new AbortController().signal
const claim = (parts: Partial<Claim> = {}): Claim => ({ limits: [], exclusive: false, lane: 1, ...parts })
const steps =
  Number((globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env['MILLRACE_LIMITER_STEPS'] ?? 3_000)

/** A generator of pseudo-random numbers (Mulberry32): tests repeat. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Claims as their owner sees them: who holds now, in which order they were let in. */
class Yard {
  readonly held = new Map<string, { readonly claim: Claim; readonly release: Release }>()
  readonly order: string[] = []
  readonly limiters: Limiters
  constructor(permits: Readonly<Record<string, number>>) { this.limiters = new Limiters(permits) }

  async ask(name: string, wanted: Claim, signal: AbortSignal = none): Promise<void> {
    const release = await this.limiters.acquire(wanted, signal)
    this.order.push(name)
    this.held.set(name, { claim: wanted, release })
  }

  async give(name: string): Promise<void> {
    const { release } = this.held.get(name)!
    this.held.delete(name)
    release()
    release()
    for (let i = 0; i < 4; i++) await Promise.resolve()
  }
}

describe('limiters (EX-55)', () => {
  test('a limit of 2 never lets a third in', async () => {
    const yard = new Yard({ two: 2 })
    for (const name of ['a', 'b', 'c', 'd']) void yard.ask(name, claim({ limits: ['two'] }))
    await Promise.resolve()
    expect([...yard.held.keys()]).toEqual(['a', 'b'])
    await yard.give('a')
    expect([...yard.held.keys()]).toEqual(['b', 'c'])
    await yard.give('c')
    expect([...yard.held.keys()]).toEqual(['b', 'd'])
  })

  test('who is aborted while waiting holds nothing and lets others pass', async () => {
    const yard = new Yard({ one: 1 }), abort = new AbortController()
    await yard.ask('a', claim({ limits: ['one'] }))
    void yard.ask('b', claim({ limits: ['one', 'other'] }), abort.signal)
    void yard.ask('c', claim({ limits: ['other'] }))
    await Promise.resolve()
    expect([...yard.held.keys()]).toEqual(['a'])
    abort.abort()
    for (let i = 0; i < 4; i++) await Promise.resolve()
    expect(yard.order).toEqual(['a', 'b', 'c'])
    await yard.give('b')
    void yard.ask('d', claim({ limits: ['one'] }))
    await Promise.resolve()
    expect(yard.held.has('d')).toBe(false)
    await yard.give('a')
    expect(yard.held.has('d')).toBe(true)
  })

  test('lanes, then time of asking (EX-57)', async () => {
    const yard = new Yard({ cpu: 1 }), one = (lane: number): Claim => claim({ limits: ['cpu'], lane })
    await yard.ask('first', one(1))
    for (const [name, lane] of [['n1', 1], ['l1', 2], ['h1', 0], ['n2', 1], ['h2', 0], ['l2', 2]] as const) void yard.ask(name, one(lane))
    for (const name of ['first', 'h1', 'h2', 'n1', 'n2', 'l1', 'l2']) await yard.give(name)
    expect(yard.order).toEqual(['first', 'h1', 'h2', 'n1', 'n2', 'l1', 'l2'])
  })
})

describe('exclusive (EX-56)', () => {
  test('alone means that nothing else runs, and waits for those that do', async () => {
    const yard = new Yard({})
    await yard.ask('a', claim())
    void yard.ask('alone', claim({ exclusive: true }))
    void yard.ask('b', claim())
    await Promise.resolve()
    expect([...yard.held.keys()]).toEqual(['a'])
    await yard.give('a')
    expect([...yard.held.keys()]).toEqual(['alone'])
    await yard.give('alone')
    expect([...yard.held.keys()]).toEqual(['b'])
  })

  test('random keys, limits and orders: no overlap, no deadlock, nobody starves', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const next = random(seed), yard = new Yard({ x: 1, y: 2, z: 3 }), keys = ['k1', 'k2', 'k3', 'k4'], asked: string[] = []
      const pick = (from: readonly string[]): string[] => from.filter(() => next() < 0.4)
      for (let i = 0; i < steps / 10; i++) {
        if (next() < 0.55 || yard.held.size === 0) {
          const name = `${i}`
          asked.push(name)
          const kind = next()
          void yard.ask(name, claim({
            limits: pick(['x', 'y', 'z']),
            exclusive: kind < 0.1 ? true : kind < 0.6 ? pick(keys).sort(() => next() - 0.5) : false,
            lane: Math.floor(next() * 3),
          }))
          await Promise.resolve()
        } else await yard.give([...yard.held.keys()][Math.floor(next() * yard.held.size)]!)
        const now = [...yard.held.values()].map((one) => one.claim)
        if (now.some(({ exclusive }) => exclusive === true)) expect(now).toHaveLength(1)
        for (const key of keys) {
          expect(now.filter(({ exclusive }) => typeof exclusive === 'object' && exclusive.includes(key)).length).toBeLessThanOrEqual(1)
        }
        for (const [name, permits] of [['x', 1], ['y', 2], ['z', 3]] as const) {
          expect(now.filter(({ limits }) => limits.includes(name)).length).toBeLessThanOrEqual(permits)
        }
        // Not standing still: someone holds, or nobody waits.
        expect(yard.held.size > 0 || yard.order.length === asked.length).toBe(true)
      }
      while (yard.held.size > 0) await yard.give([...yard.held.keys()][0]!)
      expect([...yard.order].sort()).toEqual([...asked].sort())
    }
  })
})

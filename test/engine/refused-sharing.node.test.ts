/**
 * GR-44, MW-55: a worker that does not get the shared memory turns `auto` to private memories; a tier that was named, by a node, an option
 * or MILLRACE_TIER, never falls back, and a list only inside itself.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEngine, type Engine, type EngineOptions } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'
import { deaf } from '../workers/fake-threads.js'

const { refusing } = vi.hoisted(() => ({ refusing: { how: undefined as 'answers' | 'refuses' | undefined, left: 0 } }))
vi.mock('../../src/workers/spawn-node.js', async (original) => {
  const real = await original<typeof import('../../src/workers/spawn-node.js')>()
  return {
    ...real,
    nodeSpawner: (...args: Parameters<typeof real.nodeSpawner>): ReturnType<typeof real.nodeSpawner> => (name) =>
      (refusing.how !== undefined && refusing.left-- > 0 ? deaf(refusing.how) : real.nodeSpawner(...args))(name),
  }
})

const SAMPLES = Float32Array.from({ length: 4_000 }, (_, n) => Math.sin(n))
const source = (): Loose => audioBuffer({ data: [SAMPLES], rate: 8_000 })
const plain = (): Loose => (gain as Loose).named('plain')(source(), { gainDb: -6 })
const named = (tier: unknown): Loose => (gain as Loose).with({ tier }).named('named')(source(), { gainDb: -6 })
const open = (options: EngineOptions = {}): Promise<Engine> =>
  createEngine({ workers: 1, arenaBytes: 2 ** 24, logger: () => undefined, ...options })
const tierOf = ({ metrics }: Loose, id: string): unknown => metrics.nodes.find((node: Loose) => node.id === id).tier
const tierAfter = async (engine: Engine, graph: Loose, id: string): Promise<unknown> => {
  using result: Loose = await engine.run(graph)
  expect(result.outputs.out.data.toArray()[1]).toBeCloseTo(Math.sin(1) * 10 ** -0.3, 5)
  return tierOf(result, id)
}

beforeEach(() => { refusing.left = 1 })
afterEach(() => { vi.unstubAllEnvs(); refusing.how = undefined })

test.each([
  'answers', 'refuses',
] as const)('a worker that %s: what names no tier goes on, what names it is refused, from the first run on', async (how) => {
  refusing.how = how
  for (const first of [true, false]) {
    refusing.left = 1
    await using engine = await open()
    if (!first) expect(await tierAfter(engine, { out: plain() }, 'plain')).toBe('wasm')
    const error = { code: 'TIER_UNAVAILABLE', nodeId: 'named' }
    await expect(engine.run({ out: named('wasm-threads') })).rejects.toMatchObject(error)
    await expect(engine.run({ out: named('wasm-threads') })).rejects
      .toMatchObject({ ...error, message: expect.stringMatching(/wasm-threads.*shared memory/) as string })
    await expect(engine.plan({ out: named('wasm-threads') })).rejects.toMatchObject(error)
    expect(engine.stats().mode.mode).toBe('transfer')
    expect(await tierAfter(engine, { out: plain() }, 'plain')).toBe('wasm')
  }
})

test('a list falls back inside itself, from the first run on', async () => {
  refusing.how = 'refuses'
  for (const [list, tier] of [
    [['wasm-threads', 'js'], 'js'], [['wasm-threads', 'wasm'], 'wasm'], ['rust', 'wasm'], [['wasm-threads', 'js', 'wasm'], 'js'],
  ] as const) {
    refusing.left = 1
    await using engine = await open()
    expect(await tierAfter(engine, { out: named(list) }, 'named')).toBe(tier)
    expect(await tierAfter(engine, { out: named(list) }, 'named')).toBe(tier)
  }
})

test.each([
  ['option', { tier: 'wasm-threads' }, undefined], ['MILLRACE_TIER', {}, 'wasm-threads'],
  ['MILLRACE_TIER beside auto', { tier: 'auto' }, 'wasm-threads'], ['MILLRACE_FALLBACK=false', {}, undefined],
] as const)('an engine\'s tier by %s never falls back', async (by, options, environment) => {
  refusing.how = 'refuses'
  refusing.left = 100
  vi.stubEnv('MILLRACE_TIER', environment)
  if (by.startsWith('MILLRACE_FALLBACK')) vi.stubEnv('MILLRACE_FALLBACK', 'false')
  await using engine = await open(options)
  await expect(engine.run({ out: plain() })).rejects.toMatchObject({
    code: 'TIER_UNAVAILABLE',
    message: expect.stringMatching(/wasm-threads.*shared memory \(a worker did not get/) as string,
  })
  expect(engine.stats().mode).toMatchObject({ tier: 'wasm-threads', mode: 'shared' })
})

test.each([
  ['wasm-threads,js', 'js'], ['wasm-threads,wasm', 'wasm'], ['rust', 'wasm'],
] as const)('an engine\'s list %s falls back to %s', async (list, tier) => {
  for (const by of ['option', 'MILLRACE_TIER']) {
    refusing.how = 'refuses'
    refusing.left = 1
    vi.stubEnv('MILLRACE_TIER', by === 'option' ? undefined : list)
    await using engine = await open(by === 'option' ? { tier: list as 'wasm' } : {})
    expect(await tierAfter(engine, { out: plain() }, 'plain')).toBe(tier)
    expect(await tierAfter(engine, { out: plain() }, 'plain')).toBe(tier)
  }
})

test('shared memory that was asked for by name is SHARED_MEMORY, as ever; workers that get it change nothing', async () => {
  refusing.how = 'refuses'
  {
    await using engine = await open({ shared: true })
    await expect(engine.run({ out: plain() })).rejects.toMatchObject({ code: 'SHARED_MEMORY' })
  }
  refusing.how = undefined
  await using engine = await open()
  expect(await tierAfter(engine, { out: named('wasm-threads') }, 'named')).toBe('wasm-threads')
  expect(engine.stats()).toMatchObject({ mode: { mode: 'shared' }, workers: { count: 1 } })
})

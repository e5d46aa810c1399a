/** Node > option > environment > probe (GR-43), in every combination; what ran is told by the kernels. */
import { afterEach, expect, test, vi } from 'vitest'
import { createEngine, type Tier } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'

afterEach(() => { vi.unstubAllEnvs() })

const TIERS = ['wasm-threads', 'wasm', 'js'] as const, WISHES: readonly (Tier | undefined)[] = [undefined, ...TIERS]
const SAMPLES = Float32Array.from({ length: 1_000 }, (_, n) => Math.sin(n))
/** One node per wish, the same job for all. */
const target = (): Loose => Object.fromEntries(WISHES.map((tier) => [
  `n-${tier}`,
  (gain as Loose).with(tier === undefined ? {} : { tier }).named(`n-${tier}`)(audioBuffer({ data: [SAMPLES], rate: 8_000 }), {
    gainDb: -6,
  }),
]))

test.each(WISHES.flatMap((option) => WISHES.map((environment) => [option, environment] as const)))('option %s, environment %s', async (
  option, environment,
) => {
  vi.stubEnv('MILLRACE_TIER', environment)
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24, ...(option !== undefined && { tier: option }) })
  const own = option ?? environment ?? 'wasm-threads', plan = await engine.plan(target())
  expect(engine.stats().mode.tier).toBe(own)
  using result: Loose = await engine.run(target())
  for (const wish of WISHES) {
    expect(result.metrics.nodes.find(({ id }: Loose) => id === `n-${wish}`).tier).toBe(wish ?? own)
    expect(plan.nodes.find(({ id }) => id === `n-${wish}`)).toMatchObject({
      tier: wish ?? own,
      why: expect.stringMatching(wish !== undefined ? /^named by the node/
        : option !== undefined ? /^named by option/
        : environment !== undefined ? /^named by environment/
        : /^best that the host offers/) as string,
    })
    expect(result.outputs[`n-${wish}`].data.toArray()).toEqual(result.outputs['n-js'].data.toArray())
  }
  expect(engine.stats().guests.map(({ tier }) => tier).sort()).toEqual(TIERS.filter((tier) => tier !== own && tier !== 'js').sort())
  expect(plan.diagnostics).toEqual([])
})

test('with workers: nodes of the engine\'s tier run there, the others on its own thread', async () => {
  for (const own of ['wasm-threads', 'wasm'] as const) {
    const other = own === 'wasm' ? 'wasm-threads' : 'wasm', source = audioBuffer({ data: [SAMPLES], rate: 8_000 })
    await using engine = await createEngine({ tier: own, workers: 1, arenaBytes: 2 ** 24 })
    const a = (gain as Loose).named('a')(source, { gainDb: -1 })
    const b = (gain as Loose).with({ tier: other }).named('b')(a, { gainDb: -2 })
    const c = (gain as Loose).named('c')(b, { gainDb: -3 })
    using result: Loose = await engine.run({ c, d: (gain as Loose).with({ tier: 'js' }).named('d')(b, { gainDb: -3 }) } as Loose)
    expect(result.metrics.nodes.filter(({ kernelCalls }: Loose) => kernelCalls > 0).map(({ id, tier, where }: Loose) =>
      [id, tier, where]).sort()).toEqual([['a', own, 'worker'], ['b', other, 'engine'], ['c', own, 'worker'], ['d', 'js', 'engine']])
    expect(result.outputs.c.data.toArray()).toEqual(result.outputs.d.data.toArray())
  }
})

test('MILLRACE_FALLBACK=false and named tiers: no warning, no fallback', async () => {
  vi.stubEnv('MILLRACE_FALLBACK', 'false')
  const told: unknown[] = []
  await using engine = await createEngine({ tier: 'js', workers: 0, logger: (...line) => { told.push(line) } })
  using result: Loose = await engine.run(target())
  expect(result.diagnostics).toEqual([])
  expect(told).toEqual([])
})

test('tags of workers are not had on the engine\'s thread, where nodes of another tier run', async () => {
  await using engine = await createEngine({ tier: 'wasm-threads', workers: 1, workerTags: { heavy: 1 }, arenaBytes: 2 ** 24 })
  const tagged = (tier: unknown): Loose =>
    (gain as Loose).with({ requires: { tags: ['heavy'] }, tier }).named('n')(audioBuffer({ data: [SAMPLES], rate: 8_000 }))
  for (const tier of ['wasm', 'js', 'python', ['wasm', 'wasm-threads']]) {
    await expect(engine.plan({ out: tagged(tier) })).rejects.toMatchObject({ code: 'CAPABILITY_MISSING', nodeId: 'n' })
  }
  for (const tier of ['wasm-threads', 'auto', 'rust']) {
    expect((await engine.plan({ out: tagged(tier) })).nodes.find(({ id }) => id === 'n'))
      .toMatchObject({ where: 'worker', tier: 'wasm-threads' })
  }
})

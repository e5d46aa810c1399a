/**
 * MW-77: a background tab: timers fire after a second or more, the clock moves in steps of 100 µs. Runs end right and
 * nobody is taken for lost. Node and Chromium.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEngine, type AnyHandle, type Engine, type Tier } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { audioBuffer, gain, mix, resample } from '../../src/nodes/index.js'
import { chunked } from '../soak/random-run.js'
import { peak } from './script/script-nodes.js'

/** What browsers make of a hidden page: once a second. */
const SLOWEST_MS = 1_000, STEP_MS = 0.1
const tone = Float32Array.from({ length: 60_000 }, (_, n) => Math.sin(n / 9) / 2)
const realTimer = globalThis.setTimeout, realNow = performance.now.bind(performance)
const slow = ((call: () => void, ms = 0, ...words: never[]) =>
  realTimer(call, Math.ceil(Math.max(ms, SLOWEST_MS) / SLOWEST_MS) * SLOWEST_MS, ...words)) as typeof setTimeout
const coarse = (): number => Math.floor(realNow() / STEP_MS) * STEP_MS
/** From now on, for this thread; threads have clocks of their own. */
const throttle = (): void => {
  vi.spyOn(performance, 'now').mockImplementation(coarse)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(slow)
}
afterEach(() => { vi.restoreAllMocks() })

const graphs = (): Readonly<Record<string, Record<string, AnyHandle>>> => {
  const whole = audioBuffer({ data: [tone], rate: 16_000 }), pieces = chunked(tone)
  return {
    values: { out: mix([gain(whole, { gainDb: -6 }), resample(resample(whole, { rate: 48_000 }), { rate: 16_000 })]) as AnyHandle },
    chunks: { out: resample(gain(pieces, { gainDb: -6 }), { rate: 22_050 }) as AnyHandle, loudest: peak(pieces) as unknown as AnyHandle },
  }
}
const samples = async (engine: Engine, graph: Record<string, AnyHandle>): Promise<readonly unknown[]> => {
  using result = await engine.run(graph)
  return Object.values(result.outputs).map(({ data }) => typeof data === 'object' && data !== null && 'toArray' in data
    ? Array.from((data as { toArray(): Float32Array }).toArray()).reduce((sum, x, n) => (sum + x * (n % 97)) % 1e6, 0)
    : data)
}

describe.each(([...(hostFacts().sab ? ['wasm-threads'] : []), 'wasm'] as Tier[]))('MW-77: throttled timers and a coarse clock, %s', (
  tier,
) => {
  test('runs over values and chunks give what they give otherwise; no worker or thread is lost, none is ended', async () => {
    await using plain = await createEngine({ workers: 0, logger: () => undefined })
    const expected = [await samples(plain, graphs()['values']!), (await samples(plain, graphs()['chunks']!))[0]]
    const warnings: string[] = []
    throttle()
    await using engine = await createEngine({
      tier, workers: 2, hangMs: 600,
      logger: (level, text) => { if (level !== 'debug' && level !== 'info') warnings.push(text) },
    })
    for (let round = 0; round < 2; round++) {
      expect(await samples(engine, graphs()['values']!)).toEqual(expected[0])
      expect((await samples(engine, graphs()['chunks']!))[0]).toEqual(expected[1])
    }
    expect(vi.mocked(setTimeout)).toHaveBeenCalled()
    expect(engine.stats().workers).toMatchObject({ count: 3, scripts: { count: 1 }, lost: 0 })
    expect([engine.parts.scripts!.stats().lost, warnings]).toEqual([0, []])
  }, 60_000)

  test('a cancel and a close still end a run', async () => {
    throttle()
    await using engine = await createEngine({ tier, workers: 1, logger: () => undefined })
    const abort = new AbortController()
    const run = engine.run({
      out: chunked(new Float32Array(3_000_000), (position) => { if (position === 100_000) abort.abort('enough') }) as AnyHandle,
    }, { signal: abort.signal })
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(engine.stats()).toMatchObject({ runs: 0, workers: { lost: 0 } })
  }, 30_000)
})

import { describe, expect, inject, test } from 'vitest'
import { createEngine, defineNode, json, type NodeDefinition } from '../../src/index.js'
import { audioBuffer, gain, mix, resample } from '../../src/nodes/index.js'

const isolated = typeof window === 'undefined' || inject('isolated')
const SLEEP_MS = 500
/** Sleeps on a thread of its own, then says when it began and ended. */
const process: NonNullable<NodeDefinition['process']> = async (inputs, params, ctx) => {
  for (const input of inputs['in'] as unknown as { whole(): Promise<unknown> }[]) await input.whole()
  const began = ctx.clock.nowMs()
  await ctx.clock.sleep(params['ms'] as number)
  return {
    out: {
      media: { kind: 'json' }, data: { began, ended: ctx.clock.nowMs() }, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0,
      metadata: {},
    },
  }
}
const sleeper = defineNode({
  type: 'test::sleeper', version: '1.0.0', title: 'Sleeper', doc: 'Sleeps.', family: 'test', thread: 'worker', process,
  params: { ms: { type: 'number', default: SLEEP_MS, main: true, doc: 'How long.' } },
  inputs: { in: { media: json(), multi: true, optional: true } }, outputs: { out: { media: json() } },
})
interface Span { readonly began: number; readonly ended: number }
/** By its own clock: bounds scale with what the machine makes of a sleep. */
const took = ({ began, ended }: Span): number => ended - began

describe('self-scheduling (EX-07)', () => {
  test('two independent 500 ms branches on 2 workers: the longer one, not the sum', async () => {
    await using engine = await createEngine({ workers: 2, logger: () => undefined })
    // Threads take their time to start.
    await engine.run({ a: sleeper(1), b: sleeper(1) })
    const { outputs, metrics } = await engine.run({ a: sleeper(SLEEP_MS), b: sleeper(SLEEP_MS) })
    const [a, b] = [outputs.a.data as Span, outputs.b.data as Span]
    expect(Math.max(a.began, b.began)).toBeLessThan(Math.min(a.ended, b.ended))
    expect(metrics.totalTimeUs).toBeGreaterThanOrEqual(SLEEP_MS * 1_000 - 5_000)
    expect(Math.max(a.ended, b.ended) - Math.min(a.began, b.began)).toBeLessThan(took(a) + took(b))
  })

  test('a diamond of sleeps takes the maximum of its arms', async () => {
    await using engine = await createEngine({ workers: 2, logger: () => undefined })
    await engine.run({ a: sleeper(1), b: sleeper(1) })
    const top = sleeper(20), long = sleeper(top.out, SLEEP_MS), short = sleeper(top.out, SLEEP_MS - 100)
    const { outputs } = await engine.run({ top, long, short, end: sleeper([long.out, short.out], 20) })
    const span = (name: 'top' | 'long' | 'short' | 'end'): Span => outputs[name].data as Span
    expect(Math.max(span('long').began, span('short').began)).toBeLessThan(Math.min(span('long').ended, span('short').ended))
    expect(span('long').began).toBeGreaterThanOrEqual(span('top').ended)
    expect(span('end').began).toBeGreaterThanOrEqual(Math.max(span('long').ended, span('short').ended))
    expect(span('end').ended - span('top').began)
      .toBeLessThan((['top', 'long', 'short', 'end'] as const).reduce((sum, name) => sum + took(span(name)), 0))
  })

  test.skipIf(!isolated)('no message per kernel segment: eight of them on two workers, and the counters stand', async () => {
    await using engine = await createEngine({ workers: 2, tier: 'wasm-threads', arenaBytes: 64 * 1_048_576 })
    const sound = engine.audio.from([new Float32Array(200_000).fill(1 / 16)], { rate: 48_000, channels: 1 }, { copy: true })
    const target = () => ({
      y: mix(Array.from({ length: 8 }, (_, n) =>
        resample(gain(audioBuffer({ data: sound }), { gainDb: n % 2 === 0 ? 6 : -6 }), { rate: 16_000 }).out)),
    })
    const plan = await engine.plan(target())
    expect(plan.segments.filter(({ where }) => where === 'worker').length).toBeGreaterThanOrEqual(8)
    ;(await engine.run(target())).close()
    const before = engine.stats().workers.messages
    using result = await engine.run(target())
    expect(engine.stats().workers.messages - before).toBe(0)
    expect(result.outputs.y.data.channel(0)[30_000]).toBeCloseTo(0.25 * (10 ** (6 / 20) + 10 ** (-6 / 20)), 4)
    expect(new Set(result.metrics.nodes.filter(({ kernelCalls }) => kernelCalls > 0).map(({ where }) => where)))
      .toEqual(new Set(['worker']))
    sound.close()
  })
})

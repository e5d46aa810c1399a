import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { metricsSchema } from '../../src/graph-tools.js'
import { createEngine, exportMetrics, type RunFailure, type RunMetrics } from '../../src/index.js'
import { audioBuffer, gain, toPcm16, wavFile } from '../../src/nodes/index.js'

const check = new Ajv2020({ strict: true }).compile(metricsSchema)
const problems = (metrics: RunMetrics): unknown => check(JSON.parse(JSON.stringify(exportMetrics(metrics)))) ? [] : check.errors
const graph = (): { readonly out: ReturnType<typeof toPcm16> } => ({
  out: toPcm16(gain(audioBuffer({ data: [new Float32Array(20_000)], rate: 8_000 }))),
})

describe('metrics have one published shape (EX-64)', () => {
  test.each([[0, 'wasm-threads'], [2, 'wasm-threads'], [2, 'wasm'], [0, 'js']] as const)('%i workers, tier %s', async (workers, tier) => {
    await using engine = await createEngine({ workers, tier })
    using result = await engine.run(graph())
    expect(problems(result.metrics)).toEqual([])
    using plain = await engine.run(graph(), { metrics: false })
    expect(problems(plain.metrics)).toEqual([])
  })

  test('of a failed run too; and the schema refuses what is missing or foreign', async () => {
    await using engine = await createEngine({ workers: 0 })
    const stop = new AbortController()
    const cancelled = await engine.run(graph(), { signal: stop.signal, onProgress: () => { stop.abort() } })
      .then(() => undefined, (error: RunFailure) => error.result)
    if (cancelled) expect(problems(cancelled.metrics)).toEqual([])
    const failed = await engine.run({ ok: graph().out, bad: toPcm16(wavFile(new TextEncoder().encode('RIFF\0\0\0\0WAVEfmt '))) })
      .then(() => undefined, (error: RunFailure) => error)
    expect(failed).toMatchObject({ code: 'FILE_INVALID' })
    using result = await engine.run(graph())
    const { nodes: _nodes, ...rest } = exportMetrics(result.metrics)
    expect(check(rest)).toBe(false)
    expect(check({ ...exportMetrics(result.metrics), extra: 1 })).toBe(false)
  })
})

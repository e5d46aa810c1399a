import { expect, test } from 'vitest'
import { createEngine, type Engine, type RunOptions } from '../../src/index.js'
import { audioBuffer, resample } from '../../src/nodes/index.js'

/** Six independent resamplers of whole values: six tasks for the workers. Gives when each ran, µs from the run's start. */
async function tasks(
  engine: Engine, options: RunOptions, clock: { order: string[] }, name: string,
): Promise<readonly { readonly from: number; readonly to: number; readonly worker: number }[]> {
  const given = Array.from({ length: 6 }, (_, i) => engine.audio.from(
    Float32Array.from({ length: 400_000 }, (_, n) => Math.sin(n / (9 + i))),
    { rate: 44_100, channels: 1 }, { copy: true },
  ))
  const outputs = Object.fromEntries(given.map((audio, i) => [`out${i}`, resample(audioBuffer(audio), { rate: 16_000 })]))
  const result = await engine.run(outputs, options)
  clock.order.push(name)
  result.close()
  for (const audio of given) audio.close()
  return result.metrics.nodes.filter(({ type }) => type === 'audio::resample')
    .map(({ startTimeUs, executionTimeUs, worker }) => ({ from: startTimeUs, to: startTimeUs + executionTimeUs, worker }))
}

test('`workers` of a run bounds what runs at once (MW-32)', async () => {
  await using engine = await createEngine({ workers: 3 })
  const ran = [...await tasks(engine, { workers: 1 }, { order: [] }, 'one')].sort((a, b) => a.from - b.from)
  expect(ran).toHaveLength(6)
  expect(ran.every(({ worker }) => worker >= 0)).toBe(true)
  // Starts and times are whole µs of two clocks' readings.
  for (let i = 1; i < ran.length; i++) expect(ran[i]!.from).toBeGreaterThanOrEqual(ran[i - 1]!.to - 2_000)
})

test('a run of higher priority goes first on a busy worker', async () => {
  await using engine = await createEngine({ workers: 1 })
  const clock = { order: [] as string[] }
  await tasks(engine, {}, { order: [] }, 'start')
  const low = [
    tasks(engine, { priority: -5 }, clock, 'low 1'), tasks(engine, { priority: -5 }, clock, 'low 2'),
    tasks(engine, { priority: -5 }, clock, 'low 3'),
  ]
  const high = tasks(engine, { priority: 50 }, clock, 'high')
  await Promise.all([...low, high])
  expect(clock.order.indexOf('high')).toBeLessThan(clock.order.indexOf('low 3'))
  expect(clock.order.filter((name) => name !== 'high')).toEqual(['low 1', 'low 2', 'low 3'])
})

test.each([
  [{ priority: 101 }, 'priority'], [{ priority: 0.5 }, 'priority'], [{ workers: 0 }, 'workers'], [{ workers: 257 }, 'workers'],
])('%j is refused', async (options, key) => {
  await using engine = await createEngine({ workers: 0 })
  await expect(engine.run({ out: resample(audioBuffer([new Float32Array(10)]), { rate: 16_000 }) }, options)).rejects
    .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(key) as string })
})

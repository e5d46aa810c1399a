/** What an engine makes of an arena that is corrupt, and how it drains (MW-02, MW-51). */
import { expect, test } from 'vitest'
import { createEngine, isMillraceError, type EngineEvent } from '../../src/index.js'
import { audioBuffer, gain, resample } from '../../src/nodes/index.js'

const tone = Float32Array.from({ length: 200_000 }, (_, n) => Math.sin(n / 20))
const graph = (): { out: ReturnType<typeof resample> } => ({
  out: resample(gain(audioBuffer({ data: [tone], rate: 48_000 }), { gainDb: -6 }), { rate: 16_000, quality: 'high' }),
})
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try { await work } catch (error) { if (isMillraceError(error)) return error.code; throw error }
  return 'none'
}

test('a magic that was written over ends the runs of that engine with ARENA_CORRUPT and closes it; another engine goes on', async () => {
  const engine = await createEngine({ workers: 2, tier: 'wasm-threads', logger: () => undefined })
  await using other = await createEngine({ workers: 1, tier: 'wasm-threads' });
  (await engine.run(graph())).close()
  const { arena } = engine.parts
  arena.u32[arena.base >>> 2] = 0
  expect(await codeOf(engine.run(graph()))).toBe('ARENA_CORRUPT')
  // Nobody closes it but itself.
  while (engine.stats().workers.count > 0) await new Promise((resolve) => { setTimeout(resolve, 1) })
  arena.u32[arena.base >>> 2] = 1
  expect(await codeOf(engine.run(graph()))).toBe('CLOSED');
  (await other.run(graph())).close()
})

test('drain lets a run end, takes no other, then is closed', async () => {
  const events: EngineEvent[] = []
  const engine = await createEngine({ workers: 2, tier: 'wasm-threads', onEvent: (event) => { events.push(event) } })
  const run = engine.run(graph())
  await new Promise((resolve) => { setTimeout(resolve, 5) })
  const drained = engine.drain()
  expect(await codeOf(engine.run(graph()))).toBe('CLOSED')
  const result = await run
  expect(result.status).toBe('success')
  result.close()
  await drained
  expect(engine.stats().workers.count).toBe(0)
  expect(events.filter(({ type }) => type === 'worker.lost')).toEqual([])
})

/** A loop whose thread is ended goes on where it was: what goes round is part of the state (GR-12, MW-34, MW-46). */
import type { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { createEngine, feedback, type Engine, type OutputRef } from '../../src/index.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'

const threads: Worker[] = []
const host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, RealWorker = host.Worker
host.Worker = class extends RealWorker {
  constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = RealWorker })

const FRAMES = 2_000_000, DELAY = 333, ROUNDS = Number(process.env['MILLRACE_FEEDBACK_LOSSES'] ?? 2), g = Math.fround(10 ** (-3 / 20))
const x = Float32Array.from({ length: FRAMES }, (_, n) => Math.sin(n * n * 1e-5) * 0.3)
const right = new Float32Array(FRAMES)
for (let n = 0; n < FRAMES; n++) right[n] = x[n]! + Math.fround((n < DELAY ? 0 : right[n - DELAY]!) * g)
const echo = (sound: OutputRef<'audio'>): OutputRef<'audio'> => feedback({ delayFrames: DELAY }, (late) =>
  mix([sound, gain(late, { gainDb: -3 })]))

async function lose(engine: Engine, sound: OutputRef<'audio'>, wait: number): Promise<void> {
  const first = threads.length
  let done = false
  const run = engine.run({ out: echo(sound) }).finally(() => { done = true })
  while (engine.stats().workers.busy === 0 && !done) await new Promise((resolve) => { setTimeout(resolve, 1) })
  await new Promise((resolve) => { setTimeout(resolve, wait) })
  await Promise.all((first === threads.length ? threads : threads.slice(first)).map((thread) => thread.terminate()))
  using result = await run
  expect(Buffer.compare(Buffer.from(result.outputs.out.data.channel(0).slice().buffer), Buffer.from(right.buffer))).toBe(0)
}

test.each([
  ['shared memory, whole values', {}, true], ['shared memory, chunks', {}, false], ['private memories, chunks', { shared: false }, false],
] as const)('%s', async (_, options, whole) => {
  for (let round = 0; round < ROUNDS; round++) {
    await using engine = await createEngine({ workers: 1, logger: () => undefined, ...options })
    using held = engine.audio.from([x], { rate: 48_000, channels: 1 }, { copy: true })
    await lose(engine, audioBuffer(whole ? held : [x]), round * 3)
  }
}, 60_000)

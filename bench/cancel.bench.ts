/** How long a run goes on after it was told to stop, in the middle of kernels. */
import { hostClock } from '../src/engine/host-clock.js'
import { createEngine, type Engine } from '../src/index.js'
import { compileModules } from '../src/kernels/compile.js'
import { processEntry } from '../src/kernels/runtime.js'
import { layoutHash, TASK_STATE } from '../src/memory/layout.js'
import { resample } from '../src/nodes/audio/resample.js'
import { audioBuffer } from '../src/nodes/io/audio-buffer.js'
import { wavFile } from '../src/nodes/io/wav-file.js'
import { vad } from '../src/nodes/voice/vad.js'
import { RunTable } from '../src/workers/run-table.js'
import { craftModule } from '../test/kernels/craft-module.js'
import { emptyProgram, makePool } from '../test/workers/support.js'
import { bench, tail } from './support/bench.js'
import { longWav } from './support/long-wav.js'

const CANCELS = 200, SECONDS = 600
const now = (): number => performance.now()

/**
 * Cancels at moments between 5 and 105 ms after the start, counted from when the timer was due: a thread that lets no timer be heard is
 * late too. A run that has ended by then does not count.
 */
async function cancelled(engine: Engine, outputs: () => Record<string, never>, count: number): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; times.length < count && round < 4 * count; round++) {
    const stop = new AbortController(), afterMs = 5 + (round * 37) % 101, due = now() + afterMs
    const run = engine.run(outputs(), { signal: stop.signal })
    let at = 0
    const ended = run.then((result) => { at = now(); result.close() }, () => { at = now() })
    await hostClock.sleep(afterMs)
    stop.abort()
    await ended
    if (at > due) times.push(at - due)
  }
  return times
}

/**
 * Question: how soon has a cancelled run ended when kernels are in the middle of its work (EX-52, MW-58)? Bars: p99 50 ms on shared memory,
 * 100 ms on private ones. Two runs' sources: a file in chunks, audio that is there whole.
 */
export const runs = bench('engine/cancel', async (b) => {
  const wav = longWav(SECONDS)
  for (const [name, barMs, options] of [
    ['shared memory, 2 workers', 50, { workers: 2, shared: true }],
    ['private memories, 2 workers', 100, { workers: 2, shared: false }],
    ['this thread', 50, { workers: 0 }],
  ] as const) {
    await using engine = await createEngine({ arenaBytes: 2 ** 28, ...options })
    const whole = engine.audio.alloc({ rate: 48_000, channels: 1, frames: SECONDS * 48_000 })
    whole.channel(0).subarray(0, 1 << 20).fill(0.1)
    const best = { rate: 16_000, quality: 'best' } as const
    const times = {
      'a file in chunks': await cancelled(engine, () => ({ segments: vad(resample(wavFile(wav), best)).segments as never }), CANCELS),
      'audio that is there whole':
        await cancelled(engine, () => ({ segments: vad(resample(audioBuffer(whole), best)).segments as never }), CANCELS),
    }
    whole.close()
    for (const [source, ms] of Object.entries(times)) {
      b.note(tail(`${name}, ${source}`, barMs, b.record(`abort to rejected, ${name}, ${source}`, { 'engine.run': ms })))
    }
  }
}, ['node'])

/** `process` loops until the word at Io's cancel address is not 0. */
const POLITE = [0x03, 0x40, 0x20, 0x01, 0x28, 0x02, 0x2c, 0x28, 0x02, 0x00, 0x45, 0x0d, 0x00, 0x0b, 0x41, 0x7f, 0x0f]

/** Question: how soon has a task ended whose kernel does nothing but look at its cancel word (MW-50)? Bar: p99 50 ms. */
export const word = bench('workers/cancel', async (b) => {
  const mine = craftModule({
    exports: ['millrace_abi', 'millrace_layout', 'mine_size', 'mine_init', 'mine_reset', 'mine_process'],
    body: POLITE, layout: layoutHash(),
  })
  const { arena, runtime, pool } = await makePool({ compiled: () => compileModules({ shared: true, kernels: { mine } }), size: 1 }, true)
  const letGo = pool.hold(), times: number[] = []
  await pool.register([{ id: 0, module: 'mine', name: 'mine' }])
  await pool.ensure(1)
  const program = emptyProgram(arena, 1, processEntry(0))
  while (times.length < 5 * CANCELS) {
    const table = new RunTable(arena, runtime.core, [{ program, pending: 0, successors: [] }])
    table.push(0, 0)
    while (table.state(0) !== TASK_STATE.RUNNING) await hostClock.sleep(1)
    const from = now()
    pool.cancelRun(table.index)
    while (table.state(0) === TASK_STATE.RUNNING) await hostClock.yield()
    times.push(now() - from)
    await table.close(hostClock)
  }
  b.note(tail('cancel word to task ended', 50, b.record('a kernel that looks at its cancel word', { 'pool.cancelRun': times })))
  letGo()
  await pool.close()
}, ['node'])

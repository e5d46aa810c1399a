import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { instantiateRuntime, THREAD_SPAN_BYTES, type KernelRuntime } from '../../src/kernels/runtime.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { createRing } from '../../src/memory/ring/audio-ring.js'
import { workerWait } from '../../src/workers/worker-wait.js'
import type { RingJob } from './ring-worker.js'

/** The issue asks for 10⁸ samples and 10⁶ hand-overs: set these for the full run. */
const SAMPLES = Number(process.env['MILLRACE_RING_SAMPLES'] ?? 2_000_000)
const HAND_OVERS = Number(process.env['MILLRACE_RING_HANDOVERS'] ?? 10_000)

let code: string, arena: Arena, compiled: CompiledModules, runtime: KernelRuntime
beforeAll(async () => {
  const { outputFiles } = await build({ entryPoints: [resolve(import.meta.dirname, 'ring-worker.ts')], bundle: true, write: false, format: 'cjs', platform: 'node', target: 'es2022', logLevel: 'silent' })
  code = outputFiles[0]!.text
  arena = createArena({ bytes: 2 ** 25, shared: true, wasm: true })
  compiled = await compileModules({ shared: true })
  runtime = instantiateRuntime(compiled, arena.memory!)
})
function start(job: Omit<RingJob, 'memory' | 'compiled'>, core: boolean): Promise<{ worker: Worker; answer: Promise<Record<string, number>> }> {
  if (core) runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
  const worker = new Worker(code, { eval: true, workerData: { ...job, memory: arena.memory!, ...(core && { compiled }) } satisfies RingJob })
  return new Promise((ready, failed) => {
    worker.once('error', failed)
    worker.once('message', () => { ready({ worker, answer: new Promise((done) => { worker.once('message', done) }) }) })
  })
}

describe.each([['core', true], ['TypeScript', false]])('two threads, by %s', (_, fast) => {
  test(`${SAMPLES} samples in order, with their sum`, async () => {
    const spec = { frames: 4_096, firstIndex: 2 ** 32 - 10_000 }, { writer, address, [Symbol.dispose]: free } = createRing(arena, fast ? { ...spec, core: runtime.core } : spec), x = arena.alloc({ dtype: 'f32', shape: [1_024] }).view(Float32Array)
    const { worker, answer } = await start({ kind: 'sum', ring: address, target: arena.allocate(4_096), frames: 1_024 }, fast)
    let sum = 0
    for (let sent = 0, block = 1; sent < SAMPLES; block = block * 5 % 1_021 + 1) {
      const frames = Math.min(block, SAMPLES - sent)
      for (let i = 0; i < frames; i++) { x[i] = (sent + i) & 0xff_ffff; sum += x[i]! }
      for (let done = 0; done < frames;) {
        const count = writer.write(x, frames - done, done)
        done += count
        // Node's main thread may block; a browser's would not.
        if (count === 0) writer.waitRoom(1, 1_000, workerWait)
      }
      sent += frames
    }
    writer.end()
    expect(await answer).toEqual({ next: SAMPLES, sum, wrong: 0 })
    await worker.terminate()
    free()
  }, 600_000)

  test(`${HAND_OVERS} hand-overs with random pauses: nobody sleeps over one`, async () => {
    const there = createRing(arena, { frames: 16 }), back = createRing(arena, { frames: 16 }), x = new Float32Array(1)
    const { worker, answer } = await start({ kind: 'echo', ring: there.address, back: back.address, target: arena.allocate(64), frames: 16, pauses: 7 }, fast)
    let late = 0
    for (let n = 0; n < HAND_OVERS; n++) {
      x[0] = n
      there.writer.write(x)
      if (!back.reader.wait(1, 2_000, workerWait)) late++
      expect(back.reader.read(x)).toBe(1)
      if (x[0] !== n) expect.fail(`hand-over ${n}: ${x[0]}`)
      if (n % 5 === 0) for (let busy = n * 7 % 9_000; busy > 0; busy--) x[0] += 1
    }
    there.writer.end()
    expect(late).toBe(0)
    expect(await answer).toEqual({ slept: 0 })
    await worker.terminate()
  }, 600_000)
})

import ourCode from 'inline-worker:../test/memory/ring-worker.ts'
import { RingBuffer } from 'ringbuf.js'
import { THREAD_SPAN_BYTES } from '../src/kernels/runtime.js'
import { compileModules } from '../src/kernels/compile.js'
import { createRing } from '../src/memory/ring/audio-ring.js'
import type { RingJob } from '../test/memory/ring-worker.js'
import { bench } from './support/bench.js'
import { benchHost, fillNoise } from './support/kernel-bench.js'

/** Frames of a ring in all rows. */
const CAPACITY = 8_192

/**
 * Question: what do push and pop cost on one thread (PF-13, MW-27)? Hypothesis: ≥ 4 × ringbuf.js at 128 frames, ≥
 * 10 × at 1 024, and at no block size slower.
 */
export const ringsOneThread = bench('memory/rings', async (b) => {
  const { arena, runtime } = await benchHost(64)
  const ring = createRing(arena, { frames: CAPACITY, core: runtime.core }), plain = createRing(arena, { frames: CAPACITY })
  let worst = Infinity
  for (const frames of [1, 16, 64, 128, 256, 512, 1_024, 2_048, 4_096]) {
    const bytes = frames * 4, from = arena.allocate(bytes), to = arena.allocate(bytes)
    const x = fillNoise(arena, from, frames), y = fillNoise(arena, to, frames)
    const peer = new RingBuffer(RingBuffer.getStorageForCapacity(CAPACITY, Float32Array), Float32Array)
    const a = Float32Array.from(x), c = new Float32Array(frames)
    const row = await b.compare(`push + pop, ${frames} frames`, {
      'samples in the arena': () => { ring.writer.write(x); ring.reader.read(y) },
      'ringbuf.js': () => { peer.push(a); peer.pop(c) },
      'samples elsewhere': () => { ring.writer.write(a); ring.reader.read(c) },
      'without the core': () => { plain.writer.write(x); plain.reader.read(y) },
    }, { unit: { name: 'frames', count: frames }, rounds: 21 })
    const ratio = row.variants[1]!.ratio
    worst = Math.min(worst, ratio)
    if (frames === 128 || frames === 1_024) {
      b.note(`${frames} frames: ringbuf.js takes ${ratio.toFixed(2)} × as long (bar ${frames === 128 ? 4 : 10})`)
    }
  }
  b.note(`least ratio over blocks of 1–4 096: ${worst.toFixed(2)} (bar 1)`)
})

/**
 * Question: and across two threads (PF-13)? The consumer reads as fast as it can; the producer pushes blocks of 128. Bar: 3 × ringbuf.js.
 */
export const ringsTwoThreads = bench('memory/rings-threads', async (b) => {
  const { Worker } = process.getBuiltinModule('worker_threads')
  const host = await benchHost(64), { arena, runtime } = host
  const compiled = await compileModules({ shared: true })
  const esbuild = await import('esbuild'), theirs = (await esbuild.build({
    stdin: { contents: PEER, resolveDir: process.cwd() }, bundle: true, write: false, format: 'cjs', platform: 'node', target: 'es2022',
    logLevel: 'silent',
  })).outputFiles[0]!.text
  const ready = async (worker: InstanceType<typeof Worker>): Promise<InstanceType<typeof Worker>> => {
    await new Promise((done) => worker.once('message', done))
    return worker
  }
  for (const frames of [128, 1_024]) {
    const ring = createRing(arena, { frames: CAPACITY, core: runtime.core }), x = fillNoise(arena, arena.allocate(frames * 4), frames)
    runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
    const sab = RingBuffer.getStorageForCapacity(CAPACITY, Float32Array)
    const peer = new RingBuffer(sab, Float32Array), a = Float32Array.from(x)
    const gate = new Int32Array(new SharedArrayBuffer(4))
    // One consumer at a time runs: the other sleeps, else the two cores would be three threads' (gate: 1 ours, 2 theirs).
    const reader = new Worker(ourCode, { eval: true })
    reader.postMessage({
      kind: 'gated', memory: arena.memory!, compiled, ring: ring.address, target: arena.allocate(frames * 4), frames, gate,
    } satisfies RingJob)
    await ready(reader)
    const other = await ready(new Worker(theirs, { eval: true, workerData: { sab, frames, gate } }))
    const blocks = 1_000, open = (who: number): void => { Atomics.store(gate, 0, who); Atomics.notify(gate, 0) }
    const row = await b.compare(`${blocks} blocks of ${frames} frames to another thread`, {
      'samples in the arena': () => {
        open(1)
        for (let n = 0; n < blocks; n++) for (let done = 0; done < frames;) done += ring.writer.write(x, frames - done, done)
        while (ring.writer.free < CAPACITY);
        open(0)
      },
      'ringbuf.js': () => {
        open(2)
        for (let n = 0; n < blocks; n++) for (let done = 0; done < frames;) done += peer.push(a, frames - done, done)
        while (!peer.empty());
        open(0)
      },
    }, { unit: { name: 'frames', count: frames * blocks }, rounds: 40, roundMs: 2 })
    // On a machine whose cores others use too, most calls wait for a thread that does not run: the least says what the rings cost.
    const [us, peers] = row.variants as [typeof row.variants[number], typeof row.variants[number]]
    b.note(`${frames} frames across two threads: ringbuf.js takes ${peers.ratio.toFixed(2)} × as long, at least ${(peers.minMs / us.minMs).toFixed(2)} × (bar 3)`)
    await reader.terminate()
    await other.terminate()
  }
}, ['node'])

/** A module of one function: `memory.copy` of the shared memory. */
const COPY = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 3, 127, 127, 127, 0, 2, 18, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 3, 1, 128,
  128, 4, 3, 2, 1, 0, 7, 8, 1, 4, 99, 111, 112, 121, 0, 0, 10, 14, 1, 12, 0, 32, 0, 32, 1, 32, 2, 252, 10, 0, 0, 11,
]

/** Question: how near is a ring to plain copies (MW-24)? Bars: ≥ 80 % of `memory.copy`, 10 GB/s. */
export const ringsBandwidth = bench('memory/rings-bandwidth', async (b) => {
  const { arena, runtime, memory } = await benchHost(64)
  const { copy } = (await WebAssembly.instantiate(Uint8Array.from(COPY), { env: { memory } })).instance.exports as {
    copy: (to: number, from: number, bytes: number) => void
  }
  for (const frames of [4_096, 16_384, 131_072]) {
    const ring = createRing(arena, { frames: 2 * frames, core: runtime.core })
    const from = arena.allocate(frames * 4), to = arena.allocate(frames * 4)
    const x = fillNoise(arena, from, frames), y = fillNoise(arena, to, frames)
    const between = arena.allocate(frames * 8)
    let half = 0
    const row = await b.compare(`in and out, ${frames} frames`, {
      ring: () => { ring.writer.write(x); ring.reader.read(y) },
      'memory.copy': () => { half ^= frames * 4; copy(between + half, from, frames * 4); copy(to, between + half, frames * 4) },
    }, { unit: { name: 'bytes', count: frames * 8 } })
    b.note(`${frames} frames: ${(100 * row.variants[1]!.p50Ms / row.variants[0]!.p50Ms).toFixed(0)} % of memory.copy (bar 80), ${(row.variants[0]!.perSecond! / 1e9).toFixed(1)} GB/s (bar 10)`)
    ring[Symbol.dispose]()
  }
})

/** The peer's consumer. */
const PEER = `
import { parentPort, workerData } from 'node:worker_threads'
import { RingBuffer } from 'ringbuf.js'
const { sab, frames, gate } = workerData, ring = new RingBuffer(sab, Float32Array), y = new Float32Array(frames)
parentPort.postMessage('ready')
for (;;) {
  const now = Atomics.load(gate, 0)
  if (now !== 2) Atomics.wait(gate, 0, now, 1000)
  else ring.pop(y)
}`

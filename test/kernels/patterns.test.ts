import { expect, test } from 'vitest'
import workerCode from 'inline-worker:./pattern-worker.ts'
import { resolveParams } from '../../src/graph/params.js'
import { STATE, TAG } from '../../src/kernels/contract.js'
import { KernelInstance } from '../../src/kernels/kernel-instance.js'
import { THREAD_SPAN_BYTES } from '../../src/kernels/runtime.js'
import type { AudioMedia } from '../../src/media/media-type.js'
import { QUEUE, RING } from '../../src/memory/layout.js'
import { attachReader, createRing } from '../../src/memory/ring/audio-ring.js'
import { convert } from '../../src/nodes/audio/convert.js'
import type { MessageLike } from '../../src/workers/endpoint.js'
import { browserSpawner } from '../../src/workers/spawn-browser.js'
import { nodeSpawner } from '../../src/workers/spawn-node.js'
import type { PatternAnswer, PatternJob } from './pattern-worker.js'
import { hasShared, openBench, planar, specOf, type Bench } from './support.js'

const FRAMES = 256, WORDS = 2 * FRAMES, MARK = 77
/** Words that are numbers as f32 too, so that no side may change their bits; 0xDEADBEEF at {@link MARK}. */
const pattern = Uint32Array.from({ length: WORDS }, (_, n) => n === MARK ? 0xdeadbeef : Math.imul(n + 1, 0x9e3779b9) & 0xbf7fffff)
const list = (words: Uint32Array): number[] => [...words]
/** The pattern with its two channels frame by frame. */
const woven = Uint32Array.from({ length: WORDS }, (_, n) => pattern[(n & 1) * FRAMES + (n >>> 1)]!)

/** The AssemblyScript kernel that weaves two channels, or parts them; `call` describes one call, which any thread may make. */
function weaver(
  { arena, runtime }: Bench, from: AudioMedia, to: AudioMedia,
): { readonly kernel: KernelInstance; call(source: number, target: number): { state: number; io: number } } {
  const spec = specOf(convert.definition, {
    params: resolveParams(convert.definition, { format: 'f32', layout: to.layout }).values,
    media: { in: from, out: to }, maxFrames: FRAMES,
  })
  let at = { state: 0, io: 0 }
  const kernel = new KernelInstance(
    { ...runtime.kernel(spec.module, spec.export), process: (state, io) => { at = { state, io }; return 0 } },
    spec, arena,
  )
  return {
    kernel,
    call(source, target) {
      kernel.setInput(0, { data: source, frames: FRAMES, stride: FRAMES * 4 })
      kernel.setOutput(0, { data: target, frames: FRAMES, stride: FRAMES * 4 })
      kernel.process(FRAMES)
      return at
    },
  }
}
const flat = planar(2), mixed: AudioMedia = { ...flat, layout: 'interleaved' }

/**
 * What TypeScript wrote, woven by AssemblyScript, put into a ring by Rust; a queue of Rust's with one value; what is still to be called.
 */
function lay(bench: Bench): { job: Omit<PatternJob, 'memory' | 'compiled'>; parted: number; close(): void } {
  const { arena, runtime } = bench, words = (at: number): Uint32Array => new Uint32Array(arena.buffer, at, WORDS)
  const [written, wovenAt, popped, parted] = [0, 1, 2, 3].map(() => arena.allocate(WORDS * 4)) as [number, number, number, number]
  words(written).set(pattern)
  const weave = weaver(bench, flat, mixed), first = weave.call(written, wovenAt)
  expect(runtime.kernel('convert', 'convert').process(first.state, first.io)).toBe(FRAMES)
  expect(list(words(wovenAt))).toEqual(list(woven))
  // The header of its state, as the contract says.
  expect([arena.u32[(first.state + STATE.CALLS) >>> 2], arena.u32[(first.state + STATE.TAG) >>> 2]]).toEqual([1, TAG.ASCR])
  let byRust = 0
  const ring =
    createRing(arena, { frames: WORDS, core: { ...runtime.core, ring_push: (...given) => (byRust = runtime.core.ring_push(...given)) } })
  expect(ring.writer.write(new Float32Array(arena.buffer, wovenAt, WORDS))).toBe(WORDS)
  expect([byRust, arena.u32[(ring.address + RING.WRITE) >>> 2]]).toEqual([WORDS, WORDS])
  expect(list(words(ring.address + RING.DATA))).toEqual(list(woven))
  const queue = arena.allocate(QUEUE.CELLS + 8 * QUEUE.CELL_BYTES)
  runtime.core.queue_init(queue, 8)
  runtime.core.queue_push(queue, 0xdeadbeef)
  expect([QUEUE.MASK, QUEUE.TAIL, QUEUE.CELLS + 4].map((field) => arena.u32[(queue + field) >>> 2])).toEqual([7, 1, 0xdeadbeef])
  const part = weaver(bench, mixed, flat), answer = arena.allocate(64)
  return {
    job: { words: WORDS, written, ring: ring.address, queue, popped, ...part.call(popped, parted), answer }, parted,
    close() { weave.kernel.close(); part.kernel.close(); ring[Symbol.dispose]() },
  }
}

test.each(
  hasShared ? [true, false] : [false],
)('TypeScript, AssemblyScript and Rust read what the others wrote, on one thread, shared memory %s (MW-01)', async (shared) => {
  const bench = await openBench(shared), { arena, runtime } = bench, { job, parted, close } = lay(bench)
  expect(runtime.core.queue_pop(job.queue) >>> 0).toBe(0xdeadbeef)
  expect(attachReader(arena, job.ring, runtime.core).read(new Float32Array(arena.buffer, job.popped, WORDS))).toBe(WORDS)
  expect(list(new Uint32Array(arena.buffer, job.popped, WORDS))).toEqual(list(woven))
  expect(runtime.kernel('convert', 'convert').process(job.state, job.io)).toBe(FRAMES)
  expect(list(new Uint32Array(arena.buffer, parted, WORDS))).toEqual(list(pattern))
  close()
})

test.skipIf(!hasShared)('a worker\'s TypeScript, Rust and AssemblyScript read the pattern of the engine\'s, 0xDEADBEEF at its offset, and it reads theirs (MW-01)', async () => {
  const bench = await openBench(true), { arena, runtime, compiled } = bench, { job, parted, close } = lay(bench)
  runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
  const inNode = typeof process === 'object' && typeof process.versions?.node === 'string'
  const worker = (inNode ? nodeSpawner({ code: workerCode }) : browserSpawner({ code: workerCode }))('pattern')
  const answer = await new Promise<PatternAnswer>((done, failed) => {
    worker.onEnd((reason, detail) => { failed(new Error(`${reason}: ${detail}`)) })
    worker.endpoint.addEventListener('message', ({ data }: MessageLike) => {
      if (data !== 'ready') { done(data as PatternAnswer); return }
      worker.started()
      worker.endpoint.postMessage({ ...job, memory: arena.memory!, compiled } satisfies PatternJob)
    })
    worker.endpoint.start?.()
  })
  expect(answer).toEqual({ written: list(pattern), queued: 0xdeadbeef, popped: list(woven), byRust: WORDS, frames: FRAMES })
  expect(answer.written[MARK]).toBe(0xdeadbeef)
  expect(list(new Uint32Array(arena.buffer, parted, WORDS))).toEqual(list(pattern))
  expect(arena.u32[(job.state + STATE.CALLS) >>> 2]).toBe(1)
  expect(runtime.core.queue_pop(job.queue) >>> 0).toBe(0xfeedface)
  expect(arena.u32[job.answer >>> 2]).toBe(0xdeadbeef)
  await worker.terminate()
  close()
})

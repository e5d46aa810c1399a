/** A thread of the pattern test, in Node and in pages: its own Rust and AssemblyScript instances over the memory of the engine's. */
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { attachReader } from '../../src/memory/ring/audio-ring.js'
import { memoryViews } from '../../src/memory/views.js'
import { hostEndpoint, type MessageLike } from '../../src/workers/endpoint.js'

/** Addresses of what the test wrote, and of what is to be written. `words`: u32 of each span. */
export interface PatternJob {
  readonly memory: WebAssembly.Memory
  readonly compiled: CompiledModules
  readonly words: number
  readonly written: number
  readonly ring: number
  readonly queue: number
  readonly popped: number
  readonly state: number
  readonly io: number
  readonly answer: number
}
/** What the thread read: by TypeScript, from Rust's queue, from Rust's ring; the result of the AssemblyScript call. */
export interface PatternAnswer {
  readonly written: number[]
  readonly queued: number
  readonly popped: number[]
  /** Frames that Rust took out. */
  readonly byRust: number
  readonly frames: number
}

const endpoint = hostEndpoint()
endpoint.addEventListener('message', ({ data }: MessageLike) => {
  const job = data as PatternJob
  if (job?.memory === undefined) return
  const { memory: { buffer } } = job, views = memoryViews(buffer), runtime = instantiateRuntime(job.compiled, job.memory)
  const span = (at: number): number[] => [...new Uint32Array(buffer, at, job.words)]
  const written = span(job.written), queued = runtime.core.queue_pop(job.queue) >>> 0
  let byRust = 0
  attachReader(views, job.ring, { ...runtime.core, ring_pop: (...given) => (byRust = runtime.core.ring_pop(...given)) })
    .read(new Float32Array(buffer, job.popped, job.words))
  const frames = runtime.kernel('convert', 'convert').process(job.state, job.io)
  runtime.core.queue_push(job.queue, 0xfeedface)
  views.u32[job.answer >>> 2] = 0xdeadbeef
  endpoint.postMessage({ written, queued, popped: span(job.popped), byRust, frames } satisfies PatternAnswer)
})
endpoint.start?.()
endpoint.postMessage('ready')

/** A thread of the ring tests and benches, in Node and in pages: one end of a ring. */
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { attachReader, attachWriter } from '../../src/memory/ring/audio-ring.js'
import { memoryViews } from '../../src/memory/views.js'
import { hostEndpoint, type MessageLike } from '../../src/workers/endpoint.js'
import { workerWait } from '../../src/workers/worker-wait.js'

/**
 * What the thread does: `sum` reads all and checks the order; `echo` sends back what it reads; `gated`
 * reads as fast as it can while the gate says 1.
 */
export interface RingJob {
  readonly kind: 'sum' | 'echo' | 'gated'
  readonly memory: WebAssembly.Memory
  readonly compiled?: CompiledModules
  readonly ring: number
  readonly back?: number
  readonly target: number
  readonly frames: number
  readonly pauses?: number
  readonly gate?: Int32Array
}

const endpoint = hostEndpoint()
let begun = false
endpoint.addEventListener('message', ({ data }: MessageLike) => {
  if (begun) return
  begun = true
  run(data as RingJob)
})
endpoint.start?.()

function run(job: RingJob): void {
  const views = memoryViews(job.memory.buffer), core = job.compiled && instantiateRuntime(job.compiled, job.memory).core
  const reader = attachReader(views, job.ring, core), target = new Float32Array(job.memory.buffer, job.target, job.frames)
  let seed = 77
  const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
  /** Some of the time a thread is late: between looking, counting itself in and sleeping. */
  const pause = (): void => { if (job.pauses && random(job.pauses) === 0) for (let n = random(20_000), x = 0; n > 0; n--) x += n }

  endpoint.postMessage('ready')
  if (job.kind === 'sum') {
    let next = 0, sum = 0, wrong = 0
    while (!reader.ended) {
      pause()
      reader.wait(1, 1_000, workerWait)
      const count = reader.read(target, 1 + random(job.frames))
      for (let i = 0; i < count; i++, next++) { const x = target[i]!; sum += x; if (x !== (next & 0xff_ffff)) wrong++ }
    }
    endpoint.postMessage({ next, sum, wrong })
  } else if (job.kind === 'echo') {
    const back = attachWriter(views, job.back!, core)
    let slept = 0
    while (!reader.ended) {
      if (!reader.wait(1, 2_000, workerWait)) slept++
      const count = reader.read(target)
      pause()
      back.write(target, count)
    }
    endpoint.postMessage({ slept })
  } else {
    const gate = job.gate!
    for (;;) {
      const now = Atomics.load(gate, 0)
      if (now === 1) reader.read(target)
      else Atomics.wait(gate, 0, now, 1_000)
    }
  }
}

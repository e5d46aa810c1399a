/** A thread of the transport benches, in Node and in pages: answers what it gets by the way it was asked. */
import { attachReader, attachWriter } from '../../src/memory/ring/audio-ring.js'
import { ByteRingReader } from '../../src/memory/ring/byte-ring.js'
import { resolveHandle } from '../../src/memory/shared-handle.js'
import { memoryViews } from '../../src/memory/views.js'
import { workerBlocks } from '../../src/workers/codec/channel-blocks.js'
import { RingChannel, type ChannelAddresses } from '../../src/workers/codec/ring-channel.js'
import { hostEndpoint, type MessageLike } from '../../src/workers/endpoint.js'
import { workerWait } from '../../src/workers/worker-wait.js'

/** First message: how the thread answers. `echo`: messages come and go by postMessage, buffers transferred when they came so. */
export interface ChannelJob {
  readonly kind: 'echo' | 'sleep' | 'spin' | 'handles'
  readonly memory?: WebAssembly.Memory
  readonly base?: number
  readonly addresses?: ChannelAddresses
  readonly gate?: Int32Array
}

const endpoint = hostEndpoint()
endpoint.addEventListener('message', (event: MessageLike) => {
  const job = event.data as ChannelJob & { readonly move?: boolean; readonly buffer?: ArrayBuffer }
  if (job.kind === undefined) { endpoint.postMessage(job, job.move === true ? [job.buffer] : []); return }
  if (job.kind === 'echo') { endpoint.postMessage('ready'); return }
  const views = memoryViews(job.memory!.buffer)
  if (job.kind === 'handles') {
    const there = attachReader(views, job.addresses!.toWorker)
    const back = attachWriter(views, job.addresses!.toEngine)
    const one = new BigInt64Array(1)
    endpoint.postMessage('ready')
    while (!there.ended) {
      there.wait(1, 1_000, workerWait)
      if (there.read(one) === 0) continue
      const { address, bytes } = resolveHandle(views.u32, job.base!, Number(one[0]))
      views.u8[address]!++
      views.u8[address + bytes - 1] = views.u8[address]!
      back.write(one)
    }
    return
  }
  const channel = new RingChannel(views, 'worker', job.addresses!, { name: 'bench', blocks: workerBlocks(views, job.base!) })
  const inbox = new ByteRingReader(views, job.addresses!.toWorker)
  const gate = job.gate!
  endpoint.postMessage('ready')
  while (!channel.closed) {
    // A thread that spins for a bench sleeps while another one is measured.
    if (job.kind === 'spin' && Atomics.load(gate, 0) === 0) Atomics.wait(gate, 0, 0, 1_000)
    if (job.kind === 'sleep') inbox.wait(1_000, workerWait)
    const packet = channel.receive()
    if (packet === undefined) continue
    if (packet.type === 'jobSubmit') {
      const [ref] = Object.values(packet.body.inputs), bytes = workerBlocks(views, job.base!).open(ref!), last = bytes.length - 1
      // It sees what was written, and the other side sees what it writes.
      bytes[0]!++
      bytes[last] = bytes[0]!
      channel.send({
        type: 'jobResult', seq: packet.seq,
        body: {
          jobId: packet.body.jobId, success: true, outputs: packet.body.inputs, error: null,
          metrics: { executionUs: 0, peakBytes: 0, copyBytes: 0, cacheHits: 0 },
        },
      })
    } else channel.send({ type: 'pong', seq: packet.seq, body: {} })
  }
})
endpoint.start?.()

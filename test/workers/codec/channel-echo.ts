/**
 * A worker of the channel tests: answers pings, sends logs back turned round, writes so many bytes that are
 * no message when it hears of a `violation`.
 */
import { ByteRingReader, ByteRingWriter } from '../../../src/memory/ring/byte-ring.js'
import { memoryViews } from '../../../src/memory/views.js'
import { workerBlocks } from '../../../src/workers/codec/channel-blocks.js'
import { RingChannel, type ChannelAddresses } from '../../../src/workers/codec/ring-channel.js'
import { hostEndpoint, type MessageLike } from '../../../src/workers/endpoint.js'
import { workerWait } from '../../../src/workers/worker-wait.js'

/** First message of the thread. */
export interface EchoJob { readonly memory: WebAssembly.Memory; readonly base: number; readonly addresses: ChannelAddresses }

const endpoint = hostEndpoint()
let begun = false
endpoint.addEventListener('message', ({ data }: MessageLike) => {
  if (begun) return
  begun = true
  const { memory, base, addresses } = data as EchoJob, views = memoryViews(memory.buffer)
  const channel = new RingChannel(views, 'worker', addresses, { name: 'worker', blocks: workerBlocks(views, base) })
  const inbox = new ByteRingReader(views, addresses.toWorker)
  endpoint.postMessage('ready')
  let seen = 0
  while (!channel.closed) {
    inbox.wait(1_000, workerWait)
    for (
      let packet = channel.closed ? undefined : channel.receive();
      packet !== undefined;
      packet = channel.closed ? undefined : channel.receive()
    ) {
      seen++
      if (packet.type === 'ping') channel.send({ type: 'pong', seq: packet.seq, body: {} })
      if (packet.type === 'log') {
        channel.send({
          type: 'log', seq: packet.seq,
          body: { level: packet.body.level, text: [...packet.body.text].reverse().join(''), context: packet.body.context },
        })
      }
      if (packet.type === 'violation') new ByteRingWriter(views, addresses.toEngine).push(new Uint8Array(Number(packet.body.what)).fill(14))
    }
  }
  endpoint.postMessage(seen)
})
endpoint.start?.()

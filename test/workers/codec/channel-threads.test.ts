import { describe, expect, test } from 'vitest'
import workerCode from 'inline-worker:./channel-echo.ts'
import { createArena, type Arena } from '../../../src/memory/arena.js'
import { layRing } from '../../../src/memory/ring/audio-ring.js'
import { ByteRingReader } from '../../../src/memory/ring/byte-ring.js'
import { engineBlocks } from '../../../src/workers/codec/channel-blocks.js'
import type { ControlPacket } from '../../../src/workers/codec/packet.js'
import { CHANNEL_RING_BYTES, RingChannel, type ReceivedPacket } from '../../../src/workers/codec/ring-channel.js'
import type { MessageLike } from '../../../src/workers/endpoint.js'
import { browserSpawner } from '../../../src/workers/spawn-browser.js'
import { nodeSpawner } from '../../../src/workers/spawn-node.js'
import type { WorkerHandle } from '../../../src/workers/spawn.js'
import type { EchoJob } from './channel-echo.js'

const inNode = typeof process === 'object' && typeof process.versions?.node === 'string'
const MESSAGES = Number((inNode ? process.env['MILLRACE_CHANNEL_MESSAGES'] : undefined) ?? 3_000)

interface Line { readonly channel: RingChannel; readonly inbox: ByteRingReader }
async function open(): Promise<Line & { arena: Arena; worker: WorkerHandle; next: () => Promise<unknown> }> {
  const arena = createArena({ bytes: 2 ** 25, shared: true, wasm: true })
  const addresses = {
    toWorker: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address, toEngine: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address,
  }
  const channel = new RingChannel(arena, 'engine', addresses, { name: 'engine', blocks: engineBlocks(arena, arena.openHolder('channel')) })
  const worker = (inNode ? nodeSpawner({ code: workerCode }) : browserSpawner({ code: workerCode }))('echo')
  const next = (): Promise<unknown> => new Promise((done) => {
    const listener = ({ data }: MessageLike): void => { worker.endpoint.removeEventListener('message', listener); done(data) }
    worker.endpoint.addEventListener('message', listener)
  })
  const ready = next()
  worker.endpoint.postMessage({ memory: arena.memory!, base: arena.base, addresses } satisfies EchoJob)
  await ready
  worker.started()
  return { arena, channel, inbox: new ByteRingReader(arena, addresses.toEngine), worker, next }
}
async function receive({ channel, inbox }: Line): Promise<ReceivedPacket> {
  for (;;) {
    const packet = channel.receive()
    if (packet !== undefined) return packet
    if (!await inbox.waitAsync(5_000)) throw new Error('nothing came')
  }
}
const log = (text: string, seq: number): ControlPacket => ({ type: 'log', seq, body: { level: 'info', text, context: { seq } } })

describe.skipIf(typeof SharedArrayBuffer === 'undefined')('a channel between two threads (MW-39)', () => {
  test(`${MESSAGES} messages there and back, short, long and in blocks: each once, in order, every byte; blocks come back`, async () => {
    const line = await open(), { arena, channel, inbox, worker, next } = line, before = arena.stats().blocks
    const textOf = (n: number): string =>
      n % 97 === 0 ? `${n} `.repeat(9_000) : n % 5 === 0 ? 'größer 🎵 '.repeat(n % 50) + n : `message ${n}`
    let sent = 0
    for (let got = 0; got < MESSAGES; got++) {
      for (; sent < MESSAGES && sent - got < 100; sent++) {
        channel.send(sent % 3 === 0 ? { type: 'ping', seq: sent + 1, body: {} } : log(textOf(sent), sent + 1))
      }
      const packet = await receive(line)
      if (packet.seq !== got + 1) expect.fail(`message ${got + 1}: got ${packet.seq}`)
      if (packet.type === 'log') {
        if (packet.body.text !== [...textOf(got)].reverse().join('')) expect.fail(`message ${got}: other text`)
      } else expect(packet.type).toBe('pong')
    }
    // The worker's last releases may be under way.
    for (let n = 0; n < 50 && arena.stats().blocks > before; n++) { channel.receive(); await inbox.waitAsync(20) }
    expect(arena.stats().blocks).toBe(before)
    const answer = next()
    channel.close()
    expect(await answer).toBe(MESSAGES)
    await worker.terminate()
  }, 120_000)

  test.each([
    [10, 'IPC_ERROR'], [64, 'PROTOCOL_MISMATCH'],
  ])('a worker that writes %d bytes that are no message: %s at once, the channel is closed on both sides (MW-40)', async (bytes, code) => {
    const line = await open(), { channel, worker, next } = line, answer = next()
    channel.send({ type: 'ping', body: {} })
    channel.send({ type: 'violation', body: { kind: 'test', what: String(bytes), stack: '', node: '' } })
    channel.send({ type: 'ping', body: {} })
    expect((await receive(line)).type).toBe('pong')
    await expect(receive(line)).rejects.toMatchObject({ code })
    expect(channel.closed).toBe(true)
    expect(await answer).toBeGreaterThanOrEqual(2)
    await worker.terminate()
  }, 30_000)
})

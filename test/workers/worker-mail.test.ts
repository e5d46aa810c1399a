/** A worker's end of its rings: what it says when they cannot carry it (MW-39, MW-49). */
import { describe, expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { ARENA } from '../../src/memory/layout.js'
import { layRing } from '../../src/memory/ring/audio-ring.js'
import { engineBlocks } from '../../src/workers/codec/channel-blocks.js'
import { CHANNEL_RING_BYTES, RingChannel } from '../../src/workers/codec/ring-channel.js'
import type { WorkerEvent } from '../../src/workers/protocol.js'
import { WorkerMail } from '../../src/workers/worker-mail.js'

function pair(
  bytes = CHANNEL_RING_BYTES, doorbell = false,
): { mail: WorkerMail; engine: RingChannel; posted: WorkerEvent[]; bell: () => number } {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const lay = (): number => layRing(arena, bytes, 1, 'u8').address
  const rings = { toWorker: lay(), toEngine: lay() }, posted: WorkerEvent[] = []
  const engine = new RingChannel(arena, 'engine', rings, { name: 'worker 3', blocks: engineBlocks(arena, arena.openHolder('w')) })
  const mail = new WorkerMail({
    views: arena as never, base: arena.base, slot: 2, ordinal: 3, rings, doorbell,
    port: { postMessage: (event: WorkerEvent) => { posted.push(event) } },
    epochMs: () => 1_234.4,
  })
  return { mail, engine, posted, bell: () => arena.u32[(arena.base + ARENA.HOST_EVENT) >>> 2]! }
}
const trap = new Error('unreachable')

describe('last words', () => {
  test('go over the ring, which rings the engine’s bell; a doorbell is posted only where it must be', () => {
    for (const doorbell of [false, true]) {
      const { mail, engine, posted, bell } = pair(CHANNEL_RING_BYTES, doorbell), before = bell()
      mail.failed(4_096, trap)
      expect(engine.receive()).toMatchObject({
        type: 'handshake', timestampMs: 1_234,
        body: { protocolVersion: 1, workerId: '3', slotId: 2, memoryBytes: 2 ** 24 },
      })
      expect(engine.receive()).toMatchObject({
        type: 'jobResult',
        body: { jobId: '4096', success: false, error: { code: 'INTERNAL', message: 'unreachable', details: { name: 'Error' } } },
      })
      expect([bell() - before, posted]).toEqual([1, doorbell ? [{ kind: 'doorbell' }, { kind: 'doorbell' }] : []])
    }
  })
  test.each<[string, (p: ReturnType<typeof pair>) => void, string]>([
    ['the ring is full', ({ mail }) => { for (let n = 0; n < 5; n++) mail.log('info', 'x'.repeat(100), {}) }, 'the ring is full'],
    ['the engine has closed it', ({ engine }) => { engine.close() }, 'closed'],
  ])('%s: posted, with the reason', (_, spoil, reason) => {
    const p = pair(1_024)
    spoil(p)
    p.mail.failed(4_096, trap)
    p.mail.failed(0, trap)
    expect(p.posted).toMatchObject([
      { kind: 'task-failed', task: 4_096, fault: { message: 'unreachable' } },
      { kind: 'worker-failed', fault: { message: 'unreachable' } },
    ])
    for (const event of p.posted) expect((event as { because: string }).because).toContain(reason)
  })
  test('a fault that is longer than a frame wants a block, which nobody would wait for: posted', () => {
    const { mail, engine, posted } = pair()
    mail.failed(8, new Error('y'.repeat(100_000)))
    expect(posted).toMatchObject([{ kind: 'task-failed', because: 'the ring is full' }])
    expect(engine.receive()?.type).toBe('handshake')
  })
})

describe('what the engine sends', () => {
  test('pings are answered by number; shutdown is answered by the last heartbeat; a refusal and a shutdown end the work', () => {
    const { mail, engine } = pair()
    engine.send({ type: 'handshakeAck', body: { accepted: true, reason: '', slotId: 2, arenaBase: 0 } })
    engine.send({ type: 'ping', seq: 77, body: {} })
    expect(mail.read()).toBe(true)
    engine.send({ type: 'shutdown', body: { graceMs: 10 } })
    expect(mail.read()).toBe(false)
    expect([engine.receive(), engine.receive(), engine.receive()])
      .toMatchObject([{ type: 'handshake' }, { type: 'pong', seq: 77 }, { type: 'heartbeat', body: { slotId: 2, jobId: '' } }])
    engine.send({ type: 'handshakeAck', body: { accepted: false, reason: 'no', slotId: 2, arenaBase: 0 } })
    expect(mail.read()).toBe(false)
  })
  test('what it may not send is IPC_ERROR', () => {
    const { mail, engine } = pair()
    engine.send({ type: 'pong', body: {} })
    expect(() => mail.read()).toThrow(expect.objectContaining({ code: 'IPC_ERROR' }))
  })
})

import { describe, expect, test } from 'vitest'
import { createArena, type Arena } from '../../../src/memory/arena.js'
import { RING } from '../../../src/memory/layout.js'
import { layRing } from '../../../src/memory/ring/audio-ring.js'
import { engineBlocks, workerBlocks } from '../../../src/workers/codec/channel-blocks.js'
import { encodePacket } from '../../../src/workers/codec/packet-codec.js'
import type { ControlPacket } from '../../../src/workers/codec/packet.js'
import { CHANNEL_RING_BYTES, RingChannel, type ReceivedPacket } from '../../../src/workers/codec/ring-channel.js'
import { GOLDEN } from './golden-packets.js'

interface Pair {
  readonly arena: Arena
  readonly engine: RingChannel
  readonly worker: RingChannel
  readonly toWorker: number
  readonly toEngine: number
}
function pair(options: { queueLimit?: number; sent?: () => void } = {}, bytes = CHANNEL_RING_BYTES): Pair {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const toWorker = layRing(arena, bytes, 1, 'u8').address
  const toEngine = layRing(arena, bytes, 1, 'u8').address
  const addresses = { toWorker, toEngine }
  return {
    arena, toWorker, toEngine,
    engine: new RingChannel(arena, 'engine', addresses, {
      name: 'e', blocks: engineBlocks(arena, arena.openHolder('channel')), ...options,
    }),
    worker: new RingChannel(arena, 'worker', addresses, { name: 'w', blocks: workerBlocks(arena, arena.base), ...options }),
  }
}
const log = (text: string): ControlPacket => ({ type: 'log', body: { level: 'info', text, context: null } })
const textOf = (packet: ReceivedPacket | undefined): string => packet?.type === 'log' ? packet.body.text : String(packet?.type)
const codeOf = (call: () => unknown): unknown => {
  try { call(); return 'none' } catch (error) { return (error as { code?: string }).code ?? error }
}

describe('messages both ways (MW-39)', () => {
  test('every message arrives as it was sent, with a number of its own', () => {
    const { engine, worker } = pair()
    for (const packet of Object.values(GOLDEN)) {
      // An answer for a block, or its return, is the channels' own affair only when they asked.
      engine.send(packet)
      const got = worker.receive()
      expect(got).toMatchObject({ type: packet.type, seq: packet.seq ?? expect.any(Number) as number })
      expect(encodePacket({ ...got!, seq: 0 })).toEqual(encodePacket({ ...packet, seq: 0 }))
    }
    expect(worker.receive()).toBeUndefined()
  })
  test('what has no room waits in order; nothing is lost', () => {
    const { engine, worker } = pair({}, 1_024)
    for (let n = 0; n < 200; n++) engine.send(log(`message ${n}`))
    expect(engine.waiting).toBeGreaterThan(150)
    for (let n = 0; n < 200; n++) {
      let got = worker.receive()
      if (got === undefined) { engine.flush(); got = worker.receive() }
      expect(textOf(got)).toBe(`message ${n}`)
    }
    expect([engine.flush(), engine.waiting, worker.receive()]).toEqual([true, 0, undefined])
  })
  test('a peer that takes nothing: LIMIT_EXCEEDED, not memory without end', () => {
    const { engine } = pair({ queueLimit: 20 }, 1_024)
    expect(codeOf(() => { for (let n = 0; n < 100; n++) engine.send(log('x'.repeat(100))) })).toBe('LIMIT_EXCEEDED')
  })
  test('whoever sleeps on something else is told', () => {
    let told = 0
    const { engine } = pair({ sent: () => { told++ } })
    engine.send(log('a'))
    expect(told).toBe(1)
  })
})

describe('payloads beyond a frame stand in a block', () => {
  const long = 'é'.repeat(200_000)
  test('engine to worker: written once, read there, given back', () => {
    const { arena, engine, worker } = pair(), before = arena.stats().blocks
    engine.send(log('first'))
    engine.send(log(long))
    engine.send(log('last'))
    expect(arena.stats().blocks).toBe(before + 1)
    expect([worker.receive(), worker.receive(), worker.receive()].map(textOf)).toEqual(['first', long, 'last'])
    expect(engine.receive()).toBeUndefined()
    expect(arena.stats().blocks).toBe(before)
  })
  test('worker to engine: it asks for the block, what follows waits behind', () => {
    const { arena, engine, worker } = pair(), before = arena.stats().blocks, got: string[] = []
    worker.send(log('first'))
    worker.send(log(long))
    worker.send(log('last'))
    for (let turn = 0; turn < 6; turn++) {
      for (let packet = engine.receive(); packet !== undefined; packet = engine.receive()) got.push(textOf(packet))
      expect(worker.receive()).toBeUndefined()
    }
    expect(got).toEqual(['first', long, 'last'])
    expect(arena.stats().blocks).toBe(before)
  })
  test('many, both ways at once', () => {
    const { arena, engine, worker } = pair(), before = arena.stats().blocks, got: number[][] = [[], []]
    const lengths = Array.from({ length: 30 }, (_, n) => n % 3 === 0 ? 40_000 + n : 10 * n)
    for (const length of lengths) { engine.send(log('x'.repeat(length))); worker.send(log('y'.repeat(length))) }
    for (let turn = 0; turn < 200; turn++) {
      for (const [index, channel] of [engine, worker].entries()) {
        const packet = channel.receive()
        if (packet !== undefined) got[index]!.push(textOf(packet).length)
      }
    }
    expect(got).toEqual([lengths, lengths])
    expect(arena.stats().blocks).toBe(before)
  })
  test('no block: the channel closes with the cause', () => {
    const { engine, worker } = pair()
    worker.send(log('x'.repeat(16_300_000)))
    worker.send(log('y'))
    expect(engine.receive()).toBeUndefined()
    expect(() => worker.receive())
      .toThrow(expect.objectContaining({ code: 'IPC_ERROR', message: expect.stringContaining('ARENA_FULL') as string }))
    expect(() => pair().engine.send(log('x'.repeat(16_300_000)))).toThrow(expect.objectContaining({ code: 'IPC_ERROR' }))
  })
  test('a worker’s own requests for blocks are answered by number', () => {
    const { arena, engine, worker } = pair(), before = arena.stats().blocks
    worker.send({ type: 'alloc', seq: 77, body: { bytes: 100, dtype: 8, shape: [100] } })
    engine.receive()
    const reply = worker.receive() as Extract<ReceivedPacket, { type: 'allocReply' }>
    expect(reply).toMatchObject({ type: 'allocReply', seq: 77, body: { code: '', block: { bytes: 100 } } })
    const { arena: id, generation, index } = reply.body.block!
    worker.send({ type: 'release', body: { handles: [id * 2 ** 44 + generation * 2 ** 20 + index] } })
    expect([engine.receive(), arena.stats().blocks]).toEqual([undefined, before])
  })
})

describe('broken channels close (MW-40)', () => {
  test.each<[string, (p: Pair) => void, string]>([
    ['a frame of length 0', (p) => { p.arena.u32[(p.toEngine + RING.DATA) >>> 2] = 0 }, 'IPC_ERROR'],
    ['a frame beyond the limit', (p) => { p.arena.u32[(p.toEngine + RING.DATA) >>> 2] = 40_000 }, 'IPC_ERROR'],
    ['a message cut off', (p) => { p.arena.u32[(p.toEngine + RING.DATA) >>> 2] = 60 }, 'IPC_ERROR'],
    ['an unknown type', (p) => { p.arena.u8[p.toEngine + RING.DATA + 4] = 20 }, 'IPC_ERROR'],
    ['another version', (p) => { p.arena.u8[p.toEngine + RING.DATA + 6] = 9 }, 'PROTOCOL_MISMATCH'],
  ])('%s', (_, spoil, code) => {
    const p = pair()
    p.worker.send(log('hello'))
    spoil(p)
    expect(codeOf(() => p.engine.receive())).toBe(code)
    expect([p.engine.closed, p.worker.closed]).toEqual([true, true])
    expect([codeOf(() => p.engine.receive()), codeOf(() => { p.engine.send(log('x')) }), codeOf(() => { p.worker.send(log('x')) })])
      .toEqual([code, code, 'CLOSED'])
  })
  test('an optional message of an unknown type is stepped over', () => {
    const p = pair()
    p.worker.send({ ...log('later'), flags: 128 })
    p.worker.send(log('now'))
    p.arena.u8[p.toEngine + RING.DATA + 4] = 31
    expect([textOf(p.engine.receive()), p.engine.receive()]).toEqual(['now', undefined])
  })
  test.each<[string, number, number]>([
    ['a block that was freed', 8, 1], ['bytes beyond its end', 16, 99_999_999], ['another arena', 0, 9],
  ])('a large message that refers to %s', (_, field, value) => {
    const p = pair()
    p.engine.send(log('x'.repeat(50_000)))
    if (field === 0) p.arena.u8[p.toWorker + RING.DATA + 68] = value
    else p.arena.u32[(p.toWorker + RING.DATA + 68 + field) >>> 2] = field === 8
      ? p.arena.u32[(p.toWorker + RING.DATA + 68 + field) >>> 2]! + value
      : value
    expect(codeOf(() => p.worker.receive())).toBe('INVALID_HANDLE')
    expect(p.worker.closed).toBe(true)
  })
  test('closed by one side, the other hears; blocks under way come back; twice is once', async () => {
    const { arena, engine, worker } = pair(), before = arena.stats().blocks
    engine.send(log('x'.repeat(50_000)))
    engine.close()
    engine.close()
    expect(arena.stats().blocks).toBe(before)
    expect([codeOf(() => worker.receive()), codeOf(() => { engine.send(log('x')) })]).toEqual(['CLOSED', 'CLOSED'])
  })
})

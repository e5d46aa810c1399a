import { describe, expect, test } from 'vitest'
import { StallBreaker } from '../../src/schedule/batch/stall-breaker.js'
import { packetOf } from '../../src/schedule/packet-data.js'
import { PacketQueue, type QueueServices } from '../../src/schedule/packet-queue.js'
import type { Media, Packet } from '../../src/index.js'

const media: Media = { kind: 'json' }
const packet = (n: number): Packet => packetOf(media, n, n, 1)
const services = (waiting: QueueServices['waiting'] = () => {}): QueueServices =>
  ({ nowUs: () => 0, join: (m, parts) => packetOf(m, parts.map((p) => p.data), 0, parts.length), waiting })
/** Audio as the queue sees it: counts how often it was given back. */
function tracked(closed: number[], n: number): Packet {
  return packetOf(media, { handle: n, channel: () => undefined, close: () => { closed.push(n) }, clone: () => undefined }, n, 1)
}

describe('PacketQueue', () => {
  test('keeps order, ends, and makes a full writer wait', async () => {
    const queue = new PacketQueue(media, 2, services()), order: string[] = []
    const writer = (async () => { for (let n = 0; n < 5; n++) { await queue.push(packet(n)); order.push(`w${n}`) } queue.end() })()
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(order).toEqual(['w0', 'w1'])
    const read: unknown[] = []
    for await (const p of queue) read.push(p.data)
    await writer
    expect(read).toEqual([0, 1, 2, 3, 4])
    expect(queue.counters).toMatchObject({ items: 5, frames: 5, dropped: 0, depthMax: 2 })
  })

  test('a packet that is taken early counts as one that waits until it is read; the reader hears of each that comes', async () => {
    const queue = new PacketQueue(media, 2, services()), told: (number | null | undefined)[] = [], pushed: number[] = []
    const look = (): number | null | undefined => { const next = queue.peek(); return next === null ? null : next?.position }
    queue.arrived = () => { told.push(look()) }
    const writer = (async () => { for (let n = 0; n < 4; n++) { await queue.push(packet(n)); pushed.push(n) } queue.end() })()
    const settled = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 0) })
    await settled()
    expect([told, pushed, queue.hasRoom(1), look()]).toEqual([[0, 0], [0, 1], false, 0])
    queue.takeEarly()
    await settled()
    expect([pushed, queue.hasRoom(1), look()]).toEqual([[0, 1], false, 1])
    queue.settle()
    await settled()
    expect([pushed, look()]).toEqual([[0, 1, 2], 1])
    expect((await queue.take())?.position).toBe(1)
    await writer
    expect([pushed, look(), (await queue.take())?.position, (await queue.take())?.position, look(), queue.counters.depthMax])
      .toEqual([[0, 1, 2, 3], 2, 2, 3, null, 2])
    expect(told.at(-1)).toBe(2)
    queue.arrived = undefined
    const failing = new PacketQueue(media, 2, services())
    failing.offer(packet(0))
    failing.fail(new Error('writer'))
    expect([failing.peek(), failing.hasRoom(9)]).toEqual([undefined, true])
  })

  test('releases each packet once: read, abandoned, failed, pushed after the reader left', async () => {
    const closed: number[] = [], queue = new PacketQueue(media, 8, services())
    for (let n = 0; n < 4; n++) queue.offer(tracked(closed, n))
    for await (const p of queue) if (p.position === 1) break
    expect(closed).toEqual([0, 1, 2, 3])
    queue.offer(tracked(closed, 4))
    expect(closed).toEqual([0, 1, 2, 3, 4])
    const failing = new PacketQueue(media, 8, services())
    failing.offer(tracked(closed, 5))
    failing.fail(new Error('writer'))
    await expect(failing.next()).rejects.toThrow('writer')
    expect(closed).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('whole() joins what came before the end; take() leaves the packet to the caller', async () => {
    const queue = new PacketQueue(media, 8, services())
    for (let n = 0; n < 3; n++) queue.offer(packet(n))
    queue.end()
    expect((await queue.whole()).data).toEqual([0, 1, 2])
    const closed: number[] = [], other = new PacketQueue(media, 8, services())
    other.offer(tracked(closed, 7))
    other.end()
    await other.take()
    expect(await other.take()).toBeUndefined()
    expect(closed).toEqual([])
  })

  test('a failure reaches a reader and a writer that wait', async () => {
    const queue = new PacketQueue(media, 1, services()), reading = queue.next()
    queue.fail(new Error('gone'))
    await expect(reading).rejects.toThrow('gone')
    await queue.push(packet(1))
    await queue.push(packet(2))
  })
})

describe('waiting', () => {
  test('a reader waits by the clock that segments do not move, a writer by the other', async () => {
    let wall = 0, own = 0
    const queue = new PacketQueue(media, 1, { ...services(), nowUs: () => wall, ownUs: () => own })
    const reading = queue.next()
    wall += 100 // a segment had the thread for 70 µs of these
    own += 30
    await queue.push(packet(0))
    await reading
    await queue.push(packet(1))
    const writing = queue.push(packet(2))
    wall += 50
    await queue.next()
    await writing
    expect(queue.counters).toMatchObject({ waitedUs: 30, blockedUs: 50 })
  })
})

describe('StallBreaker', () => {
  test('grows full queues when every live task waits, and only then', async () => {
    const stall = new StallBreaker(), hook: QueueServices['waiting'] = (q, end, waits) => { stall.waiting(q, end, waits) }
    const full = new PacketQueue(media, 1, services(hook)), empty = new PacketQueue(media, 1, services(hook))
    stall.started()
    stall.started()
    await full.push(packet(0))
    let through = false
    const writer = full.push(packet(1)).then(() => { through = true })
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(through).toBe(false)
    const reader = empty.next()
    await writer
    expect(through).toBe(true)
    empty.end()
    await reader
  })
})

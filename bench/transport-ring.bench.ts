import workerCode from 'inline-worker:./support/channel-worker.ts'
import { hostFacts } from '../src/kernels/host-facts.js'
import { DTYPE_ID } from '../src/media/dtype.js'
import { createArena, type Arena } from '../src/memory/arena.js'
import { handleArena, handleGeneration, handleIndex } from '../src/memory/handle.js'
import { createRing, layRing } from '../src/memory/ring/audio-ring.js'
import { engineBlocks } from '../src/workers/codec/channel-blocks.js'
import { decodePacket, encodePacket } from '../src/workers/codec/packet-codec.js'
import type { ControlPacket, TensorRef } from '../src/workers/codec/packet.js'
import { ByteRingReader } from '../src/memory/ring/byte-ring.js'
import { CHANNEL_RING_BYTES, RingChannel } from '../src/workers/codec/ring-channel.js'
import type { MessageLike } from '../src/workers/endpoint.js'
import { browserSpawner } from '../src/workers/spawn-browser.js'
import { nodeSpawner } from '../src/workers/spawn-node.js'
import type { WorkerHandle } from '../src/workers/spawn.js'
import { workerWait } from '../src/workers/worker-wait.js'
import { bench, type BenchContext } from './support/bench.js'
import type { ChannelJob } from './support/channel-worker.js'

const ROUND_TRIPS = 10_000
const PING: ControlPacket = { type: 'ping', body: {} }

/** A thread of support/channel-worker.ts that has said it is ready. */
async function start(job: ChannelJob): Promise<WorkerHandle> {
  const handle = (hostFacts().node ? nodeSpawner({ code: workerCode }) : browserSpawner({ code: workerCode }))('bench')
  handle.endpoint.start?.()
  await new Promise<void>((ready) => {
    const listener = (): void => { handle.endpoint.removeEventListener('message', listener); ready() }
    handle.endpoint.addEventListener('message', listener)
    handle.endpoint.postMessage(job)
  })
  handle.started()
  return handle
}

interface Line { readonly channel: RingChannel; readonly inbox: ByteRingReader; readonly handle: WorkerHandle; readonly gate: Int32Array }
async function open(arena: Arena, kind: 'sleep' | 'spin'): Promise<Line> {
  const addresses = {
    toWorker: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address, toEngine: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address,
  }
  const gate = new Int32Array(arena.buffer, arena.allocate(64), 1)
  const channel = new RingChannel(arena, 'engine', addresses, { name: 'bench', blocks: engineBlocks(arena, arena.openHolder('bench')) })
  return {
    channel, inbox: new ByteRingReader(arena, addresses.toEngine), gate,
    handle: await start({ kind, memory: arena.memory!, base: arena.base, addresses, gate }),
  }
}

/** There and back, the engine looking all the time. */
function spin({ channel }: Line, packet: ControlPacket): void {
  channel.send(packet)
  while (channel.receive() === undefined);
}
/** There and back, the engine in its event loop. */
async function sleep({ channel, inbox }: Line, packet: ControlPacket): Promise<void> {
  channel.send(packet)
  while (channel.receive() === undefined) await inbox.waitAsync(1_000)
}
/** There and back, the engine asleep: Node, and workers of a page. */
function block({ channel, inbox }: Line, packet: ControlPacket): void {
  channel.send(packet)
  while (channel.receive() === undefined) inbox.wait(1_000, workerWait)
}
/** There and back by postMessage. */
function post({ endpoint }: WorkerHandle, message: object, move: readonly unknown[] = []): Promise<unknown> {
  return new Promise((done) => {
    const listener = (event: MessageLike): void => { endpoint.removeEventListener('message', listener); done(event.data) }
    endpoint.addEventListener('message', listener)
    endpoint.postMessage(message, move)
  })
}

/**
 * Question: what does a message to a worker and back cost by each way (MW-24, MW-39)? Bars: 10 000
 * round trips < 500 ms over sleeping rings.
 */
export const transportRing = bench('workers/transport-ring', async (b) => {
  const arena = createArena({ shared: true, wasm: true })
  const sleeping = await open(arena, 'sleep'), spinning = await open(arena, 'spin')
  const echo = await start({ kind: 'echo' }), node = hostFacts().node
  const spinOnce = (): void => { spin(spinning, PING) }
  Atomics.store(spinning.gate, 0, 1)
  Atomics.notify(spinning.gate, 0)
  await b.compare('there and back, both threads look on', { 'ring, spinning': spinOnce }, { rounds: 7 })
  Atomics.store(spinning.gate, 0, 0)
  await b.compare('there and back, the worker sleeps', {
    'ring, engine in its event loop': inTurn(() => sleep(sleeping, PING)), 'ring, engine looks on': () => { spin(sleeping, PING) },
    ...(node && { 'ring, engine sleeps': () => { block(sleeping, PING) } }),
    postMessage: inTurn(async () => { await post(echo, { ping: 1 }) }),
  })
  await roundTrips(b, 'engine in its event loop', () => sleep(sleeping, PING))
  if (node) await roundTrips(b, 'engine sleeps', () => { block(sleeping, PING) })
  await oneWay(b, sleeping)
  for (const line of [sleeping, spinning]) { line.channel.close(); await line.handle.terminate() }
  await echo.terminate()
})

async function roundTrips(b: BenchContext, how: string, once: () => Promise<void> | void): Promise<void> {
  const us = new Float64Array(ROUND_TRIPS), from = performance.now()
  for (let n = 0, before = from; n < ROUND_TRIPS; n++) {
    await once()
    const now = performance.now()
    us[n] = (now - before) * 1_000
    before = now
  }
  const all = performance.now() - from
  us.sort()
  b.note(`${ROUND_TRIPS} round trips, ${how}: ${all.toFixed(0)} ms (bar 500), p50 ${us[ROUND_TRIPS / 2]!.toFixed(1)} µs, p99 ${us[ROUND_TRIPS * 0.99]!.toFixed(1)} µs`)
}

/** A stream of messages, the answers read as they come. */
async function oneWay(b: BenchContext, { channel, inbox }: Line): Promise<void> {
  const from = performance.now()
  for (let sent = 0, got = 0; got < ROUND_TRIPS;) {
    while (sent < ROUND_TRIPS && sent - got < 200) { channel.send(PING); sent++ }
    while (channel.receive() !== undefined) got++
    if (sent > got) await inbox.waitAsync(1_000)
  }
  b.note(`messages with answers, 200 under way: ${Math.round(ROUND_TRIPS / (performance.now() - from) * 1_000)} a second (bar 10 000)`)
}

/** One call after the other: the harness does not wait for its first one. */
function inTurn(call: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve()
  return () => last = last.then(call)
}

/** Question: 16 MiB of f32 to a worker and back (PF-12)? Bars: ≥ 2 × transfer, ≥ 100 × clone, and no slower for more. */
export const transportBlocks = bench('workers/transport-blocks', async (b) => {
  const arena = createArena({ bytes: 2 ** 28, shared: true, wasm: true })
  const line = await open(arena, 'sleep'), echo = await start({ kind: 'echo' }), times: number[] = []
  const there = createRing(arena, { frames: 16, dtype: 'i64' })
  const back = createRing(arena, { frames: 16, dtype: 'i64' })
  const one = new BigInt64Array(1)
  const handles = await start({
    kind: 'handles', memory: arena.memory!, base: arena.base, addresses: { toWorker: there.address, toEngine: back.address },
  })
  for (const mebibytes of [1, 16, 64]) {
    const bytes = mebibytes << 20
    const block = arena.alloc({ dtype: 'f32', shape: [bytes / 4] })
    const { handle } = block, u8 = block.view(Uint8Array)
    const ref: TensorRef = {
      arena: handleArena(handle), dtype: DTYPE_ID.f32, flags: 0, index: handleIndex(handle), generation: handleGeneration(handle),
      offset: 0, bytes, shape: [bytes / 4], strides: [1],
    }
    const job: ControlPacket = {
      type: 'jobSubmit',
      body: {
        jobId: 'j', nodeId: 'n', opType: 'bench', inputs: { in: ref }, outputs: null, params: null, timeoutMs: 0, priority: 0, attempt: 0,
        delivery: 0,
      },
    }
    let buffer = new ArrayBuffer(bytes)
    const cloned = new Float32Array(bytes / 4)
    const row = await b.compare(`${mebibytes} MiB of f32 to a worker and back`, {
      'block, engine in its event loop': inTurn(async () => {
        const before = u8[0]!++
        await sleep(line, job)
        if (u8[bytes - 1] !== (before + 2 & 255)) throw new Error('the worker saw other bytes')
      }),
      'block, engine looks on': () => { spin(line, job) },
      'handle in a ring, engine looks on': () => { one[0] = BigInt(handle); there.writer.write(one); while (back.reader.read(one) === 0); },
      transfer: inTurn(async () => { buffer = (await post(echo, { buffer, move: true }, [buffer]) as { buffer: ArrayBuffer }).buffer }),
      clone: inTurn(async () => { await post(echo, { cloned }) }),
    }, { rounds: 9 })
    const [ours, looks, ring, transfer, clone] = row.variants.map((variant) => variant.p50Ms) as [number, number, number, number, number]
    const least = row.variants.map((variant) => variant.minMs)
    times.push(ours)
    if (mebibytes === 16) {
      b.note(`16 MiB, transfer takes ${(transfer / ours).toFixed(1)} × as long as a message to the event loop, ${(transfer / looks).toFixed(1)} × as one looked for, ${(transfer / ring).toFixed(1)} × as a handle in a ring (bar 2); ` +
        `at least ${(least[3]! / least[0]!).toFixed(1)}, ${(least[3]! / least[1]!).toFixed(1)}, ${(least[3]! / least[2]!).toFixed(1)} ×`)
      b.note(`16 MiB, clone: ${(clone / ours).toFixed(0)} × (bar 100)`)
    }
    block.release()
  }
  b.note(`64 MiB by 1 MiB: ${(times[2]! / times[0]!).toFixed(2)} × (bar: independent of size)`)
  line.channel.close()
  there.writer.end()
  for (const thread of [line.handle, handles, echo]) await thread.terminate()
})

/** Question: what does the codec cost (MW-38)? Bars: encode and decode of 1 KB < 5 µs, of a job < 100 µs. */
export const codec = bench('workers/codec', async (b) => {
  const ref: TensorRef = {
    arena: 1, dtype: 1, flags: 0, index: 5, generation: 6, offset: 0, bytes: 4_096, shape: [2, 512], strides: [512, 1],
  }
  const text: ControlPacket = { type: 'log', body: { level: 'info', text: 'A line of a log that is long. '.repeat(31), context: {} } }
  const job: ControlPacket = {
    type: 'jobSubmit', traceId: '0123456789abcdef0123456789abcdef',
    body: {
      jobId: 'run-1/node-17/0', nodeId: 'node-17', opType: 'audio::resample', inputs: { in: ref, side: ref }, outputs: { out: 'f32' },
      params: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`param${i}`, i * 1.5])),
      timeoutMs: 30_000, priority: 0, attempt: 0, delivery: 1,
    },
  }
  const row = await b.compare('encode and decode', {
    [`log of ${encodePacket(text).length} bytes`]: () => decodePacket(encodePacket(text)),
    [`job of ${encodePacket(job).length} bytes`]: () => decodePacket(encodePacket(job)),
    'the same job, JSON and TextEncoder': () =>
      JSON.parse(new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(job)))) as unknown,
  })
  const jobBytes = encodePacket(job), decoded = await b.compare('decode', { job: () => decodePacket(jobBytes) })
  b.note(`1 KB: ${(row.variants[0]!.p50Ms * 1_000).toFixed(2)} µs (bar 5); decode of a job ${(decoded.variants[0]!.p50Ms * 1_000).toFixed(2)} µs (bar 100)`)
})

import { decodeError } from '../../src/errors/codec.js'
import { transfer, wrap, type Remote } from 'comlink'
import { afterEach, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { MAIL, TASK_STATE } from '../../src/memory/layout.js'
import { layRing } from '../../src/memory/ring/audio-ring.js'
import { CHANNEL_RING_BYTES, type ChannelAddresses } from '../../src/workers/codec/ring-channel.js'
import { hostClock } from '../../src/engine/host-clock.js'
import type { Greeting, StartOptions, WorkerControl, WorkerEvent } from '../../src/workers/protocol.js'
import { privateMemory } from '../../src/workers/private-memory.js'
import { RunTable } from '../../src/workers/run-table.js'
import { useErrorCodec } from '../../src/workers/errors-over-comlink.js'
import { Slots } from '../../src/workers/slots.js'
import { serveWorker } from '../../src/workers/worker-main.js'
import { sharedMemory } from '../../src/workers/worker-shared.js'
import { emptyProgram, rejection, shares } from './support.js'

const ports: MessagePort[] = []
afterEach(() => { for (const port of ports.splice(0)) port.close() })

const ringsIn = (arena: Arena): ChannelAddresses => ({
  toWorker: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address, toEngine: layRing(arena, CHANNEL_RING_BYTES, 1, 'u8').address,
})

/** The worker's code on this very thread: its end of a channel, never sleeping (MW-78). */
function inThread(
  epochMs = (): number => performance.timeOrigin + performance.now(),
): { remote: Remote<WorkerControl>; greetings: Greeting[]; events: WorkerEvent[]; port: MessagePort } {
  const control = new MessageChannel(), jobs = new MessageChannel(), greetings: Greeting[] = [], events: WorkerEvent[] = []
  ports.push(control.port1, control.port2, jobs.port1, jobs.port2)
  control.port1.addEventListener('message', ({ data }) => {
    if ((data as Greeting).millrace !== undefined) greetings.push(data as Greeting)
  })
  jobs.port1.onmessage = ({ data }) => { events.push(data as WorkerEvent) }
  useErrorCodec(decodeError)
  const remote = wrap<WorkerControl>(control.port1)
  serveWorker({
    endpoint: control.port2 as never, turn: () => hostClock.yield(), epochMs, idleMs: 0, own: privateMemory, shared: sharedMemory,
  })
  return { remote, greetings, events, port: jobs.port2 }
}

describe('the worker’s side, in thread', () => {
  test('greets, refuses calls before the start, starts once, dumps', async () => {
    const { remote, greetings, port } = inThread()
    expect((await rejection(remote.register([]))).code).toBe('IPC_ERROR')
    expect(greetings).toEqual([{ millrace: 'hello', protocol: 1 }])
    const compiled = await compileModules({ shared: false })
    const options: StartOptions = {
      protocol: 1, ordinal: 4, compiled, kernels: [], clockOriginMs: 0, timeoutMs: 5_000, own: { bytes: 2 ** 24, arenaId: 9 }, port,
    }
    // In one thread nothing needs to be transferred, but a port must be.
    expect(await remote.start(transfer(options, [port]))).toMatchObject({ protocol: 1, shared: false })
    await remote.register([{ id: 3, module: 'level', name: 'gain' }])
    expect(await remote.dump()).toMatchObject({ ordinal: 4, kernels: [{ id: 3 }], jobs: 0 })
    const second = new MessageChannel()
    ports.push(second.port1)
    expect((await rejection(remote.start(transfer({ ...options, port: second.port2 }, [second.port2])))).code).toBe('IPC_ERROR')
  })

  if (shares) test('finds tasks, rings the doorbell where it must, reads mail, stops when told', async () => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), compiled = await compileModules({ shared: true })
    const runtime = instantiateRuntime(compiled, arena.memory!), slots = new Slots(arena), slot = 0
    slots.reserve(slot, arena.allocate(262_144))
    const { remote, events, port } = inThread()
    const report = await remote.start(transfer({
      protocol: 1, ordinal: 1, compiled, kernels: [], clockOriginMs: performance.timeOrigin, timeoutMs: 5_000,
      shared: { memory: arena.memory!, slot, rings: ringsIn(arena), doorbell: true, facts: -1 },
      port,
    }, [port]))
    expect(report.shared).toBe(true)
    expect(report.stack.stackAlloc).toBeGreaterThan(0)
    const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena), pending: 0, successors: [] }])
    table.push(0, 1)
    while (table.state(0) !== TASK_STATE.DONE) await hostClock.yield()
    expect(table.times(0)).toMatchObject({ slot })
    while (events.length === 0) await hostClock.yield()
    expect(events).toEqual([{ kind: 'doorbell' }])
    const dump = remote.dump()
    slots.announce(slot, MAIL.DUMP)
    expect(await dump).toMatchObject({ tasks: 1 })
    slots.announce(slot, MAIL.DRAIN)
    while (slots.state(slot).beat === 0) await hostClock.yield()
    for (let turn = 0; turn < 20; turn++) await hostClock.yield()
    const beat = slots.state(slot).beat
    for (let turn = 0; turn < 20; turn++) await hostClock.yield()
    expect(slots.state(slot).beat).toBe(beat)
    await table.close(hostClock)
    runtime.destroyThread(report.stack)
  })

  if (shares) test('a loop that throws says so with its fault', async () => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), compiled = await compileModules({ shared: true })
    const runtime = instantiateRuntime(compiled, arena.memory!), slot = 0
    new Slots(arena).reserve(slot, arena.allocate(262_144))
    let reads = 0
    const { remote, events, port } = inThread(() => {
      // The start reads it twice, and for its first message.
      if (reads++ < 3) return 0
      throw new RangeError('no clock')
    })
    await remote.start(transfer({
      protocol: 1, ordinal: 1, compiled, kernels: [], clockOriginMs: 0, timeoutMs: 5_000,
      shared: { memory: arena.memory!, slot, rings: ringsIn(arena), doorbell: false, facts: -1 },
      port,
    }, [port]))
    const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena), pending: 0, successors: [] }])
    table.push(0, 1)
    while (events.length === 0) await hostClock.yield()
    expect(events).toEqual([{
      kind: 'worker-failed',
      fault: { name: 'RangeError', message: 'no clock', stack: expect.stringContaining('no clock') },
      because: 'RangeError: no clock',
    }])
  })
})

import { isMillraceError } from '../errors/millrace-error.js'
import { memoryErrors } from '../memory/errors.js'
import { MAIL, RING, SCRATCH_SPAN_BYTES } from '../memory/layout.js'
import type { Holder } from '../memory/leases.js'
import type { Address } from '../memory/memory-host.js'
import { writeRing } from '../memory/ring/audio-ring.js'
import { engineBlocks } from './codec/channel-blocks.js'
import { CHANNEL_RING_BYTES, RingChannel, type ChannelAddresses, type ReceivedPacket } from './codec/ring-channel.js'
import { workerErrors } from './errors.js'
import { faultError } from './fault.js'
import type { PoolState } from './pool-state.js'
import { WORKER_PROTOCOL, type WorkerEvent } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import type { WorkerLosses } from './worker-losses.js'

/** Hears what a worker posts on its port. */
export type EventListener = (worker: RemoteWorker, event: WorkerEvent) => void

/** What a worker's slot holds in the arena: its scratch span and its rings. */
export const WORKER_LEASE_BYTES = SCRATCH_SPAN_BYTES + 2 * (RING.DATA + CHANNEL_RING_BYTES)

/** Messages read of one worker before others have their turn: one that floods its ring holds nobody up. */
const BATCH = 256

/**
 * What is said between a pool and its workers apart from kernel tasks. Shared mode: packets over two rings per worker (MW-39); calls by
 * Comlink, doorbells and what a ring cannot carry are posted. Transfer mode: jobs and answers on the worker's port. Engine thread only.
 */
export class PoolMail {
  readonly #s: PoolState
  readonly #losses: WorkerLosses
  readonly #listeners = new Set<EventListener>()
  #deaf: (() => void) | undefined

  constructor(state: PoolState, losses: WorkerLosses) {
    this.#s = state
    this.#losses = losses
  }

  /** Returns how to stop. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Gives a worker its two rings, leased to its slot's holder. */
  open(worker: RemoteWorker, holder: Holder): ChannelAddresses {
    const { slots, o: { arena } } = this.#s, name = `worker ${worker.ordinal}`
    const lay = (): Address => {
      const address = holder.allocate(RING.DATA + CHANNEL_RING_BYTES)
      writeRing(arena.u32, address, CHANNEL_RING_BYTES, 1, 'u8')
      return address
    }
    const rings = worker.rings = { toWorker: lay(), toEngine: lay() }
    worker.shook = false
    worker.channel = new RingChannel(arena, 'engine', rings, { name, blocks: engineBlocks(arena, holder), sent: () => {
      this.#s.packets++
      slots.announce(worker.slot, MAIL.MESSAGES)
    } })
    this.#deaf ??= this.#readAll()
    return rings
  }

  /** Apart from {@link open}, whose first worker its listener would keep. */
  #readAll(): () => void { return this.#s.host.listen(() => { for (const one of [...this.#s.workers]) this.read(one) }) }

  /**
   * Reads what a worker has sent; also its last words, before it is given up. What is no message loses the worker with
   * `IPC_ERROR` or `PROTOCOL_MISMATCH` (MW-40).
   */
  read(worker: RemoteWorker): void {
    const { channel } = worker
    // Before its start is answered it has nothing to say but who it is.
    if (channel === undefined || worker.report === undefined || worker.end !== undefined) return
    try {
      for (let read = 0; worker.end === undefined; read++) {
        if (read === BATCH) { void this.#s.o.clock.yield().then(() => { this.read(worker) }); return }
        const packet = channel.receive()
        if (packet === undefined) return
        this.#s.packets++
        this.#hear(worker, packet)
      }
    } catch (error) {
      const cause = isMillraceError(error) && (error.code === 'IPC_ERROR' || error.code === 'PROTOCOL_MISMATCH')
        ? error
        : workerErrors.IPC_ERROR({ channel: channel.name, reason: error instanceof Error ? error.message : String(error) }, {
          cause: error,
        })
      worker.broke = cause
      channel.close(cause)
      this.#losses.lose(worker, 'messageerror', `${cause.code}: ${cause.message}`, cause)
    }
  }

  /** Asks workers that live to end by themselves and waits until they have said their last word, at most `graceMs`. */
  async shutdown(graceMs: number): Promise<void> {
    const asked = this.#s.started.filter(({ channel, shook }) => shook && channel?.closed === false), stop = new AbortController()
    if (asked.length > 0 && this.#s.broken === undefined) {
      for (const worker of asked) {
        worker.hold(true)
        worker.channel!.send({ type: 'shutdown', body: { graceMs } })
      }
      await Promise.race([Promise.all(asked.map((worker) => worker.silent)), this.#s.o.clock.sleep(graceMs, stop.signal)])
      stop.abort()
    }
    this.#deaf?.()
  }

  /** A call by Comlink, or a job, is on its way to a worker that may sleep. */
  posted(worker: RemoteWorker): void {
    this.#s.messages++
    if (worker.slot >= 0 && worker.report !== undefined) this.#s.slots.announce(worker.slot, MAIL.DUMP)
  }

  /** A worker has posted something. */
  receive(worker: RemoteWorker, event: WorkerEvent): void {
    this.#s.messages++
    if (worker.slot < 0) worker.beatUs = this.#s.nowUs
    switch (event.kind) {
      case 'doorbell': this.#s.host.ring(); break
      case 'beat': break
      case 'task-failed': this.#losses.lose(worker, 'trap', event.fault.message, faultError(event.fault), event.task); break
      case 'worker-failed': this.#losses.lose(worker, 'error', event.fault.message, faultError(event.fault)); break
      case 'corrupt': this.#losses.corrupt(memoryErrors.ARENA_CORRUPT(event)); break
      case 'job-opened': case 'result': case 'job-failed': case 'job-closed':
        for (const listener of [...this.#listeners]) listener(worker, event)
        break
      default: event satisfies never
    }
  }

  #hear(worker: RemoteWorker, packet: ReceivedPacket): void {
    if (!worker.shook) { this.#greet(worker, packet); return }
    switch (packet.type) {
      case 'jobResult': {
        const { jobId, error } = packet.body
        if (error === null) return refuse(worker, 'a result that nobody asked for')
        const fault = {
          name: String((error.details as { name?: unknown } | null)?.name ?? ''),
          message: error.message, stack: error.traceback,
        }
        this.#losses.lose(
          worker, jobId === '' ? 'error' : 'trap', fault.message, faultError(fault), jobId === '' ? undefined : Number(jobId),
        )
        break
      }
      case 'heartbeat': worker.hush(); break
      case 'log': this.#s.o.onLog?.(packet.body.level === 'warn' ? 'warn' : 'info', packet.body.text, {
        worker: worker.ordinal, context: packet.body.context,
      }); break
      case 'pong': if (!worker.pong(packet.seq)) refuse(worker, 'a pong without a ping'); break
      default: refuse(worker, `unexpected ${packet.type}`)
    }
  }

  /** First of all a worker says who it is; the answer says whether it may go on. */
  #greet(worker: RemoteWorker, packet: ReceivedPacket): void {
    if (packet.type !== 'handshake') return refuse(worker, `${packet.type} before the handshake`)
    const { arena } = this.#s.o, { protocolVersion, workerId, slotId, memoryBytes } = packet.body, { ordinal, slot } = worker
    const accepted = protocolVersion === WORKER_PROTOCOL && workerId === String(ordinal) && slotId === slot
      && memoryBytes === arena.buffer.byteLength
    worker.channel!.send({
      type: 'handshakeAck', seq: packet.seq,
      body: { accepted, reason: accepted ? '' : 'another worker, or another version', slotId: slot, arenaBase: arena.base },
    })
    if (protocolVersion !== WORKER_PROTOCOL) {
      throw workerErrors.PROTOCOL_MISMATCH({ worker: ordinal, expected: WORKER_PROTOCOL, got: protocolVersion })
    }
    if (!accepted) refuse(worker, `handshake of worker ${workerId} in slot ${slotId} on ${memoryBytes} bytes`)
    worker.shook = true
  }
}

function refuse({ ordinal }: RemoteWorker, reason: string): void { throw workerErrors.IPC_ERROR({ channel: `worker ${ordinal}`, reason }) }

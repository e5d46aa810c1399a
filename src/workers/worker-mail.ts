import { isMillraceError } from '../errors/millrace-error.js'
import { slotAddress } from '../memory/arena-header.js'
import { ARENA, SLOT } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import type { MemoryViews } from '../memory/views.js'
import { workerBlocks } from './codec/channel-blocks.js'
import type { ControlPacket } from './codec/packet.js'
import { RingChannel, type ChannelAddresses } from './codec/ring-channel.js'
import { workerErrors } from './errors.js'
import { faultOf } from './fault.js'
import { WORKER_PROTOCOL, type WorkerEvent } from './protocol.js'

/** A worker on shared memory, as far as its messages go. `doorbell`: the engine cannot wait on its event. */
export interface MailParts {
  readonly views: MemoryViews
  readonly base: Address
  readonly slot: number
  readonly ordinal: number
  readonly rings: ChannelAddresses
  readonly doorbell: boolean
  readonly port: Pick<MessagePort, 'postMessage'>
  readonly epochMs: () => number
}

/**
 * A worker's end of its rings (MW-39). All of it is TypeScript on plain memory: it works after a trap too, when the core's stack must not
 * be used any more (MW-49). What cannot go over the ring because that is full, closed or broken is posted, with the reason.
 */
export class WorkerMail {
  readonly #p: MailParts
  readonly #channel: RingChannel

  /** Says who it is: the first message. */
  constructor(parts: MailParts) {
    const { views, base, slot, ordinal, rings } = this.#p = parts
    this.#channel = new RingChannel(views, 'worker', rings, {
      name: `worker ${ordinal}`, blocks: workerBlocks(views, base), sent: () => { this.#ring() },
    })
    this.#send({
      type: 'handshake',
      body: {
        protocolVersion: WORKER_PROTOCOL, workerId: String(ordinal), slotId: slot, capabilities: [], memoryBytes: views.u8.byteLength,
      },
    })
  }

  /** Reads what the engine sent. False: it is to stop. Throws `IPC_ERROR`, `PROTOCOL_MISMATCH`. */
  read(): boolean {
    for (let packet = this.#channel.receive(); packet !== undefined; packet = this.#channel.receive()) {
      switch (packet.type) {
        case 'handshakeAck': if (!packet.body.accepted) return false; break
        case 'ping': this.#send({ type: 'pong', seq: packet.seq, body: {} }); break
        case 'shutdown':
          // The last word: what was sent before it has been read when it is.
          this.#send({
            type: 'heartbeat',
            body: {
              slotId: this.#p.slot,
              counter: this.#p.views.u32[(slotAddress(this.#p.base, this.#p.slot) + SLOT.BEAT) >>> 2]!,
              jobId: '',
            },
          })
          return false
        default: throw workerErrors.IPC_ERROR({ channel: this.#channel.name, reason: `unexpected ${packet.type}` })
      }
    }
    return true
  }

  /** Writes what had no room before. True when nothing waits any more. */
  flush(): boolean { return this.#channel.waiting === 0 || this.#channel.closed || this.#channel.flush() }

  /** A line for the engine's log. */
  log(level: 'info' | 'warn', text: string, context: object): void {
    if (!this.#channel.closed) this.#send({ type: 'log', body: { level, text, context } })
  }

  /** The worker executes nothing any more: a task threw, or (task 0) its own loop did. */
  failed(task: Address, error: unknown): void {
    const fault = faultOf(error), { name, message, stack } = fault
    this.#last({
      type: 'jobResult', body: {
        jobId: task === 0 ? '' : String(task), success: false, outputs: {},
        metrics: { executionUs: 0, peakBytes: 0, copyBytes: 0, cacheHits: 0 },
        error: { code: isMillraceError(error) ? error.code : 'INTERNAL', message, traceback: stack, details: { name }, cause: null },
      },
    }, (because) => task === 0 ? { kind: 'worker-failed', fault, because } : { kind: 'task-failed', task, fault, because })
  }

  /** Sends what must arrive although nobody will read this end's rings again: nothing that waits would ever be written. */
  #last(packet: ControlPacket, event: (because: string) => WorkerEvent): void {
    let because = 'the ring is full'
    try {
      this.#send(packet)
      if (this.#channel.waiting === 0) return
    } catch (problem) { because = String(problem) }
    this.#p.port.postMessage(event(because))
  }

  #send(packet: ControlPacket): void { this.#channel.send({ timestampMs: Math.round(this.#p.epochMs()), ...packet }) }

  /** Tells the engine that there is mail. */
  #ring(): void {
    const { views: { i32 }, base, doorbell, port } = this.#p, event = (base + ARENA.HOST_EVENT) >>> 2
    Atomics.add(i32, event, 1)
    Atomics.notify(i32, event)
    if (doorbell) port.postMessage({ kind: 'doorbell' } satisfies WorkerEvent)
  }
}

import { releaseProxy, transfer, wrap, type Remote } from 'comlink'
import { workerErrors } from './errors.js'
import type { ChannelAddresses, RingChannel } from './codec/ring-channel.js'
import { decodeError } from '../errors/codec.js'
import { useErrorCodec } from './errors-over-comlink.js'
import { PASS } from '../kernels/contract.js'
import { RECORD_KIND } from '../memory/layout.js'
import type { Note } from '../memory/recorder.js'
import { PendingCalls } from './pending.js'
import type { Greeting, JobRequest, KernelBinding, StartOptions, StartReport, WorkerControl, WorkerDump, WorkerEvent } from './protocol.js'
import { WORKER_PROTOCOL } from './protocol.js'
import { SlotLife } from './slot-life.js'
import type { EndReason, SpawnWorker, WorkerHandle } from './spawn.js'
import type { Clock } from '../schedule/clock.js'
import type { OpenSegment } from '../schedule/open-segment.js'

/** What the pool hears of a worker. */
export interface RemoteEvents {
  /** The first sign that it has ended or cannot go on. Not called for {@link RemoteWorker.stop}. */
  readonly ended: (worker: RemoteWorker, reason: EndReason, detail: string) => void
  readonly event: (worker: RemoteWorker, event: WorkerEvent) => void
  /** Before each message, so that it can be announced and counted. */
  readonly posted: (worker: RemoteWorker) => void
  /** An answer or a greeting has come. */
  readonly heard: () => void
}

/**
 * One thread as the engine sees it: one Comlink proxy for its life, one port for events and jobs, and the calls that wait (PK-51, PK-52).
 */
export class RemoteWorker {
  readonly ordinal: number
  /** Slot in shared mode; −1 for a spare and in transfer mode. */
  slot = -1
  /** Its place among workers, the modules that it instantiates and bits of all that it has (MW-36). The pool's. */
  place = -1
  modules: readonly string[] = []
  facts = -1
  report: StartReport | undefined
  /** The supervisor's: its state, its last seen heartbeat and when that was, when it began to work, how long it has worked. */
  life: SlotLife
  beat = -1
  beatUs = 0
  startedUs = 0
  busyUs = 0
  /**
   * Transfer mode: segments open on it, and those that it was told to execute; one runs, the others wait
   * there. `beatUs` is when it last said anything.
   */
  open = 0
  readonly executing = new Set<Pick<OpenSegment, 'plan'>>()
  readonly pending = new PendingCalls()
  /** Shared mode: the engine's end of its rings; whether it has said who it is, and what was wrong with what it said. The pool's. */
  channel: RingChannel | undefined
  rings: ChannelAddresses | undefined
  shook = false
  broke: unknown
  /** Writes entries for a worker that cannot, as far as they are seen from here (MW-06). The pool's. */
  note: Note | undefined
  /** Settles when it was heard for the last time. */
  readonly silent: Promise<void>
  /** It says no more. */
  readonly hush: () => void
  /** Its start has begun: its stack may be taken. The pool's. */
  starts = false
  /** Set when it is being ended: settles when it is gone and what it had is back. The pool's. */
  end: Promise<void> | undefined
  readonly #handle: WorkerHandle
  readonly #remote: Remote<WorkerControl>
  readonly #events: RemoteEvents
  readonly #greeted: Promise<Greeting>
  readonly #pings = new Map<number, () => void>()
  #pinged = 0
  #port: MessagePort | undefined
  #held = true
  #ended = false

  /** Starts the thread. Throws what the host throws. */
  constructor(ordinal: number, spawn: SpawnWorker, events: RemoteEvents) {
    useErrorCodec(decodeError)
    this.ordinal = ordinal
    this.life = new SlotLife(String(ordinal))
    this.#events = events
    this.#handle = spawn(`millrace ${ordinal}`)
    let greet: (greeting: Greeting) => void, hush: () => void
    this.silent = new Promise((resolve) => { hush = resolve })
    this.hush = () => { hush() }
    this.#greeted = new Promise((resolve) => { greet = resolve })
    this.#handle.endpoint.addEventListener('message', ({ data }: { readonly data: Partial<Greeting> | undefined }) => {
      events.heard()
      if (data?.millrace === 'hello') greet(data as Greeting)
      else if (data?.millrace === 'unreadable') this.#end('messageerror', 'the worker could not read a message')
    })
    this.#handle.onEnd((reason, detail) => { this.#end(reason, detail) })
    const { endpoint } = this.#handle
    this.#remote = wrap<WorkerControl>({
      // What Comlink says when it lets go of a thread that is gone is heard by nobody, and may not throw where nobody catches it.
      postMessage: (message: never, transfer: never) => { if (!this.#ended) endpoint.postMessage(message, transfer) },
      addEventListener: (type: never, listener: never) => { endpoint.addEventListener(type, listener) },
      removeEventListener: (type: never, listener: never) => { endpoint.removeEventListener(type, listener) },
    } as never)
  }

  /** True once it has ended or was stopped. */
  get ended(): boolean { return this.#ended }

  /** Waits for the first word (MW-71). Throws `WORKER_SPAWN` on error, end or timeout, `PROTOCOL_MISMATCH` for another version. */
  async greeting(clock: Clock, timeoutMs: number): Promise<void> {
    const { protocol, lock } = await this.#within(clock, timeoutMs, 'script', 'no answer', () =>
      this.#greeted) as { protocol: number; lock?: boolean }
    if (protocol !== WORKER_PROTOCOL) {
      throw workerErrors.PROTOCOL_MISMATCH({ worker: this.ordinal, expected: WORKER_PROTOCOL, got: protocol })
    }
    this.#handle.started(lock === true)
  }

  /** Gives the worker its memory, modules and kernels. Throws `WORKER_SPAWN` with the step that failed. */
  async start(
    options: Omit<StartOptions, 'port' | 'protocol' | 'ordinal' | 'timeoutMs'>,
    clock: Clock, timeoutMs: number,
  ): Promise<StartReport> {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    port1.onmessage = ({ data }: MessageEvent<WorkerEvent>) => {
      if (data.kind === 'result') this.note?.(RECORD_KIND.END_KERNEL, data.job, data.done ? PASS.DONE : PASS.NEED_INPUT)
      else if (data.kind === 'job-failed') {
        this.note?.(
          data.fault === undefined && data.error.fields?.['code'] !== 'KERNEL_TRAP' ? RECORD_KIND.END_KERNEL : RECORD_KIND.TRAP,
          data.job, -1,
        )
      }
      this.#events.event(this, data)
    }
    this.#refPort()
    this.#events.posted(this)
    const all: StartOptions = { ...options, protocol: WORKER_PROTOCOL, ordinal: this.ordinal, timeoutMs, port: port2 }
    return this.report = await this.#within(clock, timeoutMs, 'start', 'start did not finish', () =>
      this.#remote.start(transfer(all, [port2])))
  }

  /** Tells the worker kernels' numbers. Throws `KERNEL_ABI`. */
  register(kernels: readonly KernelBinding[]): Promise<void> { return this.#call(() => this.#remote.register(kernels)) }

  /** Lets a spare take its slot and begin to work. Throws `WORKER_SPAWN` when it does not answer. */
  claim(slot: number, rings: ChannelAddresses, clock: Clock, timeoutMs: number): Promise<void> {
    this.slot = slot
    // Counted, not announced: a spare waits in its event loop. Once it looks at its mail it would wait for a call that it has had.
    this.#events.heard()
    return this.#within(clock, timeoutMs, 'slot', 'claim did not finish', () => this.#remote.claim(slot, this.facts, rings))
  }

  /**
   * There and back over the rings (shared mode): settles when the worker, or what it executes, has let its
   * loop read. Throws `IPC_ERROR` without rings.
   */
  ping(): Promise<void> {
    return this.pending.call(() => new Promise((resolve) => {
      const seq = this.#pinged = this.#pinged % 0xffff_ffff + 1
      if (this.channel === undefined) throw workerErrors.IPC_ERROR({ channel: `worker ${this.ordinal}`, reason: 'no rings' })
      this.channel.send({ type: 'ping', seq, body: {} })
      this.#pings.set(seq, resolve)
    }))
  }

  /** A ping was answered. False when there was none. */
  pong(seq: number): boolean {
    const settle = this.#pings.get(seq)
    settle?.()
    return this.#pings.delete(seq)
  }

  /** The worker's state, for `doctor` and tests. */
  dump(): Promise<WorkerDump> { return this.#call(() => this.#remote.dump()) }

  /** Posts on the worker's port. */
  post(message: JobRequest, move: readonly ArrayBuffer[] = []): void {
    if (message.kind === 'advance') this.note?.(RECORD_KIND.QUEUE, message.job)
    this.#events.posted(this)
    this.#port?.postMessage(message, [...move])
  }

  /** Keeps the process alive, or not (MW-52). */
  hold(held: boolean): void {
    this.#held = held
    if (held) this.#handle.ref(); else this.#handle.unref()
    this.#refPort()
  }

  /** Ends the thread without a report; all that waits for it is rejected with `error`. Settles when it is gone. */
  async stop(error: unknown): Promise<void> {
    this.#ended = true
    this.hush()
    this.pending.rejectAll(error)
    this.#port?.close()
    await this.#handle.terminate()
    // Comlink's registry holds the endpoint until the proxy is collected, and the endpoint's listeners hold the proxy: without this, 20
    // KB stay for every worker that ever was.
    this.#remote[releaseProxy]()
  }

  /** A call that must be answered in time. */
  async #within<T>(clock: Clock, timeoutMs: number, step: string, cause: string, make: () => PromiseLike<T>): Promise<T> {
    const stop = new AbortController()
    const late = clock.sleep(timeoutMs, stop.signal)
      .then((): T => { throw workerErrors.WORKER_SPAWN({ worker: this.ordinal, timeoutMs, cause, step }) })
    late.catch(() => undefined)
    try { return await this.pending.call(() => Promise.race([make(), late])) } finally { stop.abort() }
  }

  #call<T>(make: () => PromiseLike<T>): Promise<T> {
    return this.pending.call(() => {
      const answer = make()
      // Announced after it was posted: the worker may sleep.
      this.#events.posted(this)
      return answer
    })
  }

  #end(reason: EndReason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#events.ended(this, reason, detail)
  }

  /** Node's ports keep the process alive too while they have a listener. */
  #refPort(): void {
    const port = this.#port as { ref?(): void; unref?(): void } | undefined
    if (this.#held) port?.ref?.(); else port?.unref?.()
  }
}

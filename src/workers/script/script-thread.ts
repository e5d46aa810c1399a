import { workerErrors } from '../errors.js'
import { PendingCalls } from '../pending.js'
import { RECORD_KIND, RECORD_THREAD } from '../../memory/layout.js'
import { postable, threadNotes, type FlightLog, type Note } from '../../memory/recorder.js'
import { WORKER_PROTOCOL, type Greeting } from '../protocol.js'
import type { EndReason, SpawnWorker, WorkerHandle } from '../spawn.js'
import type { Clock } from '../../schedule/clock.js'
import { noteScript } from './note-script.js'
import type { ScriptBoot, ScriptReply, ScriptRequest } from './protocol.js'
import type { ScriptJob } from './script-job.js'

/** What a thread's owner hears. */
export interface ScriptEvents { readonly ended: (thread: ScriptThread, reason: EndReason, detail: string) => void }

/** One thread for nodes' code as the engine sees it: its port, its jobs, the calls that wait, and when it last said anything. */
export class ScriptThread {
  readonly ordinal: number
  readonly pending = new PendingCalls()
  readonly jobs = new Map<number, ScriptJob>()
  /** Codes that were sent, and their answers. */
  readonly codes = new Map<number, Promise<Extract<ScriptReply, { kind: 'loaded' }>>>()
  /** Audio crosses by handle. */
  shared = false
  /** When it last said anything, µs. */
  heardUs = 0
  /** Jobs on their way to it. */
  expected = 0
  /** Has one job that was lost with others before: nobody joins it. */
  alone = false
  readonly #handle: WorkerHandle
  readonly #greeted: Promise<Greeting>
  readonly #events: ScriptEvents
  readonly #loaded = new Map<number, (reply: Extract<ScriptReply, { kind: 'loaded' }>) => void>()
  #told: ((reply: ScriptReply) => void) | undefined
  #port: (MessagePort & { ref?(): void; unref?(): void }) | undefined
  #clock: Clock | undefined
  /** Writes its entries where it cannot (MW-06). */
  #note: Note | undefined
  #holds = 1
  #ended = false

  /** Starts the thread. Throws what the host throws. */
  constructor(ordinal: number, spawn: SpawnWorker, events: ScriptEvents) {
    this.ordinal = ordinal
    this.#events = events
    this.#handle = spawn(`millrace script ${ordinal}`)
    let greet: (greeting: Greeting) => void
    this.#greeted = new Promise((resolve) => { greet = resolve })
    this.#handle.endpoint.addEventListener('message', ({ data }: { readonly data: Partial<Greeting> | undefined }) => {
      if (data?.millrace === 'hello') greet(data as Greeting)
      else if (data?.millrace === 'unreadable') this.#end('messageerror', 'the thread could not read a message')
    })
    this.#handle.onEnd((reason, detail) => { this.#end(reason, detail) })
  }

  /** True once it has ended or was stopped. */
  get ended(): boolean { return this.#ended }

  /**
   * Waits until it can take jobs. Throws `WORKER_SPAWN`, `PROTOCOL_MISMATCH`. `memory`: shared memory, if it
   * may have it. `flights`: for its entries.
   */
  async start(
    memory: WebAssembly.Memory | undefined, flights: FlightLog, clock: Clock, clockOriginMs: number, timeoutMs: number,
  ): Promise<void> {
    this.#clock = clock
    const stop = new AbortController()
    const late = clock.sleep(timeoutMs, stop.signal)
      .then((): never => { throw workerErrors.WORKER_SPAWN({ worker: this.#name, timeoutMs, cause: 'no answer', step: 'script' }) })
    late.catch(() => undefined)
    try {
      const { protocol } = await this.pending.call(() => Promise.race([this.#greeted, late])) as { protocol: number }
      if (protocol !== WORKER_PROTOCOL) {
        throw workerErrors.PROTOCOL_MISMATCH({ worker: this.#name, expected: WORKER_PROTOCOL, got: protocol })
      }
      this.#handle.started()
      const ready = await this.pending.call(() => Promise.race([new Promise<ScriptReply>((resolve) => {
        this.#told = resolve
        // A host that constructs shared memory may still refuse to post it (MW-73).
        try { this.#boot(flights, clockOriginMs, memory, postable(flights)) } catch { this.#boot(flights, clockOriginMs) }
      }), late]))
      this.shared = ready.kind === 'ready' && ready.shared
      this.#note?.(RECORD_KIND.END_BOOT, -1, this.ordinal)
      this.hold(-1)
    } finally { stop.abort() }
  }

  /** Brings code to the thread, once. */
  load(code: number, request: Omit<Extract<ScriptRequest, { kind: 'load' }>, 'kind' | 'code'>): Promise<Extract<ScriptReply, {
    kind: 'loaded'
  }>> {
    let loading = this.codes.get(code)
    if (loading === undefined) {
      loading = this.pending.call(() => new Promise((resolve) => {
        this.#loaded.set(code, resolve)
        this.post({ kind: 'load', code, ...request })
      }))
      this.codes.set(code, loading)
    }
    return loading
  }

  /** Lets it give back all instances, for at most that long. */
  async drain(timeoutMs: number, clock: Clock): Promise<void> {
    const stop = new AbortController()
    await Promise.race([clock.sleep(timeoutMs, stop.signal), this.pending.call(() => new Promise((resolve) => {
      this.#told = resolve
      this.post({ kind: 'drain' })
    })).catch(() => undefined)])
    stop.abort()
  }

  post(request: ScriptRequest, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#ended) return
    if (this.#note !== undefined) noteScript(this.#note, request)
    this.#port?.postMessage(request, [...transfer])
  }

  /** Keeps the process alive while something is pending here, and lets it end otherwise (MW-52, MW-68). */
  hold(change: 1 | -1): void {
    const before = this.#holds
    this.#holds += change
    if ((before > 0) === (this.#holds > 0)) return
    const held = this.#holds > 0
    if (held) this.#handle.ref(); else this.#handle.unref()
    if (held) this.#port?.ref?.(); else this.#port?.unref?.()
  }

  /** Ends the thread; all that waits for it is rejected with `error` once it is gone. */
  async stop(error: unknown): Promise<void> {
    this.#ended = true
    await this.#handle.terminate()
    this.#port?.close()
    this.pending.rejectAll(error)
  }

  get #name(): string { return `script ${this.ordinal}` }

  #boot(flights: FlightLog, clockOriginMs: number, memory?: WebAssembly.Memory, log?: ArrayBufferLike): void {
    const { port1, port2 } = new MessageChannel()
    this.#port?.close()
    this.#port = port1
    port1.onmessage = ({ data }: MessageEvent<ScriptReply>) => { this.#receive(data) }
    const boot: ScriptBoot = {
      millrace: 'script', port: port2, clockOriginMs, ordinal: this.ordinal, ...(memory && { memory }), ...(log && { log }),
    }
    this.#handle.endpoint.postMessage(boot, [port2])
    if (memory !== undefined || log !== undefined) return
    this.#note = threadNotes(flights, () => this.#clock!.nowUs(), RECORD_THREAD.SCRIPT, this.ordinal)
    this.#note(RECORD_KIND.BOOT, -1, this.ordinal)
  }

  #receive(reply: ScriptReply): void {
    this.heardUs = this.#clock!.nowUs()
    if (this.#note !== undefined) noteScript(this.#note, reply)
    switch (reply.kind) {
      case 'ready': case 'drained': this.#told?.(reply); return
      case 'loaded': this.#loaded.get(reply.code)?.(reply); return
      case 'beat': return
      default:
        this.jobs.get(reply.job)?.receive(reply)
        // It beats for others only, from now on.
        if (reply.kind === 'ended') this.jobs.delete(reply.job)
    }
  }

  #end(reason: EndReason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#events.ended(this, reason, detail)
  }
}

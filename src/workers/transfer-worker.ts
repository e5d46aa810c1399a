import { BufferPool, isPooled } from './buffer-pool.js'
import { encodeError } from '../errors/codec.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { PASS } from '../kernels/contract.js'
import { kernelErrors } from '../kernels/errors.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Arena } from '../memory/arena.js'
import { TURN_BYTES } from '../memory/copies.js'
import { RECORD_KIND } from '../memory/layout.js'
import type { Note } from '../memory/recorder.js'
import { RunMemory } from '../memory/run-memory.js'
import { compiledBuilder } from '../schedule/compiled-builder.js'
import { InlineExecutor } from '../schedule/inline-executor.js'
import type { EngineSegment } from '../schedule/engine-segment.js'
import { faultOf } from './fault.js'
import type { JobReply, JobRequest, KernelBinding, WirePacket, WorkerEvent } from './protocol.js'
import { packPacket, unpackByTurns, unpackPacket, wireBytes } from './wire-packet.js'

/** The engine's time and this thread's event loop. */
export interface JobClock { readonly nowUs: () => number; readonly epochMs: () => number; readonly turn: () => Promise<void> }

/** How often a thread that executes says that it lives, ms (MW-45). */
const BEAT_MS = 100

interface Job {
  readonly abort: AbortController
  readonly collected: readonly number[]
  segment: EngineSegment | undefined
  /** What inputs read when they are hungry; null: their end. */
  readonly ahead: Map<number, WirePacket | null>
  /** It is done or has failed: what it was asked for ahead is not executed. */
  over: boolean
  /** Requests of one job are answered in order. */
  last: Promise<void>
  /** Waits for its turn: calling it takes it out of the queue. */
  leave: ((reason: unknown) => void) | undefined
}

/**
 * Executes segments for an engine on a thread with memory of its own (MW-57): packets come in and go out by transfer, samples are copied
 * once each way, nothing is copied inside a segment. Passes run in slices of a few milliseconds, so a cancel message is read in time
 * (MW-58).
 */
export class JobServer {
  readonly #arena: Arena
  readonly #port: MessagePort
  readonly #ids = new Map<string, number>()
  readonly #jobs = new Map<number, Job>()
  readonly #executor: InlineExecutor
  readonly #note: Note
  /** For what goes out. */
  readonly #pool = new BufferPool()
  /** What came in, to be posted back. */
  readonly #spent: ArrayBuffer[] = []
  /** Lets the event loop turn once. */
  readonly #yield: () => Promise<void>
  #running: Promise<void> = Promise.resolve()

  constructor(arena: Arena, runtime: KernelRuntime, port: MessagePort, kernels: readonly KernelBinding[], clock: JobClock, note?: Note) {
    this.#arena = arena
    this.#note = note ?? (() => undefined)
    this.#port = port
    this.register(kernels)
    const shared = new SharedBlocks(arena)
    arena.store.onFull = () => { shared.trim() }
    let saidMs = 0
    // Between slices of passes: a kernel that never returns says nothing.
    const turn = (): Promise<void> => {
      const now = clock.epochMs()
      if (now - saidMs >= BEAT_MS) {
        saidMs = now
        port.postMessage({ kind: 'beat' } satisfies WorkerEvent)
      }
      return clock.turn()
    }
    this.#yield = turn
    this.#executor = new InlineExecutor(arena, {
      nowUs: () => arena.tick(Math.round(clock.nowUs())), nowMs: clock.epochMs, resolutionUs: 1, yield: turn,
      sleep: (ms) => new Promise((resolve) => { setTimeout(resolve, ms) }),
    }, compiledBuilder(arena, runtime, shared, (module, name) => this.#idOf(module, name)))
    port.onmessage = ({ data }: MessageEvent<JobRequest>) => { this.#receive(data) }
  }

  /** Segments open now. */
  get open(): number { return this.#jobs.size }

  /** Remembers the numbers of kernels, which the runtime knows already. */
  register(kernels: readonly KernelBinding[]): void {
    for (const { id, module, name } of kernels) this.#ids.set(`${module}.${name}`, id)
  }

  #receive(request: JobRequest): void {
    if (request.kind === 'job-open') {
      this.#jobs.set(request.job, {
        abort: new AbortController(),
        collected: request.outputs.flatMap(([b, { mode }]) => mode === 'emit' ? [] : [b]),
        segment: undefined, ahead: new Map(), over: false, last: Promise.resolve(), leave: undefined,
      })
    }
    const job = this.#jobs.get(request.job)
    if (job === undefined) return
    if (request.kind === 'job-cancel') {
      job.abort.abort()
      if (job.leave !== undefined) this.#note(RECORD_KIND.END_QUEUE, request.job, -1)
      job.leave?.(job.abort.signal.reason)
      return
    }
    job.last = job.last.then(() => this.#handle(request, job)).catch((error: unknown) => {
      job.over = true
      this.#say({
        kind: 'job-failed', job: request.job, error: encodeError(error), ...(isMillraceError(error) ? {} : { fault: faultOf(error) }),
      })
    })
  }

  /**
   * Before and after each part of a job: in a memory that is not what it was nothing is executed, what was executed there is not given, and
   * this thread is of no use any more (MW-02). Its work goes on elsewhere.
   */
  #sound(): boolean {
    try { this.#arena.checkHeader() } catch (error) {
      this.#port.postMessage({ kind: 'worker-failed', fault: faultOf(error), because: 'its own memory' } satisfies WorkerEvent)
      return false
    }
    return true
  }

  async #handle(request: Exclude<JobRequest, { readonly kind: 'job-cancel' }>, job: Job): Promise<void> {
    if (!this.#sound()) return
    switch (request.kind) {
      case 'job-open': {
        const { plan, outputs, runId, startUs, from } = request
        job.segment = await this.#executor.open(plan, new Map(outputs), {
          runId, startUs, signal: job.abort.signal, memory: new RunMemory(this.#arena), reference: () => undefined,
          progressed: () => undefined,
        })
        if (from !== undefined) job.segment.resume(from)
        this.#say({ kind: 'job-opened', job: request.job, hungry: job.segment.hungry() })
        return
      }
      case 'chunk': return this.#give(job, request.buffer, request.packet, request.ahead)
      case 'input-end': return this.#give(job, request.buffer, null, request.ahead)
      case 'take': return this.#take(job, request.buffers)
      // One at a time: the next job waits here with its inputs (MW-57).
      case 'advance':
        this.#pool.give(request.spent ?? [])
        if (job.over) return
        this.#note(RECORD_KIND.QUEUE, request.job)
        return this.#turn(job, () => this.#advance(request.job, job, request.snapshot === true, request.take))
      case 'job-close': {
        this.#jobs.delete(request.job)
        await job.segment?.close()
        this.#say({ kind: 'job-closed', job: request.job })
        return
      }
      default: request satisfies never
    }
  }

  /** Executes when all that came before is done. A job that is cancelled before that answers at once and is never executed. */
  #turn(job: Job, work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = job.abort
      if (signal.aborted) { reject(signal.reason as Error); return }
      job.leave = reject
      this.#running = this.#running.then(() => {
        job.leave = undefined
        return signal.aborted ? undefined : work()
      }).then(resolve, reject)
    })
  }

  #give(job: Job, buffer: number, packet: WirePacket | null, early = false): Promise<void> | undefined {
    const { segment, ahead } = job
    if (early) ahead.set(buffer, packet)
    else if (packet === null) segment?.end(buffer)
    else {
      if (wireBytes(packet) > TURN_BYTES) return this.#giveWhole(job, buffer, packet)
      const read = unpackPacket(this.#arena, [packet], 'job')
      if (packet.audio !== undefined && isPooled(packet.audio.bytes)) this.#spent.push(packet.audio.bytes)
      return segment?.feed(buffer, read)
    }
    return undefined
  }

  /** A cancel is heard while it is copied. */
  async #giveWhole({ segment, abort: { signal } }: Job, buffer: number, packet: WirePacket): Promise<void> {
    const read = await unpackByTurns(this.#arena, packet, 'job', async () => { await this.#yield(); signal.throwIfAborted() })
    await segment?.feed(buffer, read)
  }

  async #take(job: Job, buffers: readonly number[]): Promise<void> {
    for (const buffer of buffers) {
      const packet = job.ahead.get(buffer)
      if (packet === undefined) continue
      job.ahead.delete(buffer)
      await this.#give(job, buffer, packet)
    }
  }

  async #advance(number: number, job: Job, keep: boolean, take?: readonly number[]): Promise<void> {
    const { segment, collected, ahead } = job
    if (segment === undefined) return
    this.#note(RECORD_KIND.END_QUEUE, number)
    this.#note(RECORD_KIND.KERNEL, number)
    if (ahead.size > 0) await this.#take(job, take ?? segment.hungry())
    const { done, outputs } = await segment.advance().catch((error: unknown) => {
      this.#note(
        job.abort.signal.aborted || (isMillraceError(error) && error.code !== 'KERNEL_TRAP') ? RECORD_KIND.END_KERNEL : RECORD_KIND.TRAP,
        number, -1,
      )
      throw error
    }), transfer: ArrayBuffer[] = []
    this.#note(RECORD_KIND.END_KERNEL, number, done ? PASS.DONE : PASS.NEED_INPUT)
    if (!this.#sound()) return
    const pack = (buffer: number, packet: Parameters<typeof packPacket>[0]): { buffer: number; packet: WirePacket } => {
      const packed = packPacket(packet, 'job', this.#pool)
      transfer.push(...packed.transfer)
      return { buffer, packet: packed.wire }
    }
    job.over = done
    const parts = outputs.map(({ buffer, packet }) => pack(buffer, packet)), snapshot = keep && !done ? segment.snapshot() : undefined
    if (snapshot !== undefined) transfer.push(snapshot.bytes.buffer)
    const spent = this.#spent.splice(0)
    this.#say({
      kind: 'result', job: number, done, hungry: done ? [] : segment.hungry(), outputs: parts, ...(snapshot && { snapshot }),
      collected: done ? collected.map((buffer) => pack(buffer, segment.collected(buffer))) : [], report: segment.report(), spent,
    }, [...transfer, ...spent])
  }

  #idOf(module: string, name: string): number {
    const id = this.#ids.get(`${module}.${name}`)
    if (id === undefined) {
      throw kernelErrors.KERNEL_ABI({ module, what: `kernel ${name}`, expected: 'a number given by the engine', got: 'none' })
    }
    return id
  }

  #say(reply: JobReply, transfer: ArrayBuffer[] = []): void { this.#port.postMessage(reply, transfer) }
}

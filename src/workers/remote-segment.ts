import { commonErrors } from '../errors/common-errors.js'
import { decodeError } from '../errors/codec.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { Packet } from '../media/packet.js'
import type { Advance, OpenSegment, OutputMode, RunScope, RunShare, SegmentReport } from '../schedule/open-segment.js'
import { nodeOf } from '../schedule/resolved-graph.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { SegmentSnapshot } from '../schedule/segment-snapshot.js'
import { isPooled } from './buffer-pool.js'
import { onAbort } from '../schedule/on-abort.js'
import { pieceOf, type DispatchQueue, type Handed, type Piece } from './dispatch-queue.js'
import { CANCEL_GRACE_MS } from './pool.js'
import type { JobReply, JobRequest, WirePacket } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import type { TransferOptions } from './transfer-executor.js'
import { copyWire, packByTurns, packPacket, unpackPacket, wireBytes, type PackedPacket } from './wire-packet.js'

type Reply<K extends JobReply['kind']> = Extract<JobReply, { readonly kind: K }>

/** What a job is made of, besides its segment. */
export interface RemoteJob {
  /** Number among the engine's jobs. */
  readonly job: number
  readonly scope: RunScope
  readonly worker: RemoteWorker
  readonly options: TransferOptions
  /** It is closed. */
  readonly done: () => void
  /** Goes on where it stood on a worker that is lost. */
  readonly from?: SegmentSnapshot | undefined
  /** Where each of its passes waits for its turn. Absent: who made the job has its turn, all of it. */
  readonly turns?: DispatchQueue<RemoteWorker>
  /** Told when {@link RemoteSegment.mayGoOn} may allow what it did not: its pass has its turn now, or is what runs. */
  readonly room?: () => void
  /** Whole values, in pieces in order: here when they must outlive the job. */
  readonly collected?: Map<number, WirePacket[]>
}

interface Answer { readonly kind: JobReply['kind']; readonly resolve: (reply: JobReply) => void; readonly reject: (error: unknown) => void }

/**
 * A segment that runs on a worker's own memory; the engine's side of it. At most two passes wait for their answers: one
 * runs, and one that {@link goOnWith} asked for.
 */
export class RemoteSegment implements OpenSegment {
  readonly plan: SegmentPlan
  readonly worker: RemoteWorker
  /** How often its task was given to a worker. */
  deliveries = 1
  readonly #job: number
  readonly #modes: ReadonlyMap<number, OutputMode>
  readonly #scope: RunScope
  readonly #o: TransferOptions
  readonly #done: () => void
  readonly #letGo: () => void
  readonly #deaf: () => void
  readonly #from: SegmentSnapshot | undefined
  readonly #collected: Map<number, WirePacket[]>
  readonly #settled = new AbortController()
  readonly #turns: DispatchQueue<RemoteWorker> | undefined
  readonly #piece: Piece<RemoteWorker>
  /** Of the pass that was asked for last, and of the one that {@link mayGoOn} allowed. */
  #turn: Handed<RemoteWorker> | undefined
  #nextTurn: Handed<RemoteWorker> | undefined
  #hungry = new Set<number>()
  #report: SegmentReport = { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 }
  /** Bytes by value. */
  readonly #copied = new Map<string, number>()
  /** What was asked and not answered, in order. */
  #answers: Answer[] = []
  /** Passes among them. */
  #passes = 0
  #next: Promise<Reply<'result'>> | undefined
  /** Buffers of answers that were copied into the arena, to be posted back. */
  readonly #spent: ArrayBuffer[] = []
  #failure: { readonly error: unknown } | undefined
  #closed = false

  constructor(
    plan: SegmentPlan, modes: ReadonlyMap<number, OutputMode>,
    { job, scope, worker, options, done, from, turns, room, collected = new Map<number, WirePacket[]>() }: RemoteJob,
  ) {
    this.#turns = turns
    this.#piece = pieceOf(plan, scope, { fits: (one) => one === worker, room })
    this.#job = job
    this.plan = plan
    this.worker = worker
    this.#modes = modes
    this.#scope = scope
    this.#o = options
    this.#done = done
    this.#from = from
    this.#collected = collected
    this.#letGo = options.pool.hold()
    worker.open++
    this.#deaf = onAbort(scope.signal, () => { this.#stop() })
  }

  async start(): Promise<void> {
    const { runId, startUs } = this.#scope
    const reply = await this.#ask('job-opened', {
      kind: 'job-open', job: this.#job, plan: this.plan, outputs: [...this.#modes], runId, startUs, ...(this.#from && { from: this.#from }),
    })
    this.#hungry = new Set(reply.hungry)
  }

  /** The run that it is of. */
  get share(): RunShare | undefined { return this.#scope.share }

  hungry(): readonly number[] { return [...this.#hungry] }

  /** As {@link OpenSegment.feed}. `ahead`: kept by the worker until its input is hungry. */
  feed(buffer: number, packet: Packet, ahead = false): Promise<void> {
    this.#give(buffer, packPacket(packet, this.plan.buffers[buffer]!.value, this.#o.buffers), ahead)
    return Promise.resolve()
  }

  /** As {@link feed}, of a value that comes whole: a long one lets the event loop turn. Throws the signal's reason. */
  async feedWhole(buffer: number, packet: Packet): Promise<void> {
    const { arena, buffers, clock } = this.#o, { signal } = this.#scope
    this.#give(
      buffer,
      await packByTurns(arena, packet, this.plan.buffers[buffer]!.value, buffers, async () => {
        await clock.yield()
        signal.throwIfAborted()
      }),
      false,
    )
  }

  #give(buffer: number, { wire, transfer, bytes }: PackedPacket, ahead: boolean): void {
    // What a result says of it counts.
    if (!ahead) this.#hungry.delete(buffer)
    // One copy here, one on the worker's side.
    this.#copy(buffer, 2 * bytes)
    this.#post({ kind: 'chunk', job: this.#job, buffer, packet: wire, ...(ahead && { ahead }) }, transfer)
    this.#scope.progressed(this.plan.index, wire.audio?.frames ?? wire.duration)
  }

  end(buffer: number, ahead = false): void {
    if (!ahead) this.#hungry.delete(buffer)
    this.#post({ kind: 'input-end', job: this.#job, buffer, ...(ahead && { ahead }) })
  }

  /** Nobody has waited longer for this worker, or is more urgent: {@link goOnWith} is next. */
  mayGoOn(): boolean {
    this.#nextTurn ??= this.#turn && this.#turns?.next(this.#turn)
    return this.#turns === undefined || this.#nextTurn !== undefined
  }

  /** Asks for the next pass while one runs; the next call of {@link advance} gives its outputs. */
  goOnWith(snapshot: boolean): void {
    this.#turn = this.#nextTurn
    this.#nextTurn = undefined
    this.#next = this.#pass(snapshot)
    // Nobody may want it any more.
    this.#next.catch(() => undefined)
  }

  /** True when the next pass was asked for. */
  get goesOn(): boolean { return this.#next !== undefined }

  /**
   * As {@link OpenSegment.advance}. `snapshot`: brings what another worker needs to go on from there. `drop`: what comes out is known
   * already. `take`: inputs that read now what they were fed ahead.
   */
  async advance(snapshot = false, drop = false, take: readonly number[] = []): Promise<Advance
    & { readonly snapshot?: SegmentSnapshot | undefined }> {
      const asked = this.#next ?? this.#inTurn(snapshot, take)
      this.#next = undefined
      const reply = await asked, outputs: { buffer: number; packet: Packet }[] = []
      this.#hungry = new Set(reply.hungry)
      this.#o.buffers.give(reply.spent)
      for (const { buffer, packet } of [...reply.outputs, ...reply.collected]) {
        this.#copy(buffer, wireBytes(packet))
        if (drop) continue
        if (this.#modes.get(buffer)!.mode === 'emit') {
          outputs.push({ buffer, packet: this.#unpack(buffer, [packet]) })
          if (packet.audio !== undefined && isPooled(packet.audio.bytes)) this.#spent.push(packet.audio.bytes)
        } else this.#collected.set(buffer, [...this.#collected.get(buffer) ?? [], packet])
      }
      this.#report = { ...reply.report, worker: this.worker.ordinal, copyBytes: 0 }
      return { done: reply.done, outputs, snapshot: reply.snapshot }
    }

  #inTurn(snapshot: boolean, take: readonly number[]): Promise<Reply<'result'>> {
    const turn = this.#turns?.enter(this.#piece, this.#o.clock.nowUs(), this.#scope.signal)
    if (!(turn instanceof Promise)) {
      this.#turn = turn
      return this.#pass(snapshot, take)
    }
    // Read now: what comes for the same inputs meanwhile is for the pass after this one.
    if (take.length > 0) this.#post({ kind: 'take', job: this.#job, buffers: take })
    return this.worker.pending.call(() => turn).then((mine) => {
      // Its worker has gone.
      if (mine === undefined) return this.worker.pending.call(() => new Promise<never>(() => undefined))
      this.#turn = mine
      const given = this.#pass(snapshot, [])
      this.#piece.room?.()
      return given
    })
  }

  #pass(snapshot: boolean, take?: readonly number[]): Promise<Reply<'result'>> {
    const { executing } = this.worker, turn = this.#turn
    if (executing.size === 0) this.worker.beatUs = this.#o.clock.nowUs()
    this.#passes++
    executing.add(this)
    const spent = this.#spent.splice(0)
    return this.#ask('result', { kind: 'advance', job: this.#job, snapshot, spent, ...(take && { take }) }, spent).finally(() => {
      // Behind those that wait for the worker already.
      turn?.leave()
      executing.delete(this)
      if (--this.#passes > 0) executing.add(this)
    })
  }

  collected(buffer: number): Packet {
    const pieces = this.#held(buffer)
    this.#collected.delete(buffer)
    return this.#unpack(buffer, pieces)
  }

  /** A collected value for another segment: itself for the last reader, when nobody else wants it, else a copy. */
  hand(value: string, last: boolean): WirePacket {
    const buffer = this.plan.buffers.findIndex((one) => one.kind === 'output' && one.value === value), mode = this.#modes.get(buffer)
    const [whole] = this.#held(buffer)
    if (last && mode?.mode === 'collect' && mode.wanted === false) {
      this.#collected.delete(buffer)
      return whole
    }
    const wire = copyWire(whole)
    this.#copy(buffer, wireBytes(wire))
    return wire
  }

  /** Moves what another segment gave into this one. */
  forward(buffer: number, wire: WirePacket): void {
    this.#hungry.delete(buffer)
    this.#copy(buffer, wireBytes(wire))
    this.#post({ kind: 'chunk', job: this.#job, buffer, packet: wire }, wire.audio === undefined ? [] : [wire.audio.bytes])
    this.#scope.progressed(this.plan.index, wire.audio?.frames ?? wire.duration)
    this.end(buffer)
  }

  report(): SegmentReport {
    return {
      ...this.#report, copied: this.#copied,
      copyBytes: [...this.#copied.values()].reduce((sum, bytes) => sum + bytes, 0),
      deliveries: this.deliveries,
    }
  }

  #copy(buffer: number, bytes: number): void {
    const { value } = this.plan.buffers[buffer]!
    this.#copied.set(value, (this.#copied.get(value) ?? 0) + bytes)
  }

  #held(buffer: number): [WirePacket, ...WirePacket[]] {
    const [first, ...more] = this.#collected.get(buffer) ?? []
    if (first === undefined) throw commonErrors.INTERNAL({ what: `Segment ${this.plan.index}: output ${buffer} was not collected.` })
    return [first, ...more]
  }

  #unpack(buffer: number, wires: readonly [WirePacket, ...WirePacket[]]): Packet {
    const { value } = this.plan.buffers[buffer]!, { memory } = this.#scope
    for (const wire of wires) this.#copy(buffer, wireBytes(wire))
    return unpackPacket(this.#o.arena, wires, value, memory && { holder: memory.holder(nodeOf(value)) })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#deaf()
    try {
      if (!this.worker.ended) {
        this.#stop()
        this.#failure = undefined
        // Nobody waits for what was asked before.
        this.#turns?.withdraw(this.#piece, this.#over())
        this.#reject(this.#over())
        await this.#ask('job-closed', { kind: 'job-close', job: this.#job })
      }
    } catch {
      // The worker is gone, and its memory with it.
    } finally {
      this.#settled.abort()
      this.#nextTurn?.leave()
      this.worker.open--
      this.#done()
      this.#letGo()
    }
  }

  /** Tells the worker to stop; a kernel that does not return within the grace loses its thread (MW-50). */
  #stop(): void {
    this.#post({ kind: 'job-cancel', job: this.#job })
    void this.#grace()
  }

  /** The grace is the kernel's that runs: who waits behind another job has no part in how long that takes. */
  async #grace(): Promise<void> {
    const { signal } = this.#settled, { executing } = this.worker
    for (let mine = false; !mine;) {
      const [runs = this] = executing
      mine = runs === this
      await this.#o.clock.sleep(CANCEL_GRACE_MS, signal)
      if (signal.aborted || this.#answers.length === 0) return
    }
    this.#o.pool.lose(this.worker, 'terminated', 'did not stop when cancelled')
  }

  /** A reply of the worker. */
  receive(reply: JobReply): void {
    if (reply.kind === 'job-failed') {
      const error = decodeError(reply.error)
      this.#failure ??= { error }
      if (this.#answers[0]?.kind !== 'job-closed') this.#reject(error)
      // Its stack and state are unknown now (MW-49). After the caller has the trap itself, else it would get the loss.
      if (isMillraceError(error) && error.code === 'KERNEL_TRAP') {
        queueMicrotask(() => { this.#o.pool.lose(this.worker, 'trap', error.message, error) })
      }
      return
    }
    if (this.#answers[0]?.kind !== reply.kind) return
    this.#answers.shift()!.resolve(reply)
    // Nothing comes after its end.
    if (reply.kind === 'result' && reply.done) this.#reject(this.#over())
  }

  #reject(error: unknown): void { for (const { reject } of this.#answers.splice(0)) reject(error) }

  #over(): Error { return commonErrors.CLOSED({ thing: 'Segment', id: String(this.#job), event: 'advance' }) }

  #ask<K extends Exclude<JobReply['kind'], 'job-failed'>>(kind: K, request: JobRequest, move?: readonly ArrayBuffer[]): Promise<Reply<K>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error as Error)
    // Its worker knows it no more: it would not answer.
    if (this.#closed && kind !== 'job-closed') return Promise.reject(this.#over())
    return this.worker.pending.call(() => new Promise<JobReply>((resolve, reject) => {
      this.#answers.push({ kind, resolve, reject })
      this.#post(request, move)
    })) as Promise<Reply<K>>
  }

  #post(request: JobRequest, move: readonly ArrayBuffer[] = []): void { if (!this.worker.ended) this.worker.post(request, move) }
}

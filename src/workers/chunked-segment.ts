import { commonErrors } from '../errors/common-errors.js'
import type { Packet } from '../media/packet.js'
import { mediaBytes } from '../schedule/media-bytes.js'
import type { Advance, OpenSegment, OutputMode, RunScope, SegmentReport } from '../schedule/open-segment.js'
import { releasePacket, sharePacket } from '../schedule/packet-data.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../schedule/policy/redelivery.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { SegmentSnapshot } from '../schedule/segment-snapshot.js'
import { isLoss, poisonSegment } from './lost-job.js'
import { onAbort } from '../schedule/on-abort.js'
import type { WirePacket } from './protocol.js'
import type { RemoteJob, RemoteSegment } from './remote-segment.js'
import type { TransferOptions } from './transfer-executor.js'

/** Places a segment on a worker and starts it there. Throws `WORKER_LOST` when that ends meanwhile. */
export type PlaceSegment = (
  plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, job: Pick<RemoteJob, 'scope' | 'from' | 'collected' | 'room'>,
) => Promise<RemoteSegment>

/** What was done since the last snapshot. An advance that stands here has given its outputs. */
type Step =
  | { readonly kind: 'feed'; readonly buffer: number; readonly packet: Packet }
  | { readonly kind: 'end'; readonly buffer: number }
  | { readonly kind: 'advance' }

/** A snapshot comes with a chunk when this many times its size has been fed since the last one, or after so many chunks. */
const CHUNKS_PER_SNAPSHOT_BYTE = 4, MOST_CHUNKS = 16

/**
 * A segment fed by chunks on workers with private memories, which outlives them (MW-34, MW-47): its states come back with a chunk's result;
 * what was fed since is kept in the engine's arena. After a loss another worker starts from the snapshot and is fed again; what it gives a
 * second time is dropped, so outputs are the same bits. Each chunk has three re-deliveries. While a pass runs, the next one's inputs go to
 * its worker ({@link ahead}); they are fed, and kept for a re-delivery, in the order in which the segment asks for them.
 */
export class ChunkedSegment implements OpenSegment {
  readonly plan: SegmentPlan
  /** As {@link OpenSegment.again}. */
  again: (() => void) | undefined
  readonly #modes: ReadonlyMap<number, OutputMode>
  readonly #scope: RunScope
  readonly #o: TransferOptions
  readonly #place: PlaceSegment
  readonly #letGo: () => void
  readonly #collected = new Map<number, WirePacket[]>()
  readonly #stop = new AbortController()
  readonly #deaf: () => void
  #closed = false
  #deliveries = 1
  #on: RemoteSegment | undefined
  #since: Step[] = []
  #fedBytes = 0
  #snapshot: SegmentSnapshot | undefined
  #hungry = new Set<number>()
  /** Inputs whose end was not given. */
  readonly #endless: Set<number>
  /** What inputs read when they are hungry; null: their end. */
  readonly #ahead = new Map<number, Packet | null>()
  #advancing = false
  /** Its worker has all that was done since the snapshot. */
  #ready = false
  /** The last pass that was asked for brings a snapshot. */
  #asked = false
  /** Of jobs that were lost. */
  #before: SegmentReport = { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: -1, worker: -1, copyBytes: 0 }
  #checkpointBytes = 0

  constructor(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope, options: TransferOptions, place: PlaceSegment) {
    this.plan = plan
    // Whole values are put together here: what a worker had collected would be lost with it.
    this.#modes = new Map([...outputs].map(([buffer, mode]) => [buffer, mode.mode === 'collect' ? { mode: 'pieces' } : mode]))
    this.#endless = new Set([...plan.buffers.keys()].filter((buffer) => plan.buffers[buffer]!.kind === 'input'))
    this.#scope = scope
    this.#o = options
    this.#place = place
    this.#letGo = options.pool.hold()
    this.#deaf = onAbort(scope.signal, () => { this.#stop.abort() })
  }

  /** Places it; to be called once, first. */
  async open(): Promise<void> {
    try {
      await this.#persist((on) => { this.#hungry = new Set(on.hungry()); return Promise.resolve() })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  hungry(): readonly number[] { return [...this.#hungry].filter((buffer) => !this.#ahead.has(buffer)) }

  ahead(): readonly number[] {
    return this.#advancing && this.#ready ? [...this.#endless].filter((buffer) => !this.#ahead.has(buffer)) : []
  }

  async feed(buffer: number, packet: Packet): Promise<void> {
    if (!this.#advancing) this.#read(buffer, packet)
    else this.#ahead.set(buffer, packet)
    await this.#on!.feed(buffer, sharePacket(packet), this.#advancing)
  }

  end(buffer: number): void {
    this.#endless.delete(buffer)
    if (!this.#advancing) this.#read(buffer, null)
    else this.#ahead.set(buffer, null)
    this.#on!.end(buffer, this.#advancing)
  }

  goOn(): void {
    const on = this.#on
    if (!this.#advancing || !this.#ready || on!.goesOn || this.ahead().length > 0 || !on!.mayGoOn()) return
    // The snapshot that is under way says how much is much.
    this.#asked = !this.#asked && this.#isDue()
    on!.goOnWith(this.#asked)
  }

  async advance(): Promise<Advance> {
    const take = [...this.#hungry].filter((buffer) => this.#ahead.has(buffer)), before = this.#on
    for (const buffer of take) {
      this.#read(buffer, this.#ahead.get(buffer) ?? null)
      this.#ahead.delete(buffer)
    }
    const due = this.#isDue()
    this.#advancing = true
    try {
      return await this.#persist(async (on) => {
        if (!on.goesOn) this.#asked = due
        const { done, outputs, snapshot } = await on.advance(due, false, on === before ? take : [])
        this.#hungry = new Set(on.hungry())
        this.#since.push({ kind: 'advance' })
        if (snapshot !== undefined) {
          this.#snapshot = snapshot
          this.#checkpointBytes += snapshot.bytes.length
        }
        if (snapshot !== undefined || done) this.#forget()
        return { done, outputs }
      })
    } finally { this.#advancing = false }
  }

  collected(buffer: number): Packet { return this.#on!.collected(buffer) }

  report(): SegmentReport {
    const { busyUs, queuedUs, startUs, copyBytes } = this.#before
    const now = this.#on?.report()
    const { steps, passes, worker } = now === undefined || now.steps.length === 0 ? this.#before : now
    return {
      steps, passes, worker, busyUs: busyUs + (now?.busyUs ?? 0), queuedUs: queuedUs + (now?.queuedUs ?? 0),
      startUs: startUs < 0 ? now?.startUs ?? 0 : startUs,
      copyBytes: copyBytes + (now?.copyBytes ?? 0),
      copied: new Map([
        ...this.#before.copied ?? [],
        ...[...now?.copied ?? []].map(([value, bytes]) => [value, bytes + (this.#before.copied?.get(value) ?? 0)] as const),
      ]),
      checkpointBytes: this.#checkpointBytes, deliveries: this.#deliveries,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stop.abort()
    this.#deaf()
    this.#forget()
    for (const packet of this.#ahead.values()) if (packet !== null) releasePacket(packet)
    this.#ahead.clear()
    await this.#on?.close()
    this.#letGo()
  }

  /** Does something on the segment's worker; when that is lost, on another one, where all since the last snapshot is done again. */
  async #persist<T>(work: (on: RemoteSegment) => Promise<T>): Promise<T> {
    for (let delivery = 1; ; delivery++) {
      let lost: unknown
      try {
        return await work(this.#on ?? await this.#deliver())
      } catch (error) {
        if (!isLoss(error) || this.#closed) throw error
        if (delivery > MOST_REDELIVERIES) throw poisonSegment(error, this.plan, this.#on?.worker.ordinal ?? 0, delivery)
        lost = error
      }
      await this.#leave()
      await this.#o.clock.sleep(redeliveryDelayMs(delivery), this.#stop.signal)
      if (this.#scope.signal.aborted) throw this.#scope.signal.reason
      if (this.#closed) throw lost
      // All may be lost, and those that come for them have not started.
      await this.#o.pool.ensure(this.#o.workers)
    }
  }

  async #deliver(): Promise<RemoteSegment> {
    const on = await this.#place(this.plan, this.#modes, {
      scope: { ...this.#scope, progressed: () => undefined },
      from: this.#snapshot, collected: this.#collected, room: () => { this.again?.() },
    })
    this.#on = on
    for (const step of this.#since) {
      if (this.#closed) break
      if (step.kind === 'feed') await on.feed(step.buffer, sharePacket(step.packet))
      else if (step.kind === 'end') on.end(step.buffer)
      else await on.advance(false, true)
    }
    if (this.#closed) {
      await on.close()
      throw commonErrors.CLOSED({ thing: 'Segment', id: String(this.plan.index), event: 'advance' })
    }
    for (const [buffer, packet] of this.#ahead) {
      if (packet === null) on.end(buffer, true)
      else await on.feed(buffer, sharePacket(packet), true)
    }
    this.#ready = true
    return on
  }

  /** The worker is gone. What it did and what was copied to it counts. */
  async #leave(): Promise<void> {
    this.#deliveries++
    this.#ready = false
    this.#before = this.report()
    await this.#on?.close()
    this.#on = undefined
  }

  /** An input reads a packet, or its end, from now on. */
  #read(buffer: number, packet: Packet | null): void {
    this.#hungry.delete(buffer)
    if (packet === null) { this.#since.push({ kind: 'end', buffer }); return }
    this.#since.push({ kind: 'feed', buffer, packet })
    this.#fedBytes += mediaBytes(packet.media, packet.duration)
    this.#scope.progressed(this.plan.index, packet.duration)
  }

  /** A snapshot is small beside what was fed since the last one, or long ago. */
  #isDue(): boolean {
    return this.#fedBytes >= CHUNKS_PER_SNAPSHOT_BYTE * (this.#snapshot?.bytes.length ?? 0)
      || this.#since.reduce((sum, { kind }) => kind === 'advance' ? sum + 1 : sum, 0) >= MOST_CHUNKS
  }

  #forget(): void {
    for (const step of this.#since) if (step.kind === 'feed') releasePacket(step.packet)
    this.#since = []
    this.#fedBytes = 0
  }
}

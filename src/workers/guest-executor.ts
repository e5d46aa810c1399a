import { commonErrors } from '../errors/common-errors.js'
import type { Tier } from '../graph/tiers.js'
import { compileModules, type CompileOptions } from '../kernels/compile.js'
import { instantiateRuntime } from '../kernels/runtime.js'
import { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Packet } from '../media/packet.js'
import { createArena, type Arena, type ArenaOptions } from '../memory/arena.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import type { ArenaStats } from '../memory/block-store.js'
import type { Holder } from '../memory/leases.js'
import { RunMemory } from '../memory/run-memory.js'
import type { Clock } from '../schedule/clock.js'
import { compiledBuilder } from '../schedule/compiled-builder.js'
import { InlineExecutor } from '../schedule/inline-executor.js'
import type { Advance, OpenSegment, OutputMode, RunScope, SegmentExecutor, SegmentReport } from '../schedule/open-segment.js'
import { releasePacket } from '../schedule/packet-data.js'
import { nodeOf } from '../schedule/resolved-graph.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'

/** What an engine's executor of several tiers is made of. */
export interface GuestOptions {
  /** The engine's memory, and its executor there. */
  readonly arena: Arena
  readonly inline: SegmentExecutor
  readonly clock: Clock
  /** The engine's modules: compiled again for the kind of memory that a guest has. */
  readonly modules: Pick<CompileOptions, 'wasm' | 'kernels'>
  /** What the memory of a guest is like. */
  readonly memory: Pick<ArenaOptions, 'bytes' | 'zeroOnFree' | 'debug' | 'onWarning'>
  readonly idOf: (module: string, name: string) => number
}

/** A tier that is not the engine's, in a memory of its own. */
interface Guest {
  readonly tier: Tier
  readonly arena: Arena
  readonly executor: InlineExecutor
  /** Segments open in it. */
  open: number
  /** Its memory holds, or throws `ARENA_CORRUPT` and is used no more. */
  check(): void
  /** A segment has closed. */
  leave(): void
  close(): void
}

/**
 * Executes the engine's own segments where it always did, and those of nodes that named another tier (GR-43) in a second memory of that
 * tier on the same thread: its modules are compiled and its memory made when the first such segment is opened, and both stay until the
 * engine closes. Audio is copied in and out, once each way, counted as `thread`.
 */
export class GuestExecutor implements SegmentExecutor {
  readonly where = 'engine' as const
  readonly #o: GuestOptions
  readonly #opening = new Map<Tier, Promise<Guest>>()
  readonly #guests: Guest[] = []
  /** Whose memory is not what it was, until their last segment has closed. */
  readonly #lost = new Set<Guest>()
  /** µs that guests were busy which are no more. */
  #goneUs = 0
  #closed = false

  constructor(options: GuestOptions) { this.#o = options }

  get busyUs(): number {
    let us = (this.#o.inline.busyUs ?? 0) + this.#goneUs
    for (const { executor } of this.#guests) us += executor.busyUs
    for (const { executor } of this.#lost) us += executor.busyUs
    return us
  }

  prepare(plans: readonly SegmentPlan[], signal: AbortSignal): Promise<void> { return this.#o.inline.prepare(plans, signal) }

  /**
   * Rejects with what compiling throws, with `SHARED_MEMORY` for a memory that the host refuses (the next
   * segment tries again), and with `CLOSED`.
   */
  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    if (plan.guest !== true) return this.#o.inline.open(plan, outputs, scope)
    const guest = await this.#guest(plan.tier), { memory } = scope
    guest.check()
    const own = memory && new RunMemory(guest.arena, memory.copies, memory.all)
    guest.open++
    try {
      const inner = await guest.executor.open(plan, outputs, { ...scope, ...(own && { memory: own }) })
      // What is copied in is the segment's, as its working area is.
      return new GuestSegment(inner, guest, this.#o.arena, scope, own?.holder(plan.nodes[0]!.spec.nodeId))
    } catch (error) { guest.leave(); throw error }
  }

  runValues(...given: Parameters<SegmentExecutor['runValues']>): ReturnType<SegmentExecutor['runValues']> {
    return this.#o.inline.runValues(...given)
  }

  /** Memories of the tiers that nodes have asked for. */
  stats(): { readonly tier: Tier; readonly arena: ArenaStats }[] {
    return this.#guests.map(({ tier, arena }) => ({ tier, arena: arena.stats() }))
  }

  close(): void {
    this.#closed = true
    this.#opening.clear()
    for (const guest of [...this.#guests.splice(0), ...this.#lost]) this.#end(guest)
  }

  #end(guest: Guest): void {
    this.#lost.delete(guest)
    this.#goneUs += guest.executor.busyUs
    guest.close()
  }

  #guest(tier: Tier): Promise<Guest> {
    const known = this.#opening.get(tier)
    if (known !== undefined) return known
    const made = this.#make(tier)
    this.#opening.set(tier, made)
    made.catch(() => this.#opening.delete(tier))
    return made
  }

  async #make(tier: Tier): Promise<Guest> {
    const { clock, modules, memory, idOf } = this.#o, isShared = tier === 'wasm-threads'
    const compiled = await compileModules({ ...modules, shared: isShared })
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'Engine', event: 'open' })
    const arena = createArena({ ...memory, shared: isShared, wasm: true }), shared = new SharedBlocks(arena)
    arena.store.onFull = () => { shared.trim() }
    const guest: Guest = {
      tier, arena, open: 0,
      executor: new InlineExecutor(arena, clock, compiledBuilder(arena, instantiateRuntime(compiled, arena.memory!), shared, idOf)),
      check: () => { try { arena.checkHeader() } catch (error) { this.#lose(guest); throw error } },
      leave: () => { if (--guest.open === 0 && this.#lost.has(guest)) this.#end(guest) },
      close: () => { shared.close(); arena.close() },
    }
    this.#guests.push(guest)
    return guest
  }

  /** The next segment of its tier gets another memory; this one is closed once no segment is in it. */
  #lose(guest: Guest): void {
    const at = this.#guests.indexOf(guest)
    if (at < 0) return
    this.#guests.splice(at, 1)
    this.#opening.delete(guest.tier)
    if (guest.open > 0) this.#lost.add(guest); else this.#end(guest)
  }
}

/** A segment in a guest's memory, fed from the engine's. */
class GuestSegment implements OpenSegment {
  readonly plan: SegmentPlan
  readonly #inner: OpenSegment
  readonly #guest: Guest
  readonly #home: Arena
  readonly #scope: RunScope
  readonly #holder: Holder | undefined
  #closing: Promise<void> | undefined

  constructor(inner: OpenSegment, guest: Guest, home: Arena, scope: RunScope, holder: Holder | undefined) {
    this.plan = inner.plan
    this.#inner = inner
    this.#guest = guest
    this.#home = home
    this.#scope = scope
    this.#holder = holder
  }

  hungry(): readonly number[] { return this.#inner.hungry() }
  feed(buffer: number, packet: Packet): Promise<void> { return this.#inner.feed(buffer, this.#moved(buffer, packet, this.#guest.arena)) }
  end(buffer: number): void { this.#inner.end(buffer) }

  /** What a memory holds that is not what it was is not given (MW-02). */
  async advance(): Promise<Advance> {
    this.#guest.check()
    const { done, outputs } = await this.#inner.advance(), given: { buffer: number; packet: Packet }[] = []
    try {
      this.#guest.check()
      for (const { buffer, packet } of outputs) given.push({ buffer, packet: this.#moved(buffer, packet, this.#home) })
    } catch (error) {
      for (const { packet } of [...given, ...outputs]) releasePacket(packet)
      throw error
    }
    return { done, outputs: given }
  }

  collected(buffer: number): Packet { return this.#moved(buffer, this.#inner.collected(buffer), this.#home) }
  report(): SegmentReport { return this.#inner.report() }
  close(): Promise<void> { return this.#closing ??= this.#inner.close().finally(() => { this.#guest.leave() }) }

  /** A packet in another memory; takes over the given one. */
  #moved(buffer: number, packet: Packet, to: Arena): Packet {
    const { data } = packet, { memory } = this.#scope, edge = this.plan.buffers[buffer]!.value
    if (!(data instanceof ArenaAudio)) return packet
    try {
      return {
        ...packet,
        data: data.copyTo(
          to,
          { ledger: memory?.copies ?? this.#home.copies, edge, reason: 'thread' },
          to === this.#home ? memory?.holder(nodeOf(edge)) : this.#holder,
        ),
      }
    } finally { releasePacket(packet) }
  }
}

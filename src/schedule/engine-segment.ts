import type { Arena } from '../memory/arena.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import type { Block } from '../memory/block.js'
import type { CopyReason } from '../memory/copies.js'
import { BUFFER, BUFFER_FLAG, PASS } from '../kernels/contract.js'
import type { Packet } from '../media/packet.js'
import { readFrames } from './border.js'
import { Checkpoint } from './checkpoint.js'
import type { Advance, OpenSegment, OutputMode, RunScope, SegmentReport } from './open-segment.js'
import { packetOf, releasePacket } from './packet-data.js'
import { hasEnded, type BuiltProgram } from './program.js'
import { nodeOf } from './resolved-graph.js'
import { PASSES_PER_ROOM } from './peak-bytes.js'
import { gather, keptFrames, scatter, type SegmentSnapshot, type Span } from './segment-snapshot.js'
import type { SegmentBuffer, SegmentPlan } from './segment-plan.js'
import { commonErrors } from '../errors/common-errors.js'

/**
 * Runs a program on some thread until a pass says something else than MORE; returns that. Throws the
 * coded error of a negative status or a trap.
 */
export type Execute = (program: BuiltProgram) => Promise<number>

/** Where an input's frames lie, bytes from channel to channel, and how to give them back. */
interface Place { readonly address: number; readonly stride: number; readonly frames: number; release(): void }

/** A room for one external output: the block it is written into, and the first frame that has not been given on. */
interface Room { block: Block; capacity: number; cursor: number; readonly mode: OutputMode }

/**
 * A segment whose program and samples lie in the engine's arena. Owner: the driver, on the engine's thread; between two calls of `advance`
 * nobody else touches its records. Packets of audio are read where they lie and leave as views of the room they were written into: no copy.
 */
export class EngineSegment implements OpenSegment {
  readonly plan: SegmentPlan
  readonly program: BuiltProgram
  readonly #arena: Arena
  readonly #scope: RunScope
  readonly #execute: Execute
  readonly #retire: () => Promise<void>
  readonly #rooms = new Map<number, Room>()
  /** How to give back what each input reads. */
  readonly #held = new Map<number, () => void>()
  #started = false
  /** The last pass ended for want of input. */
  #short = false
  #checkpoint: Checkpoint | undefined
  /** What came in with the packets so far; goes out with what is made of them (GR-39). */
  #metadata: Readonly<Record<string, unknown>> = {}
  #deliveries = 1
  #stats = { busyUs: 0, queuedUs: 0, startUs: -1, worker: -1 }

  /** Takes over the program. `retire`: settles once no thread executes it any more. Throws `ARENA_FULL`; then nothing stays allocated. */
  constructor(
    arena: Arena, plan: SegmentPlan, program: BuiltProgram, modes: ReadonlyMap<number, OutputMode>, scope: RunScope, execute: Execute,
    retire: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.plan = plan
    this.program = program
    this.#arena = arena
    this.#scope = scope
    this.#execute = execute
    this.#retire = retire
    try {
      for (const [index, mode] of modes) {
        const buffer = plan.buffers[index]!
        // A pass begins only with room for all that it may add, so a bounded output has that much more than it needs.
        const zeros = buffer.late?.zeros ?? 0
        const frames =
          zeros + (mode.mode === 'collect' && mode.frames !== undefined ? mode.frames + buffer.capacity : buffer.capacity * PASSES_PER_ROOM)
        const block = this.#place(index, frames, zeros)
        this.#rooms.set(index, { block, capacity: frames, cursor: buffer.skip, mode })
        // What a late reader finds before the first frame.
        if (zeros > 0) block.view(Uint8Array).fill(0)
      }
    } catch (error) {
      for (const { block } of this.#rooms.values()) block[Symbol.dispose]()
      program.close()
      throw error
    }
  }

  /** Adds what a thread measured while it executed the program. */
  account(busyUs: number, queuedUs: number, startUs: number, worker: number): void {
    this.#stats = {
      busyUs: this.#stats.busyUs + busyUs, queuedUs: this.#stats.queuedUs + queuedUs,
      startUs: this.#stats.startUs < 0 ? startUs : this.#stats.startUs, worker,
    }
  }

  /**
   * Inputs whose packet was read by all their readers; where a reader waits for another that came through a node which holds
   * frames back, those that one reader has read.
   */
  hungry(): readonly number[] {
    const open = this.plan.buffers.flatMap((buffer, i) => buffer.kind === 'input' && !this.#ended(i) ? [i] : [])
    const empty = open.filter((i) => this.#left(i) === 0)
    return empty.length > 0 || !this.#short ? empty : open.filter((i) => this.#least(i) === 0)
  }

  feed(index: number, packet: Packet): Promise<void> {
    const buffer = this.plan.buffers[index]!, { u32 } = this.#arena, at = this.program.buffer(index) >>> 2
    const left = this.#left(index), taken = this.#filled(index) - left
    const place = left === 0 ? this.#borrow(buffer, packet) : this.#join(index, left, packet)
    if (!this.#started) this.#setOrigins(buffer, packet.position)
    this.#release(index)
    this.#held.set(index, place.release)
    this.#metadata = { ...this.#metadata, ...packet.metadata }
    for (let r = 0; r < buffer.readers.length; r++) this.program.setOffset(index, r, left === 0 ? 0 : this.program.offset(index, r) - taken)
    u32[at + BUFFER.BASE / 4] = place.address
    u32[at + BUFFER.STRIDE / 4] = place.stride
    u32[at + BUFFER.CAPACITY / 4] = left + place.frames
    u32[at + BUFFER.FILLED / 4] = left + place.frames
    this.program.setOrigin(index, packet.position - left)
    this.#scope.progressed(this.plan.index, place.frames)
    return Promise.resolve()
  }

  end(index: number): void { this.#arena.u32[(this.program.buffer(index) + BUFFER.FLAGS) >>> 2]! |= BUFFER_FLAG.ENDED }

  async advance(): Promise<Advance> {
    const code = await this.#execute(this.program)
    const outputs: { buffer: number; packet: Packet }[] = []
    try {
      for (const [index, room] of this.#rooms) {
        const packet = room.mode.mode === 'collect' ? undefined : this.#emit(index, room, code)
        if (packet) outputs.push({ buffer: index, packet })
      }
    } catch (error) {
      for (const { packet } of outputs) releasePacket(packet)
      throw error
    }
    if (code === PASS.OUTPUT_FULL) this.enlarge()
    this.#short = code === PASS.NEED_INPUT
    // Better an error than a pass after a pass that changes nothing.
    if (this.#short && this.hungry().length === 0) {
      throw commonErrors.INTERNAL({ what: `Segment ${this.plan.index}: waits for input, and no input is read to its end.` })
    }
    return { done: code === PASS.DONE, outputs }
  }

  collected(index: number): Packet {
    const room = this.#rooms.get(index)!, buffer = this.plan.buffers[index]!
    this.#rooms.delete(index)
    return this.#packet(
      buffer, room.block, room.capacity, Math.min(room.cursor, this.#filled(index)), this.#filled(index),
      this.program.origin(index) - buffer.skip + room.cursor,
    )
  }

  report(): SegmentReport {
    const { memory } = this.#scope, steps = this.program.reports()
    if (memory) for (const step of steps) step.peakBytes = memory.peakBytes(step.nodeId)
    return { steps, shared: this.#arena.shared, passes: this.program.passes(), ...this.#stats, copyBytes: 0, deliveries: this.#deliveries }
  }

  async close(): Promise<void> {
    await this.#retire()
    for (const index of [...this.#held.keys()]) this.#release(index)
    for (const room of this.#rooms.values()) room.block[Symbol.dispose]()
    this.#rooms.clear()
    this.program.close()
  }

  /** Lets an external input read what another segment of this arena collects in `value`, while it is written and after. */
  follow(index: number, writer: EngineSegment, value: string): void {
    const from = writer.plan.buffers.findIndex((buffer) => buffer.value === value && buffer.kind === 'output')
    this.program.link(index, writer.program.buffer(from))
    for (let r = 0; r < this.plan.buffers[index]!.readers.length; r++) this.program.setOffset(index, r, writer.plan.buffers[from]!.skip)
  }

  /** Remembers this moment, before a thread executes the program. */
  save(): void { (this.#checkpoint ??= new Checkpoint(this.#arena, this.program)).take() }
  /** Goes back to what {@link save} remembered: the thread that executed the program is gone. */
  restore(): void {
    this.#deliveries++
    this.#checkpoint?.restore()
  }

  /**
   * What a segment of the same plan in another memory needs to go on after the last `advance`. Not for
   * collected outputs: what they hold stays here.
   */
  snapshot(): SegmentSnapshot {
    return {
      bytes: gather(this.#arena, [...this.program.portable, ...this.#kept(), ...this.#unreadSpans()]),
      cursors: [...this.#rooms.values()].map(({ cursor }) => cursor),
      starts: [...this.program.starts], started: this.#started, short: this.#short, metadata: this.#metadata,
    }
  }

  /** Goes on where another segment of this plan stood; before anything was fed. Throws `ARENA_FULL`. */
  resume({ bytes, cursors, starts, started, short, metadata }: SegmentSnapshot): void {
    const { u32 } = this.#arena, { memory } = this.#scope
    let at = scatter(this.#arena, this.program.portable, bytes)
    for (const [n, room] of [...this.#rooms.values()].entries()) room.cursor = cursors[n]!
    at = scatter(this.#arena, this.#kept(), bytes, at)
    this.program.starts.splice(0, starts.length, ...starts)
    this.#started = started
    this.#short = short
    this.#metadata = metadata
    for (const [index, { kind, readers, frameBytes, channels, value }] of this.plan.buffers.entries()) {
      const left = kind === 'input' ? this.#left(index) : 0
      if (left === 0) continue
      const taken = this.#filled(index) - left
      const block = this.#arena.claim(left * frameBytes * channels, memory && { holder: memory.holder(nodeOf(value)) })
      const record = this.program.buffer(index) >>> 2
      this.#held.set(index, () => { block[Symbol.dispose]() })
      readers.forEach((_, r) => { this.program.setOffset(index, r, this.program.offset(index, r) - taken) })
      this.program.setOrigin(index, this.program.origin(index) + taken)
      u32[record + BUFFER.BASE / 4] = block.address
      u32[record + BUFFER.STRIDE / 4] = left * frameBytes
      u32[record + BUFFER.CAPACITY / 4] = u32[record + BUFFER.FILLED / 4] = left
      at = scatter(this.#arena, this.#unreadSpans(index), bytes, at)
    }
  }

  /** Gives collected outputs that are full more room. */
  enlarge(): void { for (const [index, room] of this.#rooms) this.#grow(index, room) }

  /** Where a packet's frames lie. Only audio of this arena can be read by kernels so far. Throws `INVALID_ARGUMENT`. */
  #borrow(buffer: SegmentBuffer, packet: Packet): Place {
    const { data } = packet
    if (data instanceof ArenaAudio) {
      return { address: data.address, stride: data.strideBytes, frames: data.frames, release: () => { releasePacket(packet) } }
    }
    throw commonErrors.INVALID_ARGUMENT({
      function: `value ${buffer.value}`, expected: 'an AudioBuffer of this engine', got: typeof packet.data,
      hint: 'Make it with engine.audio.',
    })
  }

  /**
   * What a late reader has yet to take, and a packet behind it, in one block: one copy of both. `left` frames
   * stand at the end of what the input holds.
   */
  #join(index: number, left: number, packet: Packet): Place {
    const buffer = this.plan.buffers[index]!, { u32, u8 } = this.#arena, at = this.program.buffer(index) >>> 2
    const { memory } = this.#scope, { frameBytes, channels } = buffer
    const next = this.#borrow(buffer, packet), pitch = (left + next.frames) * frameBytes, first = this.#filled(index) - left
    const base = u32[at + BUFFER.BASE / 4]!, stride = u32[at + BUFFER.STRIDE / 4]!
    let block: Block
    try {
      block = this.#arena.claim(pitch * channels, memory && { holder: memory.holder(nodeOf(buffer.value)) })
    } catch (error) { next.release(); throw error }
    const { address } = block
    for (let c = 0; c < channels; c++) {
      const old = base + c * stride + first * frameBytes, fresh = next.address + c * next.stride
      u8.copyWithin(address + c * pitch, old, old + left * frameBytes)
      u8.copyWithin(address + c * pitch + left * frameBytes, fresh, fresh + next.frames * frameBytes)
    }
    this.#copied(buffer, left + next.frames, 'thread')
    next.release()
    return { address, stride: pitch, frames: next.frames, release: () => { block[Symbol.dispose]() } }
  }

  /** First positions of the outputs: where the first packet stands, at their own rates. */
  #setOrigins(input: SegmentBuffer, position: number): void {
    this.#started = true
    if (position === 0 || input.media.kind !== 'audio') return
    for (const index of this.#rooms.keys()) {
      const media = this.plan.buffers[index]!.media
      const rate = media.kind === 'audio' ? media.rate : media.kind === 'events' ? media.timebase : 0
      if (rate > 0) this.program.setOrigin(index, Math.round(position * rate / input.media.rate))
    }
    this.program.setPosition(position)
  }

  /**
   * Gives on what the output holds. The room stays while it can take as much again and half of what it is made for; else the frames that a
   * joining step has yet to take move to a new one. So packets much smaller than a room share it, and however many wait they hold twice
   * their frames at most.
   */
  #emit(index: number, room: Room, code: number): Packet | undefined {
    const buffer = this.plan.buffers[index]!, filled = this.#filled(index), { block, cursor, capacity } = room
    if (filled <= cursor) return undefined
    const position = this.program.origin(index) - buffer.skip + cursor
    if (code === PASS.DONE
      || (code !== PASS.OUTPUT_FULL && capacity - filled >= Math.max(filled - cursor, buffer.capacity * PASSES_PER_ROOM / 2))) {
      room.cursor = filled
      return this.#packet(buffer, block.clone(), capacity, cursor, filled, position)
    }
    const rest = this.#left(index), shift = filled - rest, next = this.#place(index, capacity, rest)
    this.#moveFrames(buffer, room, next, capacity, shift, rest)
    for (let r = 0; r < buffer.readers.length; r++) this.program.setOffset(index, r, this.program.offset(index, r) - shift)
    this.program.setOrigin(index, this.program.origin(index) + shift)
    room.block = next
    room.cursor = rest
    return this.#packet(buffer, block, capacity, cursor, filled, position)
  }

  /** A collected output has no bound or a wrong one: half as much room again, or what the arena still gives; frames move over. */
  #grow(index: number, room: Room): void {
    const buffer = this.plan.buffers[index]!, filled = this.#filled(index), least = buffer.capacity * PASSES_PER_ROOM
    if (room.mode.mode !== 'collect' || filled + buffer.capacity <= room.capacity) return
    const old = room.block
    const wanted = room.capacity + Math.max(least, room.capacity >> 1)
    const most = Math.floor(this.#arena.largestFreeBytes() / (buffer.frameBytes * buffer.channels))
    const capacity = Math.max(room.capacity + least, Math.min(wanted, most)), next = this.#place(index, capacity, filled)
    this.#moveFrames(buffer, room, next, capacity, 0, filled)
    old[Symbol.dispose]()
    room.block = next
    room.capacity = capacity
  }

  #moveFrames(buffer: SegmentBuffer, from: Room, to: Block, capacity: number, first: number, frames: number): void {
    if (frames === 0) return
    const a = from.block.view(Uint8Array), b = to.view(Uint8Array)
    for (let c = 0; c < buffer.channels; c++) {
      const start = (c * from.capacity + first) * buffer.frameBytes
      b.set(a.subarray(start, start + frames * buffer.frameBytes), c * capacity * buffer.frameBytes)
    }
    this.#copied(buffer, frames, 'thread')
  }

  #copied(buffer: SegmentBuffer, frames: number, reason: CopyReason): void {
    this.#scope.memory?.copies.add(buffer.value, frames * buffer.frameBytes * buffer.channels, reason)
  }

  /** Allocates a room and points the record at it. */
  #place(index: number, capacity: number, filled: number): Block {
    const buffer = this.plan.buffers[index]!, { u32 } = this.#arena, { memory } = this.#scope
    const block =
      this.#arena.claim(capacity * buffer.frameBytes * buffer.channels, memory && { holder: memory.holder(nodeOf(buffer.value)) })
    const at = this.program.buffer(index) >>> 2
    u32[at + BUFFER.BASE / 4] = block.address
    u32[at + BUFFER.STRIDE / 4] = capacity * buffer.frameBytes
    u32[at + BUFFER.CAPACITY / 4] = capacity
    u32[at + BUFFER.FILLED / 4] = filled
    return block
  }

  /** Frames `from`…`to` of a room as a packet; takes over that lease of the room's block. */
  #packet(buffer: SegmentBuffer, block: Block, pitch: number, from: number, to: number, position: number): Packet {
    const frames = to - from, metadata = buffer.metadata === undefined ? this.#metadata : { ...this.#metadata, ...buffer.metadata }
    if (buffer.media.kind !== 'audio') {
      const data = readFrames(buffer, block.view(Uint8Array), from, frames)
      this.#copied(buffer, frames, 'platform')
      block[Symbol.dispose]()
      return packetOf(buffer.media, data, position, frames, { streamId: buffer.value, metadata })
    }
    const { rate, channels, format, layout } = buffer.media
    const audio = new ArenaAudio(this.#arena, block,
      { rate, channels, frames, format, layout, position, speakers: channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete' },
      { skip: from, pitch })
    return packetOf(buffer.media, audio, position, frames, { streamId: buffer.value, metadata })
  }

  #ended(index: number): boolean { return hasEnded(this.#arena.u32, this.program.buffer(index)) }
  #filled(index: number): number { return this.#arena.u32[(this.program.buffer(index) + BUFFER.FILLED) >>> 2]! }

  /** Frames that some reader has yet to take. */
  #left(index: number): number { return Math.max(0, ...this.#unread(index)) }
  /** Frames that every reader has yet to take. */
  #least(index: number): number { return Math.max(0, Math.min(...this.#unread(index))) }
  #unread(index: number): number[] {
    return this.plan.buffers[index]!.readers.map((_, r) => this.#filled(index) - this.program.offset(index, r))
  }

  *#kept(): Iterable<Span> {
    yield* keptFrames(this.#arena, this.program, 'internal')
    // What was given on and no step has yet to take stays behind.
    yield* keptFrames(this.#arena, this.program, 'output', (index) =>
      Math.min(this.#rooms.get(index)?.cursor ?? 0, this.#filled(index) - this.#left(index)))
  }

  /** What some reader has yet to take of the inputs, or of one. */
  *#unreadSpans(only?: number): Iterable<Span> {
    const { u32 } = this.#arena
    for (const [index, { kind, channels, frameBytes }] of this.plan.buffers.entries()) {
      if (kind !== 'input' || (only ?? index) !== index) continue
      const left = this.#left(index), record = this.program.buffer(index) >>> 2
      const first = u32[record + BUFFER.BASE / 4]! + (this.#filled(index) - left) * frameBytes
      for (let c = 0; left > 0 && c < channels; c++) yield [first + c * u32[record + BUFFER.STRIDE / 4]!, left * frameBytes]
    }
  }

  #release(index: number): void {
    this.#held.get(index)?.()
    this.#held.delete(index)
  }
}

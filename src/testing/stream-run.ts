import { STATE, STATUS } from '../kernels/contract.js'
import type { KernelCode } from '../kernels/kernel-code.js'
import { KernelInstance, type ControlCourse } from '../kernels/kernel-instance.js'
import { statusName } from '../kernels/status-name.js'
import type { Address } from '../memory/memory-host.js'
import type { ConformanceCase } from './conformance-case.js'
import type { ConformanceHost } from './conformance-host.js'
import type { CheckName } from './findings.js'
import { PortRoom } from './port-room.js'
import type { Signal } from './signals.js'
import { TrackBuilder, type Track } from './track-builder.js'
import { sharedSum, watch } from './watch.js'

/** How a signal is driven through a node. */
export interface RunPlan {
  /** Frames of the calls, in order; they add up to the signal's. */
  readonly chunks: readonly number[]
  /** Position of the first frame in its stream =0. */
  readonly start?: number
  /** Frames by which data stands off its buffer's start, 0–15. */
  readonly offset?: number
  /** Tell the last call that nothing follows. */
  readonly ended?: boolean
  readonly silent?: boolean
  /** After every call: the state is moved. */
  readonly move?: boolean
  /** After some calls: the state goes through a snapshot into a new instance. */
  readonly snapshot?: boolean
  /** Most room that outputs get in flush. */
  readonly flushRoom?: number
  /** Pair of ports that share a buffer. */
  readonly inPlace?: readonly [number, number]
  /** An output that nothing reads. */
  readonly without?: string
  /** Courses of controls by absolute frame. */
  readonly controls?: ReadonlyMap<number, ControlCourse>
  /** Offer this output one frame too little first. */
  readonly tight?: number
  /** Look at every block a call may not write. */
  readonly watch?: boolean
  /** Frames at which the run stops without flush and the state is reset; then all of `chunks` run. */
  readonly resetAt?: number
}

/** Something that must not happen, and the check that it belongs to. */
export interface RunFault { readonly check: CheckName; readonly detail: string }
/** All that a run gave. */
export interface RunResult {
  readonly tracks: readonly Track[]
  /** Frames of output 0 as the calls returned them, before and in flush. */
  readonly returned: number
  readonly flushed: number
  readonly nonfinite: number
  readonly clipped: number
  readonly tag: string
  readonly faults: readonly RunFault[]
}

/** Calls of flush, beside those that the declared frames need one by one, after which a node is taken not to end. */
const FLUSH_CALLS = 2_000
const FLUSH_ROOM = 256

/**
 * Runs a whole signal through a new instance. Throws what making the instance throws; faults of calls are
 * collected, and the first one ends the run.
 */
export function runStream(host: ConformanceHost, kase: ConformanceCase, signal: Signal, plan: RunPlan): RunResult {
  const run = new StreamRun(host, kase, signal, plan)
  try {
    return run.all()
  } finally {
    run.close()
  }
}

class StreamRun {
  readonly #host: ConformanceHost
  readonly #case: ConformanceCase
  readonly #signal: Signal
  readonly #plan: RunPlan
  readonly #code: KernelCode
  readonly #inputs: readonly PortRoom[]
  readonly #outputs: readonly PortRoom[]
  readonly #tracks: readonly TrackBuilder[]
  readonly #faults: RunFault[] = []
  /** Of the shared block before the first call. */
  readonly #shared: number
  #instance: KernelInstance
  #calls = 0
  #expectedCalls = 0
  #returned = 0
  #flushed = 0
  /** Ports share a buffer while there is input; in flush the output has its own. */
  #sharing = false

  constructor(host: ConformanceHost, kase: ConformanceCase, signal: Signal, plan: RunPlan) {
    this.#host = host
    this.#case = kase
    this.#signal = signal
    this.#plan = plan
    const most = Math.max(1, ...plan.chunks)
    const spec = kase.spec(most, plan.without)
    this.#code = this.#counted(host.code(spec, kase.parts))
    this.#instance = new KernelInstance(this.#code, spec, host.memory, { shared: host.tables })
    this.#shared = plan.watch ? sharedSum(host.memory, this.#instance) : 0
    const offset = plan.offset ?? 0
    this.#inputs = spec.inputs.map((port) => new PortRoom(host.memory, port, port.connected ? most + offset : 0))
    this.#outputs = spec.outputs.map((port, index) =>
      new PortRoom(host.memory, port, port.connected ? Math.max(this.#most(index, most), FLUSH_ROOM) + offset : 0))
    this.#tracks = spec.outputs.map((port) => new TrackBuilder(port))
  }

  all(): RunResult {
    const { chunks, resetAt } = this.#plan
    if (resetAt !== undefined) this.#runInto(resetAt)
    let position = 0
    for (let call = 0; call < chunks.length && this.#faults.length === 0; call++) {
      const frames = chunks[call]!
      this.#process(position, frames, this.#plan.ended === true && call === chunks.length - 1)
      position += frames
      this.#between(call)
    }
    if (this.#faults.length === 0) this.#flushAll(position)
    return this.#result()
  }

  close(): void {
    if (this.#plan.watch && sharedSum(this.#host.memory, this.#instance) !== this.#shared) {
      this.#fault('canaries', 'the shared block was written')
    }
    this.#instance.close()
    for (const room of [...this.#inputs, ...this.#outputs]) room.close()
    for (const detail of this.#host.memory.damage()) this.#fault('canaries', detail)
  }

  /** Frames that are run and forgotten: the state is used, then reset. */
  #runInto(frames: number): void {
    for (let at = 0; at < frames && this.#faults.length === 0;) {
      const count = Math.min(this.#plan.chunks[0] ?? 1, frames - at)
      this.#process(at, count, false)
      at += count
    }
    this.#instance.reset()
    for (const track of this.#tracks) track.clear()
    this.#returned = 0
  }

  #process(position: number, frames: number, last: boolean): void {
    const plan = this.#plan, instance = this.#instance
    this.#sharing = plan.inPlace !== undefined
    const offset = plan.offset ?? 0, absolute = (plan.start ?? 0) + position
    this.#inputs.forEach((room, index) => {
      if (!room.port.connected) return
      room.fill(this.#signal.inputs[index]!, position, offset, frames)
      instance.setInput(index, { ...room.bytes(offset, frames), ended: last, silent: plan.silent === true })
    })
    for (const [index, course] of plan.controls ?? []) instance.setControl(index, { ...course, begin: course.begin - position })
    const rooms = this.#outputs.map((_, index) => this.#most(index, frames))
    if (plan.tight !== undefined && rooms[plan.tight]! > 0 && this.#tryTight(plan.tight, rooms, absolute, frames, last)) return
    this.#offer(rooms, offset)
    this.#take(this.#call(() => instance.process(frames, absolute, last)), rooms, `process(${frames}) at ${absolute}`, frames)
    if (plan.inPlace === undefined) this.#inputs.forEach((room, index) => {
      if (plan.watch && room.port.connected && !room.holds(this.#signal.inputs[index]!, position, offset, frames)) {
        this.#fault('canaries', `input ${index} was written`)
      }
    })
  }

  /** One frame too little: NO_ROOM must change nothing. True when the node managed with less and the call counts. */
  #tryTight(index: number, rooms: readonly number[], position: number, frames: number, last: boolean): boolean {
    const tight = rooms.map((room, n) => n === index ? room - 1 : room)
    this.#offer(tight, this.#plan.offset ?? 0)
    const result = this.#call(() => this.#instance.process(frames, position, last))
    if (result === STATUS.NO_ROOM) {
      // A refused call is not a call that the kernel must count.
      this.#expectedCalls = Number.NaN
      return false
    }
    const declared = this.#case.definition.outputs[this.#case.outputs[index]!]!.frames
    if (result >= 0 && declared === 'same') {
      this.#fault('no-room', `output ${index}: expected NO_ROOM for ${tight[index]} frames of room and ${frames} of input, got ${result}`)
    }
    this.#take(result, tight, `process(${frames}) at ${position}`, declared === 'same' ? frames : undefined)
    return true
  }

  #flushAll(position: number): void {
    if (!this.#instance.spec.flush || this.#code.flush === undefined) return
    this.#sharing = false
    const { latency, tail, hold } = this.#case, most = FLUSH_CALLS + 24 * (latency + tail + hold)
    for (let call = 0; this.#faults.length === 0; call++) {
      const rooms = this.#outputs.map((_, index) => Math.min(this.#flushRoom(index), this.#plan.flushRoom ?? FLUSH_ROOM))
      this.#offer(rooms, this.#plan.offset ?? 0)
      for (const [index, course] of this.#plan.controls ?? []) {
        this.#instance.setControl(index, { ...course, begin: course.begin - position })
      }
      const result = this.#call(() => this.#instance.flush((this.#plan.start ?? 0) + position))
      const before = this.#returned
      this.#take(result, rooms, 'flush', undefined)
      this.#flushed += this.#returned - before
      if (this.#plan.move) this.#instance.moveState()
      if (result <= 0 && this.#outputs.every((room, index) => !room.port.connected || this.#instance.done(index) === 0)) return
      if (call >= most) this.#fault('flush', `flush has not ended after ${most} calls`)
    }
  }

  /** Room in flush: what a call without input may give; nodes that give as much as they take have their tail to give. */
  #flushRoom(index: number): number {
    const { frames } = this.#case.definition.outputs[this.#case.outputs[index]!]!
    return typeof frames === 'function' ? this.#most(index, 0) : FLUSH_ROOM
  }

  /** Where output `index` is written: its own room, or its input's. */
  #roomOf(index: number): PortRoom {
    const pair = this.#plan.inPlace
    return this.#sharing && pair?.[1] === index ? this.#inputs[pair[0]]! : this.#outputs[index]!
  }

  #most(index: number, frames: number): number {
    return this.#case.room(index, frames) ?? 0
  }

  #offer(rooms: readonly number[], offset: number): void {
    this.#outputs.forEach((room, index) => {
      if (!room.port.connected) return
      const shared = this.#roomOf(index)
      if (shared === room) room.clear(offset, rooms[index]!)
      this.#instance.setOutput(index, shared.bytes(offset, rooms[index]!))
    })
  }

  #call(run: () => number): number {
    this.#expectedCalls++
    try {
      return run()
    } catch (error) {
      this.#fault('status', error instanceof Error ? error.message : String(error))
      return STATUS.BAD_STATE
    }
  }

  /** Checks a call's result and keeps what it wrote. `same`: frames that outputs declared `same` must have given. */
  #take(result: number, rooms: readonly number[], call: string, same: number | undefined): void {
    if (this.#faults.length > 0) return
    if (result < 0) {
      const detail = `${call}: ${statusName(result)} (${result})${result === STATUS.NO_ROOM ? ` with the declared room of ${rooms.join(', ')} frames` : ''}`
      return this.#fault(result === STATUS.NO_ROOM ? 'frames' : 'status', detail)
    }
    this.#returned += result
    this.#outputs.forEach((room, index) => {
      const { connected, name } = room.port
      const done = connected ? this.#instance.done(index) : 0
      const declared = this.#case.definition.outputs[name]!.frames
      if (connected && index === 0 && done !== result) {
        this.#fault('frames', `${call}: ${result} frames were returned, ${done} told for output 0`)
      }
      if (done > rooms[index]!) {
        return this.#fault('frames', `${call}: output ${name} declares at most ${rooms[index]} frames, gave ${done}`)
      }
      if (same !== undefined && declared === 'same' && (index === 0 ? result : connected ? done : same) !== same) {
        this.#fault('frames', `${call}: output ${name} declares as many frames as its input, gave ${index === 0 ? result : done}`)
      }
      if (!connected) return
      this.#keep(index, done)
      if (this.#roomOf(index) !== room) return
      const stray = room.stray(this.#plan.offset ?? 0, rooms[index]!)
      if (stray !== null) this.#fault('canaries', `${call}: output ${name} was written ${stray}`)
    })
  }

  #keep(index: number, frames: number): void {
    const room = this.#roomOf(index), offset = this.#plan.offset ?? 0
    this.#tracks[index]!.add(room, offset, frames)
    if (!this.#instance.silent(index)) return
    for (let channel = 0; channel < room.port.channels; channel++) {
      if (!room.isZero(channel, offset, frames)) this.#fault('silence', `output ${room.port.name} is flagged silent and is not`)
    }
  }

  #between(call: number): void {
    if (this.#plan.move) this.#instance.moveState()
    // Every new instance costs its tables, so four snapshots a run, at calls that differ from chunking to chunking.
    if (!this.#plan.snapshot || call % Math.max(1, Math.floor(this.#plan.chunks.length / 4)) !== 0) return
    const saved = this.#instance.snapshot()
    const { spec } = this.#instance
    this.#instance.close()
    this.#instance = new KernelInstance(this.#code, spec, this.#host.memory, { shared: this.#host.tables })
    this.#instance.restore(saved instanceof Uint8Array ? saved : structuredClone(saved))
    this.#expectedCalls = Number.NaN
  }

  /** The code with its calls counted, and watched where the plan says so. */
  #counted(code: KernelCode): KernelCode {
    const around = (call: (state: Address, io: Address) => number) => (state: Address, io: Address): number => {
      this.#calls++
      if (!this.#plan.watch) return call(state, io)
      const seen = watch(this.#host.memory, this.#instance)
      const result = call(state, io)
      for (const detail of seen()) this.#fault('canaries', detail)
      return result
    }
    return { ...code, process: around(code.process), ...(code.flush ? { flush: around(code.flush) } : {}) }
  }

  #result(): RunResult {
    const { calls, tag, nonfinite, clipped } = this.#instance.counters()
    if (this.#faults.length === 0 && this.#expectedCalls === this.#calls && calls !== this.#calls) {
      this.#fault('counters', `${this.#calls} calls were made, the state counts ${calls} (byte ${STATE.CALLS})`)
    }
    const tracks = this.#tracks.map((track) => track.take())
    return { tracks, returned: this.#returned, flushed: this.#flushed, nonfinite, clipped, tag, faults: this.#faults }
  }

  #fault(check: CheckName, detail: string): void {
    this.#faults.push({ check, detail })
  }
}

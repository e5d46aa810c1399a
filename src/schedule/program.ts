import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import { commonErrors } from '../errors/common-errors.js'
import {
  BUFFER, BUFFER_FLAG, BUFFER_KIND, CHANGE, NONE, PROGRAM, PROGRAM_MAGIC, READER, STATUS, STEP, STEP_MARK, TIMELINE,
} from '../kernels/contract.js'
import type { ChannelView } from '../graph/node-definition.js'
import type { KernelCode } from '../kernels/kernel-code.js'
import { KernelInstance } from '../kernels/kernel-instance.js'
import type { SharedBlocks } from '../kernels/shared-blocks.js'
import { isTrap, statusError, trapError } from '../kernels/status-name.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { alignedBytes } from './colouring.js'
import type { StepReport } from './open-segment.js'
import type { SegmentPlan } from './segment-plan.js'
import { portableSpans, type Span } from './segment-snapshot.js'

/** A segment written into memory: what `segment_run` takes, and the records that its driver reads and writes. Owner: who built it. */
export interface BuiltProgram {
  readonly address: Address
  /** Address of the first step record. */
  readonly steps: Address
  readonly plan: SegmentPlan
  /** Spans that passes change, samples apart: records, states, descriptors; as (address, bytes). */
  readonly changing: readonly Span[]
  /**
   * What passes change and means the same in every memory: no address is in it. In the order of the plan, so equal plans have equal lists.
   */
  readonly portable: readonly Span[]
  /** First position of each buffer, for streams that do not start at 0. */
  readonly starts: number[]
  /** Address of a buffer's record. */
  buffer(index: number): Address
  /** Frames that a reader has taken of a buffer. */
  offset(buffer: number, reader: number): number
  setOffset(buffer: number, reader: number, frames: number): void
  /** Absolute index of the frame at a buffer's base. */
  origin(buffer: number): number
  setOrigin(buffer: number, frame: number): void
  /** Position of the first input frame, for streams that do not start at 0. */
  setPosition(frame: number): void
  /**
   * Plans a change of a step's control: from `at` (frame of its input 0) on, to `value` over `ramp` frames. In order of `at`.
   * False: too many wait, or it has no timeline.
   */
  change(step: number, change: ControlChange): boolean
  /** Lets an external input read what another segment's external output holds, as it grows. */
  link(buffer: number, writer: Address): void
  passes(): number
  reports(): StepReport[]
  /** The coded error of a negative status of the last pass. */
  failed(status: number): MillraceError
  /** The coded error of something thrown out of a pass. */
  trapped(error: unknown): MillraceError
  close(): void
}

/** A change of a control record at an absolute frame. */
export interface ControlChange { readonly at: number; readonly control: number; readonly value: number; readonly ramp: number }

/** Where the code of a step comes from. */
export interface CodeSource {
  readonly shared: SharedBlocks | undefined
  /** Who holds the blocks of a node. Default: the host itself. */
  holder?(node: string): MemoryHost
  /** Functions and table entries (`flush` 0: none) of step `index`. */
  code(index: number): { readonly code: KernelCode; readonly process: number; readonly flush: number }
}

/** Makes the kernel instances of a segment and writes its program. Throws what a kernel's init says; nothing stays allocated then. */
export function buildProgram(memory: MemoryHost, plan: SegmentPlan, source: CodeSource): BuiltProgram {
  const host = source.holder?.(plan.nodes[0]?.spec.nodeId ?? '') ?? memory
  const instances: KernelInstance[] = []
  const own: Address[] = []
  try {
    plan.nodes.forEach((node, i) => {
      instances.push(new KernelInstance(source.code(i).code, node.spec, source.holder?.(node.spec.nodeId) ?? host, {
        ...(source.shared && { shared: source.shared }), scratch: THREADS_OWN,
      }))
    })
    const bases = internalRooms(host, plan, own)
    const sizes = layOut(plan)
    const address = host.allocate(sizes.total)
    own.push(address)
    write(host, plan, source, instances, address, sizes, bases)
    return new Program(host, plan, instances, own, address, sizes)
  } catch (error) {
    for (const instance of instances) instance.close()
    for (const block of own) host.free(block)
    throw error
  }
}

/** Where the internal buffers stand: together, where liveness put them; each in a block of its own when the host guards blocks. */
function internalRooms(host: MemoryHost, plan: SegmentPlan, own: Address[]): readonly Address[] {
  const take = (bytes: number): Address => own[own.push(host.allocate(bytes)) - 1]!
  const work = plan.workBytes > 0 && host.debug !== true ? take(plan.workBytes) : 0
  return plan.buffers.map((buffer) => buffer.kind !== 'internal' ? 0
    : work > 0 ? work + buffer.offset
    : take(alignedBytes(buffer.capacity * buffer.frameBytes) * buffer.channels))
}

/** Scratch is the executing thread's, filled in when it takes the segment. */
const THREADS_OWN = { address: 0, bytes: Number.POSITIVE_INFINITY }

interface Sizes {
  readonly steps: number
  readonly buffers: number
  readonly bindings: readonly number[]
  readonly offsets: readonly number[]
  /** 0: none. */
  readonly timelines: readonly number[]
  readonly total: number
}

/** Offsets of the parts of a program from its address. */
function layOut(plan: SegmentPlan): Sizes {
  let at: number = PROGRAM.BYTES
  const take = (bytes: number): number => { const start = at; at += alignedBytes(bytes); return start }
  const steps = take(plan.nodes.length * STEP.BYTES), buffers = take(plan.buffers.length * BUFFER.BYTES)
  const bindings = plan.nodes.map((node) => take((2 * node.inputs.length + node.outputs.length + 3 * (node.driven?.length ?? 0)) * 4))
  const offsets = plan.buffers.map((buffer) => take(Math.max(1, buffer.readers.length) * 4))
  const timelines = plan.nodes.map((node) => node.timeline === undefined ? 0 : take(TIMELINE.BYTES + node.timeline * CHANGE.BYTES))
  return { steps, buffers, bindings, offsets, timelines, total: at }
}

function write(
  host: MemoryHost, plan: SegmentPlan, source: CodeSource, instances: readonly KernelInstance[], address: Address, sizes: Sizes,
  bases: readonly Address[],
): void {
  const { u32 } = host
  const set = (record: Address, field: number, value: number): void => { u32[(record + field) >>> 2] = value }
  set(address, PROGRAM.MAGIC, PROGRAM_MAGIC)
  set(address, PROGRAM.STEP_COUNT, plan.nodes.length)
  set(address, PROGRAM.BUFFER_COUNT, plan.buffers.length)
  set(address, PROGRAM.HEAD_FRAMES, plan.headFrames)
  set(address, PROGRAM.STEPS, address + sizes.steps)
  set(address, PROGRAM.BUFFERS, address + sizes.buffers)
  set(address, PROGRAM.TOTAL_BYTES, sizes.total)
  const taken = plan.buffers.map(() => 0)
  plan.nodes.forEach((node, i) => {
    const step = address + sizes.steps + i * STEP.BYTES, bindings = address + sizes.bindings[i]!, { process, flush } = source.code(i)
    set(step, STEP.PROCESS, process)
    set(step, STEP.FLUSH, node.spec.flush ? flush : 0)
    set(step, STEP.STATE, instances[i]!.state)
    set(step, STEP.IO, instances[i]!.io)
    set(step, STEP.INPUTS, node.inputs.length)
    set(step, STEP.OUTPUTS, node.outputs.length)
    set(step, STEP.BINDINGS, bindings)
    const driven = node.driven ?? [], readers = bindings + (node.inputs.length + node.outputs.length + driven.length) * 4
    set(step, STEP.READERS, readers)
    set(step, STEP.DRIVEN, driven.length)
    set(step, STEP.MARKS, (driven.length > 0 ? STEP_MARK.DRIVEN : 0) | (node.outputs.some((b) => (plan.buffers[b]?.late?.preroll ?? 0) > 0)
      ? STEP_MARK.PREROLL
      : 0))
    if (node.timeline !== undefined) {
      const line = address + sizes.timelines[i]!
      set(step, STEP.TIMELINE, line)
      set(line, TIMELINE.CAPACITY, node.timeline)
      set(line, TIMELINE.CONTROLS, node.spec.controls.length)
    }
    set(step, STEP.MAX_FRAMES, node.spec.maxFrames)
    set(step, STEP.WANTED, node.inputs.every((b) => b < 0) && node.spec.inputs.length === 0 ? plan.headFrames : 0)
    set(step, STEP.NODE, node.node)
    set(step, STEP.SCRATCH_BYTES, instances[i]!.scratchBytes)
    ;[...node.inputs, ...node.outputs, ...driven.map(({ buffer }) => buffer)].forEach((b, n) => { set(bindings, n * 4, b < 0 ? NONE : b) })
    node.inputs.forEach((b, n) => {
      set(readers, n * 4, b < 0 ? 0 : taken[b]!++ | viewWord(node.views?.[n]) | (node.weak?.[n] === true ? READER.WEAK : 0))
    })
    driven.forEach(({ buffer, control }, k) => {
      set(readers, (node.inputs.length + k) * 4, taken[buffer]!++)
      set(readers, (node.inputs.length + driven.length + k) * 4, control)
    })
  })
  plan.buffers.forEach((buffer, i) => {
    const record = address + sizes.buffers + i * BUFFER.BYTES, offsets = address + sizes.offsets[i]!
    set(record, BUFFER.FRAME_BYTES, buffer.frameBytes)
    set(record, BUFFER.CHANNELS, buffer.channels)
    set(record, BUFFER.KIND, buffer.kind === 'internal' ? BUFFER_KIND.INTERNAL
      : buffer.kind === 'input' ? BUFFER_KIND.EXTERNAL_INPUT
      : BUFFER_KIND.EXTERNAL_OUTPUT)
    set(record, BUFFER.READER_COUNT, buffer.readers.length)
    set(record, BUFFER.OFFSETS, offsets)
    buffer.readers.forEach((_, r) => { set(offsets, r * 4, buffer.late?.starts[r] ?? buffer.skip) })
    set(record, BUFFER.PREROLL, buffer.late?.preroll ?? 0)
    if (buffer.kind === 'output') set(record, BUFFER.PASS_FRAMES, buffer.capacity)
    if (buffer.kind !== 'internal') return
    // Live always: nobody else uses its memory, so it may keep frames from pass to pass.
    if (buffer.live[1] < plan.nodes.length) set(record, BUFFER.FLAGS, BUFFER_FLAG.SHARED)
    set(record, BUFFER.BASE, bases[i]!)
    set(record, BUFFER.CAPACITY, buffer.capacity)
    set(record, BUFFER.STRIDE, alignedBytes(buffer.capacity * buffer.frameBytes))
    if (buffer.late === undefined) return
    // Zeros stand before what is written.
    set(record, BUFFER.KEEP, buffer.late.keep)
    set(record, BUFFER.FILLED, buffer.late.zeros)
    set(record, BUFFER.FLAGS, BUFFER_FLAG.SILENT | BUFFER_FLAG.UNWRITTEN)
  })
}

/** Upper part of a reader word. */
function viewWord(view: ChannelView | undefined): number {
  return view === undefined ? 0 : (view.first << READER.CHANNEL_SHIFT) | (view.downwards === true ? 1 << READER.DOWNWARDS_SHIFT : 0)
}

class Program implements BuiltProgram {
  readonly address: Address
  readonly steps: Address
  readonly plan: SegmentPlan
  readonly changing: readonly Span[]
  readonly starts: number[]
  readonly #host: MemoryHost
  readonly #instances: readonly KernelInstance[]
  readonly #own: readonly Address[]
  readonly #sizes: Sizes
  #reports: StepReport[] | undefined
  #passes = 0

  constructor(
    host: MemoryHost, plan: SegmentPlan, instances: readonly KernelInstance[], own: readonly Address[], address: Address, sizes: Sizes,
  ) {
    this.address = address
    this.steps = address + sizes.steps
    this.plan = plan
    this.#host = host
    this.#instances = instances
    this.#own = own
    this.#sizes = sizes
    this.changing = [
      [address, sizes.total],
      ...instances.flatMap(({ state, stateBytes, descriptors: d }) => [[state, stateBytes], [d.address, d.assets - d.address]] as const),
    ]
    this.starts = plan.buffers.map(() => 0)
  }

  get portable(): readonly Span[] {
    const { buffers, offsets, timelines } = this.#sizes, at = (offset: number): Address => this.address + offset
    return portableSpans(
      this.address, this.steps, this.plan, this.#instances, at(buffers), offsets.map(at), timelines.map((offset) => offset && at(offset)),
    )
  }

  buffer(index: number): Address { return this.address + this.#sizes.buffers + index * BUFFER.BYTES }
  offset(buffer: number, reader: number): number { return this.#host.i32[(this.address + this.#sizes.offsets[buffer]!) / 4 + reader]! }
  setOffset(buffer: number, reader: number, frames: number): void {
    this.#host.i32[(this.address + this.#sizes.offsets[buffer]!) / 4 + reader] = frames
  }
  origin(buffer: number): number { return readU64(this.#host.u32, this.buffer(buffer) + BUFFER.ORIGIN_U64) }
  setOrigin(buffer: number, frame: number): void { writeU64(this.#host.u32, this.buffer(buffer) + BUFFER.ORIGIN_U64, frame) }
  link(buffer: number, writer: Address): void { this.#host.u32[(this.buffer(buffer) + BUFFER.LINK) >>> 2] = writer }
  passes(): number { return this.#reports ? this.#passes : this.#host.u32[(this.address + PROGRAM.PASSES) >>> 2]! }

  setPosition(frame: number): void {
    this.plan.nodes.forEach((node, i) => {
      if (node.inputs.some((b) => this.plan.buffers[b]?.kind === 'input')) {
        writeU64(this.#host.u32, this.steps + i * STEP.BYTES + STEP.POSITION_U64, frame)
      }
    })
    this.plan.buffers.forEach((buffer, b) => { this.starts[b] = buffer.kind === 'input' ? frame : this.origin(b) })
  }

  change(step: number, { at, control, value, ramp }: ControlChange): boolean {
    const { u32, f32 } = this.#host, line = u32[(this.steps + step * STEP.BYTES + STEP.TIMELINE) >>> 2]!
    if (line === 0) return false
    const count = u32[(line + TIMELINE.COUNT) >>> 2]!, capacity = u32[(line + TIMELINE.CAPACITY) >>> 2]!
    if (((count - Atomics.load(u32, (line + TIMELINE.NEXT) >>> 2)) >>> 0) >= capacity) return false
    const record = line + TIMELINE.BYTES + count % capacity * CHANGE.BYTES
    writeU64(u32, record + CHANGE.AT_U64, at)
    u32[(record + CHANGE.CONTROL) >>> 2] = control
    f32[(record + CHANGE.VALUE_F32) >>> 2] = value
    u32[(record + CHANGE.RAMP) >>> 2] = ramp
    Atomics.store(u32, (line + TIMELINE.COUNT) >>> 2, count + 1)
    return true
  }

  reports(): StepReport[] { return this.#reports ?? this.#readReports() }

  failed(status: number): MillraceError {
    const step = this.#host.u32[(this.address + PROGRAM.FAILED_STEP) >>> 2]!, node = this.plan.nodes[step]
    if (status === STATUS.CANCELLED || node === undefined) {
      return commonErrors.CANCELLED({ id: `segment ${this.plan.index}`, reason: 'cancel word' })
    }
    return statusError(node.spec, status)
  }

  trapped(error: unknown): MillraceError {
    if (isMillraceError(error)) return error
    const node = this.plan.nodes[this.#host.u32[(this.address + PROGRAM.FAILED_STEP) >>> 2]!] ?? this.plan.nodes[0]!
    if (isTrap(error)) return trapError(node.spec, error, this.passes())
    return commonErrors.INTERNAL({ what: error instanceof Error ? error.message : String(error) }, {
      cause: error, nodeId: node.spec.nodeId, nodeType: node.spec.type,
    })
  }

  close(): void {
    if (this.#reports) return
    this.#passes = this.passes()
    this.#reports = this.#readReports()
    for (const instance of this.#instances) instance.close()
    for (const block of this.#own) this.#host.free(block)
  }

  #readReports(): StepReport[] {
    const { u32 } = this.#host
    return this.plan.nodes.map((node, i): StepReport => {
      const step = this.steps + i * STEP.BYTES, { calls, tag, nonfinite, clipped } = this.#instances[i]!.counters()
      const framesIn = readU64(u32, step + STEP.POSITION_U64) - this.#start(node.inputs)
      const first = node.outputs.findIndex((b) => b >= 0), output = node.outputs[first]
      const framesOut = output === undefined || first !== 0
        ? framesIn
        : this.origin(output) + u32[(this.buffer(output) + BUFFER.FILLED) >>> 2]! - (this.plan.buffers[output]!.late?.zeros ?? 0)
      return {
        nodeId: node.spec.nodeId, calls, tag, nonfinite, clipped, framesIn, framesOut, peakBytes: 0,
        sampleNs: u32[(step + STEP.SAMPLE_NS) >>> 2]!,
      }
    })
  }

  /** First frame of a step that reads an external input: streams need not start at 0. */
  #start(inputs: readonly number[]): number {
    return Math.max(0, ...inputs.map((b) => this.plan.buffers[b]?.kind === 'input' ? this.starts[b]! : 0))
  }
}

/** True once no frame follows in a buffer. */
export function hasEnded(u32: Uint32Array, record: Address): boolean {
  return (u32[(record + BUFFER.FLAGS) >>> 2]! & BUFFER_FLAG.ENDED) !== 0
}

function readU64(u32: Uint32Array, address: Address): number { return u32[address >>> 2]! + u32[(address >>> 2) + 1]! * 2 ** 32 }
function writeU64(u32: Uint32Array, address: Address, value: number): void {
  u32[address >>> 2] = value % 2 ** 32
  u32[(address >>> 2) + 1] = Math.floor(value / 2 ** 32)
}

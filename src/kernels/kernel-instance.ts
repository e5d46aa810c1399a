import { DTYPE_ID } from '../media/dtype.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { CONTROL, INIT, IO, IO_FLAG, PORT, PORT_FLAG, STATE, type TAG } from './contract.js'
import { writeDescriptors, type Descriptors } from './descriptors.js'
import { kernelErrors } from './errors.js'
import type { KernelCode } from './kernel-code.js'
import type { KernelSpec } from './kernel-spec.js'
import type { SharedBlocks } from './shared-blocks.js'
import { isTrap, statusError, trapError } from './status-name.js'

/** Where one call finds the frames of an input, or room of an output. `stride`: bytes between channels. */
export interface PortBytes {
  readonly data: Address
  readonly frames: number
  readonly stride: number
  readonly ended?: boolean
  readonly silent?: boolean
}
/** Course of a control during the calls that follow; `begin` is relative to the first frame of the next call. */
export interface ControlCourse {
  readonly from: number
  readonly to: number
  readonly begin: number
  readonly length: number
  readonly stream?: Address
}
/** Counters that the kernel writes into its own state (KE-08). */
export interface KernelCounters {
  readonly calls: number
  /** `RUST`, `ASCR`, `JSRF` or the module's own. */
  readonly tag: string
  readonly nonfinite: number
  readonly clipped: number
  readonly version: number
}
/** What an instance shares with others, and how its errors name things. */
export interface InstanceOptions {
  /** Cache of read-only blocks; without it the instance has one of its own. */
  readonly shared?: Pick<SharedBlocks, 'take'>
  /** Names of the kernel's own statuses; default the spec's. */
  readonly statuses?: Readonly<Record<number, string>>
  /** The thread's span; without it the instance allocates what the kernel asks for. */
  readonly scratch?: { readonly address: Address; readonly bytes: number }
}

/**
 * One kernel (compiled, or a reference) with its Init and Io blocks, ports, params, assets, state and shared block in a memory. The same
 * class serves direct calls (`openNode`, KE-17), the conformance suite and the building of programs. Not for use after `close`. One thread
 * at a time; made on the thread that owns the allocator.
 */
export class KernelInstance {
  readonly spec: KernelSpec
  readonly host: MemoryHost
  readonly code: KernelCode
  readonly descriptors: Descriptors
  readonly stateBytes: number
  /** What `size` asked for. */
  readonly scratchBytes: number
  readonly sharedBytes: number
  #state: Address
  readonly #own: Address[] = []
  readonly #release: () => void
  readonly #statuses: Readonly<Record<number, string>> | undefined
  readonly #u32: Uint32Array
  readonly #io: Address

  /**
   * Runs `size`, `shared` and `init`. Throws `KERNEL_STATUS` with the kernel's reason, `KERNEL_TRAP`,
   * `ARENA_FULL`; nothing stays allocated then.
   */
  constructor(code: KernelCode, spec: KernelSpec, host: MemoryHost, options: InstanceOptions = {}) {
    this.spec = spec
    this.host = host
    this.code = code
    this.#statuses = options.statuses ?? spec.statuses
    this.#u32 = host.u32
    this.descriptors = writeDescriptors(spec, host)
    this.#own.push(this.descriptors.address)
    this.#io = this.descriptors.io
    let release = (): void => {}
    try {
      this.stateBytes = this.#expect(() => code.size(this.descriptors.init))
      this.scratchBytes = this.#word(this.descriptors.init + INIT.SCRATCH_BYTES)
      this.sharedBytes = this.#word(this.descriptors.init + INIT.SHARED_BYTES)
      if (this.sharedBytes > 0) release = this.#attachShared(options.shared)
      this.#attachScratch(options.scratch)
      this.#state = this.#allocate(this.stateBytes)
      this.#expect(() => code.init(this.#state, this.descriptors.init))
    } catch (error) {
      release()
      for (const address of this.#own) host.free(address)
      throw error
    }
    this.#release = release
  }

  get state(): Address { return this.#state }
  get io(): Address { return this.#io }
  /** Address of the port record of input `index`. */
  inputPort(index: number): Address { return this.descriptors.ports + index * PORT.BYTES }
  /** Address of the port record of output `index`. */
  outputPort(index: number): Address { return this.descriptors.ports + (this.spec.inputs.length + index) * PORT.BYTES }

  /** Points input `index` at its frames for the next call. @realtime */
  setInput(index: number, bytes: PortBytes): void {
    const flags = PORT_FLAG.CONNECTED | (bytes.ended === true ? PORT_FLAG.ENDED : 0) | (bytes.silent === true ? PORT_FLAG.SILENT : 0)
    this.#setPort(this.inputPort(index), bytes, flags)
  }
  /** Points output `index` at its room for the next call. @realtime */
  setOutput(index: number, bytes: PortBytes): void { this.#setPort(this.outputPort(index), bytes, PORT_FLAG.CONNECTED) }

  /**
   * One call of `process`: consumes all frames of the inputs set before. Gives the kernel's result: frames on output 0, or a negative
   * status. Throws `KERNEL_TRAP`. `position`: absolute index of the first frame. @realtime
   */
  process(frames: number, position = 0, last = false): number {
    this.#describeCall(frames, position, last ? IO_FLAG.LAST : 0)
    return this.#run(this.code.process)
  }
  /** One call of `flush`; 0 for a kernel without one. As {@link process}. @realtime */
  flush(position = 0): number {
    if (this.code.flush === undefined || !this.spec.flush) return 0
    for (let index = 0; index < this.spec.inputs.length; index++) {
      const port = this.inputPort(index)
      this.#u32[(port + PORT.FRAMES) >>> 2] = 0
      if (this.spec.inputs[index]!.connected) this.host.u16[(port + PORT.FLAGS_U16) >>> 1] = PORT_FLAG.CONNECTED | PORT_FLAG.ENDED
    }
    this.#describeCall(0, position, IO_FLAG.LAST)
    return this.#run(this.code.flush)
  }
  /** The state as right after `init`. Throws `KERNEL_STATUS`. */
  reset(): void { this.#expect(() => this.code.reset(this.#state)) }

  /** Frames that the last call wrote on output `index`. */
  done(index: number): number { return this.#word(this.outputPort(index) + PORT.DONE) }
  /** Did the last call mark output `index` as silent? */
  silent(index: number): boolean { return (this.host.u16[(this.outputPort(index) + PORT.FLAGS_U16) >>> 1]! & PORT_FLAG.SILENT) !== 0 }

  /** Sets control `index`: a constant, or a ramp. @realtime */
  setControl(index: number, course: number | ControlCourse): void {
    const at = this.descriptors.controls + index * CONTROL.BYTES, { f32, i32 } = this.host
    const { from, to, begin, length, stream } = typeof course === 'number'
      ? { from: course, to: course, begin: 0, length: 0, stream: 0 }
      : course
    f32[(at + CONTROL.FROM_F32) >>> 2] = from
    f32[(at + CONTROL.TO_F32) >>> 2] = to
    i32[(at + CONTROL.BEGIN_I32) >>> 2] = begin
    this.#u32[(at + CONTROL.LENGTH) >>> 2] = length
    this.#u32[(at + CONTROL.STREAM) >>> 2] = stream ?? 0
  }

  /** What the kernel wrote into its header. */
  counters(): KernelCounters { return readCounters(this.#u32, this.#state) }

  /** The state as plain data: bytes, or a reference's cloned object. */
  snapshot(): Uint8Array | object {
    return this.code.snapshot?.(this.#state) ?? this.host.u8.slice(this.#state, this.#state + this.stateBytes)
  }
  /** Takes over a snapshot of this kernel and spec. */
  restore(snapshot: Uint8Array | object): void {
    if (snapshot instanceof Uint8Array) this.host.u8.set(snapshot, this.#state)
    else this.code.restore?.(this.#state, snapshot)
  }
  /** Moves the state to another place of the memory (KE-02) and fills the old one with 0xDB. */
  moveState(): void {
    const from = this.#state, to = this.#allocate(this.stateBytes)
    this.host.u8.copyWithin(to, from, from + this.stateBytes)
    this.code.move?.(from, to)
    this.#state = to
    this.host.u8.fill(0xdb, from, from + this.stateBytes)
    this.#own.splice(this.#own.indexOf(from), 1)
    this.host.free(from)
  }

  /** Gives back everything. */
  close(): void {
    this.code.drop?.(this.#state)
    this.#release()
    for (const address of this.#own.splice(0)) this.host.free(address)
  }

  #describeCall(frames: number, position: number, flags: number): void {
    const u32 = this.#u32, io = this.#io
    u32[(io + IO.FRAMES) >>> 2] = frames
    u32[(io + IO.FLAGS) >>> 2] = flags
    u32[(io + IO.POSITION_U64) >>> 2] = position
    u32[(io + IO.POSITION_U64 + 4) >>> 2] = position / 2 ** 32
    for (let index = 0; index < this.spec.outputs.length; index++) {
      const port = this.outputPort(index)
      u32[(port + PORT.DONE) >>> 2] = 0
      if (this.spec.outputs[index]!.connected) this.host.u16[(port + PORT.FLAGS_U16) >>> 1] = PORT_FLAG.CONNECTED
    }
  }

  #run(call: (state: Address, io: Address) => number): number {
    try {
      return call(this.#state, this.#io)
    } catch (error) {
      throw isTrap(error) ? trapError(this.spec, error, this.counters().calls) : error
    }
  }

  #setPort(port: Address, bytes: PortBytes, flags: number): void {
    const u32 = this.#u32
    u32[(port + PORT.FRAMES) >>> 2] = bytes.frames
    u32[(port + PORT.DATA) >>> 2] = bytes.data
    u32[(port + PORT.STRIDE) >>> 2] = bytes.stride
    this.host.u16[(port + PORT.FLAGS_U16) >>> 1] = flags
  }

  #attachShared(cache: InstanceOptions['shared']): () => void {
    const { init, io } = this.descriptors
    const fill = (address: Address): void => {
      const shared = this.code.shared
      if (shared !== undefined) this.#expect(() => shared(address, init))
    }
    const lease = cache?.take(this.spec, this.sharedBytes, fill)
    const address = lease?.address ?? this.#allocate(this.sharedBytes)
    if (lease === undefined) fill(address)
    this.#u32[(init + INIT.SHARED) >>> 2] = address
    this.#u32[(io + IO.SHARED) >>> 2] = address
    return () => lease?.release()
  }

  #attachScratch(given: InstanceOptions['scratch']): void {
    const bytes = Math.max(this.scratchBytes, 0)
    const span = given ?? (bytes === 0 ? { address: 0, bytes: 0 } : { address: this.#allocate(bytes), bytes })
    this.#u32[(this.#io + IO.SCRATCH) >>> 2] = span.address
    this.#u32[(this.#io + IO.SCRATCH_BYTES) >>> 2] = span.bytes
    if (span.bytes < bytes) {
      throw kernelErrors.KERNEL_ABI({
        module: this.spec.module, what: `kernel ${this.spec.export}: scratch`, expected: `at most ${span.bytes} bytes`, got: String(bytes),
      })
    }
  }

  #allocate(bytes: number): Address {
    const address = this.host.allocate(bytes)
    this.#own.push(address)
    return address
  }

  /** Result of a function that must not fail. */
  #expect(call: () => number): number {
    let result: number
    try {
      result = call()
    } catch (error) {
      throw isTrap(error) ? trapError(this.spec, error, 0) : error
    }
    if (result < 0) throw statusError(this.spec, result, this.#statuses)
    return result
  }

  #word(address: Address): number { return this.#u32[address >>> 2]! }
}

/** Counters of the state at an address. */
export function readCounters(u32: Uint32Array, state: Address): KernelCounters {
  const at = (field: number): number => u32[(state + field) >>> 2]!
  const tag = at(STATE.TAG)
  const text = String.fromCharCode(tag & 0xff, (tag >>> 8) & 0xff, (tag >>> 16) & 0xff, tag >>> 24)
  return { calls: at(STATE.CALLS), tag: text, nonfinite: at(STATE.NONFINITE), clipped: at(STATE.CLIPPED), version: at(STATE.VERSION) }
}

/** Tags of the kinds of code, as {@link KernelCounters} shows them. */
export type KernelTag = keyof typeof TAG
/** dtype number of a port record. */
export function dtypeId(dtype: keyof typeof DTYPE_ID): number { return DTYPE_ID[dtype] }

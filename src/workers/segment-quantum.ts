import type { MillraceError } from '../errors/millrace-error.js'
import type { CompiledModule } from '../kernels/compiled-modules.js'
import { BUFFER, PASS, THREAD_ID } from '../kernels/contract.js'
import type { ModuleBytes } from '../kernels/module-bytes.js'
import { instantiateRuntime } from '../kernels/runtime.js'
import { SharedBlocks } from '../kernels/shared-blocks.js'
import { createArena, type Arena } from '../memory/arena.js'
import type { Address } from '../memory/memory-host.js'
import { compiledBuilder } from '../schedule/compiled-builder.js'
import type { SegmentInterpreter } from '../schedule/passes.js'
import type { BuiltProgram } from '../schedule/program.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { workerErrors } from './errors.js'
import { WORKER_PROTOCOL, type KernelBinding } from './protocol.js'

/**
 * What a worklet's processor is made from: cloneable, it arrives in `processorOptions` (MW-75). Modules are of the
 * private-memory variant: private memory cannot be cloned.
 */
export interface QuantumOptions {
  readonly protocol: number
  /** Or their bytes, from a host that posts no compiled modules. */
  readonly modules: readonly (CompiledModule | ModuleBytes)[]
  readonly kernels: readonly KernelBinding[]
  /** A segment whose external buffers are one audio input (or none) and one audio output, f32 planar, at the context's rate. */
  readonly plan: SegmentPlan
  /** Frames by which the output may lag behind the input, at most: held back at the start, so that no later quantum is short (KE-16). */
  readonly holdFrames: number
  readonly arenaBytes: number
}

/** Most frames of one quantum; the host says how many with each call. */
const MOST_FRAMES = 4_096
/** Quanta of output that may wait: segments that change the rate give bursts. */
const WAITING_QUANTA = 8

/**
 * Runs one segment quantum by quantum in a memory of its own, synchronously: instantiation and allocation in the constructor, none in
 * {@link run}. Not for segments with several streams; those need the realtime driver.
 */
export class SegmentQuantum {
  readonly #arena: Arena
  readonly #program: BuiltProgram
  readonly #interpreter: SegmentInterpreter
  readonly #input: number
  readonly #output: number
  readonly #inputBase: Address
  readonly #outputBase: Address
  readonly #inputCapacity: number
  readonly #capacity: number
  readonly #hold: number
  #cursor: number
  #position = 0
  #missed = 0
  #failure: MillraceError | undefined

  /** Throws `PROTOCOL_MISMATCH`, `KERNEL_ABI`, or what a kernel's init says. */
  constructor(o: QuantumOptions) {
    if (o.protocol !== WORKER_PROTOCOL) throw workerErrors.PROTOCOL_MISMATCH({ worker: 0, expected: WORKER_PROTOCOL, got: o.protocol })
    this.#arena = createArena({ bytes: o.arenaBytes, id: 1, epoch: 1, shared: false, wasm: true })
    const modules = o.modules.map(({ name, module }) =>
      ({ name, module: module instanceof WebAssembly.Module ? module : new WebAssembly.Module(module as Uint8Array<ArrayBuffer>) }))
    const runtime = instantiateRuntime({ shared: false, modules }, this.#arena.memory!)
    const ids = new Map(o.kernels.map(({ id, module, name }) => [`${module}.${name}`, id]))
    const built = compiledBuilder(this.#arena, runtime, new SharedBlocks(this.#arena), (module, name) => {
      const id = ids.get(`${module}.${name}`)
      if (id === undefined) throw workerErrors.IPC_ERROR({ channel: 'worklet', reason: `kernel ${module}.${name} has no number` })
      return id
    })(o.plan, {})
    this.#program = built.program
    this.#interpreter = built.interpreter
    this.#input = only(o.plan, 'input')
    this.#output = only(o.plan, 'output')
    if (this.#output < 0) throw workerErrors.IPC_ERROR({ channel: 'worklet', reason: 'the segment has no output' })
    this.#hold = o.holdFrames
    this.#inputCapacity = MOST_FRAMES + this.#hold
    this.#capacity = o.plan.buffers[this.#output]!.capacity + WAITING_QUANTA * MOST_FRAMES + this.#hold
    this.#inputBase = this.#input < 0 ? 0 : this.#place(this.#input, this.#inputCapacity)
    this.#outputBase = this.#place(this.#output, this.#capacity)
    this.#cursor = o.plan.buffers[this.#output]!.skip
  }

  /**
   * Frames of silence before the segment's own; between them only when it leaves frames out (`vad` with `filter`): a quantum
   * that is not there as a whole is not begun.
   */
  get missed(): number { return this.#missed }

  /** What a kernel failed with: `KERNEL_STATUS`, `KERNEL_TRAP`. */
  get failure(): MillraceError | undefined { return this.#failure }

  /**
   * One quantum: all frames of `input` in, as many frames as `output` holds out. Channels that are not given count as silence.
   * @returns false when a kernel failed; the output is silence then and must stay so
   * @realtime
   */
  run(input: readonly Float32Array[], output: readonly Float32Array[]): boolean {
    const frames = output[0]?.length ?? 0
    if (this.#input >= 0) this.#feed(input, frames)
    const begun = this.#position >= this.#hold
    this.#position += frames
    let code: number = PASS.MORE
    try {
      while (code === PASS.MORE && this.#failure === undefined) code = this.#interpreter.run(this.#program.address, THREAD_ID.ENGINE)
    } catch (error) {
      this.#failure = this.#program.trapped(error)
    }
    if (code < 0) this.#failure = this.#program.failed(code)
    if (this.#failure === undefined) this.#take(output, frames, begun)
    else for (const channel of output) channel.fill(0)
    return this.#failure === undefined
  }

  /** Behind what some reader has not taken yet: paths may lag behind each other. */
  #feed(input: readonly Float32Array[], frames: number): void {
    const { u32, f32 } = this.#arena, record = this.#program.buffer(this.#input) >>> 2, stride = u32[record + BUFFER.STRIDE / 4]!,
      buffer = this.#program.plan.buffers[this.#input]!
    const filled = u32[record + BUFFER.FILLED / 4]!
    let taken = filled
    for (let r = 0; r < buffer.readers.length; r++) taken = Math.min(taken, this.#program.offset(this.#input, r))
    const kept = filled - taken
    if (kept + frames > this.#inputCapacity) {
      this.#failure = workerErrors.IPC_ERROR({ channel: 'worklet', reason: `no room for ${frames} frames behind ${kept}` })
      return
    }
    for (let c = 0; c < buffer.channels; c++) {
      const at = (this.#inputBase + c * stride) >>> 2, from = input[c]
      if (kept > 0) f32.copyWithin(at, at + taken, at + filled)
      if (from === undefined) f32.fill(0, at + kept, at + kept + frames)
      else f32.set(from, at + kept)
    }
    for (let r = 0; r < buffer.readers.length; r++) this.#program.setOffset(this.#input, r, this.#program.offset(this.#input, r) - taken)
    u32[record + BUFFER.FILLED / 4] = kept + frames
    this.#program.setOrigin(this.#input, this.#position - kept)
  }

  #take(output: readonly Float32Array[], frames: number, begun: boolean): void {
    const { u32, f32 } = this.#arena, record = this.#program.buffer(this.#output) >>> 2, stride = u32[record + BUFFER.STRIDE / 4]!
    const filled = u32[record + BUFFER.FILLED / 4]!, there = filled - this.#cursor
    if (!begun || there < frames) {
      // Half a quantum would tear a hole into the sound: it waits for the rest.
      for (const channel of output) channel.fill(0)
      this.#missed += frames
      return
    }
    const rest = there - frames
    for (let c = 0; c < output.length; c++) {
      const at = (this.#outputBase + Math.min(c, this.#program.plan.buffers[this.#output]!.channels - 1) * stride) >>> 2, to = output[c]!
      for (let n = 0; n < frames; n++) to[n] = f32[at + this.#cursor + n]!
    }
    for (let c = 0; rest > 0 && c < this.#program.plan.buffers[this.#output]!.channels; c++) {
      const at = (this.#outputBase + c * stride) >>> 2
      f32.copyWithin(at, at + this.#cursor + frames, at + filled)
    }
    this.#program.setOrigin(this.#output, this.#program.origin(this.#output) + filled - rest)
    u32[record + BUFFER.FILLED / 4] = rest
    this.#cursor = 0
  }

  #place(index: number, frames: number): Address {
    const { channels, frameBytes } = this.#program.plan.buffers[index]!, { u32 } = this.#arena, record = this.#program.buffer(index) >>> 2
    const base = this.#arena.allocate(frames * frameBytes * channels)
    u32[record + BUFFER.BASE / 4] = base
    u32[record + BUFFER.STRIDE / 4] = frames * frameBytes
    u32[record + BUFFER.CAPACITY / 4] = frames
    u32[record + BUFFER.FILLED / 4] = 0
    return base
  }
}

/**
 * Index of the one external buffer of a kind; −1 without one. Throws `IPC_ERROR` for several, or for
 * one that steps of the segment read as well.
 */
function only(plan: SegmentPlan, kind: 'input' | 'output'): number {
  const found = plan.buffers.flatMap((buffer, i) => buffer.kind === kind ? [i] : [])
  const fits = found.length <= 1
    && found.every((i) => plan.buffers[i]!.media.kind === 'audio' && (kind === 'input' || plan.buffers[i]!.readers.length === 0))
  if (!fits) {
    throw workerErrors.IPC_ERROR({
      channel: 'worklet',
      reason: `the segment has ${found.length} buffers of kind ${kind}, expected one of audio`,
    })
  }
  return found[0] ?? -1
}

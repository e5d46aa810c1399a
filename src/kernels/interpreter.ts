import { ARENA, SCRATCH_SPAN_BYTES, SLOT, THREAD } from '../memory/layout.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { BUFFER, BUFFER_FLAG, BUFFER_KIND, IO, NONE, PASS, PROGRAM, PROGRAM_FLAG, STATUS, STEP, STEP_PHASE, THREAD_ID } from './contract.js'
import { runStep } from './interpreter-step.js'
import { carry, fail, word, type KernelCall } from './interpreter-words.js'

/**
 * The interpreter of segments in TypeScript: twin of `segment_run` and `segment_step` (crate engine), same rules in the same order (KE-13).
 * With the entries of the function table it is the oracle of the Rust one, bit for bit; with references it is the `js` tier. Needs no
 * WebAssembly.
 */
export class Interpreter {
  readonly #host: MemoryHost
  readonly #arena: Address
  readonly #call: KernelCall

  /** `arena`: where the thread and slot records are. `call`: calls table entry `index` with (state, io). */
  constructor(host: MemoryHost, arena: Address, call: KernelCall) {
    this.#host = host
    this.#arena = arena
    this.#call = call
  }

  /** One pass: every step in order at most once. A value of `PASS`, or a negative status whose step is in the header. */
  run(program: Address, thread: number): number {
    const begun = this.#begin(program, thread)
    if (begun !== NOT_YET) return begun
    const u32 = this.#host.u32, steps = u32[(program + PROGRAM.STEP_COUNT) >>> 2]!
    for (let index = 0; index < steps; index++) {
      const status = runStep(this.#host, this.#call, program, index)
      if (status < 0) return fail(u32, program, index, status)
    }
    return this.#finish(program)
  }

  /**
   * Step `index` of a pass: 0 begins it, the last one ends it. `MORE` for those between; anything else from
   * step 0 means that the pass did not begin.
   */
  step(program: Address, thread: number, index: number): number {
    if (index === 0) {
      const begun = this.#begin(program, thread)
      if (begun !== NOT_YET) return begun
    }
    const u32 = this.#host.u32, steps = u32[(program + PROGRAM.STEP_COUNT) >>> 2]!
    if (index < steps) {
      const status = runStep(this.#host, this.#call, program, index)
      if (status < 0) return fail(u32, program, index, status)
    }
    return index + 1 >= steps ? this.#finish(program) : PASS.MORE
  }

  #begin(program: Address, thread: number): number {
    const { u32 } = this.#host
    if (word(u32, program + PROGRAM.STATE_WORD) !== 0) return PASS.DONE
    this.#adopt(program, thread)
    if (Atomics.load(u32, word(u32, program + PROGRAM.CANCEL) >>> 2) !== 0) return fail(u32, program, NONE, STATUS.CANCELLED)
    for (let n = word(u32, program + PROGRAM.BUFFER_COUNT), of = word(u32, program + PROGRAM.BUFFERS); n > 0; n--, of += BUFFER.BYTES) {
      if (this.#crowded(of)) return PASS.OUTPUT_FULL
    }
    Atomics.add(u32, word(u32, program + PROGRAM.BEAT) >>> 2, 1)
    u32[(program + PROGRAM.PASSES) >>> 2]!++
    u32[(program + PROGRAM.FLAGS) >>> 2]! &= PROGRAM_FLAG.REALTIME
    return NOT_YET
  }

  /** An output outside the segment that could not take what a whole pass may add. */
  #crowded(of: Address): boolean {
    const { u32 } = this.#host, most = word(u32, of + BUFFER.PASS_FRAMES), filled = word(u32, of + BUFFER.FILLED)
    return most > 0 && word(u32, of + BUFFER.CAPACITY) - filled < most && filled > 0
      && (word(u32, of + BUFFER.FLAGS) & BUFFER_FLAG.ENDED) === 0
  }

  #adopt(program: Address, thread: number): void {
    const { u32 } = this.#host
    const slot = thread >= THREAD_ID.FIRST_SLOT
    const at = slot
      ? this.#arena + ARENA.SLOTS + (thread - THREAD_ID.FIRST_SLOT) * SLOT.BYTES
      : this.#arena + ARENA.THREADS + thread * THREAD.BYTES
    const cancel = at + (slot ? SLOT.CANCEL : THREAD.CANCEL), beat = at + (slot ? SLOT.BEAT : THREAD.BEAT)
    const scratch = word(u32, at + (slot ? SLOT.SCRATCH : THREAD.SCRATCH))
    const bytes = scratch === 0 ? 0 : slot ? SCRATCH_SPAN_BYTES : word(u32, at + THREAD.SCRATCH_BYTES)
    const same = word(u32, program + PROGRAM.CANCEL) === cancel && word(u32, program + PROGRAM.SCRATCH) === scratch
      && word(u32, program + PROGRAM.SCRATCH_BYTES) === bytes
    if (same) return
    u32[(program + PROGRAM.CANCEL) >>> 2] = cancel
    u32[(program + PROGRAM.BEAT) >>> 2] = beat
    u32[(program + PROGRAM.SCRATCH) >>> 2] = scratch
    u32[(program + PROGRAM.SCRATCH_BYTES) >>> 2] = bytes
    for (let n = word(u32, program + PROGRAM.STEP_COUNT), step = word(u32, program + PROGRAM.STEPS); n > 0; n--, step += STEP.BYTES) {
      const io = word(u32, step + STEP.IO)
      u32[(io + IO.CANCEL) >>> 2] = cancel
      u32[(io + IO.BEAT) >>> 2] = beat
      u32[(io + IO.SCRATCH) >>> 2] = scratch
      u32[(io + IO.SCRATCH_BYTES) >>> 2] = bytes
    }
  }

  #finish(program: Address): number {
    const { u32 } = this.#host, flags = word(u32, program + PROGRAM.FLAGS)
    if ((flags & PROGRAM_FLAG.REST) !== 0) {
      const buffers = word(u32, program + PROGRAM.BUFFER_COUNT)
      for (let index = 0, from = word(u32, program + PROGRAM.BUFFERS); index < buffers; index++, from += BUFFER.BYTES) {
        if (word(u32, from + BUFFER.KIND) !== BUFFER_KIND.INTERNAL) continue
        this.#compact(from)
        if ((word(u32, from + BUFFER.FLAGS) & BUFFER_FLAG.SHARED) !== 0 && word(u32, from + BUFFER.FILLED) > 0) {
          return fail(u32, program, this.#readerOf(program, index), STATUS.NO_ROOM)
        }
      }
    }
    const steps = word(u32, program + PROGRAM.STEP_COUNT), first = word(u32, program + PROGRAM.STEPS)
    let open = 0
    while (open < steps && word(u32, first + open * STEP.BYTES + STEP.PHASE) === STEP_PHASE.ENDED) open++
    if (open === steps) {
      u32[(program + PROGRAM.STATE_WORD) >>> 2] = 1
      return PASS.DONE
    }
    if ((flags & PROGRAM_FLAG.MOVED) !== 0) return PASS.MORE
    if ((flags & PROGRAM_FLAG.FULL) !== 0) return PASS.OUTPUT_FULL
    if ((flags & PROGRAM_FLAG.SHORT) !== 0) return PASS.NEED_INPUT
    return fail(u32, program, open, STATUS.NO_ROOM)
  }

  /** The first step that reads a buffer. */
  #readerOf(program: Address, buffer: number): number {
    const { u32 } = this.#host, steps = word(u32, program + PROGRAM.STEP_COUNT)
    for (let index = 0, step = word(u32, program + PROGRAM.STEPS); index < steps; index++, step += STEP.BYTES) {
      for (let input = word(u32, step + STEP.INPUTS), at = word(u32, step + STEP.BINDINGS); input > 0; input--, at += 4) {
        if (word(u32, at) === buffer) return index
      }
    }
    return NONE
  }

  /** Drops the frames that all readers have taken and moves the rest to the front. */
  #compact(from: Address): void {
    const { u32, u8 } = this.#host
    const filled = word(u32, from + BUFFER.FILLED)
    const readers = word(u32, from + BUFFER.READER_COUNT)
    const offsets = word(u32, from + BUFFER.OFFSETS)
    let taken = filled
    for (let reader = 0; reader < readers; reader++) taken = Math.min(taken, word(u32, offsets + reader * 4))
    const keep = word(u32, from + BUFFER.KEEP)
    if (taken === 0 || (keep > 0 && word(u32, from + BUFFER.CAPACITY) - filled >= keep)) return
    const frame = word(u32, from + BUFFER.FRAME_BYTES)
    if (taken < filled) {
      for (let channel = 0; channel < word(u32, from + BUFFER.CHANNELS); channel++) {
        const start = word(u32, from + BUFFER.BASE) + channel * word(u32, from + BUFFER.STRIDE)
        u8.copyWithin(start, start + taken * frame, start + filled * frame)
      }
    }
    for (let reader = 0; reader < readers; reader++) u32[(offsets + reader * 4) >>> 2]! -= taken
    u32[(from + BUFFER.FILLED) >>> 2] = filled - taken
    carry(u32, from + BUFFER.ORIGIN_U64, taken)
  }
}

/** The pass goes on. No value of `PASS` and no status. */
const NOT_YET = 0x7fff_ffff

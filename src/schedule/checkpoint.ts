import { BUFFER } from '../kernels/contract.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import type { BuiltProgram } from './program.js'

/**
 * What passes change of a program, as it was at one moment: its records, kernels' states and descriptors, and frames that internal buffers keep. A task whose thread was
 * ended in the middle goes back to it and is delivered again (MW-34). Kept outside the arena, where no thread can reach it. Samples of outputs are not kept: their
 * counts are, so what was written after the moment is written again. Engine thread, while nobody executes the program.
 */
export class Checkpoint {
  readonly #host: MemoryHost
  readonly #program: BuiltProgram
  #spans: (readonly [Address, number])[] = []
  #bytes = new Uint8Array(0)

  constructor(host: MemoryHost, program: BuiltProgram) {
    this.#host = host
    this.#program = program
  }

  /** Bytes kept. */
  get bytes(): number { return this.#spans.reduce((sum, [, bytes]) => sum + bytes, 0) }

  /** Remembers this moment instead of an earlier one. */
  take(): void {
    this.#spans = [...this.#program.changing, ...this.#kept()]
    const total = this.bytes, { u8 } = this.#host
    if (this.#bytes.length < total) this.#bytes = new Uint8Array(total)
    let at = 0
    for (const [address, bytes] of this.#spans) {
      this.#bytes.set(u8.subarray(address, address + bytes), at)
      at += bytes
    }
  }

  /** Goes back to the moment of {@link take}. */
  restore(): void {
    const { u8 } = this.#host
    let at = 0
    for (const [address, bytes] of this.#spans) {
      u8.set(this.#bytes.subarray(at, at + bytes), address)
      at += bytes
    }
  }

  /** Frames that internal buffers hold between two passes. */
  *#kept(): Iterable<readonly [Address, number]> {
    const { u32 } = this.#host
    for (const [i, buffer] of this.#program.plan.buffers.entries()) {
      const record = this.#program.buffer(i) >>> 2, filled = u32[record + BUFFER.FILLED / 4]!
      if (buffer.kind !== 'internal' || filled === 0) continue
      for (let c = 0; c < buffer.channels; c++) yield [u32[record + BUFFER.BASE / 4]! + c * u32[record + BUFFER.STRIDE / 4]!, filled * buffer.frameBytes]
    }
  }
}

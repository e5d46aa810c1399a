import type { MemoryHost } from '../memory/memory-host.js'
import type { BuiltProgram } from './program.js'
import { gather, keptFrames, scatter, type Span } from './segment-snapshot.js'

/**
 * What passes change of a program, as it was at one moment: its records, kernels' states and descriptors, and frames that internal buffers
 * keep. A task whose thread was ended in the middle goes back to it and is delivered again (MW-34). Kept outside the arena, where no thread
 * can reach it. Samples of outputs are not kept: their counts are, so what was written after the moment is written again. Engine thread,
 * while nobody executes the program.
 */
export class Checkpoint {
  readonly #host: MemoryHost
  readonly #program: BuiltProgram
  #spans: readonly Span[] = []
  #bytes = new Uint8Array(0)

  constructor(host: MemoryHost, program: BuiltProgram) {
    this.#host = host
    this.#program = program
  }

  /** Bytes kept. */
  get bytes(): number { return this.#spans.reduce((sum, [, bytes]) => sum + bytes, 0) }

  /** Remembers this moment instead of an earlier one. */
  take(): void {
    this.#spans = [...this.#program.changing, ...keptFrames(this.#host, this.#program, 'internal')]
    this.#bytes = gather(this.#host, this.#spans, this.#bytes)
  }

  /** Goes back to the moment of {@link take}. */
  restore(): void { scatter(this.#host, this.#spans, this.#bytes) }
}

/** A worklet that plays a ring: the reading side of MW-29. */
import { attachReader, type RingReader } from '../../src/memory/ring/audio-ring.js'
import { memoryViews } from '../../src/memory/views.js'

declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(
  name: string,
  processor: new (options: {
    readonly processorOptions: { readonly memory: WebAssembly.Memory; readonly ring: number }
  }) => AudioWorkletProcessor,
): void

registerProcessor('ring', class extends AudioWorkletProcessor {
  readonly #reader: RingReader
  constructor({ processorOptions: { memory, ring } }: {
    readonly processorOptions: { readonly memory: WebAssembly.Memory; readonly ring: number }
  }) {
    super()
    this.#reader = attachReader(memoryViews(memory.buffer), ring)
  }
  process(_inputs: unknown, [out]: readonly (readonly Float32Array[])[]): boolean {
    this.#reader.readOrSilence(out!)
    return true
  }
})

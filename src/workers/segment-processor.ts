import { encodeError } from '../errors/codec.js'
import { SEGMENT_PROCESSOR, type ProcessorEvent } from './protocol.js'
import { SegmentQuantum, type QuantumOptions } from './segment-quantum.js'

/** The scope of a worklet: known there alone. */
interface WorkletScope {
  readonly AudioWorkletProcessor: new () => { readonly port: MessagePort }
  registerProcessor(name: string, processor: new (options: { readonly processorOptions: QuantumOptions }) => object): void
}

/**
 * Registers the processor that runs one segment of kernels per render quantum. The scope has no timers, no fetch, no TextDecoder:
 * everything comes in `processorOptions` (PK-54). The processor says `ready`, or `failed` with the coded error; after that it plays silence
 * (PK-56: a throw would mean silence for ever, unexplained).
 */
export function registerSegment(): void {
  const { AudioWorkletProcessor, registerProcessor } = globalThis as unknown as WorkletScope
  registerProcessor(SEGMENT_PROCESSOR, class extends AudioWorkletProcessor {
    #segment: SegmentQuantum | undefined

    constructor({ processorOptions }: { readonly processorOptions: QuantumOptions }) {
      super()
      this.port.onmessage = () => { this.#segment = undefined }
      try {
        this.#segment = new SegmentQuantum(processorOptions)
        this.#say({ kind: 'ready' })
      } catch (error) { this.#say({ kind: 'failed', error: encodeError(error) }) }
    }

    /** @realtime */
    process(inputs: readonly (readonly Float32Array[])[], outputs: readonly (readonly Float32Array[])[]): boolean {
      const segment = this.#segment
      if (segment === undefined) return false
      if (segment.run(inputs[0] ?? [], outputs[0] ?? [])) return true
      this.#segment = undefined
      this.#say({ kind: 'failed', error: encodeError(segment.failure) })
      return false
    }

    #say(event: ProcessorEvent): void { this.port.postMessage(event) }
  })
}

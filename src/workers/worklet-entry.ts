/**
 * Entry of a worklet's code: the bundle behind `addModule`, inlined as a string or as the file of `workletURL` (PK-15). Registers the processor
 * `millrace-segment`, which runs one segment of kernels per render quantum. The scope has no timers, no fetch, no TextDecoder: everything comes in `processorOptions`.
 */
import { encodeError } from '../errors/codec.js'
import { SegmentQuantum, type QuantumOptions } from './segment-quantum.js'

declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(name: string, processor: new (options: { readonly processorOptions: QuantumOptions }) => AudioWorkletProcessor): void

/** Says `ready`, or `failed` with the coded error; after that it plays silence (PK-56: a throw would mean silence for ever, unexplained). */
class SegmentProcessor extends AudioWorkletProcessor {
  #segment: SegmentQuantum | undefined

  constructor({ processorOptions }: { readonly processorOptions: QuantumOptions }) {
    super()
    try {
      this.#segment = new SegmentQuantum(processorOptions)
      this.port.postMessage({ kind: 'ready' })
    } catch (error) {
      this.port.postMessage({ kind: 'failed', error: encodeError(error) })
    }
  }

  /** @realtime */
  process(inputs: readonly (readonly Float32Array[])[], outputs: readonly (readonly Float32Array[])[]): boolean {
    if (this.#segment === undefined) return false
    try {
      if (this.#segment.run(inputs[0] ?? [], outputs[0] ?? [])) return true
      this.port.postMessage({ kind: 'failed', error: encodeError(new Error('a kernel returned an error status')) })
    } catch (error) {
      this.port.postMessage({ kind: 'failed', error: encodeError(error) })
    }
    this.#segment = undefined
    return false
  }
}

registerProcessor('millrace-segment', SegmentProcessor)

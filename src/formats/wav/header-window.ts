import type { ByteSource } from '../source/byte-source.js'

const WINDOW_BYTES = 4_096

/**
 * Small reads of a header without a system call each. A forward-only source is read exactly, never ahead, so that the samples behind the
 * header are still there for the reader.
 */
export class HeaderWindow {
  readonly source: ByteSource
  #from = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(source: ByteSource) {
    this.source = source
  }

  /** `bytes` at `offset`, fewer at the end of the source. Valid until the next call. */
  async at(offset: number, bytes: number): Promise<Uint8Array> {
    const start = offset - this.#from
    if (start >= 0 && start + bytes <= this.#bytes.length) return this.#bytes.subarray(start, start + bytes)
    if (!this.source.seekable && start >= 0 && start < this.#bytes.length) return this.#extend(start, bytes)
    const want = this.source.seekable ? Math.max(bytes, WINDOW_BYTES) : bytes
    const view = this.source.view(offset, want)
    if (view) this.#bytes = view
    else {
      const target = new Uint8Array(want)
      this.#bytes = target.subarray(0, await this.source.read(offset, target))
    }
    this.#from = offset
    return this.#bytes.subarray(0, bytes)
  }

  /** A stream cannot be asked again: what is held is kept, and only the rest read. */
  async #extend(start: number, bytes: number): Promise<Uint8Array> {
    const held = this.#bytes.subarray(start), target = new Uint8Array(bytes)
    target.set(held)
    const got = await this.source.read(this.#from + this.#bytes.length, target.subarray(held.length))
    this.#from += start
    this.#bytes = target.subarray(0, held.length + got)
    return this.#bytes
  }
}

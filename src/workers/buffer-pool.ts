/** Larger ones are whole values: they come once, and would be kept for nothing. */
const MOST_BYTES = 2 ** 22
/** Buffers that are kept. A segment has at most two passes under way, with a buffer for each input and output. */
const MOST_BUFFERS = 16
/** Sizes go up to a multiple of this: chunks of a resampled stream differ by a frame. */
const GRAIN_BYTES = 4_096

/**
 * Buffers in which packets travel between memories (MW-57): who has copied one out of a buffer posts it back to who allocated it. A new
 * buffer for every chunk costs its pages, which the system must clear, and the collector, which is told of every byte outside its heap.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = []

  /** A buffer of at least `bytes` and at most half as much again, with anything in it. */
  take(bytes: number): ArrayBuffer {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= Math.max(1.5 * bytes, GRAIN_BYTES))
    if (at >= 0) return this.#free.splice(at, 1)[0]!
    return new ArrayBuffer(bytes > MOST_BYTES ? bytes : Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES)
  }

  /** Takes buffers back; those that are too many, the oldest first, are let go. */
  give(buffers: readonly ArrayBuffer[]): void {
    this.#free.push(...buffers.filter(isPooled))
    this.#free.splice(0, this.#free.length - MOST_BUFFERS)
  }
}

/** True for a buffer that is worth posting back: it was not transferred meanwhile, and is of a chunk's size. */
export function isPooled({ byteLength }: ArrayBuffer): boolean { return byteLength > 0 && byteLength <= MOST_BYTES }

import type { ByteSink } from './byte-sink.js'

/** Sink in memory; `bytes()` is what was written, a view that later writes may outgrow. */
export interface MemorySink extends ByteSink { bytes(): Uint8Array }

/** Collects a file in memory; room doubles, from `capacity` bytes. */
export function memorySink(capacity = 65_536): MemorySink {
  let room = new Uint8Array(capacity)
  let length = 0
  return {
    name: 'memory', seekable: true,
    bytes: () => room.subarray(0, length),
    write: (bytes) => {
      if (length + bytes.length > room.length) {
        const larger = new Uint8Array(Math.max(room.length * 2, length + bytes.length))
        larger.set(room.subarray(0, length))
        room = larger
      }
      room.set(bytes, length)
      length += bytes.length
      return Promise.resolve()
    },
    patch: (offset, bytes) => {
      room.set(bytes, offset)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
    abort: () => {
      room = new Uint8Array(0)
      length = 0
      return Promise.resolve()
    },
  }
}

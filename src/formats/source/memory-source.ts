import { setBytes } from '../../memory/set-bytes.js'
import type { ByteSource } from './byte-source.js'

/** Source over bytes in memory; borrows them. */
export function memorySource(data: Uint8Array | ArrayBufferLike, name = 'memory'): ByteSource {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data)
  const view = (offset: number, length: number): Uint8Array =>
    bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length))
  return {
    name, size: bytes.length, seekable: true, view,
    read: (offset, target) => {
      const piece = view(offset, target.length)
      setBytes(target, piece)
      return Promise.resolve(piece.length)
    },
    close: () => Promise.resolve(),
  }
}

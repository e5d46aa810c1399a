import { commonErrors } from '../../errors/common-errors.js'
import type { ByteSource } from './byte-source.js'
import { StreamCursor, type ByteStream } from './stream-cursor.js'

/** Source over a stream: forward only, size unknown. */
export function streamSource(stream: ByteStream, name = 'stream', size: number | null = null): ByteSource {
  const cursor = new StreamCursor(stream)
  return {
    name, size, seekable: false, view: () => null,
    read: async (offset, target) => {
      if (offset < cursor.position) {
        throw commonErrors.INVALID_ARGUMENT({
          function: 'ByteSource.read',
          expected: `offset ≥ ${cursor.position} (a stream cannot go back)`,
          got: String(offset),
        })
      }
      const gap = offset - cursor.position
      return await cursor.skip(gap) < gap ? 0 : cursor.read(target)
    },
    close: () => cursor.cancel(),
  }
}

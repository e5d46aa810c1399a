import { commonErrors } from '../../errors/common-errors.js'

/** A stream of byte pieces: a web stream, a Node stream or any async iterable. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** Forward reader over pieces of any size: keeps at most one piece, asks for the next only when that is used up. */
export class StreamCursor {
  /** Absolute offset of the next byte. */
  position: number
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)
  #ended = false

  constructor(stream: ByteStream, position = 0) {
    this.#pieces = piecesOf(stream)
    this.position = position
  }

  /** Fills `target`; fewer bytes only at the end of the stream. */
  async read(target: Uint8Array): Promise<number> {
    let done = 0
    while (done < target.length && (this.#piece.length > 0 || await this.#next())) {
      const part = this.#piece.subarray(0, target.length - done)
      target.set(part, done)
      this.#drop(part.length)
      done += part.length
    }
    return done
  }

  /** Drops `bytes`; resolves to the bytes dropped, fewer only at the end of the stream. */
  async skip(bytes: number): Promise<number> {
    let left = bytes
    while (left > 0 && (this.#piece.length > 0 || await this.#next())) {
      const part = Math.min(left, this.#piece.length)
      this.#drop(part)
      left -= part
    }
    return bytes - left
  }

  /** Stops the producer. */
  async cancel(): Promise<void> {
    this.#ended = true
    this.#piece = new Uint8Array(0)
    await this.#pieces.return?.()
  }

  #drop(bytes: number): void {
    this.#piece = this.#piece.subarray(bytes)
    this.position += bytes
  }

  async #next(): Promise<boolean> {
    while (!this.#ended) {
      const { done, value } = await this.#pieces.next()
      if (done) this.#ended = true
      else if (!(value instanceof Uint8Array)) {
        throw commonErrors.INVALID_ARGUMENT({ function: 'openSource', expected: 'a stream of Uint8Array', got: typeof value })
      } else if (value.length > 0) {
        this.#piece = value
        return true
      }
    }
    return false
  }
}

/** Iterates a web stream by its reader, because not every browser makes streams iterable. */
function piecesOf(stream: ByteStream): AsyncIterator<Uint8Array> {
  if (!('getReader' in stream)) return stream[Symbol.asyncIterator]()
  const reader = stream.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return done ? { done: true, value: undefined } : { done: false, value }
    },
    return: async () => {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}

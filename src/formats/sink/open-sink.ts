import { commonErrors } from '../../errors/common-errors.js'
import type { ByteSink } from './byte-sink.js'
import { fileSink } from './file-sink.js'
import { streamSink } from './stream-sink.js'

/** Where a file may go: path or file URL (Node), a web stream, or an open sink. */
export type SinkInput = string | URL | WritableStream<Uint8Array> | ByteSink

/** Opens a sink. Throws `NOT_FOUND`, `UNSUPPORTED`, `INVALID_ARGUMENT`. */
export async function openSink(input: SinkInput): Promise<ByteSink> {
  if (typeof input === 'string' || input instanceof URL) {
    const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(String(input))?.[1]?.toLowerCase()
    if (scheme === undefined) return fileSink(input)
    if (scheme === 'file') return fileSink(new URL(input))
    throw commonErrors.INVALID_ARGUMENT({ function: 'openSink', expected: 'a file path', got: `an address with ${scheme}:` })
  }
  if (isObject(input) && 'getWriter' in input) return streamSink(input)
  if (isObject(input) && 'patch' in input) return input
  throw commonErrors.INVALID_ARGUMENT({
    function: 'openSink', expected: 'a path, WritableStream or ByteSink', got: input === null ? 'null' : typeof input,
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

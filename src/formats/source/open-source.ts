import { commonErrors } from '../../errors/common-errors.js'
import { nodeFs } from '../node-fs.js'
import { blobSource, isBlobLike, type BlobLike } from './blob-source.js'
import type { ByteSource } from './byte-source.js'
import { fileSource } from './file-source.js'
import { httpSource } from './http-source.js'
import { memorySource } from './memory-source.js'
import type { ByteStream } from './stream-cursor.js'
import { streamSource } from './stream-source.js'

/** Whatever names or holds a file: path (Node), URL, bytes, Blob, stream, or an open source. */
export type SourceInput = string | URL | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | BlobLike | ByteStream | ByteSource

/**
 * Opens a source. A string is an address when it begins with a scheme (`https:`, `blob:`, `data:`, `file:`), else a path in Node and a
 * relative address in a browser. Throws `NOT_FOUND`, `NETWORK`, `UNSUPPORTED`, `INVALID_ARGUMENT`.
 */
export async function openSource(input: SourceInput, options: { readonly signal?: AbortSignal } = {}): Promise<ByteSource> {
  options.signal?.throwIfAborted()
  if (typeof input === 'string' || input instanceof URL) return openAddress(input, options.signal)
  if (ArrayBuffer.isView(input)) return memorySource(new Uint8Array(input.buffer, input.byteOffset, input.byteLength))
  if (isBuffer(input)) return memorySource(input)
  if (isSource(input)) return input
  if (isBlobLike(input)) return blobSource(input)
  if (isStream(input)) return streamSource(input)
  throw commonErrors.INVALID_ARGUMENT({
    function: 'openSource', expected: 'a path, URL, Uint8Array, ArrayBuffer, Blob or stream of bytes',
    got: input === null ? 'null' : typeof input,
  })
}

function openAddress(input: string | URL, signal?: AbortSignal): Promise<ByteSource> {
  const text = String(input)
  // Two letters at least: `C:\talk.wav` is a path.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'file') return fileSource(new URL(text))
  if (scheme === undefined && nodeFs()) return fileSource(text)
  // These stand in memory or in the browser's own store already: no ranges to ask for.
  if (scheme === 'blob' || scheme === 'data') return localAddress(text, signal)
  return httpSource(input, signal)
}

async function localAddress(address: string, signal?: AbortSignal): Promise<ByteSource> {
  try {
    return blobSource(await (await fetch(address, signal ? { signal } : {})).blob())
  } catch (cause) {
    signal?.throwIfAborted()
    throw commonErrors.NOT_FOUND({ thing: 'Address', id: address.slice(0, 64), why: 'nothing stands there' }, { cause })
  }
}

function isBuffer(value: unknown): value is ArrayBufferLike {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
}

function isSource(value: unknown): value is ByteSource {
  const source = value as Partial<ByteSource> | null
  return typeof source === 'object' && source !== null && typeof source.read === 'function' && typeof source.view === 'function'
    && typeof source.seekable === 'boolean'
}

function isStream(value: unknown): value is ByteStream {
  return typeof value === 'object' && value !== null && ('getReader' in value || Symbol.asyncIterator in value)
}

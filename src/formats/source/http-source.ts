import { commonErrors } from '../../errors/common-errors.js'
import type { ByteSource } from './byte-source.js'
import { memorySource } from './memory-source.js'
import { StreamCursor } from './stream-cursor.js'
import { streamSource } from './stream-source.js'

/** Bytes of the first request: what a header needs, kept for going back (spec audio.md, AU-100: first frame after 64 KiB). */
const HEAD_BYTES = 65_536
/** A gap smaller than this is read and dropped rather than asked for anew. */
const SKIP_BYTES = 262_144

/**
 * Source over http and https addresses. With `Range` support: the head in one request, the rest as one stream that is opened anew where a
 * read jumps. Without: one stream, forward only. Throws `NETWORK` for a refused or failed request.
 */
export async function httpSource(url: string | URL, signal?: AbortSignal): Promise<ByteSource> {
  const address = String(url)
  const first = await request(address, `bytes=0-${HEAD_BYTES - 1}`, signal)
  if (first.status === 416) return memorySource(new Uint8Array(0), address)
  const total = totalBytes(first), mark = markOf(first, total ?? plainLength(first))
  if (first.status !== 206 || total === null) return { ...streamSource(bodyOf(first, address), address, plainLength(first)), mark }
  const head = new Uint8Array(await first.arrayBuffer())
  if (head.length !== Math.min(total, HEAD_BYTES)) {
    throw failed(address, `a range of ${head.length} bytes instead of ${Math.min(total, HEAD_BYTES)}`)
  }
  return { ...rangedSource(address, head, total, signal), mark }
}

function rangedSource(address: string, head: Uint8Array, size: number, signal?: AbortSignal): ByteSource {
  let cursor: StreamCursor | null = null
  const seek = async (offset: number): Promise<StreamCursor> => {
    if (cursor && offset >= cursor.position && offset - cursor.position <= SKIP_BYTES) {
      await cursor.skip(offset - cursor.position)
      return cursor
    }
    await cursor?.cancel()
    const response = await request(address, `bytes=${offset}-`, signal)
    if (response.status !== 206) throw failed(address, `status ${response.status} for a range that was granted before`)
    return cursor = new StreamCursor(bodyOf(response, address), offset)
  }
  return {
    name: address, size, seekable: true,
    view: (offset, bytes) => offset + bytes <= head.length ? head.subarray(offset, offset + bytes) : null,
    read: async (offset, target) => {
      const early = head.subarray(Math.min(offset, head.length), Math.min(offset + target.length, head.length))
      target.set(early)
      const rest = target.subarray(early.length, Math.max(early.length, Math.min(target.length, size - offset)))
      if (rest.length === 0) return early.length
      return early.length + await (await seek(offset + early.length)).read(rest)
    },
    close: async () => { await cursor?.cancel() },
  }
}

async function request(address: string, range: string, signal?: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(address, { headers: { range }, ...(signal ? { signal } : {}) })
  } catch (cause) {
    signal?.throwIfAborted()
    throw failed(address, cause instanceof Error ? cause.message : String(cause), cause)
  }
  // 416: the range begins behind the end, which for a head means an empty file.
  if (response.ok || response.status === 416 && range.startsWith('bytes=0-')) return response
  await response.body?.cancel()
  throw failed(address, `status ${response.status}`)
}

function bodyOf(response: Response, address: string): ReadableStream<Uint8Array> {
  if (!response.body) throw failed(address, 'an answer without a body')
  return response.body
}

/** The server's word for the version of what it gave. */
function markOf({ headers }: Response, size: number | null): string | null {
  const version = headers.get('etag') ?? headers.get('last-modified')
  return version === null ? null : `${version} ${size ?? ''}`
}

/** Total from `Content-Range: bytes 0-99/1234`; null when the server does not say. */
function totalBytes(response: Response): number | null {
  const match = /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  return match ? Number(match[1]) : null
}

/** `Content-Length` counts packed bytes when the body is encoded, so it is then no size. */
function plainLength(response: Response): number | null {
  const length = response.headers.get('content-length')
  return length !== null && response.status === 200 && !response.headers.get('content-encoding') ? Number(length) : null
}

function failed(address: string, reason: string, cause?: unknown): Error {
  return commonErrors.NETWORK({ host: hostOf(address), reason }, { cause })
}

function hostOf(address: string): string {
  try {
    return new URL(address).host || address.slice(0, 64)
  } catch {
    return address
  }
}

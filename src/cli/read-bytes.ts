import { open, stat } from 'node:fs/promises'
import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { refusal } from '../formats/node-fs.js'
import { exceeded } from '../graph/document/check-document.js'
import { isMediaFile } from '../graph/embed/index.js'
import { resolveLimits, type Limits } from '../graph/limits.js'
import type { Terminal } from './command.js'
import { DiagnosticsError } from './diagnostics-error.js'

/** Bytes at the head of a file by which a PNG, WebP or WAV is known. */
const HEAD_BYTES = 16
/** Most bytes of a picture or sound that comes through a pipe: what Node reads of a file at once. */
const MOST_MEDIA_BYTES = 2 ** 31 - 1

/**
 * Bytes of a file or pipe with a graph, `-` for standard input. The size of a file is looked at before it is read, a pipe is read no
 * further than the limit (GR-60): DiagnosticsError with `LIMIT_EXCEEDED` for a text beyond the limit of documents; pictures and sounds with
 * a graph inside may be larger. Throws NOT_FOUND for a file that cannot be read.
 */
export async function readBytes(path: string, terminal: Terminal, limits: Partial<Limits> = {}): Promise<Uint8Array> {
  const limit = resolveLimits(limits).documentBytes
  // By its name in the file system standard input can not be opened where it is a socket.
  if (isStdin(path)) return await gather(terminal.stdin(), limit)
  try {
    if ((await stat(path)).isCharacterDevice()) {
      throw commonErrors.NOT_FOUND({ thing: 'File', id: path, why: 'it is a device, which may never end' })
    }
    const file = await open(path)
    try {
      const facts = await file.stat()
      // A pipe tells no size and has no positions.
      if (facts.isFIFO()) return await gather(file.createReadStream({ autoClose: false }), limit)
      if (facts.isFile() && facts.size > limit) {
        const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
        if (!isMediaFile(buffer.subarray(0, bytesRead))) throw tooLong(limit, facts.size)
      }
      return await file.readFile()
    } finally { await file.close() }
  } catch (error) {
    throw isMillraceError(error) || error instanceof DiagnosticsError
      ? error
      : commonErrors.NOT_FOUND({ thing: 'File', id: path, why: refusal(error) }, { cause: error })
  }
}

/** Whether a word names standard input. */
export function isStdin(path: string): boolean { return path === '-' || path === '/dev/stdin' }

/** Everything of a stream, up to the limit. */
async function gather(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0, most = limit
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size > most && most < MOST_MEDIA_BYTES && isMediaFile(Buffer.concat(chunks).subarray(0, HEAD_BYTES))) most = MOST_MEDIA_BYTES
    if (size > most) throw tooLong(most, size)
  }
  return Buffer.concat(chunks)
}

function tooLong(limit: number, size: number): DiagnosticsError { return new DiagnosticsError([exceeded('Document bytes', limit, size)]) }

import { open, stat } from 'node:fs/promises'
import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { refusal } from '../formats/node-fs.js'
import { exceeded } from '../graph/document/check-document.js'
import { isMediaFile } from '../graph/embed/index.js'
import { resolveLimits } from '../graph/limits.js'
import type { Terminal } from './command.js'
import { DiagnosticsError } from './diagnostics-error.js'

/** Bytes at the head of a file by which a PNG, WebP or WAV is known. */
const HEAD_BYTES = 16

/**
 * Bytes of a file with a graph, `-` for standard input. The size is looked at before the file is read (GR-60): DiagnosticsError with `LIMIT_EXCEEDED` for a text beyond the limit of
 * documents; pictures and sounds with a graph inside may be larger. Throws NOT_FOUND for a file that cannot be read.
 */
export async function readBytes(path: string, terminal: Terminal): Promise<Uint8Array> {
  if (path === '-') return await terminal.stdin()
  const limit = resolveLimits().documentBytes
  let size = 0
  try {
    if ((await stat(path)).isCharacterDevice()) throw commonErrors.NOT_FOUND({ thing: 'File', id: path, why: 'it is a device, which may never end' })
    const file = await open(path)
    try {
      size = (await file.stat()).size
      const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
      if (size <= limit || isMediaFile(buffer.subarray(0, bytesRead))) return await file.readFile()
    } finally { await file.close() }
  } catch (error) {
    throw isMillraceError(error) ? error : commonErrors.NOT_FOUND({ thing: 'File', id: path, why: refusal(error) }, { cause: error })
  }
  throw new DiagnosticsError([exceeded('Document bytes', limit, size)])
}

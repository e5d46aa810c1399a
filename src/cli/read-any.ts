import { inflateSync } from 'node:zlib'
import type { Diagnostic } from '../errors/diagnostic.js'
import type { Document } from '../graph/document/document.js'
import type { Dialect } from '../graph/dialects/dialect.js'
import { importDocument } from '../graph/dialects/import-document.js'
import type { ImportReport } from '../graph/dialects/report.js'
import { isMediaFile } from '../graph/embed/index.js'
import type { Limits } from '../graph/limits.js'
import type { Registry } from '../index.js'
import type { Terminal } from './command.js'
import { parseText } from './parse-text.js'
import { readBytes } from './read-bytes.js'

/**
 * A document as far as it could be read, with what was found on the way; `report` when it came from another dialect or out of a media file.
 */
export interface ReadDocument { readonly document?: Document; readonly diagnostics: readonly Diagnostic[]; readonly report?: ImportReport }

/**
 * Reads a document of any dialect, also out of a PNG, WebP or WAV; `-` is standard input. A Millrace document is parsed, so that all its
 * problems are told; any other is imported. Throws NOT_FOUND, and what `importDocument` throws.
 */
export async function readAny(
  path: string, registry: Registry, terminal: Terminal,
  o: { readonly from?: Dialect; readonly strict?: boolean; readonly limits?: Partial<Limits> } = {},
): Promise<ReadDocument> {
  const { strict = false, limits = {} } = o, bytes = await readBytes(path, terminal, limits)
  if (!isMediaFile(bytes) && (o.from === undefined || o.from === 'millrace')) {
    const parsed = parseText(bytes, { strict, limits })
    if (o.from === 'millrace' || !parsed.diagnostics.some(({ code, pointer }) => code === 'VERSION_MISMATCH' && pointer === '/millrace')) {
      return parsed
    }
  }
  const { document, report } = importDocument(bytes, {
    registry, strict, limits, dialect: o.from ?? 'auto',
    inflate: (data, most) => inflateSync(data, { maxOutputLength: most }),
  })
  return { document, diagnostics: report.warnings, report }
}

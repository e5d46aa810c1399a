import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Diagnostic } from '../errors/diagnostic.js'
import { commonErrors } from '../errors/common-errors.js'
import type { Graph } from '../graph/graph.js'
import { fromDocument, parseDocument, type Registry } from '../index.js'

/** Problems in a document: exit code 3. */
export class DiagnosticsError extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(`${diagnostics.length} problems`)
    this.diagnostics = diagnostics
  }
}

/** Reads a graph document from a file, `-` for standard input. Throws DiagnosticsError with all problems, NOT_FOUND for a missing file. */
export async function readGraph(path: string, registry: Registry): Promise<{ readonly graph: Graph; readonly diagnostics: readonly Diagnostic[] }> {
  const bytes = path === '-' ? readFileSync(0) : await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw commonErrors.NOT_FOUND({ thing: 'File', id: path, why: error.code === 'ENOENT' ? 'it does not exist' : error.message }, { cause: error })
  })
  const { document, diagnostics } = parseDocument(bytes)
  if (document === undefined || diagnostics.some((d) => d.severity === 'error')) throw new DiagnosticsError(diagnostics)
  return { graph: fromDocument(document, registry), diagnostics }
}

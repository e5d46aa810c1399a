import { readFile, stat } from 'node:fs/promises'
import type { Diagnostic } from '../errors/diagnostic.js'
import { commonErrors } from '../errors/common-errors.js'
import type { Graph } from '../graph/graph.js'
import { createRegistry, fromDocument, parseDocument, type Registry } from '../index.js'
import * as nodes from '../nodes/index.js'
import type { Terminal } from './command.js'
import { DiagnosticsError } from './diagnostics-error.js'

/** Every node type of the library. */
export function builtinRegistry(): Registry {
  return createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
}

/** Reads a graph document from a file, `-` for standard input. Throws DiagnosticsError with all problems, NOT_FOUND for a file that cannot be read. */
export async function readGraph(path: string, registry: Registry, terminal: Terminal): Promise<{ readonly graph: Graph; readonly diagnostics: readonly Diagnostic[] }> {
  const bytes = await readBytes(path, terminal)
  const { document, diagnostics } = parseDocument(bytes)
  if (document === undefined || diagnostics.some((d) => d.severity === 'error')) throw new DiagnosticsError(diagnostics)
  return { graph: fromDocument(document, registry), diagnostics }
}

/** Bytes of a file, `-` for standard input. Throws NOT_FOUND for a file that cannot be read. */
export async function readBytes(path: string, terminal: Terminal): Promise<Uint8Array> {
  if (path === '-') return await terminal.stdin()
  try {
    if (!(await stat(path)).isCharacterDevice()) return await readFile(path)
  } catch (error) {
    throw commonErrors.NOT_FOUND({ thing: 'File', id: path, why: reasonOf(error as NodeJS.ErrnoException) }, { cause: error })
  }
  throw commonErrors.NOT_FOUND({ thing: 'File', id: path, why: 'it is a device, which may never end' })
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' ? 'it does not exist' : error.code === 'EISDIR' ? 'it is a folder' : error.message
}

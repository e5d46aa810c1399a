import type { Diagnostic } from '../errors/diagnostic.js'
import type { Graph } from '../graph/graph.js'
import type { Limits } from '../graph/limits.js'
import { createRegistry, fromDocument, type Registry } from '../index.js'
import { builtinNodes } from '../nodes/index.js'
import type { Terminal } from './command.js'
import { DiagnosticsError } from './diagnostics-error.js'
import { readAny } from './read-any.js'

/** Every node type of the library. */
export function builtinRegistry(): Registry {
  return createRegistry(...builtinNodes)
}

/**
 * Reads a graph document of any dialect from a file, `-` for standard input. Throws DiagnosticsError with all
 * problems, NOT_FOUND for a file that cannot be read.
 */
export async function readGraph(
  path: string, registry: Registry, terminal: Terminal, limits: Partial<Limits> = {},
): Promise<{ readonly graph: Graph; readonly diagnostics: readonly Diagnostic[] }> {
  const { document, diagnostics } = await readAny(path, registry, terminal, { limits })
  if (document === undefined || diagnostics.some((d) => d.severity === 'error')) throw new DiagnosticsError(diagnostics)
  return { graph: fromDocument(document, registry, { limits }), diagnostics }
}

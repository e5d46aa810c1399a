import { hostFacts, validate } from '../../index.js'
import { UsageError, type CommandContext } from '../command.js'
import { DiagnosticsError } from '../diagnostics-error.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { limitsOf } from '../limits.js'
import { readAny, type ReadDocument } from '../read-any.js'
import { builtinRegistry } from '../read-graph.js'

/** Prints every problem of a document. Exit code 0, or 3 when one is an error. */
export async function validateFile({ positionals, options, terminal }: CommandContext): Promise<number> {
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const registry = builtinRegistry(), strict = options['strict'] === true, limits = limitsOf(options)
  const { document, diagnostics: read, report } = await readWhole(positionals[0]!, registry, terminal, { strict, limits })
  // `validate` finds what parsing found once more, but for keys that only the text has twice.
  const own = report === undefined ? read.filter(({ code, line }) => code === 'DUPLICATE_ID' && line !== undefined) : read
  const host = options['host'] === true ? hostFacts() : undefined
  const found = document === undefined ? read : [...own, ...validate(document, registry, host, { strict, limits })]
  const count = (severity: string): number => found.filter((one) => one.severity === severity).length
  const errors = count('error'), dialect = report?.dialect ?? 'millrace', nodes = length(document?.nodes), edges = length(document?.edges)
  if (options['json'] === true) terminal.out(JSON.stringify({ valid: errors === 0, dialect, nodes, edges, diagnostics: found }, null, 2))
  else {
    printDiagnostics(found, terminal)
    const problems = `${counted(errors, 'error')}, ${counted(count('warning'), 'warning')}, ${count('info')} info`
    terminal.out(`${errors === 0 ? 'valid' : 'invalid'}: ${dialect}, ${counted(nodes, 'node')}, ${counted(edges, 'edge')}; ${problems}`)
  }
  return errors === 0 ? EXIT.OK : EXIT.DIAGNOSTICS
}

/** A text that is too long to be read has its verdict as any other. */
async function readWhole(...words: Parameters<typeof readAny>): Promise<ReadDocument> {
  try { return await readAny(...words) } catch (error) {
    if (error instanceof DiagnosticsError) return { diagnostics: error.diagnostics }
    throw error
  }
}

/** Entries of what should be a list: a faulty document may hold anything there. */
function length(list: unknown): number { return Array.isArray(list) ? list.length : 0 }

function counted(n: number, what: string): string { return `${n} ${what}${n === 1 ? '' : 's'}` }

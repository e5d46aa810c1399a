import { writeFile } from 'node:fs/promises'
import { DIALECTS, type Dialect } from '../../graph/dialects/dialect.js'
import { exportDocument } from '../../graph/dialects/export-document.js'
import type { ImportReport } from '../../graph/dialects/report.js'
import { fromDocument } from '../../index.js'
import { UsageError, type CommandContext } from '../command.js'
import { DiagnosticsError } from '../diagnostics-error.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { limitsOf } from '../limits.js'
import { readAny } from '../read-any.js'
import { builtinRegistry } from '../read-graph.js'

/** Writes a document in another dialect; what is lost on either way is told on standard error. Throws UsageError for no such dialect. */
export async function convert({ positionals, options, terminal }: CommandContext): Promise<number> {
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const to = dialectOf('to', options['to']), from = options['from'] === undefined ? undefined : dialectOf('from', options['from'])
  const registry = builtinRegistry(), limits = limitsOf(options), file = options['output']
  const { document, diagnostics, report: read } = await readAny(positionals[0]!, registry, terminal, { limits, ...(from && { from }) })
  if (document === undefined || diagnostics.some((one) => one.severity === 'error')) throw new DiagnosticsError(diagnostics)
  const { text, report: written } = exportDocument(fromDocument(document, registry, { limits }), to)
  if (typeof file === 'string') await writeFile(file, text)
  if (options['json'] === true) {
    const where = typeof file === 'string' ? { file } : { text }
    terminal.out(JSON.stringify(
      { from: read?.dialect ?? 'millrace', to, ...where, ...(read && { import: read }), export: written },
      null, 2,
    ))
    return EXIT.OK
  }
  printDiagnostics([...(read === undefined ? diagnostics : read.warnings), ...written.warnings], terminal)
  for (const report of [read, written]) if (report !== undefined) for (const line of losses(report)) terminal.err(line)
  terminal.out(typeof file === 'string' ? `written to ${file}` : text.replace(/\n$/, ''))
  return EXIT.OK
}

function dialectOf(option: string, value: unknown): Dialect {
  const found = DIALECTS.find((one) => one === value)
  if (found === undefined) {
    throw new UsageError(`--${option}${typeof value === 'string' ? ` ${value}` : ''}: expected one of ${DIALECTS.join(', ')}.`)
  }
  return found
}

function losses({ renamed, substituted, missing, dropped }: ImportReport): string[] {
  return [
    ...renamed.map(({ pointer, from, to }) => `renamed ${pointer}: ${from} is ${to}`),
    ...substituted.map(({ pointer, what, by }) => `substituted ${pointer}: ${what} by ${by}`),
    ...missing.map(({ pointer, type, near }) => `missing ${pointer}: no type ${type}${near.length > 0 ? `; near ${near.join(', ')}` : ''}`),
    ...dropped.map((one) => `dropped ${one.pointer}: ${one.what}`),
  ]
}

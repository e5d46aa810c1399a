import { diff, type FieldChanges, type GraphDiff } from '../../graph/edit/diff.js'
import type { Limits } from '../../graph/limits.js'
import { edgeName } from '../../graph/edge-list.js'
import { fromDocument, type Graph, type Registry } from '../../index.js'
import { UsageError, type CommandContext, type Terminal } from '../command.js'
import { DiagnosticsError } from '../diagnostics-error.js'
import { EXIT } from '../exit-codes.js'
import { limitsOf } from '../limits.js'
import { readAny } from '../read-any.js'
import { isStdin } from '../read-bytes.js'
import { builtinRegistry } from '../read-graph.js'

/** Prints what differs between two documents of any dialect. Exit code 0, also when they differ; with `--exit-code` then 1. */
export async function diffFiles({ positionals, options, terminal }: CommandContext): Promise<number> {
  const [a, b] = positionals
  if (a === undefined || b === undefined || positionals.length > 2) {
    throw new UsageError(`expected two graph documents, got ${positionals.length}.`)
  }
  if (isStdin(a) && isStdin(b)) throw new UsageError('expected one document from standard input, got both: it can be read once.')
  const registry = builtinRegistry(), limits = limitsOf(options)
  const read = (path: string): Promise<Graph> => readOne(path, registry, terminal, limits)
  const found = diff(await read(a), await read(b)), lines = linesOf(found)
  if (options['json'] === true) terminal.out(JSON.stringify(found, null, 2))
  else terminal.out(lines.join('\n') || 'equal')
  return options['exit-code'] === true && lines.length > 0 ? EXIT.FAILED : EXIT.OK
}

async function readOne(path: string, registry: Registry, terminal: Terminal, limits: Partial<Limits>): Promise<Graph> {
  const { document, diagnostics } = await readAny(path, registry, terminal, { limits })
  if (document === undefined || diagnostics.some((one) => one.severity === 'error')) throw new DiagnosticsError(diagnostics)
  return fromDocument(document, registry, { limits })
}

/** A line per thing: + new, - gone, ~ changed. */
function linesOf({ nodes, edges, inputs, outputs, fields }: GraphDiff): string[] {
  return [
    ...nodes?.removed.map(({ item }) => `- node ${item.id} (${item.type})`) ?? [],
    ...nodes?.added.map(({ item }) => `+ node ${item.id} (${item.type})`) ?? [],
    ...nodes?.changed.flatMap(({ id, params, fields: own }) =>
      [...changes(`node ${id} param `, params), ...changes(`node ${id} `, own)]) ?? [],
    ...(nodes?.order === undefined ? [] : ['~ order of nodes']),
    ...edges?.removed.map(({ item }) => `- edge ${edgeName(item)}`) ?? [],
    ...edges?.added.map(({ item }) => `+ edge ${edgeName(item)}`) ?? [],
    ...edges?.changed.flatMap(({ edge, fields: own }) => changes(`edge ${edge} `, own)) ?? [],
    ...(edges?.order === undefined ? [] : ['~ order of edges']),
    ...changes('input ', inputs), ...changes('output ', outputs), ...changes('', fields),
  ]
}

function changes(what: string, of: FieldChanges | undefined): string[] {
  return Object.entries(of ?? {}).map(([name, { before, after }]) => {
    if (before === undefined) return `+ ${what}${name}: ${show(after)}`
    return after === undefined ? `- ${what}${name}: ${show(before)}` : `~ ${what}${name}: ${show(before)} → ${show(after)}`
  })
}

/** Longest value that a line shows whole. */
const LONGEST = 60
function show(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

import { diff, type FieldChanges, type GraphDiff } from '../../graph/edit/diff.js'
import { edgeName } from '../../graph/edge-list.js'
import { fromDocument, type Graph, type Registry } from '../../index.js'
import { UsageError, type CommandContext, type Terminal } from '../command.js'
import { DiagnosticsError } from '../diagnostics-error.js'
import { EXIT } from '../exit-codes.js'
import { readAny } from '../read-any.js'
import { builtinRegistry } from '../read-graph.js'

/** Prints what differs between two documents of any dialect. Exit code 0, also when they differ. */
export async function diffFiles({ positionals, options, terminal }: CommandContext): Promise<number> {
  const [a, b] = positionals
  if (a === undefined || b === undefined || positionals.length > 2) throw new UsageError(`expected two graph documents, got ${positionals.length}.`)
  const registry = builtinRegistry(), found = diff(await read(a, registry, terminal), await read(b, registry, terminal))
  if (options['json'] === true) terminal.out(JSON.stringify(found, null, 2))
  else terminal.out(linesOf(found).join('\n') || 'equal')
  return EXIT.OK
}

async function read(path: string, registry: Registry, terminal: Terminal): Promise<Graph> {
  const { document, diagnostics } = await readAny(path, registry, terminal)
  if (document === undefined || diagnostics.some((one) => one.severity === 'error')) throw new DiagnosticsError(diagnostics)
  return fromDocument(document, registry)
}

/** A line per thing: + new, - gone, ~ changed. */
function linesOf({ nodes, edges, inputs, outputs, fields }: GraphDiff): string[] {
  return [
    ...nodes?.removed.map(({ item }) => `- node ${item.id} (${item.type})`) ?? [], ...nodes?.added.map(({ item }) => `+ node ${item.id} (${item.type})`) ?? [],
    ...nodes?.changed.flatMap(({ id, params, fields: own }) => [...changes(`node ${id} param `, params), ...changes(`node ${id} `, own)]) ?? [],
    ...(nodes?.order === undefined ? [] : ['~ order of nodes']),
    ...edges?.removed.map(({ item }) => `- edge ${edgeName(item)}`) ?? [], ...edges?.added.map(({ item }) => `+ edge ${edgeName(item)}`) ?? [],
    ...edges?.changed.flatMap(({ edge, fields: own }) => changes(`edge ${edge} `, own)) ?? [], ...(edges?.order === undefined ? [] : ['~ order of edges']),
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
function show(value: unknown): string { const text = JSON.stringify(value); return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text }

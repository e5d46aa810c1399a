import type { NodeDefinition } from '../../graph/node-definition.js'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { table } from '../print/table.js'
import { builtinRegistry } from '../read-graph.js'
import { unknownType } from '../unknown-type.js'

/** Prints all node types, or one with its ports and params. Throws UsageError for a type that is not there. */
export function nodes({ positionals, options, terminal }: CommandContext): number {
  const registry = builtinRegistry(), json = options['json'] === true
  const [type, ...more] = positionals
  if (more.length > 0) throw new UsageError(`expected one type, got ${positionals.length}.`)
  if (type === undefined) {
    const list = registry.list()
    terminal.out(json ? JSON.stringify(list.map((d) => ({ type: d.type, version: d.version, title: d.title, family: d.family })), null, 2)
      : table([['type', 'version', 'title'], ...list.map((d) => [d.type, d.version, d.title])]))
    return EXIT.OK
  }
  const definition = registry.get(type)
  if (definition === undefined) throw unknownType(type, registry)
  terminal.out(json ? JSON.stringify(registry.schema(definition.type), null, 2) : describe(definition))
  return EXIT.OK
}

function describe(d: NodeDefinition): string {
  const ports = (title: string, list: NodeDefinition['inputs'] | NodeDefinition['outputs']): string[] =>
    Object.keys(list).length === 0 ? [] : [
      '', title,
      table([['name', 'media', 'about'], ...Object.entries(list).map(([name, port]) => [name, port.media.kind, port.doc ?? ''])]),
    ]
  const params = Object.entries(d.params).map(([name, p]) =>
    [
      name,
      p.values?.join(' | ')
        ?? `${p.type}${p.min === undefined ? '' : ` ${p.min}…${p.max ?? ''}`}${p.unit === undefined ? '' : ` ${p.unit}`}`,
      p.default === undefined ? '' : String(p.default), p.doc,
    ])
  return [`${d.type} ${d.version}: ${d.title}`, d.doc, ...ports('Inputs', d.inputs), ...ports('Outputs', d.outputs),
    ...(params.length === 0 ? [] : ['', 'Params', table([['name', 'values', 'default', 'about'], ...params])])].join('\n')
}

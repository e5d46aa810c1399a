import { createRegistry } from '../../index.js'
import type { NodeDefinition } from '../../graph/node-definition.js'
import * as nodes from '../../nodes/index.js'
import { UsageError, type Command } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { table } from '../print/table.js'

/** `millrace nodes`: all node types, or one with its ports and params. */
export const nodesCommand: Command = {
  name: 'nodes', summary: 'list node types, or describe one', usage: '[TYPE]', options: {}, examples: ['millrace nodes', 'millrace nodes audio::resample', 'millrace nodes --json'],
  run: ({ positionals, options, terminal }) => {
    const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
    const [type, ...more] = positionals
    if (more.length > 0) throw new UsageError(`expected one type, got ${positionals.length}.`)
    if (type === undefined) {
      const list = registry.list()
      terminal.out(options['json'] === true ? JSON.stringify(list.map((d) => ({ type: d.type, version: d.version, title: d.title, family: d.family })), null, 2)
        : table([['type', 'version', 'title'], ...list.map((d) => [d.type, d.version, d.title])]))
      return Promise.resolve(EXIT.OK)
    }
    const definition = registry.get(type)
    if (definition === undefined) throw new UsageError(`${type}: no such node type. \`millrace nodes\` lists them.`)
    terminal.out(options['json'] === true ? JSON.stringify(registry.schema(definition.type), null, 2) : describe(definition))
    return Promise.resolve(EXIT.OK)
  },
}

function describe(d: NodeDefinition): string {
  const ports = (title: string, list: NodeDefinition['inputs'] | NodeDefinition['outputs']): string[] =>
    Object.keys(list).length === 0 ? [] : ['', title, table([['name', 'media', ''], ...Object.entries(list).map(([name, port]) => [name, port.media.kind, port.doc ?? ''])])]
  const params = Object.entries(d.params).map(([name, p]) =>
    [name, p.values?.join(' | ') ?? `${p.type}${p.min === undefined ? '' : ` ${p.min}…${p.max ?? ''}`}${p.unit === undefined ? '' : ` ${p.unit}`}`, p.default === undefined ? '' : String(p.default), p.doc])
  return [`${d.type} ${d.version}: ${d.title}`, d.doc, ...ports('Inputs', d.inputs), ...ports('Outputs', d.outputs),
    ...(params.length === 0 ? [] : ['', 'Params', table([['name', 'values', 'default', ''], ...params])])].join('\n')
}

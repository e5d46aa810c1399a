import type { InputDeclaration, NodeDefinition, OutputDeclaration, ParamDeclaration } from '../node-definition.js'
import type { SubgraphPart } from './flatten.js'

/** True when `name` is a param of the type. */
export function isParam(definition: NodeDefinition | undefined, name: string): boolean {
  return definition !== undefined && Object.hasOwn(definition.params, name)
}

/** The version that every subgraph has as a node type. */
export const SUBGRAPH_VERSION = '1.0.0'

/**
 * A subgraph as a node type: inner inputs that lead to ports are inputs, those that lead to params are params, inner outputs are outputs.
 * It has no code: it stands for subgraphs that are muted or bypassed, and draws the others.
 */
export function interfaceOf(type: string, { graph, exposed, outputs }: SubgraphPart): NodeDefinition {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const inputs: [string, InputDeclaration][] = [], params: [string, ParamDeclaration][] = []
  for (const [name, { to, required, default: value }] of exposed) {
    const [first] = to, inner = first === undefined ? undefined : nodes.get(first[0]), definition = inner?.definition
    if (first === undefined || definition === undefined) continue
    if (isParam(definition, first[1])) {
      const { required: _required, main: _main, alias: _alias, ...own } = definition.params[first[1]]!
      const preset = value ?? inner!.params[first[1]]
      params.push([name, { ...own, ...(preset !== undefined && { default: preset }) }])
    } else if (Object.hasOwn(definition.inputs, first[1])) {
      const port = definition.inputs[first[1]]!
      inputs.push([name, { ...port, ...((required === false || value !== undefined) && { optional: true }) }])
    }
  }
  const outs = [...outputs].flatMap(([name, [id, port]]): [string, OutputDeclaration][] => {
    const outputs = nodes.get(id)?.definition?.outputs
    return outputs === undefined || !Object.hasOwn(outputs, port) ? [] : [[name, outputs[port]!]]
  })
  return {
    type, version: SUBGRAPH_VERSION, title: type, doc: '', family: 'graph', params: Object.fromEntries(params),
    inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outs),
  }
}

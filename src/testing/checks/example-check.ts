import { defineNode } from '../../graph/define-node.js'
import { graphFrom, type Outputs } from '../../graph/graph-from.js'
import type { NodeDefinition } from '../../graph/node-definition.js'
import { createRegistry } from '../../graph/registry.js'
import { validateGraph } from '../../graph/validate/validate-graph.js'
import type { FindingLog } from '../findings.js'

/** The type's own example is a graph that holds the node and that nothing is wrong with. Types without one are not asked. */
export function checkExample(definition: NodeDefinition, log: FindingLog): void {
  if (definition.example === undefined) return
  try {
    const graph = graphFrom((definition.example as (self: unknown) => Outputs)(defineNode(definition)))
    const types = [
      ...new Map(graph.nodes.flatMap((node) => node.definition === undefined ? [] : [[node.type, node.definition] as const])).values(),
    ]
    const faults = validateGraph(graph, createRegistry(...types.map((one) => ({ definition: one }))))
      .filter(({ severity }) => severity === 'error')
    if (!types.includes(definition)) log.fault('example', `without a node of ${definition.type}`)
    for (const { message } of faults) log.fault('example', message)
    log.note('example', `${graph.nodes.length} nodes`)
  } catch (error) { log.fault('example', error instanceof Error ? error.message : String(error)) }
}

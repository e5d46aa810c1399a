import { createGraph, type Graph } from '../../src/graph/graph.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { add } from '../../src/nodes/math/add.js'
import { listSource } from '../../src/nodes/core/list-source.js'
import { switchTo } from '../../src/nodes/core/switch-to.js'

type Node = Graph['nodes'][number]
type Edge = Graph['edges'][number]
const node = (id: string, of: { readonly definition: unknown }, params: Node['params'] = {}): Node =>
  ({ id, type: (of.definition as NodeDefinition).type, definition: of.definition as NodeDefinition, params }) as Node
const edge = (from: string, port: string, to: string, order?: number): Edge => ({
  from: [from, port], to: [to, 'in'], ...(order !== undefined && { order }),
})
const graph = (nodes: Node[], edges: Edge[], output: string): Graph => ({
  ...createGraph(), nodes, edges, outputs: new Map([['out', [output, 'out'] as const]]),
})

/**
 * One source, `count` branches of one node each, one switch over all of them: 2 nodes more than branches, as many lazy links as branches.
 */
export function wideSwitch(count: number): Graph {
  const branches = Array.from({ length: count }, (_, n) => `b${n}`)
  return graph([
    node('s', listSource, { items: [1] }),
    ...branches.map((id) => node(id, add, { addend: 1 })),
    node('choice', switchTo, { which: 3 }),
  ],
    branches.flatMap((id, n) => [edge('s', 'out', id), edge(id, 'out', 'choice', n)]), 'choice')
}

/** A chain of `length` nodes before `count` branches of a switch: all of the chain waits for any of the links. */
export function switchBehindChain(length: number, count: number): Graph {
  const chain = Array.from({ length }, (_, n) => `c${n}`), branches = Array.from({ length: count }, (_, n) => `b${n}`), last = chain.at(-1)!
  return graph([
    node('s', listSource, { items: [1] }),
    ...[...chain, ...branches].map((id) => node(id, add, { addend: 1 })),
    node('choice', switchTo, { which: 0 }),
  ],
    [
      ...chain.map((id, n) => edge(n === 0 ? 's' : chain[n - 1]!, 'out', id)),
      ...branches.flatMap((id, n) => [edge(last, 'out', id), edge(id, 'out', 'choice', n)]),
    ], 'choice')
}

/**
 * A chain of `count` switches, each between the one before and a node of its own: every node has a set of links of its own
 * that may ask for it, or one that many share.
 */
export function switchLadder(count: number): Graph {
  const nodes: Node[] = [node('s', listSource, { items: [1] })], edges: Edge[] = []
  for (let n = 0; n < count; n++) {
    nodes.push(node(`a${n}`, add, { addend: n }), node(`w${n}`, switchTo, { which: n % 2 }))
    edges.push(
      edge(n === 0 ? 's' : `a${n - 1}`, 'out', `a${n}`), edge(`a${n}`, 'out', `w${n}`, 0),
      edge(n === 0 ? 's' : `w${n - 1}`, 'out', `w${n}`, 1),
    )
  }
  return graph(nodes, edges, `w${count - 1}`)
}

/** Random graphs from a seed, for tests that compare two ways of doing one thing. */
import { createGraph, type Graph, type GraphEdge, type GraphNode, type PortRef } from '../../src/graph/graph.js'
import type { NodeDefinition, ParamTable } from '../../src/graph/node-definition.js'
import { audio } from '../../src/media/media-type.js'
import { nodeType } from './graph-nodes.js'

/** Numbers from 0 to `below` − 1, the same for the same seed (xorshift32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ state << 5) >>> 0
    return state % below
  }
}

const params = {
  hz: { type: 'number', default: 440, doc: '' }, name: { type: 'string', default: 'a', doc: '' },
  on: { type: 'boolean', default: false, doc: '' },
  any: { type: 'json', doc: '' }, seed: { type: 'seed', default: 0, doc: '' }, key: { type: 'string', secret: true, doc: '' },
  look: { type: 'number', cosmetic: true, doc: '' },
  'é': { type: 'number', doc: '' },
} as const satisfies ParamTable
/** A node type with every way in which a value enters a hash: two single inputs, one for any number of links, two outputs. */
export const knot: NodeDefinition = nodeType('test::knot', {
  params,
  inputs: {
    a: { media: audio(), optional: true }, b: { media: audio(), optional: true }, many: { media: audio(), optional: true, multi: true },
  },
  outputs: { x: audio(), y: audio() },
})
/** As {@link knot}, another type. */
export const loop: NodeDefinition = { ...knot, type: 'test::loop', version: '2.1.0', deterministic: 'seeded' }

const VALUES: readonly ((random: (below: number) => number) => Readonly<Record<string, unknown>>)[] = [
  () => ({}), (r) => ({ hz: r(9) / 3 }), (r) => ({ name: ['a', '', 'é€😀', 'x'.repeat(r(300))][r(4)] }), (r) => ({ on: r(2) === 1, hz: -0 }),
  (r) => ({ any: [null, { b: 1, a: [true, 'z'] }, [], new Uint8Array([1, 2, r(256)]), 'text', 1.5][r(6)] }),
  (r) => ({ seed: [7, '18446744073709551615', 9n][r(3)] }),
  (r) => ({ key: `secret ${r(3)}`, look: r(100) }), (r) => ({ 'é': r(3), name: 'b', on: true }),
]

/** A graph without cycles of `count` nodes in random order, about `density` links a node, feedback edges among them. */
export function randomGraph(seed: number, count: number, density = 2): Graph {
  const random = randomFrom(seed), nodes: GraphNode[] = [], edges: GraphEdge[] = []
  const id = (n: number): GraphNode['id'] => `n${n}` as GraphNode['id'], out = (n: number): PortRef => [id(n), random(2) === 0 ? 'x' : 'y']
  for (let n = 0; n < count; n++) {
    const definition = random(3) === 0 ? loop : knot
    nodes.push({ id: id(n), type: definition.type, definition, params: VALUES[random(VALUES.length)]!(random) })
    const taken = new Set<string>()
    for (let links = random(2 * density + 1); links > 0 && n > 0; links--) {
      const port = ['a', 'b', 'many'][random(3)]!
      if (port !== 'many' && taken.has(port)) continue
      taken.add(port)
      edges.push({
        from: out(random(n)), to: [id(n), port], ...(port === 'many' && random(3) === 0 && { order: random(4) }),
        ...(random(12) === 0 && { delayFrames: 128 + random(9) }),
      })
    }
  }
  shuffle(nodes, random)
  shuffle(edges, random)
  const outputs =
    new Map(random(2) === 0 ? [] : Array.from({ length: 1 + random(3) }, (_, i): [string, PortRef] => [`out${i}`, out(random(count))]))
  return createGraph({ nodes, edges, outputs })
}

function shuffle(list: unknown[], random: (below: number) => number): void {
  for (let i = list.length - 1; i > 0; i--) { const j = random(i + 1), swap = list[i]; list[i] = list[j]; list[j] = swap }
}

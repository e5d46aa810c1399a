/**
 * Question: are the tools of an editor quick enough to be called at every change of a large graph? Hypothesis (spec graph.md GR-11, GR-13):
 * one change of 10 000 nodes takes < 1 ms with its record, the difference of two graphs of 10 000 nodes that share nothing in memory < 20
 * ms.
 */
import { fromDocument } from '../src/graph/document/from-document.js'
import { toDocument } from '../src/graph/document/to-document.js'
import { removeNode, setParam } from '../src/graph/edit.js'
import { ChangeLog } from '../src/graph/edit/change-log.js'
import { applyDiff, diff } from '../src/graph/edit/diff.js'
import { moveNodes, renameNode } from '../src/graph/edit/edits.js'
import { merge3 } from '../src/graph/edit/merge.js'
import { createGraph, type Graph, type GraphEdge, type GraphNode } from '../src/graph/graph.js'
import type { NodeDefinition } from '../src/graph/node-definition.js'
import { createRegistry } from '../src/graph/registry.js'
import { gain } from '../src/nodes/audio/gain.js'
import { bench, type BenchContext } from './support/bench.js'

const registry = createRegistry(gain), NODES = 10_000

/** Gains in rows of ten, each with params and a place in the editor. */
function large(): Graph {
  const nodes = Array.from({ length: NODES }, (_, i): GraphNode => ({
    id: `node-${i}`, type: gain.definition.type, definition: gain.definition as NodeDefinition,
    params: { gainDb: -(i % 40), invert: i % 3 === 0 }, ui: { x: i % 10 * 200, y: Math.floor(i / 10) * 80 },
  }))
  const edges = nodes.flatMap((_, i): GraphEdge[] => i % 10 === 0 ? [] : [{ from: [`node-${i - 1}`, 'out'], to: [`node-${i}`, 'in'] }])
  return createGraph({ nodes, edges, outputs: new Map([['out', [`node-${NODES - 1}`, 'out']]]) })
}

async function barred(b: BenchContext, row: string, barMs: number, variants: Readonly<Record<string, () => unknown>>): Promise<void> {
  const { variants: times } = await b.compare(row, variants, { unit: { name: 'nodes', count: NODES }, rounds: 9, roundMs: 80 })
  for (const one of times) b.note(`${row}, ${one.variant}: bar ${barMs} ms, p50 ${one.p50Ms.toFixed(3)} ms, least ${one.minMs.toFixed(3)} ms: ${one.p50Ms < barMs ? 'met' : one.minMs < barMs ? 'met at the least only' : 'missed'}`)
}

export const changeBench = bench('graph/change-log', async (b) => {
  const graph = large(), log = new ChangeLog(graph, { now: () => 0, keep: 100 })
  let i = 0
  const id = (): string => `node-${(i = (i + 7_919) % NODES)}`
  await barred(b, 'one change, recorded', 1, {
    'set a param': () => log.change('set-param', (g) => setParam(g, id(), 'gainDb', -(i % 50) - 0.5)),
    'move a node': () => log.change('move', (g) => moveNodes(g, { [id()]: { x: i, y: -i } })),
  })
  await barred(b, 'two changes, recorded', 2, {
    'remove a node, undo': () => { log.change('remove', (g) => removeNode(g, id())); log.undo() },
    'rename a node, undo': () => { log.change('rename', (g) => renameNode(g, id(), 'other')); log.undo() },
  })
})

export const diffBench = bench('graph/diff', async (b) => {
  const one = large(), again = fromDocument(toDocument(one), registry)
  let few = again
  for (let i = 0; i < 50; i++) few = setParam(few, `node-${i * 199}`, 'gainDb', -77)
  few = fromDocument(toDocument(removeNode(few, 'node-5001')), registry)
  const other = {
    ...again,
    nodes: again.nodes.map((node, n) => n % 2 === 0 ? { ...node, params: { ...node.params, gainDb: 1 } } : node),
    edges: again.edges.toReversed(),
  }
  const change = diff(one, few)
  await barred(b, 'diff of 10000 nodes', 20, {
    'equal, nothing shared': () => diff(one, again), '50 params and a node': () => diff(one, few),
    'every second node, edges reversed': () => diff(one, other),
  })
  await barred(b, 'apply and merge', 20, {
    'apply 50 params and a node': () => applyDiff(one, change, registry),
    'merge, one side changed': () => merge3(one, few, again),
  })
})

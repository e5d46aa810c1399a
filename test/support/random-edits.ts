/** Random edits of graphs of gains and mixers, for tests of what keeps and compares graphs. */
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import type { ChangeType } from '../../src/graph/edit/change-log.js'
import { groupNodes, moveNodes, renameNode, setNode, setOutput } from '../../src/graph/edit/edits.js'
import type { Graph } from '../../src/graph/graph.js'
import { gain, mix } from '../../src/nodes/index.js'

/** A variable of the process that runs the tests; browsers have none. */
export function environment(name: string): string | undefined {
  return (globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } }).process?.env?.[name]
}

/** Whole numbers below a bound, the same for the same seed. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor(state / 2 ** 32 * below) }
}

/** One random edit after the other; new ids begin with `name`. Links lead from earlier to later nodes, so that there is never a cycle. */
export function randomEdits(
  random: (below: number) => number, name: string,
): () => readonly [Exclude<ChangeType, 'undo' | 'redo'>, (graph: Graph) => Graph] {
  let next = 0
  const pick = (graph: Graph): string => graph.nodes[random(graph.nodes.length)]!.id
  const forward = (graph: Graph): [string, string] => {
    const [a, b] = [random(graph.nodes.length), random(graph.nodes.length)]
    return [graph.nodes[Math.min(a, b)]!.id, graph.nodes[Math.max(a, b)]!.id]
  }
  const steps: readonly (readonly [Exclude<ChangeType, 'undo' | 'redo'>, (graph: Graph) => Graph])[] = [
    ['add', (g) => addNode(g, { id: `${name}${next++}`, type: 'audio::gain', definition: gain.definition as never, params: {} })],
    ['add', (g) => addNode(g, { id: `${name}${next++}`, type: 'audio::mix', definition: mix.definition as never, params: {} })],
    ['remove', (g) => g.nodes.length > 3 ? removeNode(g, pick(g)) : g],
    ['connect', (g) => { const [a, b] = forward(g); return a === b ? g : connect(g, [a, 'out'], [b, 'in']) }],
    ['connect', (g) => { const [a, b] = forward(g); return a === b ? g : connect(g, [a, 'out'], [b, 'in'], { id: `${name}${next++}` }) }],
    ['disconnect',
      (g) => { const edge = g.edges[random(g.edges.length)]; return edge === undefined ? g : disconnect(g, edge.from, edge.to) }],
    ['set-param', (g) => setParam(g, pick(g), 'gainDb', -random(50))], ['set-param', (g) => setParam(g, pick(g), 'gainDb', undefined)],
    ['rename', (g) => renameNode(g, pick(g), `${name}${next++}`)],
    ['move', (g) => moveNodes(g, { [pick(g)]: { x: random(9), y: random(9) } })],
    ['group', (g) => groupNodes(g, { id: `g${random(3)}`, nodes: random(3) === 0 ? [] : [pick(g)] })],
    ['set', (g) => setOutput(g, `o${random(3)}`, [pick(g), 'out'])],
    ['set', (g) => setNode(g, pick(g), { output: random(2) === 0 ? true : undefined } as never)],
    ['set', (g) => ({ ...g, config: { seed: random(9) } })],
  ]
  return () => steps[random(steps.length)]!
}

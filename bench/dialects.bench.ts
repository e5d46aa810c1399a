import { createRegistry } from '../src/graph/registry.js'
import { fromDocument } from '../src/graph/document/from-document.js'
import { exportDocument } from '../src/graph/dialects/export-document.js'
import { importDocument } from '../src/graph/dialects/import-document.js'
import { bench, verdict } from './support/bench.js'

const registry = createRegistry()

/** A chain of nodes in GraphDSL; `lean`: without places on a canvas, ids of links and a name. */
function graphdsl(count: number, lean = false): string {
  return JSON.stringify({
    version: '3.0.0', ...(!lean && { meta: { name: 'chain' } }),
    nodes: Object.fromEntries(Array.from({ length: count }, (_, i) =>
      [`n${i}`, { op_type: 'audio::gain', params: { gainDb: { type: 'number', value: -6 } }, ...(!lean && { ui: { x: i, y: 0 } }) }])),
    links: Array.from({ length: count - 1 }, (_, i) => ({
      ...(!lean && { id: `l${i}` }), source: [`n${i}`, 'out'], target: [`n${i + 1}`, 'in'],
    })),
  })
}

/** A chain of nodes as ComfyUI saves it, a tenth of them reroutes. */
function workflow(count: number): string {
  const nodes = Array.from({ length: count }, (_, i) => {
    const type = i % 10 === 5 ? 'Reroute' : 'ImageScale'
    return {
      id: i + 1, type, pos: [100 * i, 200], size: [315, 130], flags: {}, order: i, mode: 0,
      inputs: [{ name: 'image', type: 'IMAGE', link: i === 0 ? null : i }],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: i === count - 1 ? null : [i + 1], slot_index: 0 }],
      properties: { 'Node name for S&R': type }, ...(type === 'Reroute' ? {} : { widgets_values: ['lanczos', 512, 512, 'disabled'] }),
    }
  })
  return JSON.stringify({
    last_node_id: count, last_link_id: count - 1, nodes,
    links: Array.from({ length: count - 1 }, (_, i) => [i + 1, i + 1, 0, i + 2, 0, 'IMAGE']),
    groups: [], config: {}, extra: {}, version: 0.4,
  })
}

/**
 * Question: what do the importers cost over the bare parser? Hypothesis: GraphDSL of 1 000 nodes is read in < 1 ms and written in < 5 ms
 * (GR-17), a ComfyUI workflow of 1 000 nodes read in < 200 ms (GR-18).
 */
export const dialectsBench = bench('graph/dialects', async (b) => {
  const count = 1_000
  const files = [
    ['graphdsl', '', graphdsl(count), 1, 5],
    ['graphdsl', ' without ui and ids of links', graphdsl(count, true), 1, 5],
    ['comfyui-workflow', '', workflow(count), 200, 200],
  ] as const
  for (const [name, kind, text, readBarMs, writeBarMs] of files) {
    const graph = fromDocument(importDocument(text).document, registry)
    const read = await b.compare(`read ${count} nodes of ${name}${kind} (${Math.round(text.length / count)} bytes a node with its link)`, {
      importDocument: () => importDocument(text), 'JSON.parse': () => JSON.parse(text) as unknown,
    }, { unit: { name: 'nodes', count } })
    b.note(verdict('read', readBarMs, read))
    const write = await b.compare(`write ${count} nodes of ${name}${kind}`, {
      exportDocument: () => exportDocument(graph, name),
      'JSON.stringify': () => JSON.stringify(JSON.parse(text), null, 2),
    }, { unit: { name: 'nodes', count } })
    b.note(verdict('write', writeBarMs, write))
  }
})

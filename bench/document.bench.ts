import { fromDocument } from '../src/graph/document/from-document.js'
import { parseDocument } from '../src/graph/document/parse-document.js'
import { writeDocument } from '../src/graph/document/write-document.js'
import { createRegistry } from '../src/graph/registry.js'
import { bench, verdict } from './support/bench.js'

/** A chain of resamplers as a document's text. */
function chain(count: number): string {
  return JSON.stringify({
    millrace: 1,
    nodes: Array.from({ length: count }, (_, i) => ({
      id: `node-${i}`, type: 'audio::resample', params: { rate: 16_000, quality: 'high' },
    })),
    edges: Array.from({ length: count - 1 }, (_, i) => ({ from: [`node-${i}`, 'out'], to: [`node-${i + 1}`, 'in'] })),
  })
}

/**
 * Question: what do checks cost over the bare parser? Hypothesis: a document under 1 KB in < 100 µs, 1 000 nodes in
 * < 1 ms (GR-01), written in < 5 ms (GR-02).
 */
export const documentBench = bench('graph/document', async (b) => {
  const registry = createRegistry()
  for (const [count, parseBarMs, writeBarMs] of [[5, 0.1, 0.1], [1_000, 1, 5]] as const) {
    const text = chain(count), bytes = new TextEncoder().encode(text), document = parseDocument(text).document!
    const parse =
      await b.compare(`parse ${count} nodes (${bytes.length} bytes, ${Math.round(bytes.length / count)} a node with its edge)`, {
        'parseDocument(text)': () => parseDocument(text), 'parseDocument(bytes)': () => parseDocument(bytes),
        'JSON.parse': () => JSON.parse(text) as unknown,
      }, { unit: { name: 'nodes', count } })
    b.note(verdict('parse', parseBarMs, parse))
    const write = await b.compare(`write ${count} nodes`, {
      writeDocument: () => writeDocument(document), fromDocument: () => fromDocument(document, registry),
      'JSON.stringify': () => JSON.stringify(document, null, 2),
    }, { unit: { name: 'nodes', count } })
    b.note(verdict('write', writeBarMs, write))
  }
})

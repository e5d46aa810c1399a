import { expect, test } from 'vitest'
import { createGraph, type GraphNode } from '../../src/graph/graph.js'
import { hashGraph } from '../../src/graph/hash.js'
import { nodeType } from '../support/graph-nodes.js'
import { audio } from '../../src/media/media-type.js'

/** Nodes whose hashes are held against each other; 10⁷ in a long run (GR-57). */
const COUNT = Number(process.env['MILLRACE_HASH_NODES'] ?? 50_000)
const BATCH = 10_000

test(`hashes are 64 hex digits, and the first 64 bits alone tell ${COUNT} nodes apart, so 128 do in memory (GR-57)`, () => {
  const type = nodeType('test::keyed', {
    params: { a: { type: 'integer', default: 0, doc: '' }, b: { type: 'string', default: '', doc: '' } },
    outputs: { out: audio() },
  })
  const keys = new BigUint64Array(COUNT)
  for (let from = 0; from < COUNT; from += BATCH) {
    // Neighbours differ in one digit of one param: what a weak hash would confuse first.
    const nodes = Array.from({ length: Math.min(BATCH, COUNT - from) }, (_, i): GraphNode => ({
      id: `n${i}`, type: type.type, definition: type, params: i % 2 === 0 ? { a: from + i } : { b: String(from + i) },
    }))
    const hashes = hashGraph(createGraph({ nodes }))
    nodes.forEach(({ id }, i) => {
      const hash = hashes.node(id as never)
      if (!/^[0-9a-f]{64}$/.test(hash)) expect(hash).toMatch(/^[0-9a-f]{64}$/)
      keys[from + i] = BigInt(`0x${hash.slice(0, 16)}`)
    })
  }
  keys.sort()
  let equal = 0
  for (let i = 1; i < COUNT; i++) if (keys[i] === keys[i - 1]) equal++
  expect(equal).toBe(0)
}, 3_600_000)

import { expect, test } from 'vitest'
import { lazyBranches } from '../../src/graph/resolve/lazy-branches.js'
import type { LinkedInput, LinkedNode } from '../../src/graph/resolve/linked-node.js'
import { json } from '../../src/media/media-type.js'
import { randomFrom } from '../support/random-graphs.js'
import { nodeType } from '../support/graph-nodes.js'

const definition = nodeType('test::node', {
  inputs: { lazy: { media: json(), multi: true, lazy: true }, in: { media: json(), multi: true } },
  outputs: { out: json() },
})

/** Nodes that read earlier ones, and now and then a later one, by lazy and other links. */
function randomNodes(random: () => number, count: number): LinkedNode[] {
  return Array.from({ length: count }, (_, index): LinkedNode => {
    const inputs = Array.from({ length: index === 0 ? 0 : Math.floor(random() * 4) }, (_n, n): LinkedInput => {
      const port = random() < 0.4 ? 'lazy' : 'in'
      const from = random() < 0.05 ? count - 1 - Math.floor(random() * 3) : Math.floor(random() * index)
      return { link: `${port}.${n}`, port, from: `n${from}.out` }
    })
    return { index, id: `n${index}`, definition, params: {}, media: {}, inputs, tier: null }
  })
}

/**
 * By the words of the rule: who is reached from a node without passing a lazy input, and which lazy links stand at the
 * end of such ways; null: an end is reached.
 */
function linksOf(nodes: readonly LinkedNode[], start: number, ends: ReadonlySet<string>): readonly string[] | null {
  const seen = new Set([start]), work = [start], links = new Set<string>()
  for (let u = work.pop(); u !== undefined; u = work.pop()) {
    const { id } = nodes[u]!
    const readers = nodes.flatMap((node) => node.inputs.flatMap((input) => input.from === `${id}.out` ? [{ node, input }] : []))
    if (readers.length === 0 || ends.has(id)) return null
    for (const { node, input } of readers) {
      if (input.port === 'lazy') links.add(`${node.id}.${input.link}`)
      else if (!seen.has(node.index)) { seen.add(node.index); work.push(node.index) }
    }
  }
  return [...links].sort()
}

test('who may ask for a node: as a walk from each node finds it, on graphs with far more than 32 lazy links', () => {
  const next = randomFrom(7), random = (): number => next(1_000_003) / 1_000_003
  for (let round = 0; round < Number(process.env['MILLRACE_LAZY_GRAPHS'] ?? 40); round++) {
    const nodes = randomNodes(random, 10 + Math.floor(random() * 120))
    const ends = new Set([`n${nodes.length - 1}`, `n${Math.floor(random() * nodes.length)}`])
    const found = lazyBranches(nodes, [...ends].map((id) => `${id}.out`), () => false)
    const expected = nodes.map(({ index }) => linksOf(nodes, index, ends))
    if (found === undefined) { expect(nodes.some(({ inputs }) => inputs.some(({ port }) => port === 'lazy'))).toBe(false); continue }
    expect(found.keys).toEqual(expected.map((links) => links === null ? '' : links.join('\n')))
    for (const [link, keys] of found.needs) {
      expect([...keys].sort())
        .toEqual([...new Set(expected.flatMap((links) => links?.includes(link) === true ? [links.join('\n')] : []))].sort())
    }
  }
})

test('a node that only itself may ask for, and what it reads, wait for it', () => {
  const node = (index: number, ...inputs: readonly (readonly [port: string, from: number])[]): LinkedNode =>
    ({
      index, id: `n${index}`, definition, params: {}, media: {},
      inputs: inputs.map(([port, from], n) => ({ link: `${port}.${n}`, port, from: `n${from}.out` })),
      tier: null,
    })
  expect(lazyBranches([node(0), node(1, ['in', 0], ['lazy', 1]), node(2)], ['n2.out'], () => false)?.keys)
    .toEqual(['n1.lazy.1', 'n1.lazy.1', ''])
})

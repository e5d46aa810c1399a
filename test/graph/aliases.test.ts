import { expect, test } from 'vitest'
import { resolveAliases } from '../../src/graph/resolve/aliases.js'
import type { LinkedNode } from '../../src/graph/resolve/linked-node.js'

const definition = { inputs: { in: {} }, outputs: { out: {} } } as unknown as LinkedNode['definition']
const node = (index: number, from: string | null, delay?: number): LinkedNode =>
  ({
    index, id: `n${index}`, definition, params: {}, media: {}, tier: null,
    inputs: [{ link: 'in', port: 'in', from, ...(delay !== undefined && { delay, late: index }) }],
  })

test('a node that hands its own late output to itself is endless, found in rounds that its late links count, not all nodes', () => {
  const nodes = Array.from({ length: 20_000 }, (_, i) =>
    node(i, i === 19_999 ? 'n19999.out' : i === 0 ? null : `n${i - 1}.out`, i === 19_999 ? 128 : undefined))
  expect(resolveAliases(nodes, new Set(['n19999'])).endless?.id).toBe('n19999')
})

test('late links in a row, written against the order: each adds its delay', () => {
  const nodes = Array.from({ length: 50 }, (_, i) => node(i, i === 49 ? null : `n${i + 1}.out`, i === 49 ? undefined : 128))
  const removed = new Set(nodes.slice(0, 49).map(({ id }) => id))
  const { delays, origin, endless } = resolveAliases(nodes, removed)
  expect([endless, delays.get('n0.out'), origin.get('n0.out')]).toEqual([undefined, 49 * 128, 'n49.out'])
})

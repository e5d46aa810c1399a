/**
 * A declared, connected output that a node does not give (GR-27), in three topologies, as a value and
 * as a stream, item by item, on both threads.
 */
import { describe, expect, inject, test } from 'vitest'
import { createEngine, createRegistry, defineNode, graphFrom, json, type NodeDefinition, type Packet } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { listSink, numbers, pass } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const isolated = typeof window === 'undefined' || inject('isolated')
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const two = { inputs: { in: { media: json() } }, outputs: { out: { media: json() }, other: { media: json() } } } as const

/** Give `out` of two outputs, whole or packet by packet. Their text is all there is to them, so that they can cross to a thread. */
const batch: NonNullable<NodeDefinition['process']> = async (inputs) => ({
  out: await (inputs['in'] as unknown as { whole(): Promise<Packet> }).whole(),
})
const stream: NonNullable<NodeDefinition['process']> = async function* (inputs) {
  for await (const out of inputs['in'] as AsyncIterable<Packet>) yield { out: { ...out } }
}

/** Edges of `half.other`, and what reads it: one node; two nodes and the run; a `multi` input behind a node that changes nothing. */
const topologies = {
  linear: { edges: ['half-1.other->pass-1.in'], build: (other: never) => ({ x: pass(other) }) },
  branching: {
    edges: ['half-1.other->list-sink-1.in', 'half-1.other->pass-1.in', 'output z'],
    build: (other: never) => ({ x: listSink(other).items, y: pass(other), z: other }),
  },
  converging: {
    edges: ['half-1.other->all-1.in', 'half-1.other->pass-1.in'],
    build: (other: never, out: never) => ({ x: all([out, other, pass(other)] as never) }),
  },
} as const
const all = defineNode({
  ...base, type: 'test::all', inputs: { in: { media: json(), multi: true } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    const got = await Promise.all((inputs['in'] as unknown as { whole(): Promise<Packet> }[]).map((one) => one.whole()))
    return { out: { ...got[0]!, data: got.map(({ data }) => data) } }
  },
})

const half = (process: NonNullable<NodeDefinition['process']>, thread: 'engine' | 'worker' = 'engine') =>
  defineNode({ ...base, ...two, type: 'test::half', thread, process })
const failure = async (
  graph: object, options: object = {},
): Promise<{ code: string; message: string; nodeId: string; nodeType: string; port: string; details: Record<string, unknown> }> => {
  await using engine = await createEngine({ registry, workers: 2, arenaBytes: 16 * 1_048_576, ...options })
  return await engine.run(graph as never).then(() => { throw new Error('it ran') }, (error: unknown) => error as never)
}

describe.each(Object.entries(topologies))('%s', (_, { edges, build }) => {
  test.each([['batch', batch], ['stream', stream]] as const)('%s: node, port and every edge', async (_how, process) => {
    const one = half(process)(numbers([1, 2, 3]) as never), graph = graphFrom(build(one.other as never, one.out as never) as never)
    const error = await failure(graph)
    expect(error).toMatchObject({
      code: 'OUTPUT_INVALID', nodeId: 'half-1', nodeType: 'test::half', port: 'other',
      details: { port: 'half-1.other', expected: 'a packet', got: 'nothing' },
    })
    expect([...error.details['edges'] as string[]].sort()).toEqual(edges)
    for (const edge of edges) expect(error.message).toContain(edge)
  })
})

test.each((['engine', 'worker'] as const).flatMap((thread) => ([['batch', batch], ['stream', stream]] as const)
  .map(([how, process]) => [thread, how, process] as const)))('thread %s, %s', async (thread, _how, process) => {
    const one = half(process, thread)(numbers([1, 2, 3]) as never)
    for (const shared of isolated ? ['auto', false] as const : [false] as const) {
      expect(await failure({ x: pass(one.other) }, { shared })).toMatchObject({
        code: 'OUTPUT_INVALID',
        message: 'Port half-1.other: expected a packet, got nothing; edge half-1.other->pass-1.in.',
        details: { edges: ['half-1.other->pass-1.in'] },
      })
    }
  })

test('item by item; a packet of the wrong media; more edges than a message has room for', async () => {
  const list = defineNode({
    ...base, type: 'test::list', inputs: {}, outputs: { out: { media: json(), list: true } },
    process: () => Promise.resolve({
      out: { media: { kind: 'json' }, data: [1, 2], position: 0, duration: 2, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as const,
    }),
  })
  expect(await failure({ x: pass(half(batch)(list() as never).other) }))
    .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'half-1', port: 'other', details: { edges: ['half-1.other->pass-1.in'] } })
  const liar = half(() => Promise.resolve({ out: 5 as never, other: 5 as never }))
  expect(await failure({ x: pass(liar(numbers([1]) as never).out) })).toMatchObject({
    code: 'OUTPUT_INVALID', port: 'out',
    message: 'Port half-1.out: expected a packet, got 5; edge half-1.out->pass-1.in.',
  })
  const one = half(batch)(numbers([1]) as never)
  const many = await failure(Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`x${n}`, pass(one.other)])))
  expect(many.message).toMatch(/; edge half-1\.other->pass-1\.in, half-1\.other->pass-2\.in, half-1\.other->pass-3\.in and 3 more\.$/)
  expect(many.details['edges']).toHaveLength(6)
})

test('an output that nobody reads may be missing; an undeclared one is a warning, on both threads', async () => {
  await using engine = await createEngine({ registry, workers: 2, arenaBytes: 16 * 1_048_576 })
  for (const process of [batch, stream]) for (const thread of ['engine', 'worker'] as const) {
    const { outputs } = await engine.run({ x: listSink(half(process, thread)(numbers([4]) as never).out).items })
    expect(outputs.x.data).toEqual([4])
    const more = defineNode({
      ...base, inputs: two.inputs, outputs: { other: { media: json() } }, type: 'test::more', thread,
      process: async (inputs) => {
        const out = await (inputs['in'] as unknown as { whole(): Promise<Packet> }).whole()
        return { out, other: out }
      },
    })
    const { diagnostics } = await engine.run({ x: more(numbers([4]) as never) })
    expect(diagnostics.filter(({ code }) => code === 'OUTPUT_INVALID'))
      .toMatchObject([{ severity: 'warning', node: 'more-1', port: 'out' }])
  }
})

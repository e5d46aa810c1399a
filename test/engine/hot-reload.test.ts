/** A definition is replaced while a run is under way (GR-31): that run ends on the old code, the next one has the new. */
import { describe, expect, inject, test } from 'vitest'
import {
  audio, createEngine, createRegistry, defineNode, fromDocument, json, type AudioBuffer, type Engine, type NodeDefinition, type Packet,
  type Registry,
} from '../../src/index.js'
import type { AnyNode } from '../../src/graph/node-factory.js'
import * as nodes from '../../src/nodes/index.js'

const { gain } = nodes
const builtIn = Object.values(nodes).filter((one) => 'definition' in one) as never[]
const isolated = typeof window === 'undefined' || inject('isolated')
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const PACKETS = 6, FRAMES = 4_096
const mono = audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })

/** Opens its gate after three packets have been read, and goes on when the test says so. */
function gated() {
  let half = (): void => undefined, go = (): void => undefined
  const reached = new Promise<void>((resolve) => { half = resolve }), gate = new Promise<void>((resolve) => { go = resolve })
  /** Waits in the middle, unless it was there before. */
  const pass = async (n: number): Promise<void> => { if (n === PACKETS / 2) { half(); await gate } }
  return { reached, go, pass }
}
type Gate = ReturnType<typeof gated>

const numbersOf = ({ pass }: Gate) =>
  defineNode({ ...base, type: 'test::numbers', inputs: {}, outputs: { out: { media: json() } }, async *pull() {
    for (let n = 0; n < PACKETS; n++) {
      await pass(n)
      yield { out: { media: { kind: 'json' }, data: n, position: n, duration: 1, streamId: '', seq: n, arrivalUs: 0, metadata: {} } }
    }
  } })
const toneOf = ({ pass }: Gate) =>
  defineNode({ ...base, type: 'test::tone', inputs: {}, outputs: { out: { media: mono } }, async *pull(_params, ctx) {
    for (let n = 0; n < PACKETS; n++) {
      await pass(n)
      const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: FRAMES })
      data.channel(0).fill(0.1)
      yield {
        out: {
          media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' },
          data, position: n * FRAMES, duration: FRAMES, streamId: '', seq: n, arrivalUs: 0, metadata: {},
        },
      }
    }
  } })
/** A generator that adds; its text is all there is to it, so that it can cross to a thread. */
const adder = (thread: 'engine' | 'worker', process: NonNullable<NodeDefinition['process']>) =>
  defineNode({ ...base, type: 'test::adder', thread, inputs: { in: { media: json() } }, outputs: { out: { media: json() } }, process })
const one: NonNullable<NodeDefinition['process']> = async function* (inputs) {
  for await (const packet of inputs['in'] as AsyncIterable<Packet>) yield { out: { ...packet, data: packet.data as number + 1 } }
}
const hundred: NonNullable<NodeDefinition['process']> = async function* (inputs) {
  for await (const packet of inputs['in'] as AsyncIterable<Packet>) yield { out: { ...packet, data: packet.data as number + 100 } }
}

/** A kernel node that doubles, or makes ten of one: `gain` with other slots and another reference. */
const level = (factor: number): AnyNode => {
  const { kernel, reference } = gain.definition as NodeDefinition
  return defineNode({ ...gain.definition, type: 'test::level', aliases: [], params: {}, inputs: { in: { media: mono } },
    kernel: { ...kernel!, slots: () => [factor, 0], controls: () => [] }, validate: () => [],
    reference: {
      ...reference!,
      init: () => ({ sign: 1, first: factor, last: factor }),
      process: (s: { last: number }, io: Parameters<NonNullable<typeof reference>['process']>[1]) => {
        for (let n = 0; n < io.frames; n++) io.outputs[0]!.channels[0]![n] = Math.fround(io.inputs[0]!.channels[0]![n]! * s.last)
        return io.frames
      },
    } } as never) as never
}

const chain = (source: string, middle: string, sink: string) => ({
  millrace: 1,
  nodes: [{ id: 'source', type: source }, { id: 'middle', type: middle }, { id: 'end', type: sink }, { id: 'aside', type: sink }],
  edges: [
    { from: ['source', 'out'], to: ['middle', 'in'] },
    { from: ['middle', 'out'], to: ['end', 'in'] },
    { from: ['source', 'out'], to: ['aside', 'in'] },
  ],
  outputs: { out: ['end', sink === 'core::list-sink' ? 'items' : 'out'], aside: ['aside', sink === 'core::list-sink' ? 'items' : 'out'] },
})

/**
 * Runs a document, replaces the type in its middle, and runs it again: what both gave, and the nodes whose work the
 * second one could not have taken from the first.
 */
async function reload(
  engine: Engine, registry: Registry, gate: Gate, document: object, renewed: AnyNode, data: (outputs: Record<string, Packet>) => unknown,
) {
  const executed = new Set<string>(), again: string[] = []
  const note = async (graph: ReturnType<typeof fromDocument>): Promise<void> => {
    for (const { id, hash } of (await engine.plan(graph)).nodes) if (!executed.has(hash)) { executed.add(hash); again.push(id) }
  }
  const first = fromDocument(document as never, registry)
  await note(first)
  again.splice(0)
  const running = engine.run(first)
  await gate.reached
  registry.replace(renewed)
  const second = fromDocument(document as never, registry)
  gate.go()
  using before = await running
  const old = data(before.outputs as Record<string, Packet>)
  await note(second)
  using after = await engine.run(second)
  return { old, now: data(after.outputs as Record<string, Packet>), again }
}

describe('a node written in TypeScript', () => {
  const modes = (['engine', 'worker'] as const)
    .flatMap((thread) => (isolated ? [true, false] : [false]).map((shared) => [thread, shared] as const))
  test.each(modes)('thread %s, shared memory %s: three packets before, three after, one code', async (thread, shared) => {
    const gate = gated(), registry = createRegistry(...builtIn, numbersOf(gate), adder(thread, one))
    await using engine = await createEngine({ registry, workers: 2, shared: shared ? 'auto' : false, arenaBytes: 16 * 1_048_576 })
    const { old, now, again } = await reload(
      engine, registry, gate, chain('test::numbers', 'test::adder', 'core::list-sink'), adder(thread, hundred), ({ out }) => out!.data,
    )
    expect(old).toEqual([1, 2, 3, 4, 5, 6])
    expect(now).toEqual([100, 101, 102, 103, 104, 105])
    expect(again).toEqual(['middle', 'end'])
  })
})

describe('a kernel node', () => {
  const tiers = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 0], ['wasm', 2], ['js', 0]] as const
  test.each(tiers)('%s, %i workers', async (tier, workers) => {
    const gate = gated(), registry = createRegistry(...builtIn, toneOf(gate), level(2))
    await using engine = await createEngine({ registry, tier, workers, arenaBytes: 16 * 1_048_576 })
    const samples = ({ out }: Record<string, Packet>): number[] => Array.from({ length: PACKETS }, (_, n) =>
      Number((out!.data as AudioBuffer).channel(0)[n * FRAMES + 1]!.toFixed(3)))
    const { old, now, again } = await reload(engine, registry, gate, chain('test::tone', 'test::level', 'audio::gain'), level(10), samples)
    expect(old).toEqual(Array(PACKETS).fill(0.2))
    expect(now).toEqual(Array(PACKETS).fill(1))
    expect(again).toEqual(['middle', 'end'])
  })
})

test('instances: the old one ends with its run, the new code makes its own; many reloads keep few of them', async () => {
  const counts = new Map<number, [init: number, dispose: number]>(), registry = createRegistry(...builtIn)
  const versioned = (n: number): AnyNode => {
    counts.set(n, [0, 0])
    return defineNode({ ...base, type: 'test::versioned', inputs: {}, outputs: { out: { media: json() } },
      init: () => { counts.get(n)![0]++; return n }, reset: () => undefined, dispose: () => { counts.get(n)![1]++ },
      process: (_inputs, _params, ctx) => Promise.resolve({
        out: {
          media: { kind: 'json' }, data: ctx.instance, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        } as const,
      }) }) as never
  }
  registry.add(versioned(0))
  const engine = await createEngine({ registry, workers: 0 })
  const document = { millrace: 1, nodes: [{ id: 'a', type: 'test::versioned' }], edges: [], outputs: { out: ['a', 'out'] } }
  const hashes = new Set<string>()
  for (let n = 0; n < 100; n++) {
    if (n > 0) registry.replace(versioned(n))
    const graph = fromDocument(document as never, registry)
    // The functions of all versions read the same: what they close over is what differs.
    hashes.add((await engine.plan(graph)).nodes[0]!.hash)
    for (let twice = 0; twice < 2; twice++) {
      expect((await engine.run(graph) as { outputs: Record<string, Packet> }).outputs['out']!.data).toBe(n)
    }
  }
  expect(hashes.size).toBe(100)
  expect([...counts.values()].map(([made]) => made)).toEqual(Array(100).fill(1))
  expect([...counts.values()].filter(([, gone]) => gone === 0)).toHaveLength(64)
  await engine.close()
  expect([...counts.values()].every(([made, gone]) => made === gone)).toBe(true)
})

/**
 * What planning makes of feedback (GR-12, EX-06): no graph hangs it, long delays keep their blocks,
 * what cannot fit is told before anything runs.
 */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, feedback, graphFrom, type Graph, type OutputRef } from '../../src/index.js'
import { audioBuffer, gain, mix, switchTo } from '../../src/nodes/index.js'
import type { ResolvedNode } from '../../src/schedule/resolved-graph.js'
import { groupSegments } from '../../src/schedule/segments.js'

type Sound = OutputRef<'audio'>
const RATE = 16_000
const echo = (x: Sound, delayFrames: number): Sound => feedback({ delayFrames }, (late: Sound) => mix([x, gain(late, { gainDb: -6 })]))
const sound = (): Sound => audioBuffer({ data: [new Float32Array(1_000)], rate: RATE }) as Sound

/** F → h → m and F → m late; m only runs when a switch asks for it, F is a run output. */
function askedInPart(): Graph {
  const s = sound(), f = gain(s, { gainDb: 1 }), m = mix([gain(f, { gainDb: 2 }), gain(f, { gainDb: 3 })])
  const whole = graphFrom({ out: switchTo([m, gain(s, { gainDb: 4 })], { which: 1 }), f })
  const idOf = (db: number): string => whole.nodes.find(({ params }) => params['gainDb'] === db)!.id
  const third = idOf(3)
  return {
    ...whole, nodes: whole.nodes.filter(({ id }) => id !== third),
    edges: whole.edges.filter(({ to }) => to[0] !== third)
      .map((edge) => edge.from[0] === third ? { ...edge, from: [idOf(1), 'out'], delayFrames: 200 } : edge),
  }
}

test('a knot of which only a part waits to be asked for is refused, and does not hang the planner', async () => {
  const input = (link: string, from: string, delay?: number): object => ({ link, port: 'in', from, ...(delay !== undefined && { delay }) })
  const node = (index: number, id: string, inputs: object[]): ResolvedNode => ({
    index, id, tier: 'wasm', definition: { inputs: { in: {} }, outputs: {} }, params: {}, inputs, media: {}, estUs: 1,
  }) as unknown as ResolvedNode
  const nodes = [
    node(0, 'F', []), node(1, 'h', [input('in', 'F.out')]),
    node(2, 'm', [input('in.0', 'h.out'), input('in.1', 'F.out', 200)]),
  ]
  const knots = Int32Array.of(0, 0, 0)
  expect(groupSegments(nodes, new Map(), new Set(), 0, [], ['', '', ''], knots)).toEqual([{ nodes: [0, 1, 2], feed: 'chunks' }])
  expect(() => groupSegments(nodes, new Map(), new Set(), 0, [], ['', 's.in.0', 's.in.0'], knots))
    .toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  await using engine = await createEngine({ tier: 'wasm', workers: 0 })
  await expect(engine.run(askedInPart())).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('a long delay leaves the block of its segment as it is, and what stands behind it small', async () => {
  await using engine = await createEngine({ tier: 'wasm', workers: 0 })
  const behind = (delayFrames: number): Promise<{
    readonly segments: readonly { readonly blockFrames: number }[]
    readonly buffers: readonly { readonly value: string; readonly bytes: number }[]
  }> =>
    engine.plan({ x: gain(gain(gain(echo(sound(), delayFrames), { gainDb: 1 }), { gainDb: 2 }), { gainDb: 3 }) })
  const short = await behind(4_800), long = await behind(480_000)
  expect(long.segments.map(({ blockFrames }) => blockFrames)).toEqual(short.segments.map(({ blockFrames }) => blockFrames))
  const afterIt = ({ buffers }: typeof short): number[] => buffers.map(({ bytes }) => bytes).sort((a, b) => a - b).slice(0, -1)
  expect(afterIt(long)).toEqual(afterIt(short))
})

test('a delay that no arena holds is RESOURCE_EXHAUSTED, of a source that tells its length or not', async () => {
  const live = defineNode({
    type: 'test::live', version: '1.0.0', title: 'Live', doc: 'Nothing, of unknown length.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }) } },
    pull: async function* () { /* nothing */ },
  })
  await using engine = await createEngine({ tier: 'wasm', workers: 0 })
  for (const source of [sound(), live() as Sound]) {
    await expect(engine.run({ x: echo(source, 5e8) })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    let out!: Sound
    feedback({ delayFrames: 5e8 }, (late: Sound) => gain(out = mix([source, late]), { gainDb: -6 }))
    await expect(engine.run({ x: out })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  }
})

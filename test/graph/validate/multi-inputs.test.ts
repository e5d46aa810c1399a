/**
 * Run-time inputs into a `multi` input that has edges (spec graph.md section 1, `inputs`): behind the edges, in
 * order of declaration, up to the limit of links.
 */
import { describe, expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, validate, type AudioBuffer, type Graph } from '../../../src/index.js'
import { canConnect } from '../../../src/graph/connect/can-connect.js'
import { gain, mix } from '../../../src/nodes/index.js'

const registry = createRegistry(gain, mix)
/** Two gains of run-time inputs into a mix with a gain per link, and run-time inputs `c` and `d` straight into it. */
function graph(change: { readonly order?: number; readonly to?: readonly (readonly [string, string])[] } = {}): Graph {
  return fromDocument({
    millrace: 1,
    inputs: { a: { to: [['g', 'in']] }, b: { to: [['h', 'in']] }, c: { to: change.to ?? [['m', 'in']] }, d: { to: [['m', 'in']] } },
    nodes: [
      { id: 'g', type: 'audio::gain' }, { id: 'h', type: 'audio::gain' },
      { id: 'm', type: 'audio::mix', params: { gainDb: [0, -20, -40, -60] } },
    ],
    edges: [
      { from: ['g', 'out'], to: ['m', 'in'], ...(change.order !== undefined && { order: change.order }) },
      { from: ['h', 'out'], to: ['m', 'in'] },
    ],
    outputs: { sum: ['m', 'out'] },
  }, registry)
}
const codes = (one: Graph, limits = {}): unknown =>
  validate(one, registry, undefined, { limits }).filter(({ severity }) => severity === 'error').map(({ code, pointer }) => [code, pointer])

describe('run-time inputs into a multi input that has edges', () => {
  test('are allowed up to the limit of links; one input twice into one port is not', () => {
    expect(codes(graph())).toEqual([])
    expect(codes(graph(), { linksPerInput: 4 })).toEqual([])
    expect(codes(graph(), { linksPerInput: 3 })).toEqual([['LIMIT_EXCEEDED', '/inputs/d/to/0']])
    expect(codes(graph({ to: [['m', 'in'], ['m', 'in']] }))).toEqual([['INPUT_OCCUPIED', '/inputs/c/to/1']])
    expect(codes(graph({ to: [['g', 'in']] }))).toEqual([['INPUT_OCCUPIED', '/inputs/c/to/0']])
  })

  test('are counted by who counts links, though nobody knows their media yet', () => {
    const media = { kind: 'audio' as const, rate: 8_000, channels: 1, format: 'f32' as const, layout: 'planar' as const }, one = graph()
    const known = { ...one, inputs: new Map([...one.inputs].map(([name, input]) => [name, name < 'c' ? { ...input, media } : input])) }
    expect(codes(known)).toEqual([])
    expect(codes({ ...known, inputs: new Map([...known.inputs].slice(0, 3).map(([name, input]) => [name, { ...input, media }])) }))
      .toEqual([['PARAM_INVALID', '/nodes/2/params/gainDb']])
  })

  test('canConnect allows an edge beside them, and counts them', () => {
    const one = { ...graph(), edges: graph().edges.slice(0, 1) }
    expect(canConnect(one, ['h', 'out'], ['m', 'in'], { registry })).toBeNull()
    expect(canConnect(one, ['h', 'out'], ['m', 'in'], { registry, limits: { linksPerInput: 3 } })).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(canConnect(one, ['m', 'out'], ['g', 'in'], { registry })).toMatchObject({ code: 'GRAPH_CYCLE' })
  })

  test.each([
    [undefined, [1, 10, 100, 1000]], [1_000, [10, 1, 100, 1000]], [-5, [1, 10, 100, 1000]],
  ])('come behind the edges, whatever order those say: order %s', async (order, weights) => {
    await using engine = await createEngine({ registry, tier: 'js' })
    const sound = (level: number): AudioBuffer =>
      engine.audio.from([new Float32Array(100).fill(level)], { rate: 8_000, channels: 1 }, { copy: true })
    for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
      const inputs = Object.fromEntries(['a', 'b', 'c', 'd'].map((one) => [one, sound(one === name ? 1 : 0)]))
      using result = await engine.run(graph(order === undefined ? {} : { order }), { inputs })
      const { data } = result.outputs['sum'] as { readonly data: AudioBuffer }
      // Link n of the mix is 20·n dB down.
      expect(data.channel(0)[50]).toBeCloseTo(1 / weights[i]!, 6)
    }
  })
})

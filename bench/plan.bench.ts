/**
 * Question: what does a plan cost before the first sample, and what do metrics cost after the last (EX-01, EX-65)? Hypothesis: 1 000 nodes
 * below 50 ms, also with as many lazy links, 50 nodes 100 times a second, metrics of a run of 100 nodes below 100 µs and 1 % of its time.
 */
import type { NodeDefinition } from '../src/graph/node-definition.js'
import { createGraph, type Graph } from '../src/graph/graph.js'
import { createEngine, type Engine } from '../src/index.js'
import { toPcm16 } from '../src/nodes/audio/convert.js'
import { gain } from '../src/nodes/audio/gain.js'
import { mix } from '../src/nodes/audio/mix.js'
import { resample } from '../src/nodes/audio/resample.js'
import { audioBuffer } from '../src/nodes/io/audio-buffer.js'
import { vad } from '../src/nodes/voice/vad.js'
import { bench } from './support/bench.js'
import { switchBehindChain, switchLadder, wideSwitch } from './support/lazy-graphs.js'

/**
 * Lanes of `length` nodes from one source to one mixer: about lanes × length nodes. `busy`: resamplers and
 * detectors among the gains, as in real graphs.
 */
export function lanes(data: unknown, count: number, length: number, busy: boolean): Graph {
  const source = { id: 'in', type: 'io::audio-buffer', definition: audioBuffer.definition as NodeDefinition, params: { data } }
  const nodes: Graph['nodes'][number][] = [source], edges: Graph['edges'][number][] = []
  const outputs = new Map<string, readonly [string, string]>()
  for (let lane = 0; lane < count; lane++) {
    let from: readonly [string, string] = ['in', 'out']
    for (let i = 0; i < length; i++) {
      const id = `n${lane}-${i}`, last = i === length - 1
      const node = busy && i === 1 ? { node: resample, params: { rate: 16_000 } }
        : busy && last ? { node: vad, params: {} }
        : { node: gain, params: { gainDb: -0.1 - i / 10 } }
      nodes.push({ id, type: node.node.definition.type, definition: node.node.definition as NodeDefinition, params: node.params })
      edges.push({ from: [from[0], from[1]], to: [id, 'in'] })
      from = [id, busy && last ? 'audio' : 'out']
    }
    edges.push({ from: [from[0], from[1]], to: ['mix', 'in'], order: lane })
    if (busy) outputs.set(`segments${lane}`, [`n${lane}-${length - 1}`, 'segments'])
  }
  nodes.push({ id: 'mix', type: 'audio::mix', definition: mix.definition as NodeDefinition, params: {} })
  outputs.set('mix', ['mix', 'out'])
  return { ...createGraph(), nodes, edges, outputs } as Graph
}

export const plans = bench('plan', async (b) => {
  const engine = await createEngine({ workers: 0 }), data = engine.audio.alloc({ rate: 48_000, channels: 2, frames: 4_800 })
  const ask = (graph: Graph) => (): Promise<unknown> => engine.plan(graph)
  const small = lanes(data, 4, 12, true), large = lanes(data, 20, 50, false), mixed = lanes(data, 20, 50, true)
  const chain = (): Promise<unknown> => {
    const speech = resample(audioBuffer(data), { rate: 16_000 })
    return engine.plan({ segments: vad(speech).segments, pcm: toPcm16(speech) })
  }
  const four = await b.compare('four node calls', { 'engine.plan': chain }, { unit: { name: 'plans', count: 1 }, rounds: 10 })
  const fifty = await b.compare(`${small.nodes.length} nodes: gains, resamplers, detectors`, { 'engine.plan': ask(small) }, {
    unit: { name: 'plans', count: 1 }, rounds: 10,
  })
  const thousand = await b.compare(`${large.nodes.length} nodes`, { 'gains': ask(large), 'gains, resamplers, detectors': ask(mixed) }, {
    unit: { name: 'nodes', count: large.nodes.length }, rounds: 6,
  })
  const lazy = await b.compare('1 000 nodes with lazy links', {
    'a switch over 1 000 branches': ask(wideSwitch(1_000)), '500 before a switch over 500': ask(switchBehindChain(500, 500)),
    '500 switches in a row': ask(switchLadder(500)),
  }, { unit: { name: 'nodes', count: 1_001 }, rounds: 6 })
  const times = thousand.variants.map((v) => v.p50Ms), asked = lazy.variants.map((v) => v.p50Ms)
  b.note(`four calls ${four.variants[0]!.p50Ms.toFixed(2)} ms; ${fifty.variants[0]!.perSecond!.toFixed(0)} plans of ${small.nodes.length} nodes a second (bar 100); ${large.nodes.length} nodes ${times.map((t) => t.toFixed(1)).join(' and ')} ms (bar 50), with lazy links ${asked.map((t) => t.toFixed(1)).join(', ')} ms, ${Math.max(...times, ...asked) < 50 ? 'met' : 'missed'}`)
  await engine.close()
}, ['node'])

export const metrics = bench('metrics', async (b) => {
  const engine = await createEngine({ workers: 0 }), data = engine.audio.alloc({ rate: 48_000, channels: 1, frames: 4 * 48_000 })
  data.channel(0).fill(0.25)
  const graph = lanes(data, 7, 14, false)
  const once = (own: Engine, on: boolean) => async (): Promise<void> => { (await own.run(graph, { metrics: on })).close() }
  const row = await b.compare(`run of ${graph.nodes.length} nodes over 4 s`, {
    'metrics on': once(engine, true), 'metrics off': once(engine, false),
  }, { rounds: 40, roundMs: 40 })
  const [on, off] = row.variants
  b.note(`metrics cost ${((on!.p50Ms - off!.p50Ms) * 1e3).toFixed(0)} µs by the medians, ${((on!.minMs - off!.minMs) * 1e3).toFixed(0)} µs by the least times (bar 100), ${((on!.p50Ms / off!.p50Ms - 1) * 100).toFixed(1)} % of the run (bar 1 % of node time)`)
  await engine.close()
}, ['node'])

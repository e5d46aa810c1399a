/**
 * `validate` and planning agree (GR-48, GR-53): what one refuses the other refuses, with the same code and words. Random
 * graphs; how many: `MILLRACE_AGREE_GRAPHS`.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createEngine, createRegistry, hostFacts, isMillraceError, validate, type Engine, type Graph, type Media, type Tier,
} from '../../../src/index.js'
import * as nodes from '../../../src/nodes/index.js'
import { collect, drawnGraphs, graphOf, script, sound, sounds, type Choices } from '../../support/planned-graphs.js'
import { encodeTestWav } from '../../support/wav-of.js'

const {
  channels, convert, difference, gain, merge, mix, resample, select, split, swap, buffer, listSink, listSource, map, numbers, pass,
  switchTo, wavFile, wavWriter, add, divide, textSink, segmenter, vad,
} = nodes
const registry = createRegistry(
  channels, convert, difference, gain, merge, mix, resample, select, split, swap, buffer, listSink, listSource, map, numbers, pass,
  switchTo, wavFile, wavWriter, add, divide, textSink, segmenter, vad, sound, script, sounds, collect,
)
const COUNT = Number(process.env['MILLRACE_AGREE_GRAPHS'] ?? 150), SEED = Number(process.env['MILLRACE_AGREE_SEED'] ?? 5)
const TIERS = [undefined, undefined, undefined, 'js', 'wasm', 'auto', ['wasm-threads', 'js']]

/** Loops of kernels, with what may not stand in one. */
const LOOPS: Choices = {
  registry, late: 25, back: 2, modes: 3, tiers: TIERS,
  types: [
    ['test::sound'], ['test::sound', { channels: 2 }], ['audio::mix'], ['audio::mix'], ['audio::gain'], ['audio::gain'],
    ['audio::resample', { rate: 16_000 }, { rate: 8_000 }], ['audio::swap'], ['audio::split'], ['voice::vad'], ['core::switch'],
    ['test::script'], ['test::sounds'], ['audio::channels', { to: 1 }, { to: 2 }],
  ],
  policies: [undefined, undefined, undefined, undefined, { pin: 'main' }, { exclusive: true }, { timeoutMs: 1_000 }, { limiters: ['cpu'] }],
}
/** Any of the built-in nodes. */
const ALL: Choices = {
  ...LOOPS, late: 3, back: 1, modes: 12,
  policies: [...LOOPS.policies, undefined, undefined, undefined, { skipIf: true }, { skipIf: { absent: 'in' } }],
  types: [
    ...LOOPS.types, ['io::wav-file', { path: encodeTestWav(new Float32Array(100), 8_000) }, { path: 'nowhere.wav' }],
    ['audio::convert', { format: 'i16' }, { format: 'u8' }, {}], ['audio::difference'], ['audio::merge'],
    ['audio::select', { first: 0 }, { first: 1 }, { first: 1, count: 2 }],
    ['core::buffer', { size: 2 }], ['core::list-sink'], ['core::list-source', { items: [1] }, {}], ['core::map', { op: 'square' }, {}],
    ['core::numbers'], ['core::pass'], ['io::wav-writer', { path: 'a.wav' }, {}], ['math::add', { addend: 'x' }, { adend: 1 }, {}],
    ['math::divide'], ['text::sink'], ['voice::segmenter'], ['test::collect'],
  ],
}

/** What planning asks sources for, in advance. */
async function probed(graph: Graph): Promise<ReadonlyMap<string, Media>> {
  const known = new Map<string, Media>()
  for (const { id, definition, params } of graph.nodes) {
    const told = await definition?.probe?.(params, { signal: new AbortController().signal }).catch(() => undefined)
    for (const [port, media] of Object.entries(told?.media ?? {})) known.set(`${id}.${port}`, media)
  }
  return known
}

describe.each(['js', 'wasm'] as const)('validate and planning agree in tier %s', (tier: Tier) => {
  let engine: Engine
  beforeAll(async () => { engine = await createEngine({ registry, tier, workers: 0 }) })
  afterAll(() => engine.close())

  test.each([['loops', LOOPS, 6], ['all nodes', ALL, 8]] as const)('%s', async (_name, choices, most) => {
    let good = 0, bad = 0
    await fc.assert(fc.asyncProperty(drawnGraphs(most), async (drawn) => {
      const { graph, values } = graphOf(drawn, choices), known = await probed(graph)
      const errors = validate(graph, registry, { ...hostFacts(), engineTier: tier, fallbackReported: true }, { known })
        .filter(({ severity }) => severity === 'error')
      const thrown = await engine.plan(graph, { inputs: values }).then(() => undefined, (error: unknown) => error)
      const open = [...graph.inputs.values()].some(({ media }) => media === undefined)
      if (thrown !== undefined && !isMillraceError(thrown)) throw thrown as Error
      const told = thrown && `${thrown.code}: ${thrown.message}`, words = errors.map(({ code, message }) => `${code}: ${message}`)
      if (thrown === undefined) good++; else bad++
      // What a value turns out to be only planning knows.
      if (errors.length === 0 && open) return
      // Nobody asks the sources of a graph that is refused anyway.
      if (graph.inputs.size === 0 && known.size === 0) expect([told, words]).toEqual([words[0], words])
      // There an input is a node, so that what is found stands in another order; and what an undeclared
      // value is may be wrong beside the rest.
      else if (errors.length === 0 || open) expect(thrown === undefined, words.join('\n') + String(told)).toBe(errors.length === 0)
      else expect(errors.map(({ code }) => code), words.join('\n')).toContain(thrown?.code)
    }), { numRuns: COUNT, seed: SEED })
    // Neither is all that is drawn.
    expect(Math.min(good, bad) / COUNT).toBeGreaterThan(0.05)
  }, 600_000)
})

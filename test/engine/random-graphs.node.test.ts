import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, type AnyHandle, type AudioBuffer, type Engine } from '../../src/index.js'
import { audioBuffer, channels, gain, mix, vad } from '../../src/nodes/index.js'

/** One node of a random graph: which earlier nodes it reads, and what it does. Node 0 and 1 are sources. */
interface Drawn { readonly kind: 'gain' | 'mix' | 'mono' | 'stereo' | 'vad'; readonly reads: readonly number[]; readonly value: number }

const RATE = 8_000
const graphs = fc.array(fc.record({
  kind: fc.constantFrom<Drawn['kind']>('gain', 'gain', 'mix', 'mono', 'stereo', 'vad'),
  reads: fc.array(fc.nat(50), { minLength: 1, maxLength: 3 }), value: fc.integer({ min: -20, max: 6 }),
}), { minLength: 1, maxLength: 10 })
const lengths = fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 1, max: 9_000 }))

/** A source's samples: different in every position, so that a shifted or lost block shows. */
function ramp(frames: number, seed: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, n) => Math.fround(Math.sin(n * 0.37 + seed) * 0.5))
}

type Out = ReturnType<typeof gain>
/** Applies node `i` to what it reads. */
function call(node: Drawn, inputs: readonly Out[]): Out {
  const [first] = inputs
  switch (node.kind) {
    case 'gain': return gain(first!, { gainDb: node.value })
    case 'mix': return mix([...inputs]) as never
    case 'mono': return channels(first!, { to: 1, mode: 'mean' }) as never
    case 'stereo': return channels(first!, { to: 2 }) as never
    case 'vad': return vad(first!).audio as never
  }
}
const readsOf = (node: Drawn, index: number): number[] =>
  [...new Set(node.reads.slice(0, node.kind === 'mix' ? 3 : 1).map((r) => r % index))]

/** Every node's output, from one run of the whole graph. */
async function fused(
  engine: Engine, drawn: readonly Drawn[], sources: readonly AudioBuffer[], blockFrames: number,
): Promise<Float32Array[][]> {
  const handles: Out[] = sources.map((buffer) => audioBuffer(buffer) as never)
  drawn.forEach((node, i) => { handles.push(call(node, readsOf(node, i + 2).map((r) => handles[r]!))) })
  const outputs = Object.fromEntries(handles.slice(2).map((handle, i) => [`n${i}`, handle as AnyHandle]))
  using result = await engine.run(outputs as never, { blockFrames })
  return drawn.map((_, i) => planes((result.outputs as Record<string, { data: AudioBuffer }>)[`n${i}`]!.data))
}

/** The same, one run per node: the oracle. */
async function oneByOne(engine: Engine, drawn: readonly Drawn[], sources: readonly AudioBuffer[]): Promise<Float32Array[][]> {
  const values: AudioBuffer[] = [...sources], results: { close(): void }[] = []
  for (const [i, node] of drawn.entries()) {
    const result = await engine.run({ out: call(node, readsOf(node, i + 2).map((r) => audioBuffer(values[r]!) as never)) as never })
    values.push((result.outputs as unknown as { out: { data: AudioBuffer } }).out.data)
    results.push(result)
  }
  const all = values.slice(2).map(planes)
  for (const result of results) result.close()
  return all
}

const planes = (buffer: AudioBuffer): Float32Array[] => Array.from({ length: buffer.channels }, (_, c) => buffer.channel(c).slice())

describe('random graphs', () => {
  const engines: Engine[] = []
  let oracle: Engine
  beforeAll(async () => {
    oracle = await createEngine({ tier: 'js', arenaBytes: 16 * 1_048_576 })
    for (const o of [{ workers: 0 }, { workers: 1 }, { workers: 4 }, { workers: 2, tier: 'wasm' as const }]) {
      const engine = await createEngine({ ...o, arenaBytes: 32 * 1_048_576 })
      engines.push(engine);
      // Starts the workers, whose stacks and scratch stay.
      (await engine.run({ out: gain(audioBuffer({ data: [ramp(100, 0)], rate: RATE })) })).close()
    }
  })
  afterAll(async () => { await Promise.all([oracle, ...engines].map((engine) => engine.close())) })

  test('fused, split, threaded or moved: the bits of running node by node; nothing stays allocated', async () => {
    const used = new Map<Engine, number>()
    await fc.assert(fc.asyncProperty(graphs, lengths, fc.constantFrom(64, 100, 4_096), async (drawn, [a, b], blockFrames) => {
      const make = (engine: Engine): AudioBuffer[] => [a, b].map((frames, seed) =>
        engine.audio.from([ramp(frames, seed)], { rate: RATE, channels: 1 }, { copy: true }))
      const asked = make(oracle), expected = await oneByOne(oracle, drawn, asked)
      for (const buffer of asked) buffer.close()
      for (const engine of engines) {
        const sources = make(engine), got = await fused(engine, drawn, sources, blockFrames)
        for (const buffer of sources) buffer.close()
        expect(got).toEqual(expected)
        const left = engine.stats().arena.usedBytes
        expect(left).toBe(used.get(engine) ?? left)
        used.set(engine, left)
      }
    }), { numRuns: 25, seed: 11 })
  }, 120_000)

  test('200 repeats of one graph print the same plan', async () => {
    const [engine] = engines
    const source = engine!.audio.from([ramp(4_000, 0)], { rate: RATE, channels: 1 }, { copy: true })
    const graph = (): Record<string, Out> => {
      const g = gain(audioBuffer(source) as never, { gainDb: -3 })
      return { a: mix([g, gain(g)]) as never, b: channels(g, { to: 2 }) as never }
    }
    const first = JSON.stringify(await engine!.plan(graph() as never))
    for (let n = 0; n < 200; n++) expect(JSON.stringify(await engine!.plan(graph() as never))).toBe(first)
    source.close()
  }, 60_000)
})

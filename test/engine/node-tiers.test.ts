/**
 * A node's tier outranks that of its engine (GR-43): whatever the host can give, in one engine;
 * results, reported tiers, memory that comes back.
 */
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import {
  audio, createEngine, createGraph, createRegistry, defineNode, feedback, hostFacts, validate, type Engine, type EngineOptions,
  type RunResult, type Tier,
} from '../../src/index.js'
import { ArenaAudio } from '../../src/memory/audio-buffer.js'
import { WINDOW } from '../../src/memory/layout.js'
import { audioBuffer, gain, mix, toPcm16, vad } from '../../src/nodes/index.js'
import { audioChunks } from '../support/audio-chunks.js'
import type { Loose } from '../support/loose.js'
import { speechLike } from '../support/speech-like.js'

const RATE = 16_000, SAMPLES = speechLike({ rate: RATE, seconds: 1, seed: 11 })
const isolated = typeof window === 'undefined' || inject('isolated')
const TIERS = ['wasm-threads', 'wasm', 'js'] as const, HERE = TIERS.filter((tier) => isolated || tier !== 'wasm-threads')
const louder = gain as Loose, detect = vad as Loose
const engines: Engine[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})
const open = async (options: EngineOptions): Promise<Engine> => {
  const engine = await createEngine({ arenaBytes: 2 ** 24, workers: 0, ...options })
  engines.push(engine)
  return engine
}

/** Odd pieces of the samples; fails, or never goes on, after some. */
const pieces = defineNode({
  type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Audio in pieces.', family: 'test', inputs: {}, deterministic: 'no',
  params: {
    failAt: { type: 'integer', default: -1, doc: 'Piece that fails.' },
    hangAt: { type: 'integer', default: -1, doc: 'Piece that never comes.' },
  },
  outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }) } },
  pull: ({ failAt, hangAt }, ctx) => audioChunks(ctx, SAMPLES, [1, 777, 4_096, 5], RATE, async (packet) => {
    if (packet === failAt) throw new Error('no more')
    if (packet !== hangAt) return
    await new Promise((_, reject) => { ctx.signal.addEventListener('abort', () => { reject(ctx.signal.reason as Error) }) })
  }),
}) as Loose

const tiersOf = (result: Pick<RunResult, 'metrics'>): Record<string, string> =>
  Object.fromEntries(result.metrics.nodes.flatMap(({ id, tier, kernelCalls }) => kernelCalls > 0 ? [[id, tier]] : []))
/** Outputs as texts: long lists are compared at once. */
const plain = (result: Loose): Record<string, string> => Object.fromEntries(Object.entries(result.outputs as Loose)
  .map(([name, { data }]: Loose) => [name, JSON.stringify([...data?.toArray?.() ?? data])]))
async function runPlain(engine: Engine, target: Loose): Promise<{ values: Record<string, string>; result: Loose }> {
  using result: Loose = await engine.run(target)
  return { values: plain(result), result }
}

/** Kernels in a row and side by side, a join, events, a conversion; `tiers` for four of them. */
function graphOf(source: Loose, [a, b, c, d]: readonly (unknown)[]): Loose {
  const of = (node: Loose, tier: unknown, id: string): Loose => (tier === undefined ? node : node.with({ tier })).named(id)
  const first = of(louder, a, 'a')(source, { gainDb: 3 })
  const second = of(louder, b, 'b')(first, { gainDb: -9 })
  const found = of(detect, c, 'c')(second)
  return { pcm: (toPcm16 as Loose)(of(mix as Loose, d, 'd')([first, second])), frames: found.frames, segments: found.segments }
}

describe('every tier that the host has, in every engine', () => {
  test.each(HERE)('an engine of %s: the nodes\' own tiers ran, the values are the same, all memory comes back', async (own) => {
    const plainJs = await open({ tier: 'js' }), { values: want } = await runPlain(plainJs, graphOf(pieces(), []))
    expect(want['frames']).toContain('1')
    const engine = await open({ tier: own })
    for (const [turn, source] of [pieces(), audioBuffer({ data: [SAMPLES], rate: RATE }), pieces()].entries()) {
      const [a, b, c] = [0, 1, 2].map((n) => HERE[(n + turn) % HERE.length]!)
      const tiers = [a, undefined, b, c], target = graphOf(source, tiers), before = engine.stats()
      const { values, result } = await runPlain(engine, target)
      expect(tiersOf(result)).toMatchObject({ a, b: own, c: b, d: c })
      expect(values).toEqual(want)
      expect(result.metrics.nodes.every(({ where }: Loose) => where === 'engine')).toBe(true)
      // Caches of tables stay; what a second run adds would be lost.
      const after = engine.stats()
      ;(await engine.run(target)).close()
      expect(engine.stats().arena.usedBytes).toBe(after.arena.usedBytes)
      expect(engine.stats().guests).toEqual(after.guests.map(({ tier, arena }) =>
        ({ tier, arena: expect.objectContaining({ usedBytes: arena.usedBytes }) as unknown })))
      expect(before.guests.length).toBeLessThanOrEqual(after.guests.length)
    }
    expect(engine.stats().guests.map(({ tier }) => tier).sort()).toEqual(HERE.filter((tier) => tier !== own && tier !== 'js').sort())
  })

  test('no memory for tiers that nobody names', async () => {
    for (const tier of HERE) {
      const engine = await open({ tier })
      await runPlain(engine, graphOf(pieces(), ['js', tier, 'auto', undefined]))
      expect(engine.stats().guests).toEqual([])
    }
  })

  test('the first of a list that the host can give, whatever the engine is; aliases likewise', async () => {
    const best = isolated ? 'wasm-threads' : 'wasm'
    for (const tier of HERE) {
      const engine = await open({ tier })
      const { result } = await runPlain(engine, graphOf(pieces(), [['wasm', 'js'], ['js', 'wasm'], 'rust', ['wasm-threads', 'js']]))
      expect(tiersOf(result)).toMatchObject({ a: 'wasm', b: 'js', c: best, d: isolated ? 'wasm-threads' : 'js' })
    }
  })

  test('copies are counted: one into the other memory, one out of it; the plan knows', async () => {
    const engine = await open({ tier: 'js' }), bytes = 4 * SAMPLES.length
    const source = audioBuffer.named('src')({ data: [SAMPLES], rate: RATE }) as Loose
    const target = { pcm: (toPcm16 as Loose)(louder.with({ tier: 'wasm' }).named('g')(source, { gainDb: 3 })) }
    const plan = await engine.plan(target)
    expect(plan.edges.map(({ from, transport, copies }) => [from[0], transport, copies]))
      .toEqual([['src', 'transfer', bytes], ['g', 'transfer', bytes]])
    expect(plan.estCopyBytes).toBe(2 * bytes)
    expect(plan.nodes.find(({ id }) => id === 'g'))
      .toMatchObject({ tier: 'wasm', where: 'engine', why: 'named by the node; in a memory of its own on the engine\'s thread' })
    using result = await engine.run(target, { runId: 'copied' })
    expect(engine.stats().edges.filter(({ runId }) => runId === 'copied').map(({ from, copyBytes }) => [from, copyBytes.thread]))
      .toEqual([['src.out', bytes], ['g.out', bytes]])
    expect((result as Loose).outputs.pcm.data.frames).toBe(SAMPLES.length)
  })

  test('a feedback loop in another tier equals the engine\'s own', async () => {
    const loop = (tier: Tier): Loose => ({
      out: feedback({ delayFrames: 300 }, (late: Loose) =>
        (mix as Loose).with({ tier })([pieces(), louder.with({ tier })(late, { gainDb: -6 })])),
    })
    const want = (await runPlain(await open({ tier: 'js' }), loop('js'))).values
    for (const tier of HERE) expect((await runPlain(await open({ tier: 'js' }), loop(tier))).values).toEqual(want)
  })
})

test('a list item by item, and guarded memory: the node\'s tier holds', async () => {
  const mono = { kind: 'audio', rate: RATE, channels: 1, format: 'f32', layout: 'planar' } as const
  const list = defineNode({
    type: 'test::tones', version: '1.0.0', title: 'Tones', doc: 'A list.', family: 'test', inputs: {}, params: {},
    outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }), list: true } },
    process: async (_inputs, _params, ctx) => {
      const data = await Promise.all([40, 900].map((frames) => ctx.allocAudio({ rate: RATE, channels: 1, frames })))
      for (const one of data) one.channel(0).fill(0.5)
      return { out: { media: mono, data, position: 0, duration: 2, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as never }
    },
  }) as Loose
  const engine = await open({ tier: 'js', debugMemory: true })
  const ran: string[] = [], { inline } = engine.parts, real = inline.open.bind(inline)
  vi.spyOn(inline, 'open').mockImplementation((plan, ...rest) => {
    ran.push(plan.tier)
    return real(plan, ...rest)
  })
  using result: Loose = await engine.run({ out: louder.with({ tier: 'wasm' })(list(), { gainDb: -6 }) })
  expect(result.outputs.out.data.map((one: Loose) => [one.frames, one.channel(0)[one.frames - 1]]))
    .toEqual([[40, Math.fround(0.5 * 10 ** (-6 / 20))], [900, Math.fround(0.5 * 10 ** (-6 / 20))]])
  expect(ran).toEqual(['wasm', 'wasm'])
})

describe('what ends early leaves nothing behind', () => {
  test.each(HERE.filter((tier) => tier !== 'js'))('cancelled, failed and refused runs with nodes of %s in a js engine', async (tier) => {
    const engine = await open({ tier: 'js' }), tiers = [tier, undefined, tier, tier]
    await runPlain(engine, graphOf(pieces(), tiers))
    const used = (): unknown => [engine.stats().arena.usedBytes, engine.stats().guests.map(({ arena }) => arena.usedBytes)], before = used()
    await expect(engine.run(graphOf(pieces({ failAt: 9 }), tiers))).rejects
      .toMatchObject({ message: expect.stringContaining('no more') as string })
    expect(used()).toEqual(before)
    const abort = new AbortController(), waiting = engine.run(graphOf(pieces({ hangAt: 9 }), tiers), { signal: abort.signal })
    await vi.waitFor(() => { expect(engine.stats().guests[0]!.arena.usedBytes).toBeGreaterThan((before as [number, number[]])[1][0]!) })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(used()).toEqual(before)
    // There, and on the way back, where more than one packet is under way.
    const real = ArenaAudio.prototype.copyTo
    for (const most of [0, 1, 2, 3, 6]) {
      let copies = 0
      const spy = vi.spyOn(ArenaAudio.prototype, 'copyTo').mockImplementation(function (this: ArenaAudio, ...given) {
        if (copies++ === most) throw new Error('no room')
        return real.apply(this, given)
      })
      await expect(engine.run(graphOf(pieces(), tiers))).rejects.toMatchObject({ message: expect.stringContaining('no room') as string })
      spy.mockRestore()
      expect(used()).toEqual(before)
    }
    expect((await runPlain(engine, graphOf(pieces(), tiers))).result.status).toBe('success')
  })

  test('a memory that the host refuses: the run says so, the next one tries again', async () => {
    const engine = await open({ tier: 'js' }), target = graphOf(pieces(), ['wasm'])
    const spy = vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () { throw new RangeError('refused') } as never)
    await expect(engine.run(target)).rejects.toMatchObject({ code: 'SHARED_MEMORY', message: expect.stringContaining('refused') as string })
    spy.mockRestore()
    expect(engine.stats().guests).toEqual([])
    expect((await runPlain(engine, target)).result.status).toBe('success')
  })

  test('a memory that is not what it was: the run fails, the next one gets another', async () => {
    const engine = await open({ tier: 'js' }), target = graphOf(pieces(), ['wasm'])
    const Memory = WebAssembly.Memory, made: WebAssembly.Memory[] = []
    vi.spyOn(WebAssembly, 'Memory')
      .mockImplementation(function (what: WebAssembly.MemoryDescriptor) { made.push(new Memory(what)); return made.at(-1)! } as never)
    await runPlain(engine, target)
    expect(made).toHaveLength(1)
    new Uint32Array(made[0]!.buffer)[WINDOW.ARENA >>> 2]! ^= 1
    await expect(engine.run(target)).rejects.toMatchObject({ code: 'ARENA_CORRUPT' })
    expect((await runPlain(engine, target)).result.status).toBe('success')
    expect(made).toHaveLength(2)
    expect(engine.stats().guests).toHaveLength(1)
  })

  test('closing while the other memory is made', async () => {
    const engine = await createEngine({ tier: 'js', arenaBytes: 2 ** 24 }), run = engine.run(graphOf(pieces(), ['wasm']))
    run.catch(() => undefined)
    await engine.close()
    await expect(run).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a tier that the host lacks (GR-44)', () => {
  test('in a page that is not isolated wasm-threads is refused, in every engine', async () => {
    if (isolated) return expect(hostFacts().sab).toBe(true)
    for (const tier of HERE) {
      const failure: Loose = await (await open({ tier })).run(graphOf(pieces(), ['wasm-threads'])).then(() => undefined, (error: unknown) =>
        error)
      expect(failure).toMatchObject({
        code: 'TIER_UNAVAILABLE', nodeId: 'a',
        details: { diagnostic: { expected: 'wasm-threads', got: ['shared memory'] } },
      })
    }
    return undefined
  })

  const HOSTS: Readonly<Record<string, object>> = {
    'no WebAssembly': { wasm: false, simd: false, sab: false }, 'no SIMD': { wasm: true, simd: false, sab: true },
    'not isolated': { wasm: true, simd: true, sab: false }, 'no workers': { wasm: true, simd: true, sab: true, worker: false },
  }
  const MISSING: Readonly<Record<string, readonly (readonly string[])[]>> = {
    'no WebAssembly': [['WebAssembly', 'SIMD', 'shared memory'], ['WebAssembly', 'SIMD'], []], 'no SIMD': [['SIMD'], ['SIMD'], []],
    'not isolated': [['shared memory'], [], []], 'no workers': [['workers'], [], []],
  }
  test.each(Object.keys(HOSTS))('%s: wanted and missing of each tier, in engines of each tier', (name) => {
    const registry = createRegistry(gain, vad, mix, pieces)
    for (const engineTier of TIERS) for (const [n, tier] of TIERS.entries()) {
      const graph = createGraph({
        nodes: [{ id: 's', type: 'test::pieces', params: {} }, { id: 'g', type: 'audio::gain', params: {}, tier }],
        edges: [{ from: ['s', 'out'], to: ['g', 'in'] }],
      })
      const found = validate(graph, registry, { ...hostFacts(), ...HOSTS[name]!, engineTier })
        .filter(({ code }) => code === 'TIER_UNAVAILABLE')
      expect(found.map(({ node, expected, got }) => [node, expected, got]))
        .toEqual(MISSING[name]![n]!.length === 0 ? [] : [['g', tier, MISSING[name]![n]]])
    }
  })
})

/** GR-45: what was swapped is reported as what it is, not as what the plan says. */
describe('the reported tier is read from the state', () => {
  test.each(HERE)('an engine of %s', async (own) => {
    const engine = await open({ tier: own }), { inline } = engine.parts, real = inline.open.bind(inline)
    for (const planned of HERE) for (const swapped of HERE) {
      const spy = vi.spyOn(inline, 'open').mockImplementation((plan, ...rest) => {
        const { guest: _guest, ...kept } = plan
        return real({ ...kept, tier: swapped, ...(swapped !== own && swapped !== 'js' && { guest: true }) }, ...rest)
      })
      const { result } = await runPlain(engine, { out: louder.with({ tier: planned }).named('g')(pieces()) })
      spy.mockRestore()
      expect(tiersOf(result)).toEqual({ g: swapped })
    }
  })
})

/** Private memories (MW-57, MW-58): what crosses, how often it is copied, where plans are cut. */
import { describe, expect, test, vi } from 'vitest'
import { createEngine, defineNode, json, type AnyHandle, type Engine, type NodeDefinition, type Plan } from '../../src/index.js'
import { audioBuffer, gain, mix, resample } from '../../src/nodes/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { RemoteWorker } from '../../src/workers/remote-worker.js'
import { peak } from './script/script-nodes.js'

/** As it is without a spy. */
const real = RemoteWorker.prototype.post

const FRAMES = 150_000, BYTES = 4 * FRAMES
const tone = Float32Array.from({ length: FRAMES }, (_, i) => Math.sin(i / 30) / 4)
type Loose = (...args: readonly unknown[]) => AnyHandle
/** Audio in the engine's arena: known whole before the run. */
const source = (engine: Engine): AnyHandle =>
  (audioBuffer as unknown as Loose)({ data: engine.audio.from(tone, { rate: 8_000, channels: 1 }, { copy: true }) })
const factory = (definition: NodeDefinition): Loose => defineNode(definition) as unknown as Loose
/** Gain as if it took long: a branch of it is worth a thread. */
const heavy = factory({ ...gain.definition, type: 'test::heavy', costNs: 500 } as never), light = gain as unknown as Loose
const mixed = mix as unknown as Loose
const length = factory({
  type: 'test::length', version: '1.0.0', title: 'L', doc: 'L.', family: 'test', params: {}, inputs: gain.definition.inputs as never,
  outputs: { out: { media: json() } },
  process: async (inputs) => ({
    out: {
      media: { kind: 'json' },
      data: (await (inputs['in'] as { whole(): Promise<{ duration: number }> }).whole()).duration,
      position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
    },
  }),
})
const open = (shared: boolean): Promise<Engine> => createEngine({ workers: 2, shared: shared ? 'auto' : false, logger: () => undefined })

const samplesOf = (data: unknown): Float32Array => (data as { toArray(): Float32Array }).toArray()
/** Samples that differ; comparing arrays of this size by `toEqual` takes seconds. */
const differing = (a: Float32Array, b: Float32Array): number =>
  a.length === b.length ? a.reduce((n, x, i) => n + (Object.is(x, b[i]) ? 0 : 1), 0) : a.length

/** Nodes of each segment, and how its edges travel. */
function shape(plan: Plan): { readonly segments: readonly string[]; readonly transports: readonly string[] } {
  return {
    segments: plan.segments.map(({ nodes, feed, where }) => `${nodes.join('+')} ${feed} ${where}`),
    transports: plan.edges.map(({ from, to, transport, copies }) => `${from[0]}->${to[0]} ${transport} ${copies / BYTES}`),
  }
}

describe('copies of a run equal the plan\'s estimate', () => {
  const branches = (engine: Engine): Record<string, AnyHandle> => {
    const head = light(source(engine), { gainDb: 1 })
    return { out: mixed([heavy(head, { gainDb: -6 }), heavy(head, { gainDb: -3 })]) }
  }
  const cases: Readonly<Record<string, readonly [graph: (engine: Engine) => Record<string, AnyHandle>, copies: number]>> = {
    'a chain: in and out': [(engine) => ({ out: heavy(light(source(engine), { gainDb: 1 }), { gainDb: 2 }) }), 2 + 2],
    'two branches and their join: two a crossing, none inside a segment': [branches, 2 + 2 * 2 + 2 * 2 + 2 * 2 /* stereo */],
    'a value that another segment reads and the caller gets': [
      (engine) => {
        const head = heavy(source(engine), { gainDb: 1 })
        return { head, a: heavy(head, { gainDb: -6 }), b: heavy(head, { gainDb: -3 }) }
      },
      2 + 2 * 2 + 2 + 2 + 2,
    ],
    'a node on the engine thread': [
      (engine) => { const head = heavy(source(engine), { gainDb: 1 }); return { n: length(head), m: length(head) } },
      2 + 2,
    ],
    'a node on a thread: one copy more': [
      (engine) => ({ out: (peak as unknown as Loose)(heavy(source(engine), { gainDb: 1 })) }),
      2 + 2 + 1,
    ],
  }
  test.each(Object.entries(cases))('%s', async (_name, [graph, copies]) => {
    await using engine = await open(false)
    const plan = await engine.plan(graph(engine))
    using result = await engine.run(graph(engine))
    expect([plan.estCopyBytes / BYTES, result.metrics.copyBytes / BYTES]).toEqual([copies, copies])
    await using one = await createEngine({ workers: 0, logger: () => undefined })
    using reference = await one.run(graph(one))
    for (const [name, packet] of Object.entries(reference.outputs)) {
      const got = result.outputs[name]!
      if (packet.media.kind === 'audio') expect(differing(samplesOf(packet.data), samplesOf(got.data))).toBe(0)
      else if (typeof got.data === 'object') {
        expect((got.data as { loudest: number }).loudest).toBe((packet.data as { loudest: number }).loudest)
      } else {
        expect(got.data).toEqual(packet.data)
      }
    }
  })

  test('blocks come back, also after many runs', async () => {
    await using engine = await open(false)
    // One graph throughout: the samples of one that nobody holds are given back when it is collected.
    const graph = branches(engine)
    ;(await engine.run(graph)).close()
    const before = engine.stats().arena
    for (let i = 0; i < 5; i++) (await engine.run(graph)).close()
    expect(engine.stats().arena).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks })
  })
})

describe('plans of both modes', () => {
  const graph = (engine: Engine, node: Loose): Record<string, AnyHandle> => {
    const head = light(source(engine), { gainDb: 1 })
    return { out: mixed([node(head, { gainDb: -6 }), node(head, { gainDb: -3 })]) }
  }
  /** Worth a thread on one memory, not worth moving 600 kB twice. */
  const middling = factory({ ...gain.definition, type: 'test::heavy', costNs: 4 } as never)

  test.skipIf(!hostFacts().sab)('one memory: branches of 200 µs are cut, values move by address', async () => {
    await using engine = await open(true)
    for (const node of [heavy, middling]) {
      expect(shape(await engine.plan(graph(engine, node)))).toEqual({
        segments: ['gain-1 values worker', 'heavy-1 values worker', 'heavy-2 values worker', 'mix-1 values worker'],
        transports: [
          'audio-buffer-1->gain-1 queue 0', 'gain-1->heavy-1 value 0', 'gain-1->heavy-2 value 0', 'heavy-1->mix-1 value 0',
          'heavy-2->mix-1 value 0',
        ],
      })
    }
  })

  test('private memories: connected kernels stay on one worker unless a branch is worth its copies', async () => {
    await using engine = await open(false)
    expect(shape(await engine.plan(graph(engine, heavy)))).toEqual({
      segments: ['gain-1 values worker', 'heavy-1 values worker', 'heavy-2 values worker', 'mix-1 values worker'],
      transports: [
        'audio-buffer-1->gain-1 transfer 2', 'gain-1->heavy-1 transfer 2', 'gain-1->heavy-2 transfer 2', 'heavy-1->mix-1 transfer 2',
        'heavy-2->mix-1 transfer 2',
      ],
    })
    expect(shape(await engine.plan(graph(engine, middling)))).toEqual({
      segments: ['gain-1+heavy-1+heavy-2+mix-1 values worker'],
      transports: [
        'audio-buffer-1->gain-1 transfer 2', 'gain-1->heavy-1 address 0', 'gain-1->heavy-2 address 0', 'heavy-1->mix-1 address 0',
        'heavy-2->mix-1 address 0',
      ],
    })
  })
})

test('MW-57: of many branches one runs on a worker and one waits there with its inputs; a third is never sent', async () => {
  await using engine = await open(false)
  const most = new Map<RemoteWorker, number>()
  const posted = vi.spyOn(RemoteWorker.prototype, 'post').mockImplementation(function (this: RemoteWorker, ...words) {
    if ((words[0] as { readonly kind: string }).kind === 'advance') most.set(this, Math.max(most.get(this) ?? 0, this.executing.size))
    real.apply(this, words)
  })
  try {
    const head = light(source(engine), { gainDb: 1 })
    using result = await engine.run({ out: mixed(Array.from({ length: 9 }, (_, n) => heavy(head, { gainDb: -n }))) })
    expect(result.outputs['out']!.duration).toBe(FRAMES)
    expect([...most.values()]).toEqual([2, 2])
  } finally { posted.mockRestore() }
})

test('a cancelled run of private memories ends soon, the next one is as ever', async () => {
  await using engine = await open(false)
  const long = (): Record<string, AnyHandle> => ({
    out: (resample as unknown as Loose)(audioBuffer({ data: [new Float32Array(2_000_000)], rate: 44_100 }), {
      rate: 48_000, quality: 'high',
    }),
  })
  const abort = new AbortController(), started = performance.now()
  setTimeout(() => { abort.abort() }, 60)
  const outcome = await engine.run(long(), { signal: abort.signal })
    .then((result) => { result.close(); return 'done' }, (error: { readonly code: string }) => error.code)
  expect(outcome === 'CANCELLED' || performance.now() - started < 200).toBe(true)
  expect(performance.now() - started).toBeLessThan(5_000)
  using again = await engine.run({ out: light(source(engine), { gainDb: 0 }) })
  expect(again.outputs['out']!.duration).toBe(FRAMES)
  expect(engine.stats().workers.lost).toBe(0)
})

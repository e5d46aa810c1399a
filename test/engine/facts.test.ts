/** MW-36: workers take only tasks whose facts they have; nodes written in TypeScript and pinned ones have threads of their own. */
import { afterEach, describe, expect, test } from 'vitest'
import { createEngine, defineNode, isMillraceError, type Engine, type EngineOptions, type MillraceError } from '../../src/index.js'
import { audioBuffer, gain, vad } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'

const engines: Engine[] = []
afterEach(async () => { await Promise.all(engines.splice(0).map((engine) => engine.close())) })
const open = async (options: EngineOptions): Promise<Engine> => {
  const engine = await createEngine({ arenaBytes: 2 ** 25, ...options })
  engines.push(engine)
  return engine
}
const failureOf = async (work: Promise<unknown>): Promise<MillraceError> => {
  const error: unknown = await work.then(() => undefined, (e: unknown) => e)
  if (!isMillraceError(error)) throw error ?? new Error('expected a failure')
  return error
}

const FRAMES = 40_000, loose = gain as unknown as Loose
const noise = (): ReturnType<typeof audioBuffer> =>
  audioBuffer({ data: [Float32Array.from({ length: FRAMES }, (_, i) => Math.sin(i * i))], rate: 16_000 })
const heavy = loose.with({ requires: { tags: [' Heavy'] } })
/** Tells whether its thread is the engine's. */
;(globalThis as Record<symbol, unknown>)[Symbol.for('millrace.test.engine-thread')] = true
const where = defineNode({
  type: 'test::where', version: '1.0.0', title: 'Where', doc: 'Tells its thread.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: { kind: 'json' } } },
  thread: 'worker', process: async () => ({
    out: {
      media: { kind: 'json' }, data: Symbol.for('millrace.test.engine-thread') in globalThis, position: 0, duration: 0, streamId: '',
      seq: 0, arrivalUs: 0, metadata: {},
    },
  }),
} as never) as unknown as Loose

describe.each(['auto', 'wasm'] as const)('tier %s', (tier) => {
  test('a mixed graph: kernels with a tag on the workers that have it, others anywhere, TypeScript on its own threads, pinned kernels on the engine’s', async () => {
    const engine = await open({ tier, workers: 3, workerTags: { HEAVY: 1 } })
    const tagged = Array.from({ length: 5 }, (_, i) => [`h${i}`, heavy.named(`h${i}`)(noise(), { gainDb: i })] as const)
    const plain = Array.from({ length: 5 }, (_, i) => [`p${i}`, loose.named(`p${i}`)(noise(), { gainDb: i })] as const)
    for (let round = 0; round < 3; round++) {
      using result = await engine.run(Object.fromEntries([...tagged, ...plain, ['where', where()]]) as never)
      const { nodes } = result.metrics
      const on = (prefix: string): number[] => nodes.filter(({ id }) => id.startsWith(prefix)).map(({ worker }) => worker)
      expect(new Set(on('h')).size).toBe(1)
      // The slot of the first worker, or its number.
      expect(on('h')[0]).toBe(result.metrics.nodes.find(({ id }) => id === 'h0')!.tier === 'wasm' ? 1 : 0)
      expect(on('p').every((worker) => worker >= 0)).toBe(true)
      expect(nodes.filter(({ kernelCalls }) => kernelCalls > 0).map(({ where: at }) => at))
        .toEqual(Array.from({ length: 10 }, () => 'worker'))
      for (let i = 0; i < 5; i++) {
        const samples = (name: string): Float32Array =>
          ((result.outputs as Record<string, { data: { toArray(): Float32Array } }>)[name]!.data).toArray()
        expect(samples(`h${i}`)).toEqual(samples(`p${i}`))
      }
      expect((result.outputs as unknown as { where: { data: boolean } }).where.data).toBe(false)
    }
  })

  test('a pinned kernel stays on the engine’s thread, beside tagged ones on their worker', async () => {
    const engine = await open({ tier, workers: 2, workerTags: { heavy: 1 } })
    const plan = await engine.plan({
      a: loose.with({ policy: { pin: 'main' } }).named('a')(noise()), b: heavy.named('b')(noise()),
    } as never)
    expect(plan.nodes.filter(({ segment }) => segment >= 0).map(({ id, where: at }) => [id, at]).sort())
      .toEqual([['a', 'engine'], ['b', 'worker']])
    using result = await engine.run({
      a: loose.with({ policy: { pin: 'main' } }).named('a')(noise()), b: heavy.named('b')(noise()),
    } as never)
    expect(result.metrics.nodes.filter(({ kernelCalls }) => kernelCalls > 0).map(({ id, worker }) => [id, worker >= 0]).sort())
      .toEqual([['a', false], ['b', true]])
  })

  test('a graph that is small goes to a worker when only workers have its tag', async () => {
    const engine = await open({ tier, workerTags: { heavy: 1 } }), cores = engine.stats().workers.size
    expect((await engine.plan({ out: loose(noise()) } as never)).nodes.every(({ where: at }) => at === 'engine')).toBe(true)
    using result = await engine.run({ out: heavy(noise()) } as never)
    expect(cores).toBeGreaterThan(0)
    expect(result.metrics.nodes.find(({ kernelCalls }) => kernelCalls > 0)).toMatchObject({ where: 'worker' })
  })
})

describe('nobody has it: refused before the run, with names', () => {
  test.each([
    ['no worker has the tag', { workers: 2 }, heavy], ['no workers', { workers: 0, workerTags: { heavy: 1 } }, heavy],
    ['the tier of the engine', { tier: 'js', workerTags: { heavy: 1 } }, heavy],
    ['the node’s tier', { workers: 2, workerTags: { heavy: 1 } }, loose.with({ requires: { tags: ['heavy'] }, tier: 'js' })],
    ['the node is pinned', { workers: 2, workerTags: { heavy: 1 } }, loose.with({ requires: { tags: ['heavy'] }, place: 'main' })],
    ['a type that is pinned or written in TypeScript', { workers: 2, workerTags: { heavy: 1 } },
      where.with({ requires: { tags: ['heavy'] } })],
  ] as const)('%s', async (_name, options, node) => {
    const engine = await open(options)
    const failure =
      await failureOf(engine.run({ out: node.named('n')(...(node === heavy || _name.startsWith('the') ? [noise()] : [])) } as never))
    expect(failure)
      .toMatchObject({ code: 'CAPABILITY_MISSING', nodeId: 'n', details: { diagnostic: { expected: expect.stringMatching(/heavy/i) } } })
    expect(engine.stats().workers.count).toBe(0)
  })

  test('options are checked', async () => {
    expect((await failureOf(createEngine({ workerTags: { heavy: 0 } }))).code).toBe('CONFIG_INVALID')
    expect((await failureOf(createEngine({ workerTags: Object.fromEntries('abcdefg'.split('').map((name) => [name, 1])) }))).code)
      .toBe('CONFIG_INVALID')
  })
})

test('a segment of several nodes needs what all of them need', async () => {
  const engine = await open({ workers: 2, workerTags: { heavy: 1 } })
  using result = await engine.run({ frames: vad(heavy.named('h')(loose.named('p')(noise())) as never).frames })
  // The slot of the first worker, or its number on private memory.
  const first = engine.stats().mode.mode === 'shared' ? 0 : 1
  expect(result.metrics.nodes.filter(({ kernelCalls }) => kernelCalls > 0).map(({ worker }) => worker)).toEqual([first, first, first])
})

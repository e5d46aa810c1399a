import { expect, test } from 'vitest'
import { createEngine, defineNode, json, type EngineOptions } from '../../src/index.js'
import { audioBuffer, gain, vad } from '../../src/nodes/index.js'

type Loose = { with(settings: object): Loose; named(id: string): Loose } & ((...args: unknown[]) => never)
const own = defineNode({
  type: 'test::own', version: '1.0.0', title: 'Own', doc: 'On a thread of its own where there are threads.', family: 'test', params: {},
  inputs: { in: { media: { kind: 'any' } } }, outputs: { n: { media: json() } },
  thread: 'worker', process: async () => ({
    n: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
  }),
} as never) as unknown as Loose
const loose = gain as unknown as Loose

/**
 * What a plan says of each node on five hosts: memory shared with threads, without threads, memory of their own, no
 * WebAssembly asked for, and the environment's word.
 */
const HOSTS: Readonly<Record<string, { readonly options: EngineOptions; readonly environment?: string }>> = {
  'shared memory, two workers': { options: { workers: 2 } }, 'shared memory, no workers': { options: { workers: 0 } },
  'private memory, one worker': { options: { workers: 1, shared: false } },
  references: { options: { workers: 2, tier: 'js' } }, 'the environment says js': { options: { workers: 2 }, environment: 'js' },
}

test.each(Object.keys(HOSTS))('where, tier and why of every node: %s (GR-47)', async (name) => {
  const { options, environment } = HOSTS[name]!, before = process.env['MILLRACE_TIER']
  if (environment !== undefined) process.env['MILLRACE_TIER'] = environment
  try {
    await using engine = await createEngine({ arenaBytes: 16 * 1_048_576, ...options })
    const x = audioBuffer.named('read')({ data: [new Float32Array(48_000)], rate: 48_000 })
    const soft = loose.named('soft')(x, { gainDb: -3 })
    const here = loose.with({ place: 'main' }).named('here')(x, { gainDb: 1 })
    const forced = loose.with({ tier: 'js' }).named('forced')(x, { gainDb: 2 })
    const plan = await engine.plan({
      speech: (vad as unknown as Loose).named('speech')(soft), here, forced, own: own.named('own')(soft),
    } as never)
    expect(plan.nodes.map(({ id, where, tier, why }) => `${id}: ${where}, ${tier}, ${why}`).sort()).toMatchSnapshot()
  } finally {
    if (before === undefined) delete process.env['MILLRACE_TIER']
    else process.env['MILLRACE_TIER'] = before
  }
})

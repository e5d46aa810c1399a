import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type PacketStream } from '../../src/index.js'
import { audioBuffer } from '../../src/nodes/index.js'

type Call = 'init' | 'process' | 'reset' | 'dispose'

/** A node that counts its life and fails at the nth call of one kind; `wait`: it stands in `process` until cancelled. */
function mortal(
  counts: Record<Call, number>,
  fault: { readonly at?: Call; readonly nth?: number; readonly wait?: () => void } = {},
): never {
  const call = (kind: Call): void => {
    counts[kind]++
    if (fault.at === kind && counts[kind] === (fault.nth ?? 1)) throw new Error(`fault at ${kind}`)
  }
  return defineNode({
    type: 'test::mortal', version: '1.0.0', title: 'Mortal', doc: 'Counts its life.', family: 'test', params: {},
    inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
    init: () => { call('init'); return {} }, reset: () => { call('reset') }, dispose: () => { call('dispose') },
    process: async ({ in: input }, _, { signal }) => {
      await (input as PacketStream).whole()
      call('process')
      if (fault.wait !== undefined) {
        fault.wait()
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
        })
      }
      return { out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    },
  }) as never
}

describe('as many dispose as init (GR-26)', () => {
  const cases = (['init', 'process', 'reset', 'dispose'] as const).flatMap((at) => [1, 2, 3].map((nth) => [at, nth] as const))
  test.each(cases)('with a fault at %s, call %i, in four runs of two instances each', async (at, nth) => {
    const counts = { init: 0, process: 0, reset: 0, dispose: 0 }
    const node = mortal(counts, { at, nth }) as unknown as { named(id: string): (input: unknown) => never }
    const engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
    const used = engine.stats().arena.usedBytes
    for (let run = 0; run < 4; run++) {
      const source = audioBuffer({ data: [new Float32Array(100)], rate: 8_000 })
      await engine.run({ a: node.named('a')(source), b: node.named('b')(source) } as never, {
        onError: run % 2 === 0 ? 'continue' : 'stop',
      }).then((result) => { result.close() }, (error: { code?: string }) => { expect(error.code).toBeDefined() })
      expect(engine.stats().arena.usedBytes).toBe(used)
    }
    // A dispose that throws was called, and the engine that closes over it says so.
    await engine.close().catch((error: { code: string }) => { expect(error.code).toBe('NODE_FAILED') })
    // An init that throws made no instance.
    expect(counts.dispose).toBe(counts.init - (at === 'init' && counts.init >= nth ? 1 : 0))
    expect(counts.init).toBeGreaterThanOrEqual(2)
  })

  test('also when the run is cancelled in the middle, and when the engine closes over it', async () => {
    for (const end of ['cancel', 'close'] as const) {
      const counts = { init: 0, process: 0, reset: 0, dispose: 0 }, stop = new AbortController()
      let begun = (): void => undefined
      const started = new Promise<void>((resolve) => { begun = resolve })
      const engine = await createEngine({ workers: 0 })
      const node = mortal(counts, { wait: () => { begun() } }) as unknown as (input: unknown) => never
      const run = engine.run({ out: node(audioBuffer({ data: [new Float32Array(100)], rate: 8_000 })) } as never, { signal: stop.signal })
        .then(() => 'done', (error: { code: string }) => error.code)
      await started
      if (end === 'cancel') stop.abort(); else void engine.close()
      expect(await run).toBe(end === 'cancel' ? 'CANCELLED' : 'CLOSED')
      await engine.close()
      expect(counts).toEqual({ init: 1, process: 1, reset: counts.reset, dispose: 1 })
    }
  })
})

test('equal params are those with equal values: what JSON writes alike is told apart', async () => {
  const made: unknown[] = []
  const node = defineNode({
    type: 'test::keeps', version: '1.0.0', title: 'Keeps', doc: 'Keeps its params.', family: 'test', inputs: {},
    outputs: { out: { media: json() } }, params: { list: { type: 'json', default: [], doc: 'Anything.' } },
    init: ({ list }) => { made.push(list); return { list } }, reset: () => undefined,
    process: async (_inputs, _params, { instance }) => ({
      out: {
        media: { kind: 'json' }, data: String((instance as { list: unknown[] }).list[0]), position: 0, duration: 0, streamId: '', seq: 0,
        arrivalUs: 0, metadata: {},
      },
    }),
  }) as unknown as (params: object) => never
  await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
  const said: unknown[] = []
  for (const list of [[1], [1], [null], [0], [-0], [null]]) {
    said.push((await engine.run({ out: node({ list }) } as never) as { outputs: { out: { data: unknown } } }).outputs.out.data)
  }
  expect(said).toEqual(['1', '1', 'null', '0', '0', 'null'])
  expect(made.map((list) => Object.is((list as unknown[])[0], -0) ? '-0' : String((list as unknown[])[0])))
    .toEqual(['1', 'null', '0', '-0'])
})

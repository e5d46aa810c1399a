/** EX-52: cancel by run id and by job; what else runs is untouched. */
import { describe, expect, test } from 'vitest'
import {
  createEngine, defineNode, json, type AnyHandle, type EngineOptions, type NodeContext, type NodeDefinition, type RunFailure,
} from '../../src/index.js'
import { audioBuffer, gain, toPcm16, vad } from '../../src/nodes/index.js'

type Loose = ((...args: readonly unknown[]) => AnyHandle) & { named(id: string): Loose }
const factory = (definition: object): Loose => defineNode({
  version: '1.0.0', title: 'T', doc: 'T.', family: 'test', params: {}, inputs: {}, ...definition,
} as unknown as NodeDefinition) as unknown as Loose
const packet = (data: unknown): object => ({
  media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})

/** Waits for ever, or until its signal says so. `heard`: why. */
function endless(): { readonly node: Loose; readonly began: Promise<void>; readonly heard: unknown[] } {
  let begin: () => void = () => undefined
  const began = new Promise<void>((resolve) => { begin = resolve }), heard: unknown[] = []
  return { began, heard, node: factory({
    type: 'test::endless', outputs: { out: { media: json() } },
    async process(_inputs: unknown, _params: unknown, { signal }: NodeContext) {
      begin()
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => { heard.push(signal.reason); reject(signal.reason as Error) })
      })
    },
  }) }
}
const value =
  factory({ type: 'test::value', outputs: { out: { media: json() } }, process: () => Promise.resolve({ out: packet('there') }) })
const after = factory({
  type: 'test::after', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
  process: (inputs: { in: { whole(): Promise<object> } }) => inputs.in.whole().then((one) => ({ out: one })),
})
const failed = async (run: Promise<unknown>): Promise<RunFailure> => {
  try { await run } catch (error) { return error as RunFailure }
  throw new Error('it did not fail')
}
const statusOf = ({ result: { metrics: { nodes } } }: Pick<RunFailure, 'result'>, id: string): unknown => {
  const { status, reason } = nodes.find((node) => node.id === id)!
  return reason === undefined ? status : `${status}: ${reason}`
}

test('a run by its id: it rejects with CANCELLED, the other goes on', async () => {
  await using engine = await createEngine({ workers: 0 })
  const one = endless(), two = endless()
  const runs = [engine.run({ out: one.node() as never }, { runId: 'first' }), engine.run({ out: two.node() as never })]
  await Promise.all([one.began, two.began])
  expect((await failed(engine.run({ out: value() as never }, { runId: 'first' }))).code).toBe('INVALID_ARGUMENT')
  expect(engine.cancel('first', { reason: 'enough' })).toBe(true)
  const error = await failed(runs[0]!)
  expect(error).toMatchObject({ code: 'CANCELLED', runId: 'first', result: { runId: 'first', status: 'cancelled' } })
  expect(error.message).toContain('enough')
  expect([one.heard.length, two.heard.length, engine.stats().runs, engine.cancel('first'), engine.cancel('nobody')])
    .toEqual([1, 0, 1, false, false])
  // An id is free again when its run has ended.
  const again = await engine.run({ out: value() as never }, { runId: 'first' })
  expect(again.runId).toBe('first')
  void engine.close()
  expect((await failed(runs[1]!)).code).toBe('CLOSED')
})

test.each(['stop', 'continue'] as const)('one node: who depends on it is skipped, the rest is there (onError %s)', async (onError) => {
  await using engine = await createEngine({ workers: 0 })
  const long = endless(), held = long.node.named('held')()
  const run = engine.run({ kept: after.named('kept')(value()) as never, lost: after.named('lost')(after.named('middle')(held)) as never }, {
    runId: 'r', onError,
  })
  await long.began
  expect([engine.cancel('r', { node: 'nothing' }), engine.cancel('r', { node: 'held', reason: 'not wanted' })]).toEqual([false, true])
  expect(engine.cancel('r', { node: 'held' })).toBe(false)
  const result = await run as unknown as RunFailure['result']
  expect(result).toMatchObject({
    status: 'partialfailure', outputs: { kept: { data: 'there' } }, error: { code: 'CANCELLED', nodeId: 'held' },
  })
  expect(Object.keys(result.outputs)).toEqual(['kept'])
  expect(long.heard).toMatchObject([{ code: 'CANCELLED' }])
  expect(['held', 'middle', 'lost', 'kept'].map((id) => statusOf({ result }, id)))
    .toEqual(['cancelled', 'skipped: dependency-failed', 'skipped: dependency-failed', 'success'])
})

test('all that a run gives: it rejects with CANCELLED; before its plan is made as well', async () => {
  await using engine = await createEngine({ workers: 0 })
  const long = endless(), id = 'held', run = engine.run({ out: long.node.named(id)() as never }, { runId: 'r' })
  let began = false
  void long.began.then(() => { began = true })
  expect(engine.cancel('r', { node: id })).toBe(true)
  const error = await failed(run)
  expect(error).toMatchObject({ code: 'CANCELLED', nodeId: id, result: { status: 'cancelled' } })
  expect(statusOf(error, id)).toBe('cancelled')
  expect([began, long.heard]).toEqual([false, []])
})

const FRAMES = 4_000_000, samples = Float32Array.from({ length: FRAMES }, (_, i) => Math.sin(i / 9))
test('a reader that is cancelled before it begins, or while it reads, holds up no writer, and a writer with no reader left stops', async () => {
  await using engine = await createEngine({ workers: 0 })
  let given = 0
  const stream = factory({
    type: 'test::stream', outputs: { out: { media: json() } },
    async *pull() { for (;;) { given++; yield { out: packet(given) } } },
  })
  for (const early of [true, false]) {
    let read: () => void = () => undefined
    const reading = new Promise<void>((resolve) => { read = resolve })
    const reader = factory({
      type: 'test::reader', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      async process(inputs: { in: AsyncIterable<unknown> }) { for await (const _ of inputs.in) read() },
    })
    const run = engine.run({ kept: value() as never, lost: reader.named('reader')(stream()) as never }, { runId: 'r' })
    if (!early) await reading
    expect(engine.cancel('r', { node: 'reader' })).toBe(true)
    expect(await run).toMatchObject({ status: 'partialfailure', outputs: { kept: { data: 'there' } } })
  }
  expect(given).toBeGreaterThan(0)
})

describe.each([
  ['on the engine’s thread', { workers: 0 }], ['on shared memory', { workers: 2 }], ['on private memories', { workers: 2, tier: 'wasm' }],
] as const)('kernels %s', (_name, options: EngineOptions) => {
  test('a segment is cancelled while it runs; other runs and nodes give what they give', async () => {
    await using engine = await createEngine({ arenaBytes: 2 ** 27, ...options })
    const source = audioBuffer({ data: [samples], rate: 48_000 }), slow = vad.named('slow')(gain(source, { gainDb: 1 })), long = endless()
    const graph = (): Record<string, never> => ({
      pcm: toPcm16(gain(audioBuffer({ data: [samples.subarray(0, 10_000)], rate: 48_000 }), { gainDb: -3 })) as never,
    })
    const alone = await engine.run(graph()), other = engine.run(graph())
    const run =
      engine.run({ frames: slow.frames as never, text: value() as never, never: long.node.named('held')() as never }, { runId: 'r' })
    await long.began
    // It may have come to its end.
    const told = engine.cancel('r', { node: 'slow' })
    expect(engine.cancel('r', { node: 'held' })).toBe(true)
    const result = await run as unknown as RunFailure['result']
    expect(result.outputs['text']).toMatchObject({ data: 'there' })
    expect(Object.keys(result.outputs).sort()).toEqual(told ? ['text'] : ['frames', 'text'])
    const beside = await other
    expect(new Uint8Array((beside.outputs as never as { pcm: { data: { toArray(): Float32Array } } }).pcm.data.toArray().buffer))
      .toEqual(new Uint8Array((alone.outputs as never as { pcm: { data: { toArray(): Float32Array } } }).pcm.data.toArray().buffer))
    for (const one of [result, beside, alone]) one.close()
    // Before anything has begun: its kernels never run.
    const early = engine.run({ frames: slow.frames as never, text: value() as never }, { runId: 'early' })
    expect(engine.cancel('early', { node: 'slow' })).toBe(true)
    const rest = await early as unknown as RunFailure['result'], row = rest.metrics.nodes.find(({ id }) => id === 'slow')!
    expect([Object.keys(rest.outputs), row.status, row.kernelCalls]).toEqual([['text'], 'cancelled', 0])
    rest.close()
    const again = await engine.run(graph())
    again.close()
    // Every block comes back.
    const blocks: number[] = []
    for (let round = 0; round < 3; round++) {
      const stopped = engine.run({ frames: slow.frames as never, text: value() as never }, { runId: 'round' })
      await new Promise((resolve) => { setTimeout(resolve, 5 * round) })
      engine.cancel('round', { node: 'slow' });
      (await stopped).close()
      blocks.push(engine.stats().arena.blocks)
    }
    expect(blocks).toEqual(blocks.map(() => blocks[0]))
  })
})

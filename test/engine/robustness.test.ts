import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type AudioBuffer, type Engine, type Packet, type PacketStream } from '../../src/index.js'
import { audioBuffer, gain, toPcm16 } from '../../src/nodes/index.js'

const media = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
const packetOf = (data: AudioBuffer, position: number): Packet => ({
  media, data, position, duration: data.frames, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
const plain = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: { code?: string }) =>
  error.code ?? String(error))

/** `count` packets of 100 frames, each after a turn of the event loop. */
const slow = (count: number): ReturnType<typeof defineNode> => defineNode({
  type: 'test::slow', version: '1.0.0', title: 'Slow', doc: 'Packets now and then.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  pull: async function* (_params, ctx) {
    for (let n = 0; n < count; n++) {
      await new Promise((resolve) => { setTimeout(resolve, 1) })
      const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 100 })
      data.channel(0).fill(0.5)
      yield { out: packetOf(data, n * 100) }
    }
  },
}) as never
const node = (
  type: string,
  process: (inputs: Readonly<Record<string, PacketStream>>) => Promise<Readonly<Record<string, Packet>>>,
  inputs: readonly string[] = ['in'], more: object = {},
): never => defineNode({
  type: `test::${type}`, version: '1.0.0', title: type, doc: type, family: 'test', params: {},
  inputs: Object.fromEntries(inputs.map((name) => [name, { media: audio() }])), outputs: { out: { media: json() } },
  process: process as never, ...more,
}) as never
const source = (): never => audioBuffer({ data: [new Float32Array(1_000)], rate: 8_000 }) as never

async function withEngine(workers: number, use: (engine: Engine) => Promise<void>): Promise<void> {
  // A spare may boot in the middle, and its stack counts.
  const engine = await createEngine({ workers, arenaBytes: 16 * 1_048_576, warmSpares: 0 });
  (await engine.run({ out: gain(source()) } as never)).close()
  const used = engine.stats().arena.usedBytes
  await use(engine)
  expect(engine.stats().arena.usedBytes).toBe(used)
  await engine.close()
}

describe.each([0, 1])('nothing hangs, nothing leaks (%i workers)', (workers) => {
  test('a node that wants one input whole before another, behind a slow source', () => withEngine(workers, async (engine) => {
    const both = node('both', async ({ a, b }) => ({ out: plain((await a!.whole()).duration + (await b!.whole()).duration) }), [
      'a', 'b',
    ]) as unknown as (a: unknown, b: unknown) => unknown
    const s = (slow(40) as unknown as () => unknown)()
    using result = await engine.run({ out: both(gain(s as never), s) } as never)
    expect((result.outputs as unknown as { out: Packet }).out.data).toBe(8_000)
  }))

  test('onError continue: a kernel that cannot be opened and an init that throws fail their branches only', () =>
    withEngine(workers, async (engine) => {
      const broken = defineNode({
        ...gain.definition, type: 'test::broken-gain', aliases: [], example: undefined, kernel: { module: 'nowhere', export: 'nothing' },
      } as never) as unknown as (input: unknown) => unknown
      const unborn = node('unborn', async () => ({ out: plain(1) }), ['in'], {
        init: () => { throw new Error('no model') },
      }) as unknown as (input: unknown) => unknown
      using result = await engine.run({ bad: broken(source()), worse: unborn(source()), good: toPcm16(gain(source()) as never) } as never, {
        onError: 'continue',
      })
      expect(result.status).toBe('partialfailure')
      expect(Object.keys(result.outputs)).toEqual(['good'])
    }))

  test('a node that ignores its signal holds up neither the run nor close', async () => {
    const engine = await createEngine({ workers, arenaBytes: 16 * 1_048_576 }), stop = new AbortController()
    const stuck = node('stuck', () => new Promise(() => undefined)) as unknown as (input: unknown) => unknown
    const run = codeOf(engine.run({ out: stuck(gain(source())) } as never, { signal: stop.signal }))
    const other = codeOf(engine.run({ out: stuck(gain(source())) } as never))
    stop.abort('enough')
    expect(await run).toBe('CANCELLED')
    await engine.close()
    expect(await other).toBe('CLOSED')
  }, 15_000)

  test('a dispose that throws does not keep the engine open', async () => {
    const engine = await createEngine({ workers })
    const messy = node('messy', async ({ in: input }) => { await input!.whole(); return { out: plain(1) } }, ['in'], {
      init: () => ({}), reset: () => undefined, dispose: () => { throw new Error('stuck door') },
    }) as unknown as (input: unknown) => unknown
    ;(await engine.run({ out: messy(gain(source())) } as never)).close()
    expect(await codeOf(engine.close())).toBe('NODE_FAILED')
    expect(engine.stats().workers.count).toBe(0)
  })
})

describe('what is no packet', () => {
  test.each([
    ['an empty record as a packet', { out: {} }],
    ['audio that is a plain array', { out: { media, data: new Float32Array(4), position: 0, duration: 4 } }],
    ['another media', { out: { media: { kind: 'text' }, data: 'x', position: 0, duration: 0 } }], ['nothing', undefined],
  ])('%s is OUTPUT_INVALID', async (_, given) => {
    await using engine = await createEngine({ workers: 0 })
    const liar = node('liar', async () => given as never) as unknown as (input: unknown) => unknown
    expect(await codeOf(engine.run({ out: liar(source()) } as never))).toBe('OUTPUT_INVALID')
  })
})

describe('misuse is coded', () => {
  test.each([
    [undefined, {}], ['x', {}], [{}, { seed: 1.5 }], [{}, { seed: 'x' }], [{}, { signal: {} }], [{}, { negotiate: 'zzz' }],
    [{}, { onError: 'zzz' }], [{}, { outputs: 'o' }], [{}, { blockFrames: 3 }],
  ])('run(%s, %s)', async (target, options) => {
    await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
    expect(await codeOf(engine.run(target as never, options as never))).toBe('INVALID_ARGUMENT')
  })

  test('createEngine and openNode', async () => {
    expect(await codeOf(createEngine(null as never))).toBe('INVALID_ARGUMENT')
    // A page without shared memory refuses the wish itself.
    expect(['CONFIG_INVALID', 'SHARED_MEMORY']).toContain(await codeOf(createEngine({ shared: true, tier: 'js' })))
    await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
    const code = (call: () => unknown): string => {
      try { call(); return 'done' } catch (error) { return (error as { code: string }).code }
    }
    const { kind: _kind, ...shape } = media
    expect(code(() => engine.openNode(undefined as never, {}, shape))).toBe('INVALID_ARGUMENT')
    expect(code(() => engine.openNode(gain, {}, shape, { maxFrames: 0 }))).toBe('INVALID_ARGUMENT')
    const open = engine.openNode(gain, {}, shape)
    open.close()
    open.close()
    expect(code(() => { open.reset() })).toBe('CLOSED')
    expect(code(() => open.flush())).toBe('CLOSED')
  })
})

test('a source that cannot be read is a warning of the plan', async () => {
  await using engine = await createEngine({ workers: 0 })
  const unread = defineNode({
    type: 'test::unread', version: '1.0.0', title: 'Unread', doc: 'Cannot tell.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: json() } }, probe: async () => { throw new Error('gone') }, pull: async function* () { /* nothing */ },
  })
  const plan = await engine.plan({ out: unread() })
  expect(plan.diagnostics).toContainEqual(expect.objectContaining({ severity: 'warning', code: 'NODE_FAILED', node: 'unread-1' }))
})

import { describe, expect, test } from 'vitest'
import {
  audio, createEngine, createRegistry, defineNode, graphFrom, json, toDocument, type AudioBuffer, type EngineEvent, type NodeDefinition,
} from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSource, switchTo } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const modes = (['engine', 'worker'] as const)
  .flatMap((thread) => (hostFacts().sab ? [true, false] : [false]).map((shared) => [thread, shared] as const))

/** The conformance node: every member of ctx, in code that can cross to a thread. */
const process: NonNullable<NodeDefinition['process']> = async (inputs, params, ctx) => {
  const { signal, log, rng, clock, attempt, delivery, node } = ctx, json = { kind: 'json' } as const
  const heard = (await (inputs['sound'] as unknown as { whole(): Promise<{ data: AudioBuffer; media: never }> }).whole())
  const began = clock.nowUs()
  ctx.beat()
  ctx.progress(1, 2)
  log('info', 'hello', { of: node.id })
  ctx.warn({ code: 'UNSUPPORTED', severity: 'warning', stage: 0, message: 'careful', hint: '', docs: '' })
  ctx.preview({ media: json, data: 'half way' })
  await clock.sleep(2)
  const block = await ctx.alloc(4, 'i16'), bytes = block.view(Int16Array).length
  block.release()
  const own = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 3 })
  own.channel(0).fill(0.25)
  const louder = await ctx.callOp('audio::gain', { in: own }, { gainDb: 20 }), sum = await ctx.callOp('math::add', { in: 5 }, { addend: 2 })
  const same = await ctx.callOp('audio::gain', { in: heard }, { gainDb: -20 })
  ctx.decline('lazy')
  const inner = await ctx.expand(params['graph'] as never), chosen = await ctx.need('lazy'), document = await node.document!()
  const sample = (packet: unknown): number => (packet as { data: AudioBuffer }).data.channel(0)[0]!
  const told = {
    aborted: signal.aborted, draws: [rng.next(), rng.at(3)], took: clock.nowUs() >= began, ms: clock.nowMs() > 1e12,
    us: ctx.nowUs() >= began, attempt, delivery, instance: ctx.instance, node: [node.id, node.type, typeof node.runId],
    document: document.nodes.map(({ type }) => type), bytes, own: [own.frames, own.channel(0)[0], sample(louder['out'])],
    heard: [sample(heard), sample(same['out'])], sum: sum['out']!.data, inner: inner['out']!.data, lazy: (await chosen.whole()).data,
  }
  for (const { data } of [louder['out'], same['out'], { data: own }] as { data: AudioBuffer }[]) data.close()
  return { out: { media: json, data: told, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }, shut: ctx.blocker }
}

/** The same as a generator: its text is all there is to it, so that it can cross too. */
const stream = new Function(`return async function* (inputs, params, ctx) { const whole = ${process.toString()}
yield await whole(inputs, params, ctx) }`)() as typeof process

describe('every member of ctx (GR-28)', () => {
  test.each(modes.flatMap(([thread, shared]) => ([['batch', process], ['stream', stream]] as const)
    .map(([how, code]) => [thread, shared, how, code] as const)))('thread %s, shared memory %s, %s', async (thread, shared, _how, code) => {
      const logged: unknown[] = [], events: EngineEvent[] = [], fractions: number[] = []
      await using engine = await createEngine({
        registry, workers: 2, shared: shared ? 'auto' : false, arenaBytes: 16 * 1_048_576, logger: (...line) => { logged.push(line) },
        onEvent: (event) => { events.push(event) },
      })
      const node = defineNode({
        type: 'test::context', version: '1.0.0', title: 'Context', doc: 'Uses all of it.', family: 'test', thread, costUs: 1_000,
        process: code,
        params: { graph: { type: 'json', doc: 'A document.' } }, inputs: { sound: { media: audio() }, lazy: { media: json(), lazy: true } },
        outputs: { out: { media: json() }, shut: { media: json() } },
      })
      const document = toDocument(graphFrom({ out: add(listSource([1]), { addend: 41 }) }))
      const run = () => {
        const one = node({
          sound: gain(audioBuffer({ data: [new Float32Array(2_000).fill(0.5)], rate: 8_000 }), { gainDb: 0 }),
          lazy: listSource(['asked']),
        }, { graph: document })
        return engine.run({ out: one.out, shut: one.shut }, { seed: 3, onProgress: ({ fraction }) => { fractions.push(fraction) } })
      }
      ;(await run()).close()
      const before = engine.stats().arena
      const { outputs, diagnostics, status, metrics } = await run()
      expect(status).toBe('success')
      expect(outputs).not.toHaveProperty('shut')
      expect(outputs.out.data).toMatchObject({
        aborted: false, took: true, ms: true, us: true, attempt: 1, delivery: 1, instance: undefined,
        node: ['context-1', 'test::context', 'string'], bytes: 4, sum: 7, inner: 42, lazy: 'asked',
        document: ['io::audio-buffer', 'audio::gain', 'core::list-source', 'test::context'], own: [3, 0.25, 2.5],
        heard: [0.5, expect.closeTo(0.05, 6)],
      })
      expect(logged).toContainEqual(['info', 'hello', { node: 'context-1', of: 'context-1' }])
      expect(diagnostics).toContainEqual(expect.objectContaining({ message: 'careful', node: 'context-1' }))
      expect(events.filter(({ type }) => type === 'node.preview'))
        .toContainEqual(expect.objectContaining({ nodeId: 'context-1', payload: { media: { kind: 'json' }, data: 'half way' } }))
      expect(fractions.at(-1)).toBe(1)
      expect(metrics.nodes.find(({ type }) => type === 'test::context')).toMatchObject({ where: thread, status: 'success' })
      expect(engine.stats().arena).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks })
    })
})

const threads = describe.each(modes.filter(([thread]) => thread === 'worker'))
threads('on threads of their own (%s, shared memory %s)', (_thread, shared) => {
  test('lists of audio cross both ways; items go one by one; driven params go along; lazy multi inputs by place; failures come back as they were', async () => {
    await using engine = await createEngine({
      registry, workers: 2, shared: shared ? 'auto' : false, arenaBytes: 16 * 1_048_576, logger: () => undefined,
    })
    const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', thread: 'worker' } as const
    const mono = audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })
    const tones = defineNode({
      ...base, type: 'test::tones', params: {}, inputs: {}, outputs: { out: { media: mono, list: true } },
      process: async (_inputs, _params, ctx) => {
        const one = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 10 })
        const two = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 20 })
        one.channel(0).fill(1)
        two.channel(0).fill(2)
        return {
          out: {
            media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' },
            data: [one, two], position: 0, duration: 2, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
          },
        }
      },
    })
    const firsts = defineNode({
      ...base, type: 'test::firsts', params: {}, inputs: { in: { media: mono, list: true } }, outputs: { out: { media: json() } },
      process: async (inputs) => {
        const { data } = await (inputs['in'] as unknown as { whole(): Promise<{ data: AudioBuffer[] }> }).whole()
        return {
          out: {
            media: { kind: 'json' },
            data: data.map((one) => [one.frames, one.channel(0)[0]]),
            position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
          },
        }
      },
    })
    const scaled = defineNode({ ...base, type: 'test::scaled', params: { by: { type: 'number', default: 1, input: true, doc: 'Factor.' } },
      inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      async *process(inputs, params) {
        for await (const one of inputs['in'] as AsyncIterable<{ data: number }>) {
          yield {
            out: {
              media: { kind: 'json' }, data: one.data * (params['by'] as number), position: 0, duration: 1, streamId: '', seq: 0,
              arrivalUs: 0, metadata: {},
            },
          }
        }
      } })
    const far = defineNode({
      ...switchTo.definition, type: 'test::far-switch', thread: 'worker', validate: () => [],
      process: async (_inputs, params, ctx) => {
        const stream = await ctx.need(`in.${String(params['which'])}`)
        return { out: await stream.whole() }
      },
    })
    const { outputs } = await engine.run({
      lists: firsts(gain(tones(), { gainDb: 0 })),
      zip: nodes.listSink(scaled(nodes.numbers([1, 2, 3]), { by: nodes.numbers([10, 100]) })).items,
      far: far([listSource(['a']), listSource(['b'])], { which: listSource([1]) }),
    })
    expect(outputs.lists.data).toEqual([[10, 1], [20, 2]])
    expect(outputs.zip.data).toEqual([10, 200, 300])
    expect(outputs.far.data).toBe('b')
    await expect(engine.run({ out: far([listSource(['a'])], { which: 7 }) })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('ctx.need') as string })
    await expect(engine.run({ out: far([add(listSource(['no number']), { addend: 1 })], { which: 0 }) }, { onError: 'continue' })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', nodeType: 'math::add' })
  })
})

import { describe, expect, test } from 'vitest'
import { createEngine, defineNode, json, type NodeDefinition, type PacketStream } from '../../../src/index.js'
import { audioBuffer, gain } from '../../../src/nodes/index.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'
import { counter, half, loose, peak, scripted } from './script-nodes.js'
import { failure, modes, open, tone } from './script-rig.js'

const nodeLike = hostFacts().node
describe.each(modes)('nodes on threads, shared memory %s', (shared) => {
  test('audio in: by handle without a copy, else one counted copy; the same result as on the engine thread', async () => {
    await using engine = await open(shared)
    const before = engine.stats().arena
    using result = await engine.run({ out: peak(audioBuffer({ data: [tone, tone], rate: 8_000 })) })
    const here = defineNode({ ...peak.definition, thread: 'engine' })
    using own = await engine.run({ out: here(audioBuffer({ data: [tone, tone], rate: 8_000 })) })
    expect(result.outputs.out.data).toEqual(own.outputs.out.data)
    expect(result.metrics.copyBytes - own.metrics.copyBytes).toBe(shared ? 0 : 2 * 4 * tone.length)
    expect(result.metrics.nodes.find(({ type }) => type === 'test::peak'))
      .toMatchObject({ where: 'worker', status: 'success', framesIn: tone.length, attempts: 1, deliveries: 1 })
    expect(own.metrics.nodes.find(({ type }) => type === 'test::peak')).toMatchObject({ where: 'engine' })
    expect(engine.stats().arena.usedBytes).toBe(before.usedBytes)
  })

  test.each(['fresh', 'mutate', 'slices'] as const)('audio out, %s: bits, positions and memory as they should be', async (how) => {
    await using engine = await open(shared)
    // Kernels' threads take their room with the first run.
    const graph = () => ({ out: half(gain(audioBuffer({ data: [tone], rate: 8_000 }), { gainDb: 6 }), { how }) })
    ;(await engine.run(graph())).close()
    const before = engine.stats().arena
    {
      using result = await engine.run(graph())
      const scale = Math.fround(10 ** (6 / 20))
      expect(result.outputs.out.duration).toBe(tone.length)
      const got = result.outputs.out.data.channel(0)
      for (let n = 0; n < tone.length; n += 997) {
        expect(got[n]).toBe(how === 'slices' ? Math.fround(tone[n]! * scale) : Math.fround(Math.fround(tone[n]! * scale) / 2))
      }
    }
    expect(engine.stats().arena).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks })
  })

  test('a source, read only as fast as its reader takes packets', async () => {
    let furthest = 0, taken = 0, ahead = 0
    const slow = defineNode({
      type: 'test::slow', version: '1.0.0', title: 'Slow', doc: 'Slow.', family: 'test', params: {}, inputs: { in: { media: json() } },
      outputs: { out: { media: json() } },
      process: async (inputs, _params, ctx) => {
        const seen: unknown[] = []
        for await (const packet of inputs['in'] as PacketStream) {
          seen.push((packet.data as number[])[0])
          ahead = Math.max(ahead, furthest - ++taken)
          await ctx.clock.sleep(1)
        }
        return { out: { media: { kind: 'json' }, data: seen, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
      },
    })
    await using engine = await open(shared)
    using result = await engine.run({ out: slow(counter({ to: 100 })) }, {
      onProgress: ({ nodeId, fraction }) => { if (nodeId?.includes('counter')) furthest = Math.round(fraction * 200) },
    })
    expect(result.outputs.out.data).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(ahead).toBeLessThan(40)
  })

  test('every member of the context works there', async () => {
    const logged: unknown[] = [], progress: number[] = []
    const node = scripted(async (_inputs, _params, ctx) => {
      const before = ctx.clock.nowUs()
      await ctx.clock.sleep(20)
      const slept = ctx.clock.nowUs() - before
      ctx.progress(1, 4)
      ctx.log('info', 'from there', { a: 1 })
      ctx.warn({ code: 'UNSUPPORTED', severity: 'warning', stage: 0, message: 'careful', hint: '', docs: '' })
      ctx.beat()
      const block = await ctx.alloc(10, 'f32'), view = block.view(Float32Array), zeros = view.every((x) => x === 0)
      view[9] = 5
      const bytes = block.bytes, kept = block.view(Float32Array)[9]
      block.release()
      const left = await ctx.alloc(100)
      left.view(Uint8Array)[0] = 1
      const audio = await ctx.allocAudio({ rate: 8_000, channels: 2, frames: 4 })
      audio.channel(1)[3] = 1
      audio.close()
      return { out: { media: { kind: 'json' }, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {}, data: {
        slept, zeros, bytes, kept, draws: [ctx.rng.next(), ctx.rng.next(), ctx.rng.at(0), ctx.rng.at(0, 1)], node: ctx.node,
        attempt: ctx.attempt, delivery: ctx.delivery, aborted: ctx.signal.aborted,
        now: Math.abs(ctx.clock.nowMs() - Date.now()) < 1_000, window: typeof document === 'undefined', instance: ctx.instance } } }
    })
    await using engine = await open(shared, { logger: (level, text, details) => { logged.push([level, text, details]) } })
    const before = engine.stats().arena.usedBytes
    const run = (seed: number): ReturnType<typeof engine.run> =>
      engine.run({ out: node.named('n')() }, { seed, onProgress: ({ fraction }) => { progress.push(fraction) } })
    const result = await run(1), again = await run(1), other = await run(2)
    const data = result.outputs['out']!.data as { readonly slept: number; readonly draws: number[] }
    expect(data).toMatchObject({
      zeros: true, bytes: 40, kept: 5, node: { id: 'n', type: 'test::scripted', runId: result.runId }, attempt: 1, delivery: 1,
      aborted: false, now: true, window: true,
    })
    expect(data.slept).toBeGreaterThan(15_000)
    expect(data.draws[2]).toBe(data.draws[0])
    expect(new Set(data.draws).size).toBe(3)
    expect((again.outputs['out']!.data as typeof data).draws).toEqual(data.draws)
    expect((other.outputs['out']!.data as typeof data).draws).not.toEqual(data.draws)
    expect(logged).toContainEqual(['info', 'from there', { node: 'n', a: 1 }])
    expect(result.diagnostics).toContainEqual(expect.objectContaining({ message: 'careful', node: 'n' }))
    expect(progress).toContain(0.25)
    expect(engine.stats().arena.usedBytes).toBe(before)
  })

  test('the same random numbers as on the engine thread', async () => {
    const draw: NodeDefinition['process'] = async (_inputs, _params, ctx) => ({
      out: {
        media: { kind: 'json' }, data: [ctx.rng.next(), ctx.rng.at(1e10, 3)], position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0,
        metadata: {},
      },
    })
    await using engine = await open(shared)
    const there = await engine.run({ out: scripted(draw)() }, { seed: 7 })
    const here = await engine.run({ out: scripted(draw, { thread: 'engine' })() }, { seed: 7 })
    expect(there.outputs['out']!.data).toEqual(here.outputs['out']!.data)
  })

  test('free variables are refused by name before anything runs; globals are not', async () => {
    const outside = 3, alsoOutside = [4]
    let ran = 0
    const witness = defineNode({ type: 'test::witness', version: '1.0.0', title: 'W', doc: 'W.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: json() } },
      process: async () => {
        ran++
        return { out: { media: { kind: 'json' }, data: 0, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
      } })
    await using engine = await open(shared)
    const error = await failure(engine.run({
      a: witness(),
      out: scripted(async () => { throw new Error(`${outside} ${alsoOutside.length} ${structuredClone(1)} ${typeof queueMicrotask}`) })(),
    }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', nodeType: 'test::scripted' })
    expect(error.message).toContain('free variables alsoOutside, outside.')
    expect(ran).toBe(0)
    const bound = await failure(engine.run({ out: scripted((async () => ({})).bind(null))() }))
    expect(bound.message).toContain('a bound or native function')
  })

  test('code from a module: named exports or a default', async () => {
    const url = (text: string): string =>
      nodeLike ? `data:text/javascript,${encodeURIComponent(text)}` : URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
    const body = "async (inputs, params, ctx) => ({ out: { media: { kind: 'json' }, data: [params.x, ctx.instance?.made, helper()], position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })"
    const named =
      `const helper = () => 'module';\nexport const process = ${body};\nexport const init = (params) => ({ made: params.x + 1 })`
    const whole = `const helper = () => 'default';\nexport default { process: ${body} }`
    await using engine = await open(shared)
    const params = { x: { type: 'integer', default: 1, doc: 'X.' } } as const
    for (const [text, expected] of [[named, [5, 6, 'module']], [whole, [5, undefined, 'default']]] as const) {
      const node = loose({
        type: 'test::by-url', version: '1.0.0', title: 'U', doc: 'U.', family: 'test', params, inputs: {},
        outputs: { out: { media: json() } }, thread: 'worker', codeURL: url(text),
      })
      expect((await engine.run({ out: node({ x: 5 }) })).outputs['out']!.data).toEqual(expected)
    }
    for (const codeURL of [
      url('export const other = 1'), url('throw new Error("broken")'), nodeLike ? 'file:///absent/code.mjs' : '/absent/code.mjs',
    ]) {
      const node = loose({
        type: 'test::by-url', version: '1.0.0', title: 'U', doc: 'U.', family: 'test', params, inputs: {},
        outputs: { out: { media: json() } }, thread: 'worker', codeURL,
      })
      expect(await failure(engine.run({ out: node({ x: 5 }) })))
        .toMatchObject({ code: 'NETWORK', hint: expect.stringContaining('codeURL') })
    }
  })

  test('errors cross with class, cause and fields; the thread goes on', async () => {
    await using engine = await open(shared)
    const range = await failure(engine.run({
      out: scripted(async () => { throw Object.assign(new RangeError('too far', { cause: new TypeError('inner') }), { hint: 'Less.' }) })(),
    }))
    expect(range).toMatchObject({ code: 'NODE_FAILED', nodeId: 'scripted-1', operation: 'process', retryable: false })
    expect(range.cause).toBeInstanceOf(RangeError)
    expect((range.cause as Error).cause).toBeInstanceOf(TypeError)
    const many = await failure(engine.run({ out: scripted(async () => { throw new AggregateError([new Error('a'), 'b'], 'many') })() }))
    expect((many.cause as AggregateError).errors).toEqual([expect.objectContaining({ message: 'a' }), 'b'])
    expect((await failure(engine.run({ out: scripted(async () => { throw 'bare' })() }))).message).toContain('bare')
    const coded = await failure(engine.run({
      out: scripted(async (_inputs, _params, ctx) => { (await ctx.allocAudio({ rate: -1, channels: 1, frames: 1 })).close(); return {} })(),
    }))
    expect(coded.code).toBe('INVALID_ARGUMENT')
    const nothing = await failure(engine.run({ out: scripted(async () => 5 as never)() }))
    expect(nothing.code).toBe('OUTPUT_INVALID')
    const missing = await failure(engine.run({ out: scripted(async () => ({}))() }))
    expect(missing).toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'scripted-1' })
    const uncloneable = await failure(engine.run({ out: scripted(async () => ({ out: { data: () => 1 } }) as never)() }))
    expect(uncloneable).toMatchObject({
      code: 'OUTPUT_INVALID', nodeId: 'scripted-1', port: 'out', cause: { name: 'DataCloneError' },
      details: { field: 'data', expected: 'what can be sent to another thread', got: 'a function' },
    })
    expect(engine.parts.scripts!.stats()).toMatchObject({ lost: 0, busy: 0 })
  })

  test('as many dispose as init; idle instances are reset and used again', async () => {
    const told: string[] = []
    await using engine = await open(shared, { logger: (_level, text) => { told.push(text) } })
    const parts: Partial<NodeDefinition> = {
      init: (_params, ctx) => { ctx.log('info', 'init'); return { log: ctx.log, uses: 0 } },
      dispose: (instance: never) => { (instance as { log: (level: string, text: string) => void }).log('info', 'dispose') },
    }
    const work: NodeDefinition['process'] = async (_inputs, params, ctx) => {
      const own = ctx.instance as { uses: number }
      own.uses++
      if (params['fail'] === true) throw new Error('asked to')
      return {
        out: { media: { kind: 'json' }, data: own.uses, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
      }
    }
    const params = { fail: { type: 'boolean', default: false, doc: 'Fail.' } } as const
    const once = scripted(work, { ...parts, params })
    const kept =
      scripted(work, { ...parts, params, type: 'test::kept', reset: (instance: never) => { (instance as { uses: number }).uses = 100 } })
    for (let i = 0; i < 3; i++) await engine.run({ out: once() })
    await failure(engine.run({ out: once({ fail: true } as never) }))
    expect(told.filter((text) => text === 'init' || text === 'dispose'))
      .toEqual(['init', 'dispose', 'init', 'dispose', 'init', 'dispose', 'init', 'dispose'])
    told.length = 0
    const uses: unknown[] = []
    for (let i = 0; i < 3; i++) uses.push((await engine.run({ out: kept() })).outputs['out']!.data)
    expect(uses).toEqual([1, 101, 101])
    expect(told.filter((text) => text === 'init')).toHaveLength(1)
  })

  test('more nodes at once than threads: they share them, and a pipeline does not stand still', async () => {
    await using engine = await open(shared, { workers: 1 })
    const step = (input: Parameters<typeof half>[0], n: number): Parameters<typeof half>[0] => n === 0 ? input : step(half(input), n - 1)
    using result = await engine.run({ out: step(gain(audioBuffer({ data: [tone], rate: 8_000 }), { gainDb: 0 }), 5) })
    expect((result.outputs.out.data as { channel(c: number): Float32Array }).channel(0)[1_000]).toBe(Math.fround(tone[1_000]! / 32))
    expect(engine.parts.scripts!.stats().count).toBe(1)
  })

})

test('a source on a thread whose media only its first packet tells', async () => {
  const told = loose({
    type: 'test::told', version: '1.0.0', title: 'T', doc: 'T.', family: 'test', params: {}, thread: 'worker', inputs: {},
    outputs: { out: { media: { kind: 'audio', discovered: true } as never } },
    async *pull(_params, ctx) {
      for (let n = 0; n < 3; n++) {
        const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 10 })
        data.channel(0).fill(n)
        yield {
          out: {
            media: { kind: 'audio' as const, rate: 8_000, channels: 1, format: 'f32' as const, layout: 'planar' as const },
            data, position: 10 * n, duration: 10, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
          },
        }
      }
    },
  })
  for (const shared of modes) {
    await using engine = await open(shared)
    const graph = { out: (gain as unknown as (input: unknown, params: object) => ReturnType<typeof told>)(told(), { gainDb: 0 }) }
    const before = engine.stats().arena.usedBytes
    const first = await engine.run(graph), samples = (first.outputs['out']!.data as { channel(c: number): Float32Array }).channel(0)
    expect([samples.length, samples[5], samples[15], samples[25]]).toEqual([30, 0, 1, 2])
    first.close()
    const warm = engine.stats().arena.usedBytes
    ;(await engine.run(graph)).close()
    expect(engine.stats().arena.usedBytes).toBe(warm)
    expect(warm).toBeGreaterThanOrEqual(before)
  }
})

test('workers: 0 runs such nodes on the engine thread and says so; a module alone is refused', async () => {
  await using engine = await createEngine({ workers: 0, logger: () => undefined })
  using result = await engine.run({ out: peak(audioBuffer({ data: [tone], rate: 8_000 })) })
  expect(result.diagnostics).toContainEqual(expect.objectContaining({
    code: 'UNSUPPORTED', severity: 'warning', message: expect.stringContaining("thread 'worker'"),
  }))
  expect(result.metrics.nodes.find(({ type }) => type === 'test::peak')).toMatchObject({ where: 'engine' })
  const node = loose({
    type: 'test::by-url', version: '1.0.0', title: 'U', doc: 'U.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: json() } }, thread: 'worker', codeURL: 'data:text/javascript,',
  })
  expect(await failure(engine.run({ out: node() }))).toMatchObject({ code: 'UNSUPPORTED' })
})

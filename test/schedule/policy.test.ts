import { describe, expect, test } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, isMillraceError, json, type AnyHandle, type NodeContext, type NodeDefinition,
  type PacketRecord, type PacketStream, type RunFailure,
} from '../../src/index.js'
import { audioBuffer, gain, resample } from '../../src/nodes/index.js'
import { Turn } from '../../src/schedule/policy/turn.js'
import { Limiters } from '../../src/schedule/policy/limiters.js'

interface Loose {
  (...args: readonly unknown[]): AnyHandle
  with(settings: object): Loose
  named(id: string): Loose
  readonly definition: NodeDefinition
}
const packet = (data: unknown): PacketRecord => ({
  out: { media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
})

/** A node of json inputs `in`, `more` (optional) and output `out`. */
function node(
  work: (ctx: NodeContext, inputs: Readonly<Record<string, PacketStream | undefined>>) => Promise<unknown>,
  more: Partial<NodeDefinition> = {},
): Loose {
  return defineNode({
    type: 'test::node', version: '1.0.0', title: 'Node', doc: 'Node.', family: 'test',
    params: { mode: { type: 'string', default: 'a', doc: 'Mode.' } },
    inputs: { in: { media: json(), optional: true }, more: { media: json(), optional: true } }, outputs: { out: { media: json() } },
    process: async (inputs, _params, ctx) => packet(await work(ctx, inputs as Readonly<Record<string, PacketStream | undefined>>)), ...more,
  }) as unknown as Loose
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
async function failure(promise: Promise<unknown>): Promise<RunFailure> {
  try { await promise } catch (error) {
    if (isMillraceError(error)) return error as RunFailure
    throw error
  }
  throw new Error('expected a failure, got a result')
}
const quiet = { logger: () => undefined }

describe('limits of nodes', () => {
  test('limit 2 with 4 workers never reaches 3, over two runs at once (EX-55)', async () => {
    let now = 0, most = 0
    const work = node(async () => { most = Math.max(most, ++now); await sleep(15); now--; return 0 })
      .with({ policy: { limiters: ['two'] } })
    await using engine = await createEngine({ ...quiet, workers: 4, limiters: { two: 2 } })
    const graph = (): Record<string, AnyHandle> => Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`n${n}`, work.named(`n${n}`)()]))
    await Promise.all([engine.run(graph()), engine.run(graph())])
    expect(most).toBe(2)
  })

  test('nodes on threads take a permit of `cpu`, as many as workers', async () => {
    const work = node(async () => 0, { thread: 'worker', process: async (_inputs, _params, ctx) => {
      const from = ctx.clock.nowUs()
      await ctx.clock.sleep(40)
      return {
        out: {
          media: { kind: 'json' }, data: [from, ctx.clock.nowUs()], position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0,
          metadata: {},
        },
      }
    } })
    await using engine = await createEngine({ ...quiet, workers: 1 })
    const { outputs } = await engine.run({ a: work.named('a')(), b: work.named('b')(), c: work.named('c')() })
    const spans = Object.values(outputs).map(({ data }) => data as [number, number]).sort((a, b) => a[0] - b[0])
    for (const [i, [from]] of spans.entries()) if (i > 0) expect(from).toBeGreaterThanOrEqual(spans[i - 1]![1])
  })

  test.each(['engine', 'worker'] as const)('a node that has given its only result takes no permit to end (%s)', async (thread) => {
    await using engine = await createEngine({ ...quiet, workers: 1, limiters: { one: 1 } })
    const policy = { policy: { limiters: ['one'] } }, stop = new AbortController()
    const short = node(async () => 0, {
      thread,
      process: async (_inputs, _params, ctx) => {
        await ctx.clock.sleep(60)
        return { out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
      },
    })
    const endless = node(async () => 0, {
      thread,
      process: async (_inputs, _params, ctx) => { for (;;) { ctx.signal.throwIfAborted(); await ctx.clock.sleep(10) } },
    })
    const first = engine.run({ out: short.with(policy)() })
    const second = failure(engine.run({ out: endless.with(policy)() }, { signal: stop.signal }))
    // It has the permit until this test ends it.
    expect((await first).outputs['out']!.data).toBe(1)
    stop.abort('enough')
    expect((await second).code).toBe('CANCELLED')
  })

  test('nor does what it left waiting when it ended', async () => {
    await using engine = await createEngine({ ...quiet, limiters: { one: 1 } })
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => { open = resolve }), policy = { policy: { limiters: ['one'] } }
    const slow = node(async () => 0, { inputs: {}, process: async function* () { yield packet([0]); await gate } })
    const hasty = node((_ctx, { in: input }) => Promise.race([input!.whole(), sleep(5).then(() => 1)])).with(policy)
    const run = engine.run({ out: hasty(slow()) })
    await sleep(40)
    open()
    await run
    expect((await engine.run({ out: node(async () => 7).with(policy)() })).outputs['out']!.data).toBe(7)
  })

  test('a limiter without permits is refused before the run, and so are permits that are none', async () => {
    await using engine = await createEngine(quiet)
    expect(await failure(engine.run({ out: node(async () => 0).with({ policy: { limiters: ['absent'] } })() })))
      .toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('limiters.absent') })
    for (const permits of [0, 1.5, -1, Number.NaN]) {
      expect(await failure(createEngine({ ...quiet, limiters: { x: permits } }))).toMatchObject({ code: 'CONFIG_INVALID' })
    }
  })

  test('a pipeline longer than its limiter does not stand still: who waits for an edge holds nothing', async () => {
    await using engine = await createEngine({ ...quiet, limiters: { one: 1 } })
    const source = node(async () => 0, { inputs: {}, process: async function* () { for (let n = 0; n < 100; n++) yield packet([n]) } })
      .with({ policy: { limiters: ['one'] } })
    const pass = node(async () => 0, {
      process: async function* (inputs) { for await (const one of inputs['in'] as PacketStream) yield packet(one.data) },
    }).with({ policy: { limiters: ['one'] } })
    const { outputs } = await engine.run({ out: pass(pass(pass(source()))) })
    expect(outputs['out']!.data).toHaveLength(100)
  })

  test('exclusive: true runs alone; keys keep each other apart; kernels wait too', async () => {
    const spans: { readonly id: string; readonly from: number; to: number }[] = []
    const work = node(async (ctx) => {
      const span = { id: ctx.node.id, from: ctx.nowUs(), to: 0 }
      spans.push(span)
      await sleep(10)
      span.to = ctx.nowUs()
      return 0
    })
    await using engine = await createEngine(quiet)
    const result = await engine.run({
      alone: work.with({ policy: { exclusive: true } }).named('alone')(),
      ...Object.fromEntries(Array.from({ length: 6 }, (_, n) =>
        [`k${n}`, work.with({ policy: { exclusive: n % 2 === 0 ? ['b', 'a'] : ['a', 'c'] } }).named(`k${n}`)()])),
      free: work.named('free')(), kernel: gain(audioBuffer({ data: [new Float32Array(200_000)], rate: 8_000 }), { gainDb: 1 }),
    })
    const overlap = (a: (typeof spans)[number], b: (typeof spans)[number]): boolean => a !== b && a.from < b.to && b.from < a.to
    const alone = spans.find(({ id }) => id === 'alone')!
    expect(spans.filter((one) => overlap(one, alone))).toEqual([])
    const keyed = spans.filter(({ id }) => id.startsWith('k'))
    expect(keyed.filter((a) => keyed.some((b) => overlap(a, b)))).toEqual([])
    result.close()
  })

  test('with one permit: lane, then time of being ready, then plan order (EX-57)', async () => {
    const order: string[] = []
    const work = node(async (ctx, inputs) => { await inputs['in']?.whole(); order.push(ctx.node.id); await sleep(2); return 0 })
    const one = (id: string, priority: string, input?: AnyHandle): AnyHandle => work.with({ policy: { limiters: ['one'], priority } })
      .named(id)(...(input ? [input] : []))
    const gate = node(async () => { await sleep(30); return 0 }).named('gate')()
    await using engine = await createEngine({ ...quiet, limiters: { one: 1 } })
    const ready = ['l1', 'n1', 'h1', 'n2', 'l2', 'h2'].map((id) => one(id, { l: 'low', n: 'normal', h: 'high' }[id[0]!]!))
    const late = one('late', 'high', gate)
    await engine.run(Object.fromEntries([...ready, late].map((output, n) => [`o${n}`, output])))
    // The first to ask gets the permit at once; after that lanes rule, and who becomes ready later stands behind its lane.
    expect(order[0]).toBe('l1')
    expect(order.filter((id) => id !== 'late').slice(1)).toEqual(['h1', 'h2', 'n1', 'n2', 'l2'])
    expect(order).toContain('late')
  })

  test('pin: main stays on the engine thread, place: main too, kernels and nodes with threads alike (EX-59)', async () => {
    const marker = Symbol.for('millrace.test.engine-thread')
    ;(globalThis as Record<symbol, unknown>)[marker] = true
    const where = node(async () => 0, {
      thread: 'worker',
      process: async () => ({
        out: {
          media: { kind: 'json' }, data: Symbol.for('millrace.test.engine-thread') in globalThis, position: 0, duration: 0, streamId: '',
          seq: 0, arrivalUs: 0, metadata: {},
        },
      }),
    })
    await using engine = await createEngine({ ...quiet, workers: 2 })
    const result = await engine.run({
      away: where.named('away')(), pinned: where.with({ policy: { pin: 'main' } }).named('pinned')(),
      placed: where.with({ place: 'main' }).named('placed')(),
      a: (gain as unknown as Loose)
        .with({ policy: { pin: 'main' } })
        .named('g1')(audioBuffer({ data: [new Float32Array(30_000)], rate: 8_000 }), { gainDb: 1 }),
      b: (gain as unknown as Loose).named('g2')(audioBuffer({ data: [new Float32Array(30_000)], rate: 8_000 }), { gainDb: 1 }),
    })
    expect([result.outputs['away']!.data, result.outputs['pinned']!.data, result.outputs['placed']!.data]).toEqual([false, true, true])
    const at = (id: string): string => result.metrics.nodes.find((one) => one.id === id)!.where
    expect(['away', 'pinned', 'placed', 'g1', 'g2'].map(at)).toEqual(['worker', 'engine', 'engine', 'engine', 'worker'])
    result.close()
  })
})

describe('timeouts (EX-46)', () => {
  test('own time only: waiting for an edge does not count; a node that listens ends at once', async () => {
    const slow = node(async () => { await sleep(150); return 0 })
    const reader = node(async (ctx, inputs) => { await inputs['in']!.whole(); return ctx.signal.aborted })
      .with({ policy: { timeoutMs: 60 } })
    await using engine = await createEngine(quiet)
    expect((await engine.run({ out: reader(slow()) })).outputs['out']!.data).toBe(false)
    const listens = node((ctx) => new Promise((_, reject) => {
      ctx.signal.addEventListener('abort', () => { reject(ctx.signal.reason as Error) })
    })).with({ policy: { timeoutMs: 60 } })
    const started = performance.now(), error = await failure(engine.run({ out: listens.named('n')() }))
    expect(error).toMatchObject({ code: 'NODE_TIMEOUT', nodeId: 'n', retryable: true })
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('nodeTimeoutMs of the run stands for nodes that name none, per packet; 0 means none', async () => {
    const steady = node(async () => 0, {
      inputs: {},
      process: async function* () { for (let n = 0; n < 6; n++) { await sleep(25); yield packet([n]) } },
    })
    const stuck = node((ctx) =>
      new Promise((_, reject) => { ctx.signal.addEventListener('abort', () => { reject(ctx.signal.reason as Error) }) }))
    await using engine = await createEngine(quiet)
    expect((await engine.run({ out: steady() }, { nodeTimeoutMs: 120 })).outputs['out']!.data).toHaveLength(6)
    expect(await failure(engine.run({ out: stuck() }, { nodeTimeoutMs: 50 }))).toMatchObject({ code: 'NODE_TIMEOUT' })
    expect(await failure(engine.run({ out: stuck() }, { nodeTimeoutMs: -1 }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('a kernel that goes on for too long is stopped at its next block', async () => {
    const long = (resample as unknown as Loose).with({ policy: { timeoutMs: 15 } }).named('long')
    for (const workers of [0, 1]) {
      await using engine = await createEngine({ ...quiet, workers })
      const run = (): Promise<RunFailure> => failure(engine.run({
        out: long(audioBuffer({ data: [new Float32Array(3_000_000)], rate: 44_100 }), { rate: 48_000, quality: 'high' }),
      }))
      await run()
      const before = engine.stats().arena.usedBytes, error = await run()
      expect(engine.stats().arena.usedBytes).toBe(before)
      expect(error).toMatchObject({ code: 'NODE_TIMEOUT', nodeId: 'long' })
      expect(engine.stats().workers.lost).toBe(0)
    }
  })

  test('a node that ignores its signal fails with its timeout after the grace', async () => {
    await using engine = await createEngine(quiet)
    const started = performance.now()
    const error = await failure(engine.run({ out: node(() => new Promise(() => undefined)).with({ policy: { timeoutMs: 50 } })() }))
    expect(error.code).toBe('NODE_TIMEOUT')
    expect(performance.now() - started).toBeGreaterThan(2_000)
  })

  test('exact on a clock of its own, stopping while the node waits outside', async () => {
    let now = 0
    const sleepers: { readonly at: number; readonly wake: () => void }[] = []
    const clock = {
      nowUs: () => now, nowMs: () => now / 1000, resolutionUs: 1, yield: () => Promise.resolve(),
      sleep: (ms: number) => new Promise<void>((wake) => { sleepers.push({ at: now + ms * 1000, wake }) }),
    }
    const pass = async (ms: number): Promise<void> => {
      for (let i = 0; i < ms; i++) {
        now += 1000
        for (const due of sleepers.filter(({ at }) => at <= now)) { sleepers.splice(sleepers.indexOf(due), 1); due.wake() }
        for (let k = 0; k < 8; k++) await Promise.resolve()
      }
    }
    const turn = new Turn({
      limiters: new Limiters({}), claim: { limits: [], exclusive: false, lane: 1 }, clock, nowUs: clock.nowUs,
      signal: new AbortController().signal,
    })
    await turn.enter()
    let expired = 0
    turn.watch(100, false, () => { expired = now })
    await pass(60)
    turn.leave()
    await pass(500)
    expect([expired, turn.ownUs]).toEqual([0, 60_000])
    await turn.enter()
    await pass(39)
    expect(expired).toBe(0)
    await pass(2)
    expect(expired).toBe(600_000)
  })
})

describe('skipping (EX-58)', () => {
  const ran: string[] = []
  const work =
    node(async (ctx, inputs) => { ran.push(ctx.node.id); return [ctx.node.id, inputs['in'] !== undefined, inputs['more'] !== undefined] })
  const needs =
    node(async (ctx) => { ran.push(ctx.node.id); return 0 }, { inputs: { in: { media: json() }, more: { media: json(), optional: true } } })
  const fails = node(async () => { throw Object.assign(new Error('broken'), { retryable: false }) })
  const statuses = (nodes: readonly { readonly id: string; readonly status: string; readonly reason?: string }[]): Record<string, string> =>
    Object.fromEntries(nodes.map(({ id, status, reason }) => [id, reason === undefined ? status : `${status}: ${reason}`]))

  test('required inputs skip their node, optional ones arrive absent', async () => {
    ran.length = 0
    await using engine = await createEngine(quiet)
    const gone = work.with({ policy: { skipIf: { param: 'mode', is: 'off', reason: 'switched off' } } }).named('gone')({ mode: 'off' })
    const result = await engine.run({
      required: needs.named('required')(gone), next: needs.named('next')(needs.named('middle')(gone)),
      optional: work.named('optional')(gone), other: work.named('other')(),
    })
    expect(Object.keys(result.outputs).sort()).toEqual(['optional', 'other'])
    expect(result.outputs['optional']!.data).toEqual(['optional', false, false])
    expect(statuses(result.metrics.nodes)).toEqual({
      gone: 'skipped: switched off', required: 'skipped: dependency', middle: 'skipped: dependency', next: 'skipped: dependency',
      optional: 'success', other: 'success',
    })
    expect([...ran].sort()).toEqual(['optional', 'other'])
  })

  test('conditions: a param with its default, a run input, an absent input, their opposites; other forms are refused', async () => {
    await using engine = await createEngine(quiet)
    const says = async (skipIf: unknown, params: object = {}, input?: AnyHandle): Promise<string> => {
      const { metrics } = await engine.run({
        probe: work.named('probe')(),
        out: work.with({ policy: { skipIf } }).named('n')(...(input ? [input] : []), params),
      })
      return statuses(metrics.nodes)['n']!
    }
    const some = work.named('some')()
    expect(await says(true)).toBe('skipped: skipIf')
    expect(await says(false)).toBe('success')
    expect(await says({ param: 'mode', is: 'a' })).toBe('skipped: skipIf: mode is "a"')
    expect(await says({ param: 'mode', is: 'b' })).toBe('success')
    expect(await says({ param: 'mode', is: 'b', not: true })).toContain('skipped')
    expect(await says({ absent: 'in' })).toBe('skipped: skipIf: in is absent')
    expect(await says({ absent: 'in' }, {}, some)).toBe('success')
    expect(await says({ absent: 'in', not: true }, {}, some)).toContain('skipped')
    for (const wrong of ['yes', 1, null, {}, { param: 'nope', is: 1 }, { absent: 'nope' }]) {
      await expect(says(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })

  test('a failed dependency: skipped as dependency-failed, not called; with onError stop the rest is cancelled', async () => {
    ran.length = 0
    await using engine = await createEngine(quiet)
    const graph = (): Record<string, AnyHandle> => {
      const bad = fails.named('bad')()
      return { a: needs.named('a')(bad), b: work.named('b')(needs.named('c')(bad)), d: work.named('d')() }
    }
    const result = await engine.run(graph(), { onError: 'continue' })
    expect(result.status).toBe('partialfailure')
    expect(statuses(result.metrics.nodes)).toEqual({
      bad: 'failed', a: 'skipped: dependency-failed', c: 'skipped: dependency-failed', b: 'skipped: dependency-failed', d: 'success',
    })
    expect(ran).toEqual(['d'])
    const stopped =
      await failure(engine.run({ bad: fails.named('bad')(), slow: node(async () => { await sleep(50); return 0 }).named('slow')() }))
    expect(statuses(stopped.result.metrics.nodes)).toEqual({ bad: 'failed', slow: 'cancelled' })
  })
})

describe('attempts', () => {
  test('a retry only when asked for, only for what may be tried again, and at most so often', async () => {
    let calls = 0
    const flaky = (failures: number, error = new Error('flaky')): Loose => node(async (ctx, inputs) => {
      calls++
      const input = await inputs['in']!.whole()
      if (ctx.attempt <= failures) throw error
      return [input.data, ctx.attempt]
    })
    const source = node(async () => 'x').named('source')
    await using engine = await createEngine(quiet)
    const retry = { kind: 'fixed', retries: 2, delayMs: 1 }
    const run = (work: Loose, policy: object = { retry }): ReturnType<typeof engine.run> => {
      calls = 0
      return engine.run({ out: work.with({ policy }).named('n')(source()) })
    }
    const twice = await run(flaky(2))
    expect(twice.outputs['out']!.data).toEqual(['x', 3])
    expect(twice.metrics.nodes.find(({ id }) => id === 'n')).toMatchObject({ status: 'retried', attempts: 3 })
    const exhausted = await failure(run(flaky(3)))
    expect(exhausted).toMatchObject({ code: 'RETRY_LIMIT', nodeId: 'n', details: { attempts: 3 }, cause: { code: 'NODE_FAILED' } })
    expect(calls).toBe(3)
    expect([(await failure(run(flaky(1), {}))).code, calls]).toEqual(['NODE_FAILED', 1])
    expect([(await failure(run(flaky(1, new TypeError('own fault'))))).code, calls]).toEqual(['NODE_FAILED', 1])
    const writes = { ...flaky(1).definition, effects: 'write' } as const
    expect([(await failure(run(defineNode(writes) as unknown as Loose))).code, calls]).toEqual(['NODE_FAILED', 1])
  })
})

test('what a document says and this version does not do is told, field by field', async () => {
  const registry = createRegistry({ definition: node(async () => 0).definition } as never)
  const graph = fromDocument({
    millrace: 1, config: { breaker: { failures: 2 }, timeoutMs: 5, cache: 'on' },
    nodes: [
      { id: 'a', type: 'test::node', policy: { breaker: { failures: 1 }, always: true, cache: 'on' }, produces: ['x'] },
      { id: 'b', type: 'test::node', policy: { cache: 'off', always: false, hangMs: 5, priority: 'low' } },
    ],
    edges: [{ from: ['a', 'out'], to: ['b', 'in'], whenFull: 'latest', capacity: 2 }],
  }, registry)
  await using engine = await createEngine({ ...quiet, registry })
  const { diagnostics } = await engine.run(graph)
  const told = diagnostics.filter(({ code }) => code === 'UNSUPPORTED')
    .map(({ message }) => message.replace(': not available in this version.', ''))
  expect(told.sort()).toEqual([
    'Edge a.out -> b.in: capacity', 'Edge a.out -> b.in: whenFull latest', 'Node a: policy.always', 'Node a: policy.breaker',
    'Node a: policy.cache', 'Node a: produces', 'config.breaker', 'config.cache', 'config.timeoutMs',
  ])
  expect(diagnostics.flatMap(({ pointer }) => pointer ?? []).filter((pointer) => !pointer.startsWith('/'))).toEqual([])
  const inner = {
    millrace: 1,
    nodes: [{ id: 'a', type: 'test::node', policy: { breaker: { failures: 1 } } }],
    outputs: { out: ['a', 'out'] },
  }
  const packed =
    await engine.run(fromDocument({ millrace: 1, nodes: [{ id: 'x', type: 'graph::d' }], definitions: { d: inner } }, registry))
  expect(packed.diagnostics.find(({ code }) => code === 'UNSUPPORTED'))
    .toMatchObject({ node: 'x/a', pointer: '/definitions/d/nodes/0/policy/breaker' })
})

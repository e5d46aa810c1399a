/**
 * Every field of the three tables of spec graph.md section 3 is declared, and does something: a field that is added to the
 * types without an entry here does not compile.
 */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { graphFrom } from '../../src/graph/graph-from.js'
import { describeConstraint } from '../../src/graph/negotiate/describe.js'
import type {
  InputDeclaration, KernelDeclaration, NodeContext, NodeDefinition, OutputDeclaration, ParamDeclaration,
} from '../../src/graph/node-definition.js'
import { rangeText } from '../../src/graph/param-range.js'
import { resolveParams } from '../../src/graph/params.js'
import { nodeSchema } from '../../src/graph/schema/node-schema.js'
import {
  audio, createEngine, createRegistry, defineNode, fromDocument, hashGraph, json, validate, type Engine, type EngineOptions, type Packet,
  type PacketStream,
} from '../../src/index.js'
import { describeKernel } from '../../src/kernels/kernel-spec.js'
import { audioBuffer, gain, listSource, vad } from '../../src/nodes/index.js'
import { readPolicy } from '../../src/schedule/policy/node-policy.js'
import { checkExample } from '../../src/testing/checks/example-check.js'
import { FindingLog, type Finding } from '../../src/testing/findings.js'
import { graphOf, registryOf, resample, sink, source } from '../support/graph-nodes.js'

const { page } = await import('../../scripts/generate-node-docs.mjs' as string) as { page(node: object, parts: object): string }
type Parts = Partial<NodeDefinition>
const item = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
const base: NodeDefinition = {
  type: 'my::a', version: '1.2.0', title: 'A', doc: 'A.', family: 'f', params: { p: { type: 'number', default: 1, doc: 'P.' } },
  inputs: { in: { media: json(), optional: true } }, outputs: { out: { media: json() } },
  process: async (inputs) => { await (inputs['in'] as PacketStream | undefined)?.whole(); return { out: item(1) } },
}
/** Takes a kernel's place in graphs; its fields can be changed. */
const louder = gain.definition as NodeDefinition
type Factory = (...args: readonly unknown[]) => never
const make = (parts: Parts, from: NodeDefinition = base): Factory => defineNode({ ...from, ...parts } as never) as unknown as Factory
const tone = (): never => audioBuffer({ data: [new Float32Array(1_000)], rate: 8_000 }) as never

/** Engines by what they are for: one that runs learns what its nodes cost, and plans otherwise. */
const engines = new Map<string, Promise<Engine>>()
function engineFor(use: string, options: EngineOptions = { workers: 0 }): Promise<Engine> {
  const key = `${use} ${JSON.stringify(options)}`
  const engine = engines.get(key) ?? createEngine({ arenaBytes: 2 ** 24, logger: () => undefined, ...options })
  engines.set(key, engine)
  return engine
}
afterAll(async () => { for (const engine of engines.values()) await (await engine).close() })

/** What can be seen of a definition. */
const see = {
  hash: (parts: Parts, params: object = {}): string => hashGraph(graphFrom({ o: make(parts)(params) } as never)).graph,
  kernelHash: (parts: Parts): string => hashGraph(graphFrom({ o: make(parts, louder)(tone()) } as never)).graph,
  schema: (parts: Parts): string => JSON.stringify(nodeSchema({ ...base, ...parts })),
  page: (parts: Parts): string => page({ name: 'gain', definition: { ...base, ...parts } }, {
    describeConstraint, rangeText, index: readFileSync('src/nodes/index.ts', 'utf8'), lines: new Map(),
  }),
  problems: (parts: Parts, node: object = {}, host?: object): string => {
    const registry = createRegistry({ definition: { ...base, ...parts } })
    return JSON.stringify(validate(
      { millrace: 1, nodes: [{ id: 'n', type: 'my::a', ...node }], outputs: { o: ['n', 'out'] } },
      registry, host as never,
    ).map(({ code, severity, message, hint }) => [code, severity, message, hint]))
  },
  param: (param: Partial<ParamDeclaration>, value?: unknown): string => JSON.stringify(
    resolveParams({ ...base, params: { p: { type: 'number', doc: '', ...param } } }, value === undefined ? {} : { p: value }),
    (_, one: unknown) => typeof one === 'bigint' ? String(one) : one,
  ),
  plan: async (parts: Parts, from: NodeDefinition = base, options: EngineOptions = { workers: 0 }): Promise<string> => {
    const engine = await engineFor('plans', options), node = make(parts, from)
    const plan = await engine.plan({ o: from === louder ? node(tone()) : node() } as never).catch((error: { code: string }) => error.code)
    return JSON.stringify(plan, (key, value: unknown) => ['hash', 'graphHash', 'type'].includes(key) ? undefined : value)
  },
  attempts: async (parts: Parts): Promise<number> => {
    let calls = 0
    const node = make({
      ...parts,
      process: async () => { if (++calls === 1) throw new Error('once'); return { out: item(1) } },
    }) as unknown as { with(settings: object): () => never }
    await (await engineFor('runs'))
      .run({ o: node.with({ policy: { retry: { kind: 'fixed', retries: 2, delayMs: 1 } } })() } as never).catch(() => undefined)
    return calls
  },
  life: async (parts: Parts): Promise<string> => {
    const calls: string[] = []
    const engine = await createEngine({ workers: 0 })
    const node = make({
      init: () => { calls.push('init'); return {} },
      ...Object.fromEntries(Object.keys(parts).map((name) => [name, () => { calls.push(name) }])),
    })
    for (let i = 0; i < 2; i++) (await engine.run({ o: node() } as never)).close()
    await engine.close()
    return calls.join()
  },
}
type Seen = unknown | Promise<unknown>
/** Without the field, and with it. */
type Effect = readonly [without: () => Seen, with_: () => Seen]
function exampleOf(definition: NodeDefinition): Finding | undefined {
  const log = new FindingLog('js')
  checkExample(definition, log)
  return log.findings()[0]
}
const both = <T extends (parts: never) => Seen>(look: T, parts: Parameters<T>[0], without: Parameters<T>[0] = {} as never): Effect =>
  [() => look(without), () => look(parts)]
const code = async (): Promise<{ out: Packet }> => ({ out: item(2) })
const chunked: NodeDefinition = {
  ...base, process: undefined as never, inputs: {},
  outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  async *pull() { yield {} },
}
const convertible = (converter: NodeDefinition['converter']): string => JSON.stringify(validate(
  graphOf({ a: source('t::a', { rate: 48_000 }), b: sink('t::b', { rate: 16_000 }) }, ['a.out->b.in']),
  registryOf(...[{
    ...resample, type: 'my::resample', ...(converter && { converter: { ...converter, cost: 0.5 } }),
  }].map(({ converter: own, ...rest }) => converter ? { ...rest, converter: own! } : rest) as NodeDefinition[]),
).map(({ message }) => message))

const DEFINITION: Readonly<Record<Exclude<keyof NodeDefinition, 'batchable'>, Effect>> = {
  type: both(see.hash, { type: 'my::b' }), version: both(see.hash, { version: '2.0.0' }), title: both(see.schema, { title: 'B' }),
  doc: both(see.schema, { doc: 'B.' }), family: both(see.page, { family: 'g' }), tags: both(see.page, { tags: ['x'] }),
  aliases: both((parts: Parts) => createRegistry({ definition: { ...base, ...parts } }).get('Other')?.type, { aliases: ['Other'] }),
  status: both(see.problems, { status: 'deprecated' }),
  replacedBy: both(see.problems, { status: 'deprecated', replacedBy: 'my::b' }, { status: 'deprecated' }),
  references: both(see.page, { references: ['A paper'] }),
  params: both(see.problems, { params: { q: { type: 'number', required: true, doc: '' } } }),
  additionalParams: [() => see.problems({}, { params: { z: 1 } }), () => see.problems({ additionalParams: true }, { params: { z: 1 } })],
  inputs: both(see.problems, { inputs: { in: { media: json() } } }), outputs: both(see.problems, { outputs: { other: { media: json() } } }),
  main: both((parts: Parts) => {
    try {
      return typeof graphFrom({ o: make({ outputs: { a: { media: json() }, out: { media: json() } }, ...parts })() } as never)
    } catch (error) {
      return (error as { code: string }).code
    }
  }, { main: 'out' }),
  kernel: both(see.kernelHash, { kernel: { module: 'mine', export: 'gain' } }),
  reference: both(see.kernelHash, { reference: { ...louder.reference!, init: () => ({}) } as never }),
  process: both(see.hash, { process: code }), pull: both(see.hash, { process: undefined, async *pull() { yield {} } } as never),
  init: both(see.hash, { init: () => 1 }), flush: both(see.hash, { flush: async () => undefined }),
  reset: both(see.life, { reset: () => undefined }), dispose: both(see.life, { dispose: () => undefined }),
  thread: both((parts: Parts) => see.plan(parts, base, { workers: 1 }), { thread: 'worker' }),
  codeURL: both(see.hash, { thread: 'worker', codeURL: 'https://a.b/c.js' }, { thread: 'worker' }),
  whole: both((parts: Parts) => planOf(() => gain(make(parts, chunked)())), { whole: () => true }),
  probe: both((parts: Parts) => see.plan(parts, { ...chunked, outputs: { out: { media: audio({ discovered: true }) } } }), {
    probe: async () => ({ media: { out: { kind: 'audio', rate: 7_000, channels: 1, format: 'f32', layout: 'planar' } } }),
  }),
  validate: both(see.problems, {
    validate: () => [{ code: 'PARAM_INVALID', severity: 'error', stage: 8, message: 'No.', hint: '', docs: '' }],
  }),
  deterministic: both((parts: Parts) => see.hash(parts) === see.hash(parts), { deterministic: 'no' }), parity: both((parts: Parts) =>
    hashGraph(graphFrom({ o: make(parts, louder)(tone()) } as never), { tier: () => 'wasm' }).graph, { parity: { peak: 1, rms: 1 } }),
  stateful: both(see.page, { stateful: true }), idempotent: both(see.attempts, { idempotent: false }),
  effects: both(see.attempts, { effects: 'write' }),
  latencyFrames: both(see.page, { latencyFrames: 3 }), tailFrames: both((parts: Parts) => see.plan(parts, louder), { tailFrames: 5_000 }),
  holdFrames: both(see.page, { holdFrames: 3 }),
  summary: both(see.kernelHash, { summary: () => ({}) }),
  identity: both((parts: Parts) => see.plan(parts, louder), { identity: () => true }),
  planNote: both((parts: Parts) => see.plan(parts, louder), { planNote: () => 'so' }),
  costNs: both((parts: Parts) => see.plan(parts, louder), { costNs: 900_000 }), costUs: both(see.plan, { costUs: 7 }),
  memoryBytes: both(see.plan, { memoryBytes: 700 }),
  requires: [
    () => see.problems({}, {}, { wasm: true, simd: true, sab: false, cores: 1 }),
    () => see.problems({ requires: { webgpu: true } }, {}, { wasm: true, simd: true, sab: false, cores: 1 }),
  ],
  pin: both((parts: Parts) => see.plan(parts, base, { workers: 1 }), { thread: 'worker', pin: 'main' }, { thread: 'worker' }),
  limiters: both(see.plan, { limiters: ['nobody'] }),
  hangMs: both((parts: Parts) => readPolicy({ id: 'n', type: 'my::a', params: {} } as never, { ...base, ...parts }, {}).hangMs, {
    hangMs: 7,
  }),
  fingerprint: both(see.hash, { fingerprint: () => Uint8Array.of(1) }),
  converter: [() => convertible(undefined), () => convertible(resample.converter)],
  migrations: both((parts: Parts) => JSON.stringify(fromDocument(
    { millrace: 1, nodes: [{ id: 'n', type: 'my::a', version: '1.0.0', params: { q: 2 } }] },
    createRegistry({ definition: { ...base, version: '2.0.0', ...parts } }),
  ).nodes[0]!.params), { migrations: [{ from: '1.0.0', params: ({ q }) => ({ p: q }) }] }),
  example: both((parts: Parts) => exampleOf({ ...louder, ...parts })?.ok, { example: (self: Factory) => ({ o: self(tone()) }) } as never),
}

const PARAM: Readonly<Record<keyof ParamDeclaration, Effect>> = {
  type: [() => see.param({}, 'x'), () => see.param({ type: 'string' }, 'x')], min: [() => see.param({}, 1), () => see.param({ min: 2 }, 1)],
  max: [() => see.param({}, 3), () => see.param({ max: 2 }, 3)],
  exclusiveMin: [() => see.param({}, 2), () => see.param({ exclusiveMin: 2 }, 2)],
  exclusiveMax: [() => see.param({}, 2), () => see.param({ exclusiveMax: 2 }, 2)],
  values: [() => see.param({ type: 'enum', values: ['a'] }, 'b'), () => see.param({ type: 'enum', values: ['b'] }, 'b')],
  pattern: [() => see.param({ type: 'string' }, 'x'), () => see.param({ type: 'string', pattern: '^y' }, 'x')],
  minLength: [() => see.param({ type: 'string' }, 'x'), () => see.param({ type: 'string', minLength: 2 }, 'x')],
  maxLength: [() => see.param({ type: 'string' }, 'xx'), () => see.param({ type: 'string', maxLength: 1 }, 'xx')],
  minItems: [() => see.param({ type: 'array' }, [1]), () => see.param({ type: 'array', minItems: 2 }, [1])],
  maxItems: [() => see.param({ type: 'array' }, [1, 2]), () => see.param({ type: 'array', maxItems: 1 }, [1, 2])],
  items: [() => see.param({ type: 'array' }, ['x']), () => see.param({ type: 'array', items: { type: 'number', doc: '' } }, ['x'])],
  required: [() => see.param({}), () => see.param({ required: true })], default: [() => see.param({}), () => see.param({ default: 4 })],
  alias: [
    () => JSON.stringify(resolveParams(base, { q: 2 }).values),
    () => JSON.stringify(resolveParams({ ...base, params: { p: { type: 'number', doc: '', alias: ['q'] } } }, { q: 2 }).values),
  ],
  secret: [() => see.param({}, 'word'), () => see.param({ secret: true }, 'word')],
  cosmetic: [
    () => see.hash({}, { p: 1 }) === see.hash({}, { p: 2 }),
    () => {
      const parts: Parts = { params: { p: { type: 'number', cosmetic: true, doc: '' } } }
      return see.hash(parts, { p: 1 }) === see.hash(parts, { p: 2 })
    },
  ],
  size: [
    () => see.problems({}, { params: { p: 9 } }, { wasm: true, simd: true, sab: false, cores: 1 }),
    () => see.problems({ params: { p: { type: 'number', size: 'cores', doc: '' } } }, { params: { p: 9 } }, {
      wasm: true, simd: true, sab: false, cores: 1,
    }),
  ],
  main: [
    () => { try { return typeof make({})(5) } catch (error) { return (error as { code: string }).code } },
    () => typeof make({ params: { p: { type: 'number', main: true, doc: '' } } })(5),
  ],
  input: [
    () => validate(graphFrom({ o: make({})({ p: listSource([1]) }) } as never), createRegistry()).map(({ code: one }) => one).join(),
    () => validate(
      graphFrom({ o: make({ params: { p: { type: 'number', input: true, doc: '' } } })({ p: listSource([1]) }) } as never),
      createRegistry(),
    ).map(({ code: one }) => one).join(),
  ],
  rate: [
    () => describeKernel(louder, kernelCase).controls.length,
    () => describeKernel({
      ...louder, kernel: { ...louder.kernel!, controls: undefined as never },
      params: { gainDb: { ...louder.params['gainDb']!, rate: 'init' } },
    }, kernelCase).controls.length,
  ],
  ...Object.fromEntries((['unit', 'step', 'curve', 'label', 'doc', 'widget'] as const).map((field) => [
    field,
    both(see.schema, { params: { p: { ...base.params['p']!, [field]: field === 'step' ? 2 : field === 'curve' ? 'log' : 'new' } } }),
  ])) as Record<'unit' | 'step' | 'curve' | 'label' | 'doc' | 'widget', Effect>,
}

const media = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
const kernelCase = {
  nodeId: 'n', params: { gainDb: 1 }, media: { in: media, out: media }, inputs: ['in'], connectedOutputs: new Set(['out']), maxFrames: 100,
} as never
const spec = (parts: Partial<KernelDeclaration>): string =>
  JSON.stringify(describeKernel({ ...louder, kernel: { ...louder.kernel!, ...parts } }, kernelCase), (_, value: unknown) =>
    value instanceof Float32Array ? [...value] : typeof value === 'bigint' ? String(value) : value)
const port = (parts: Partial<InputDeclaration>) => see.page({ inputs: { in: { media: json(), ...parts } } })
const runs = async (parts: Partial<InputDeclaration>, out: Partial<OutputDeclaration> = {}): Promise<string> => {
  const list = defineNode({
    ...base, type: 'my::list', inputs: {}, outputs: { out: { media: json(), list: true } }, process: async () => ({ out: item([1, 2]) }),
  } as never) as unknown as Factory
  const node = make({
    inputs: { in: { media: json(), ...parts } }, outputs: { out: { media: json(), ...out } },
    process: async (inputs) => ({
      out: item(inputs['in'] === undefined ? ['not read'] : [(await (inputs['in'] as PacketStream).whole()).data]),
    }),
  })
  const engine = await engineFor('runs')
  using result = await engine.run({ o: node(list()) } as never)
  return JSON.stringify((result.outputs as Record<string, Packet>)['o']!.data)
}
const kernelPlan = (out: Partial<OutputDeclaration>): Promise<string> =>
  see.plan({ outputs: { out: { ...louder.outputs['out']!, ...out } } }, louder)
const PORTS: Readonly<Record<`input ${keyof InputDeclaration}` | `output ${keyof OutputDeclaration}`, Effect>> = {
  'input media': both(port, { media: audio() }), 'input doc': both(port, { doc: 'About.' }),
  'input optional': [() => see.problems({ inputs: { in: { media: json() } } }), () => see.problems({})],
  'input multi': both(port, { multi: true }),
  'input lazy': [() => runs({}), () => runs({ lazy: true })], 'input list': [() => runs({}), () => runs({ list: true })],
  'input changes': [() => changes(false), () => changes(true)],
  'output media': both(see.page, { outputs: { out: { media: audio() } } }),
  'output doc': both(see.page, { outputs: { out: { media: json(), doc: 'About.' } } }),
  'output list': [() => see.page({}), () => see.page({ outputs: { out: { media: json(), list: true } } })],
  'output frames': [() => kernelPlan({}), () => kernelPlan({ frames: (frames) => 50 * frames })],
  'output view': [() => kernelPlan({}), () => kernelPlan({ view: () => ({ first: 0 }) })],
  'output metadata': [() => metadata(), () => metadata(() => ({ told: 7 }))],
}
async function changes(allowed: boolean): Promise<string> {
  const two = defineNode({
    ...base, type: 'my::two', inputs: {}, outputs: { out: { media: audio({ discovered: true }) } },
    async *pull(_params: object, ctx: NodeContext) {
      for (const rate of [8_000, 16_000]) {
        const data = await ctx.allocAudio({ rate, channels: 1, frames: 10 })
        yield { out: { ...item(data), media: { kind: 'audio', rate, channels: 1, format: 'f32', layout: 'planar' }, duration: 10 } }
      }
    },
    process: undefined,
  } as never) as unknown as Factory
  const reader = make({
    inputs: { in: { media: audio(), changes: allowed } },
    process: async (inputs) => { let n = 0; for await (const _ of inputs['in'] as PacketStream) n++; return { out: item(n) } },
  })
  const engine = await engineFor('runs')
  return await engine.run({ o: reader(two()) } as never)
    .then((result) => JSON.stringify((result.outputs as Record<string, Packet>)['o']!.data), (error: { code: string }) => error.code)
}
async function metadata(told?: OutputDeclaration['metadata']): Promise<string> {
  const engine = await engineFor('runs')
  using result = await engine.run({
    o: make({ outputs: { out: { ...louder.outputs['out']!, ...(told && { metadata: told }) } } }, louder)(tone()),
  } as never)
  return JSON.stringify((result.outputs as Record<string, Packet>)['o']!.metadata)
}

const planOf = async (target: () => unknown): Promise<string> => {
  const engine = await engineFor('plans')
  const { estPeakBytes, segments, buffers } = await engine.plan({ o: target() } as never)
  return JSON.stringify([estPeakBytes, segments, buffers])
}
const chain = (inPlace: KernelDeclaration['inPlace']): Promise<string> => planOf(() =>
  [1, 2, 3, 4].reduce((x: never) => make({ kernel: { ...louder.kernel!, inPlace: inPlace! } }, louder)(x), tone()))

const KERNEL: Readonly<Record<keyof KernelDeclaration, Effect>> = {
  module: both(spec, { module: 'mine' }), export: both(spec, { export: 'other' }), flush: both(spec, { flush: true }),
  shared: both(spec, { shared: true }), statuses: both(spec, { statuses: { [-100]: 'broken' } }),
  inPlace: [() => chain([]), () => chain([[0, 0]])],
  assets: both(spec, { assets: () => [{ dtype: 'f32', data: Float32Array.of(1) }] }), slots: both(spec, { slots: () => [9] }),
  controls: both(spec, { controls: () => [9] }),
  tiers: [
    () => see.plan({}, louder, { workers: 0, tier: 'wasm' }),
    () => see.plan({ kernel: { ...louder.kernel!, tiers: ['wasm-threads'] } }, louder, { workers: 0, tier: 'wasm' }),
  ],
}

describe.each([
  ['definition', DEFINITION], ['param', PARAM], ['port', PORTS], ['kernel', KERNEL],
] as const)('fields of a %s', (_table, effects) => {
  test.each(Object.entries(effects as Readonly<Record<string, Effect>>))('%s', async (_field, [without, with_]) => {
    expect(await with_()).not.toEqual(await without())
  })
})

test('a tier that a node names and its kernel is not made for is TIER_UNAVAILABLE', async () => {
  await using engine = await createEngine({ workers: 0, tier: 'wasm' })
  const node = make({ kernel: { ...louder.kernel!, tiers: ['wasm-threads'] } }, louder) as unknown as { with(settings: object): Factory }
  await expect(engine.plan({ o: node.with({ tier: 'wasm' })(tone()) } as never)).rejects.toMatchObject({ code: 'TIER_UNAVAILABLE' })
  expect((await engine.plan({ o: node.with({ tier: 'js' })(tone()) } as never)).nodes.map(({ tier }) => tier)).toContain('js')
})

test('an example that is no sound graph is a finding', () => {
  const find = (example: unknown): unknown => exampleOf({ ...louder, example } as never)
  expect(find(() => ({ o: tone() }))).toMatchObject({ ok: false, detail: expect.stringMatching(/without a node/) })
  expect(find((self: Factory) => ({ o: self() }))).toMatchObject({ ok: false })
  expect(find(() => { throw new Error('none') })).toMatchObject({ ok: false, detail: 'none' })
  expect(find((self: Factory) => ({ o: self(tone()) }))).toMatchObject({ ok: true })
  expect(vad.definition.stateful).toBe(true)
})

const CONTEXT: Readonly<Record<keyof NodeContext, true>> = {
  signal: true, progress: true, log: true, warn: true, nowUs: true, allocAudio: true, alloc: true, rng: true, clock: true, beat: true,
  attempt: true, delivery: true, node: true, instance: true, preview: true, callOp: true, expand: true, need: true, decline: true,
  blocker: true,
}
test.each([
  'engine', 'worker',
] as const)('every member of ctx is there, on the thread of the %s; test/engine/context.test.ts uses each', async (thread) => {
  const node = make({
    thread,
    process: async (_inputs, _params, ctx) => ({
      out: {
        media: { kind: 'json' }, data: Object.keys(ctx).sort(), position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      },
    }),
  })
  await using engine = await createEngine({ workers: 1, arenaBytes: 2 ** 24 })
  using result = await engine.run({ o: node() } as never)
  expect((result.outputs as Record<string, Packet>)['o']!.data).toEqual(Object.keys(CONTEXT).sort())
})

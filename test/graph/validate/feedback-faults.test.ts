/** What planning makes of feedback edges and views, `validate` says before (GR-12, GR-48): one case per fault, the same words from both. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, hostFacts, validate, type Engine, type Graph } from '../../../src/index.js'
import { channels, gain, mix, resample, select, split, swap, switchTo } from '../../../src/nodes/index.js'
import { script, sound, sounds } from '../../support/planned-graphs.js'

const registry = createRegistry(channels, gain, mix, resample, select, split, swap, switchTo, script, sound, sounds)
type Spec = string | { readonly type: string; readonly [field: string]: unknown }
const graph = (types: Readonly<Record<string, Spec>>, links: readonly string[], outputs: readonly string[], more: object = {}): Graph =>
  fromDocument({
    millrace: 1, nodes: Object.entries(types).map(([id, type]) => ({ id, ...(typeof type === 'string' ? { type } : type) })),
    edges: links.map((link) => {
      const [from, to, delay] = link.split(' ')
      return { from: from!.split('.'), to: to!.split('.'), ...(delay !== undefined && { delayFrames: Number(delay) }) }
    }),
    outputs: Object.fromEntries(outputs.map((name) => [name.replace('.', '-'), name.split('.')])), ...more,
  }, registry)
const G = 'audio::gain', M = 'audio::mix', S = 'test::sound', BASE = { s: S, m: M, g: G }
const COMB = ['s.out m.in', 'm.out g.in', 'g.out m.in 480']

const CASES: readonly (readonly [name: string, graph: Graph, pointer: string, text: string])[] = [
  ['unequal tiers', graph({ ...BASE, g: { type: G, tier: 'js' } }, COMB, ['m.out']), '/edges/2/delayFrames',
    'Feedback edge g.out->m.in: not available in a loop through m, which runs in tier wasm, and g, which runs in tier js. Give all of its nodes one tier.'],
  ['unequal policies', graph({ ...BASE, g: { type: G, policy: { timeoutMs: 50 } } }, COMB, ['m.out']), '/edges/2/delayFrames',
    'Feedback edge g.out->m.in: not available in a loop through g, which has a policy of its own, and m, which has not. Give all of its nodes the same limiters and exclusive, and no timeoutMs.'],
  [
    'one pinned, in no loop',
    graph({ s: S, m: G, g: { type: G, policy: { pin: 'main' } } }, ['s.out m.in', 'm.out g.in 480'], ['g.out']),
    '/edges/1/delayFrames',
    'Feedback edge m.out->g.in: not available in a delay between g, which is pinned, and m, which is not. Pin all of its nodes or none.',
  ],
  [
    'a loop that holds back too much',
    graph({ ...BASE, g: { type: 'audio::resample', params: { rate: 8_001 } }, r: { type: 'audio::resample', params: { rate: 8_000 } } }, [
      's.out m.in', 'm.out g.in', 'g.out r.in', 'r.out m.in 128',
    ], ['m.out']),
    '/edges/3/delayFrames',
    'Feedback edge r.out->m.in: not available in a loop whose nodes hold back',
  ],
  [
    'a delayed value as a run output',
    graph({ s: { type: S, params: { channels: 2 } }, g: G, w: 'audio::swap' }, ['s.out g.in', 'g.out w.in 480'], ['w.out']),
    '/outputs/w-out',
    'Output w-out, which hands on a feedback edge as it is: not available in a run. Put a gain node before it.',
  ],
  [
    'a part that waits to be asked for',
    graph({ s: S, f: G, h: G, m: M, k: G, w: 'core::switch' }, [
      's.out f.in', 'f.out h.in', 'h.out m.in', 'f.out m.in 200', 's.out k.in', 'm.out w.in', 'k.out w.in',
    ], ['w.out', 'f.out']),
    '/edges/3/delayFrames',
    'Feedback edge f.out->m.in: not available in one segment with h, which waits until w.in.0 asks, and f, which does not. Take the edge out, or ask for all of it at once.',
  ],
  ['behind a script, no loop', graph({ s: S, g: G }, ['s.out g.in 480'], ['g.out']), '/edges/0/delayFrames',
    'Feedback edge s.out->g.in: not available in a delay behind s, which is written in TypeScript. Put a gain node behind s, and the delay behind that.'],
  [
    'before a script, no loop',
    graph({ s: S, g: G, t: 'test::script' }, ['s.out g.in', 'g.out t.in 480'], ['t.out']),
    '/edges/1/delayFrames',
    'Feedback edge g.out->t.in: not available in a delay before t, which is written in TypeScript. Put a gain node before t, and the delay before that.',
  ],
  [
    'a script between, no loop',
    graph({ s: S, g: G, t: 'test::script', m: M }, ['s.out g.in', 'g.out t.in', 't.out m.in', 'g.out m.in 480'], ['m.out']),
    '/edges/3/delayFrames',
    'Feedback edge g.out->m.in: not available in one segment with t, which is written in TypeScript. Take t out of what the edge spans: only kernels run there.',
  ],
  ['a list, item by item', graph({ s: 'test::sounds', m: M, g: G }, COMB, ['m.out']), '/edges/2/delayFrames',
    'Feedback edge g.out->m.in: not available in a loop through m, which is written in TypeScript.'],
  ['views all the way round', graph({ s: S, a: 'audio::swap', b: 'audio::swap' }, ['a.out b.in', 'b.out a.in 128'], ['b.out', 's.out']),
    '/edges/1/delayFrames', 'Feedback edge b.out->a.in: not available in a loop of nodes that change nothing. Remove it.'],
  ['channels that are not there', graph({ s: S, p: 'audio::split', g: G }, ['s.out p.in', 'p.c1 g.in'], ['g.out']), '/edges/1/from/1',
    'Node p: no port c1; has c0.'],
  ['channels that are not there, as an output', graph({ s: S, p: 'audio::split' }, ['s.out p.in'], ['p.c2']), '/outputs/p-c2',
    'Node p: no port c2; has c0.'],
]

let engine: Engine
beforeAll(async () => { engine = await createEngine({ registry, tier: 'wasm', workers: 0 }) })
afterAll(() => engine.close())

test.each(CASES)('%s', async (_name, one, pointer, text) => {
  const found = validate(one, registry, { ...hostFacts(), engineTier: 'wasm' }).filter(({ severity }) => severity === 'error')
  expect(found.map((fault) => [fault.pointer, fault.stage])).toEqual([[pointer, 12]])
  expect(`${found[0]!.message} ${found[0]!.hint}`).toContain(text)
  expect(found[0]).toMatchObject(pointer.startsWith('/edges') ? {
    edge: expect.any(String) as string, node: expect.any(String) as string,
    suggestions: [expect.objectContaining({ title: expect.stringMatching(/^Remove edge/) as string })],
  } : { node: expect.any(String) as string })
  await expect(engine.plan(one)).rejects
    .toMatchObject({ code: found[0]!.code, message: found[0]!.message, hint: found[0]!.hint, nodeId: found[0]!.node })
})

test('a feedback edge that a bypassed node leaves to a run-time input', async () => {
  const one = graph({ b: { type: G, mode: 'bypass' }, g: G }, ['b.out g.in 128'], ['g.out'], {
    inputs: { talk: { to: [['b', 'in']], media: { kind: 'audio', rate: 48_000, channels: 1, format: 'f32', layout: 'planar' } } },
  })
  expect(validate(one, registry).map(({ code, message, pointer }) => [code, message, pointer])).toEqual([[
    'UNSUPPORTED',
    'Feedback edge b.out->g.in: not available in a delay behind input talk, which is no kernel.',
    '/edges/0/delayFrames',
  ]])
  await expect(engine.plan(one, { inputs: { talk: [new Float32Array(10)] } })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('an input of which nobody knows what it brings casts no doubt on what it is not joined to', async () => {
  const aside = { nodes: { x: G }, links: [] as string[], more: { inputs: { talk: { to: [['x', 'in']] } } } }
  const told = (one: Graph): readonly unknown[] => validate(one, registry, { ...hostFacts(), engineTier: 'wasm' })
    .flatMap(({ severity, code, pointer }) => severity === 'error' ? [[code, pointer]] : [])
  const types = { ...BASE, g: { type: G, policy: { timeoutMs: 50 } }, ...aside.nodes }, talk = [new Float32Array(10)]
  const apart = graph(types, COMB, ['m.out', 'x.out'], aside.more)
  const output = graph({ s: { type: S, params: { channels: 2 } }, g: G, w: 'audio::swap', ...aside.nodes }, [
    's.out g.in', 'g.out w.in 480',
  ], ['w.out', 'x.out'], aside.more)
  expect([told(apart), told(output)]).toEqual([[['UNSUPPORTED', '/edges/2/delayFrames']], [['UNSUPPORTED', '/outputs/w-out']]])
  for (const one of [apart, output]) await expect(engine.plan(one, { inputs: { talk } })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  // Joined, it may bring converters and lists: what they cannot mend is told all the same, the rest by planning.
  const joined = (g: object): Graph =>
    graph({ ...BASE, g: { type: G, ...g }, ...aside.nodes }, [...COMB, 'x.out m.in'], ['m.out'], aside.more)
  for (const g of [{ policy: { timeoutMs: 50 } }, { tier: 'js' }, { policy: { pin: 'main' } }]) {
    expect(told(joined(g))).toEqual([['UNSUPPORTED', '/edges/2/delayFrames']])
    await expect(engine.plan(joined(g), { inputs: { talk } })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  }
})

test('without a host a loop is refused when no engine has one tier for it', () => {
  const errors = (a: unknown, b: unknown): number =>
    validate(graph({ s: S, m: { type: M, tier: a }, g: { type: G, tier: b } }, COMB, ['m.out']), registry)
      .filter(({ severity }) => severity === 'error').length
  expect([errors('js', 'wasm'), errors('js', 'auto'), errors('wasm', 'auto'), errors('wasm', 'wasm-threads'), errors(['wasm', 'js'], 'js')])
    .toEqual([1, 0, 0, 1, 0])
})

test('a run output of a bypassed node that hands on a run-time input', async () => {
  const one = graph({ b: { type: G, mode: 'bypass' } }, [], ['b.out'], { inputs: { talk: { to: [['b', 'in']] } } })
  expect(validate(one, registry)).toEqual([])
  await expect(engine.plan(one, { inputs: { talk: [new Float32Array(10)] } })).resolves
    .toMatchObject({ graphHash: expect.any(String) as string })
})

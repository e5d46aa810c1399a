import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Graph } from '../../../src/graph/graph.js'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import type { NodeDefinition } from '../../../src/graph/node-definition.js'
import {
  audio, events, oneOf, type AudioConstraint, type FieldConstraint, type Media, type MediaConstraint, type SimpleConstraint,
} from '../../../src/media/media-type.js'
import { graphOf, nodeType } from '../../support/graph-nodes.js'

/** Everything that may flow in these graphs: four kinds of audio and one of events. */
const WORLD: readonly Media[] = [
  ...[8, 16].flatMap((rate) => [1, 2].map((channels): Media => ({ kind: 'audio', rate, channels, format: 'f32', layout: 'planar' }))),
  { kind: 'events', schema: 'vad', timebase: 100 },
]
const fixed = { format: 'f32', layout: 'planar' } as const
const nobody = { get: () => undefined, list: () => [] }

const rate: fc.Arbitrary<FieldConstraint<number>> =
  fc.constantFrom<FieldConstraint<number>>(8, 16, [8, 16], [16, 8], { min: 8, max: 16, step: 8 }, { min: 9, max: 16, step: 7 })
const channels: fc.Arbitrary<FieldConstraint<number>> = fc.constantFrom<FieldConstraint<number>>(1, 2, [1, 2], [2, 1], { min: 1, max: 2 })
const sound: fc.Arbitrary<AudioConstraint> = fc.record({ rate, channels }).map((fields) => audio({ ...fixed, ...fields }))
const happening = fc.constant(events({ schema: 'vad', timebase: 100 }))
const simple: fc.Arbitrary<SimpleConstraint> = fc.oneof({ weight: 4, arbitrary: sound }, { weight: 1, arbitrary: happening })
const either: fc.Arbitrary<MediaConstraint> = fc.tuple(sound, happening, fc.boolean())
  .map(([a, b, first]) => first ? oneOf(a, b) : oneOf(b, a))
const own: fc.Arbitrary<MediaConstraint> = fc.oneof({ weight: 3, arbitrary: simple }, { weight: 1, arbitrary: either })
/** An output: its own constraint, or tied to the input as a whole, in one field, or by a type variable. */
const tie = fc.constantFrom('none', 'none', 'like', 'rate', 'channels', 'match')

interface Shape { readonly inputs: readonly MediaConstraint[]; readonly output: MediaConstraint; readonly tie: string }
const shape: fc.Arbitrary<Shape> = fc.record({ inputs: fc.array(own, { maxLength: 2 }), output: own, tie })

/** Ties are made to linked audio inputs only: a tie to nothing allows what this small world does not hold. */
function definitionOf({ inputs, output, tie: how }: Shape, n: number, linked: boolean): NodeDefinition {
  const ports = Object.fromEntries(inputs.map((media, i) => [`in${i}`, { media, optional: true }]))
  const tied = linked && how !== 'none' && inputs[0]!.kind === 'audio'
  if (!tied) return nodeType(`test::n${n}`, { inputs: ports, outputs: { out: output } })
  const free = audio({ ...fixed, rate: [8, 16], channels: [1, 2] })
  switch (how) {
    case 'like': return nodeType(`test::n${n}`, { inputs: ports, outputs: { out: audio({ like: 'in0' }) } })
    case 'rate': return nodeType(`test::n${n}`, { inputs: ports, outputs: { out: { ...free, rate: { sameAs: 'in0' } } } })
    case 'channels': return nodeType(`test::n${n}`, { inputs: ports, outputs: { out: { ...free, channels: { sameAs: 'in0' } } } })
    default: return nodeType(`test::n${n}`, {
      inputs: Object.fromEntries(inputs.map((_, i) => [`in${i}`, { media: { kind: 'match', name: 'T' }, optional: true }])),
      outputs: { out: { kind: 'match', name: 'T' } },
    })
  }
}

/** Graphs of up to six nodes: every input is fed by an earlier node or by nothing. */
const small: fc.Arbitrary<Graph> = fc.array(fc.record({ shape, feeds: fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }) }), {
  minLength: 1, maxLength: 6,
}).map((nodes) => {
  const edges: string[] = []
  nodes.forEach(({ shape: { inputs }, feeds }, n) =>
    inputs.forEach((_, i) => { if (feeds[i]! < n) edges.push(`n${feeds[i]}.out->n${n}.in${i}`) }))
  return graphOf(
    Object.fromEntries(nodes.map(({ shape: one }, n) =>
      [`n${n}`, definitionOf(one, n, edges.some((edge) => edge.endsWith(`->n${n}.in0`)))])),
    edges,
  )
})

/** Does a constraint allow a media type? Written from the words of spec section 4, without the solver's domains. */
function allows(
  constraint: MediaConstraint, media: Media, others: (port: string) => Media | undefined, groups: Map<string, Media>,
): boolean {
  if (constraint.kind === 'any') return true
  if (constraint.kind === 'match') {
    const first = groups.get(constraint.name)
    groups.set(constraint.name, first ?? media)
    return first === undefined || JSON.stringify(first) === JSON.stringify(media)
  }
  if (constraint.kind === 'oneOf') return constraint.options.some((option) => allows(option, media, others, groups))
  if (constraint.kind !== media.kind) return false
  const fields = constraint as unknown as Readonly<Record<string, unknown>>, values = media as unknown as Readonly<Record<string, unknown>>
  return Object.keys(values).every((name) => {
    if (name === 'kind') return true
    const rule = fields[name] ?? (constraint.like === undefined ? undefined : { sameAs: constraint.like })
    if (rule === undefined) return true
    if (typeof rule !== 'object' || rule === null) return values[name] === rule
    if (Array.isArray(rule)) return rule.includes(values[name])
    if ('sameAs' in rule) {
      const other = others(rule.sameAs as string) as unknown as Readonly<Record<string, unknown>> | undefined
      return other === undefined || !(name in other) || other[name] === values[name]
    }
    const { min = -Infinity, max = Infinity, step } = rule as { min?: number; max?: number; step?: number }, value = values[name] as number
    return value >= min && value <= max && (step === undefined || Number.isInteger((value - min) / step))
  })
}

/** Each node with the linked input ports and the nodes that feed them. */
function feedsOf(graph: Graph): readonly {
  readonly id: string
  readonly definition: NodeDefinition
  readonly fed: readonly { readonly port: string; readonly from: number }[]
}[] {
  return graph.nodes.map(({ id, definition }) => ({
    id, definition: definition!, fed: Object.keys(definition!.inputs).flatMap((port) => {
      const edge = graph.edges.find(({ to }) => to[0] === id && to[1] === port)
      return edge === undefined ? [] : [{ port, from: graph.nodes.findIndex((node) => node.id === edge.from[0]) }]
    }),
  }))
}

/**
 * What a type's output may be when these media are at these inputs; the answers are kept, because few types stand in millions of graphs.
 */
function outputsOf(definition: NodeDefinition, fed: readonly { readonly port: string; readonly media: Media }[]): readonly Media[] {
  const asked = ANSWERS.get(definition) ?? new Map<string, readonly Media[]>()
  const question = fed.map(({ port, media }) => port + WORLD.indexOf(media)).join()
  ANSWERS.set(definition, asked)
  let found = asked.get(question)
  if (found === undefined) {
    found = WORLD.filter((out) => {
      const groups = new Map<string, Media>()
      const others = (port: string): Media | undefined => port === 'out' ? out : fed.find((one) => one.port === port)?.media
      return [
        ...fed.map(({ port, media }) => [definition.inputs[port]!.media, media] as const),
        [definition.outputs['out']!.media, out] as const,
      ].every(([constraint, media]) => allows(constraint, media, others, groups))
    })
    asked.set(question, found)
  }
  return found
}
const ANSWERS = new WeakMap<NodeDefinition, Map<string, readonly Media[]>>()

/** All outputs of all nodes, in their order, that satisfy everything, by trying every combination node by node. */
function everySolution(graph: Graph): readonly (readonly Media[])[] {
  let partial: (readonly Media[])[] = [[]]
  for (const { definition, fed } of feedsOf(graph)) {
    partial = partial.flatMap((known) => outputsOf(definition, fed.map(({ port, from }) => ({ port, media: known[from]! })))
      .map((out) => [...known, out]))
  }
  return partial
}

/** The combinations that the agreed media of all ports are, `open` ports left out. */
function agreeing(
  graph: Graph, all: readonly (readonly Media[])[], media: ReadonlyMap<string, Media>, open: readonly string[] = [],
): readonly (readonly Media[])[] {
  const agreed = feedsOf(graph).flatMap(({ id, fed }, n) =>
    [...fed.map(({ port, from }) => ({ port: `${id}.${port}`, from })), { port: `${id}.out`, from: n }])
    .flatMap(({ port, from }) => open.includes(port) ? [] : [{ from, world: BY_TEXT.get(textOf(media.get(port))) }])
  return all.filter((one) => agreed.every(({ from, world }) => world === one[from]))
}

/**
 * Node types of the exhaustive test, by what they decide: a source with a choice, one without, a tie, a narrow input with a
 * free output, a join tied to its first input.
 */
const KINDS: readonly NodeDefinition[] = [
  nodeType('test::choice', { outputs: { out: audio({ ...fixed, rate: [8, 16], channels: 1 }) } }),
  nodeType('test::sixteen', { outputs: { out: audio({ ...fixed, rate: 16, channels: 1 }) } }),
  nodeType('test::tie', {
    inputs: { in0: { media: audio({ ...fixed, rate: [16, 8], channels: 1 }), optional: true } },
    outputs: { out: audio({ ...fixed, channels: 1, rate: [16, 8] }) },
  }),
  nodeType('test::eight', {
    inputs: { in0: { media: audio({ ...fixed, rate: 8, channels: 1 }), optional: true } },
    outputs: { out: audio({ ...fixed, rate: [8, 16], channels: 1 }) },
  }),
  nodeType('test::join', {
    inputs: {
      in0: { media: audio({ ...fixed, rate: [8, 16], channels: 1 }), optional: true },
      in1: { media: audio({ ...fixed, rate: { min: 8, max: 16, step: 8 }, channels: 1 }), optional: true },
    },
    outputs: { out: audio({ ...fixed, channels: 1, rate: [8, 16] }) },
  }),
]
/** The same with their outputs tied to what is linked: a tie to nothing allows what this small world does not hold. */
const TIED: ReadonlyMap<NodeDefinition, NodeDefinition> = new Map([KINDS[2]!, KINDS[4]!].map((kind) =>
  [kind, { ...kind, outputs: { out: { media: audio({ ...fixed, channels: 1, rate: { sameAs: 'in0' } }) } } } as NodeDefinition]))

/**
 * Every graph of exactly `size` nodes of these types, every input fed by nothing or by any earlier node. Of the orders in which one graph
 * can be written those are left out in which two neighbours that do not depend on each other could change places for a smaller description:
 * the least of all orders always stays.
 */
function* everyGraph(size: number): Generator<Graph> {
  const chosen: { readonly kind: NodeDefinition; readonly feeds: readonly number[]; readonly key: number }[] = []
  function* extend(): Generator<Graph> {
    const n = chosen.length
    if (n === size) {
      const edges = chosen.flatMap(({ feeds }, to) => feeds.flatMap((from, i) => from < 0 ? [] : [`n${from}.out->n${to}.in${i}`]))
      yield graphOf(
        Object.fromEntries(chosen.map(({ kind, feeds }, i) => [`n${i}`, (feeds[0] ?? -1) < 0 ? kind : TIED.get(kind) ?? kind])),
        edges,
      )
      return
    }
    for (const [k, kind] of KINDS.entries()) {
      const inputs = Object.keys(kind.inputs).length, ways = (n + 1) ** inputs
      for (let way = 0; way < ways; way++) {
        const feeds = Array.from({ length: inputs }, (_, i) => Math.floor(way / (n + 1) ** i) % (n + 1) - 1)
        const key = feeds.reduce((before, from) => before * 8 + from + 1, k)
        if (n > 0 && !feeds.includes(n - 1) && key < chosen[n - 1]!.key) continue
        chosen.push({ kind, feeds, key })
        yield* extend()
        chosen.pop()
      }
    }
  }
  yield* extend()
}

/** 1 to 6 nodes. */
const GRAPHS = [5, 40, 466, 7_378, 151_650, 3_915_711]
const LARGEST =
  Number((globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env['MILLRACE_NEGOTIATE_NODES'] ?? 4)

test(
  `all graphs of up to ${LARGEST} nodes of five types: solvable exactly when some combination is, and solved by one of those (GR-34)`,
  () => {
    const counts: number[] = []
    let solvable = 0
    for (let size = 1; size <= LARGEST; size++) {
      let count = 0
      for (const graph of everyGraph(size)) {
        count++
        const all = everySolution(graph), { media, diagnostics } = negotiate(graph, nobody, { mode: 'strict' })
        if (all.length > 0) solvable++
        const agreed = agreeing(graph, all, media).length > 0
        if (agreed === (diagnostics.length > 0)) {
          expect({ graph, all, media, diagnostics }).toBe('solved by a combination, or refused because there is none')
        }
      }
      counts.push(count)
    }
    expect(counts).toEqual(GRAPHS.slice(0, LARGEST))
    expect(solvable).toBeGreaterThan(100)
  },
  3_600_000,
)

test('graphs of up to six nodes: solvable exactly when some combination is, and solved by one of those (GR-34)', () => {
  let solvable = 0, impossible = 0
  fc.assert(fc.property(small, (graph) => {
    const all = everySolution(graph)
    const { media, diagnostics, open, inserted } = negotiate(graph, nobody, { mode: 'strict' })
    expect(inserted).toEqual([])
    if (all.length === 0) { impossible++; expect(diagnostics.length).toBeGreaterThan(0); return }
    solvable++
    expect(diagnostics).toEqual([])
    // A type variable that nothing feeds may be anything: it stays open, and any combination will do.
    expect(agreeing(graph, all, media, open).length).toBeGreaterThan(0)
    // Sources prefer their own first value, unless nobody downstream can take it.
    const first = graph.nodes[0]!, wish = first.definition!.outputs['out']!.media
    if (wish.kind === 'audio' && Array.isArray(wish.rate)) {
      const possible = new Set(all.flatMap(([m]) => m?.kind === 'audio' ? [m.rate] : []))
      expect(media.get('n0.out')).toMatchObject({ rate: (wish.rate as readonly number[]).find((value) => possible.has(value)) })
    }
  }), { numRuns: 3_000, seed: 7 })
  expect(Math.min(solvable, impossible)).toBeGreaterThan(300)
})

function textOf(media: Media | undefined): string {
  return JSON.stringify(Object.entries(media ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}
const BY_TEXT: ReadonlyMap<string, Media> = new Map(WORLD.map((media) => [textOf(media), media]))

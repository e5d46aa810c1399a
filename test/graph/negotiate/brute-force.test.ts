import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Graph } from '../../../src/graph/graph.js'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import type { NodeDefinition } from '../../../src/graph/node-definition.js'
import { audio, events, oneOf, type AudioConstraint, type FieldConstraint, type Media, type MediaConstraint, type SimpleConstraint } from '../../../src/media/media-type.js'
import { graphOf, nodeType } from '../../support/graph-nodes.js'

/** Everything that may flow in these graphs: four kinds of audio and one of events. */
const WORLD: readonly Media[] = [
  ...[8, 16].flatMap((rate) => [1, 2].map((channels): Media => ({ kind: 'audio', rate, channels, format: 'f32', layout: 'planar' }))),
  { kind: 'events', schema: 'vad', timebase: 100 },
]
const fixed = { format: 'f32', layout: 'planar' } as const
const nobody = { get: () => undefined, list: () => [] }

const rate: fc.Arbitrary<FieldConstraint<number>> = fc.constantFrom<FieldConstraint<number>>(8, 16, [8, 16], [16, 8], { min: 8, max: 16, step: 8 }, { min: 9, max: 16, step: 7 })
const channels: fc.Arbitrary<FieldConstraint<number>> = fc.constantFrom<FieldConstraint<number>>(1, 2, [1, 2], [2, 1], { min: 1, max: 2 })
const sound: fc.Arbitrary<AudioConstraint> = fc.record({ rate, channels }).map((fields) => audio({ ...fixed, ...fields }))
const happening = fc.constant(events({ schema: 'vad', timebase: 100 }))
const simple: fc.Arbitrary<SimpleConstraint> = fc.oneof({ weight: 4, arbitrary: sound }, { weight: 1, arbitrary: happening })
const either: fc.Arbitrary<MediaConstraint> = fc.tuple(sound, happening, fc.boolean()).map(([a, b, first]) => first ? oneOf(a, b) : oneOf(b, a))
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
    default: return nodeType(`test::n${n}`, { inputs: Object.fromEntries(inputs.map((_, i) => [`in${i}`, { media: { kind: 'match', name: 'T' }, optional: true }])), outputs: { out: { kind: 'match', name: 'T' } } })
  }
}

/** Graphs of up to six nodes: every input is fed by an earlier node or by nothing. */
const small: fc.Arbitrary<Graph> = fc.array(fc.record({ shape, feeds: fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }) }), { minLength: 1, maxLength: 6 }).map((nodes) => {
  const edges: string[] = []
  nodes.forEach(({ shape: { inputs }, feeds }, n) => inputs.forEach((_, i) => { if (feeds[i]! < n) edges.push(`n${feeds[i]}.out->n${n}.in${i}`) }))
  return graphOf(Object.fromEntries(nodes.map(({ shape: one }, n) => [`n${n}`, definitionOf(one, n, edges.some((edge) => edge.endsWith(`->n${n}.in0`)))])), edges)
})

/** Does a constraint allow a media type? Written from the words of spec section 4, without the solver's domains. */
function allows(constraint: MediaConstraint, media: Media, others: (port: string) => Media | undefined, groups: Map<string, Media>): boolean {
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

/** All media of all connected ports that satisfy everything, by trying every combination node by node. */
function everySolution(graph: Graph): Map<string, Media>[] {
  let partial: Map<string, Media>[] = [new Map()]
  for (const { id, definition } of graph.nodes) {
    const fed = Object.keys(definition!.inputs).flatMap((port) => {
      const edge = graph.edges.find(({ to }) => to[0] === id && to[1] === port)
      return edge === undefined ? [] : [{ port, from: edge.from.join('.') }]
    })
    partial = partial.flatMap((known) => WORLD.flatMap((out) => {
      const next = new Map(known)
      for (const { port, from } of fed) next.set(`${id}.${port}`, known.get(from)!)
      next.set(`${id}.out`, out)
      const groups = new Map<string, Media>()
      const others = (port: string): Media | undefined => next.get(`${id}.${port}`)
      const holds = [...fed.map(({ port }) => [port, definition!.inputs[port]!.media] as const), ['out', definition!.outputs['out']!.media] as const]
        .every(([port, media]) => allows(media, next.get(`${id}.${port}`)!, others, groups))
      return holds ? [next] : []
    }))
  }
  return partial
}

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
    const agreed = all.filter((one) => [...one].every(([port, value]) => open.includes(port) || JSON.stringify(sorted(media.get(port))) === JSON.stringify(sorted(value))))
    expect(agreed.length).toBeGreaterThan(0)
    // Sources prefer their own first value, unless nobody downstream can take it.
    const first = graph.nodes[0]!, wish = first.definition!.outputs['out']!.media
    if (wish.kind === 'audio' && Array.isArray(wish.rate)) {
      const possible = new Set(all.flatMap((one) => { const m = one.get('n0.out')!; return m.kind === 'audio' ? [m.rate] : [] }))
      expect(media.get('n0.out')).toMatchObject({ rate: (wish.rate as readonly number[]).find((value) => possible.has(value)) })
    }
  }), { numRuns: 3_000, seed: 7 })
  expect(Math.min(solvable, impossible)).toBeGreaterThan(300)
})

function sorted(media: Media | undefined): unknown { return media === undefined ? undefined : Object.entries(media).sort(([a], [b]) => (a < b ? -1 : 1)) }

/**
 * Random small graphs for tests that ask whether `validate` and planning agree. Drawn from plain records, so
 * that a counterexample shrinks to few parts.
 */
import fc from 'fast-check'
import { audio, defineNode, fromDocument, json, match, type AudioBuffer, type Graph, type Media, type Registry } from '../../src/index.js'

/** What a node, an edge and a run-time input are drawn from; numbers pick among what there is. */
export interface DrawnNode {
  readonly type: number
  readonly params: number
  readonly tier: number
  readonly policy: number
  readonly mode: number
  readonly output: boolean
}
export interface DrawnEdge {
  readonly from: number
  readonly port: number
  readonly to: number
  readonly input: number
  readonly delay: number
}
export interface DrawnInput { readonly to: readonly (readonly [node: number, port: number])[]; readonly media: number }
export interface Drawn {
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
  readonly inputs: readonly DrawnInput[]
  readonly outputs: readonly (readonly [node: number, port: number])[]
  readonly negotiate: number
}

/** What may be drawn. */
export interface Choices {
  readonly registry: Registry
  /** Node types with the params that a node of them may have. */
  readonly types: readonly (readonly [type: string, ...params: readonly object[]])[]
  readonly tiers: readonly (string | readonly string[] | undefined)[]
  readonly policies: readonly (object | undefined)[]
  /** Out of a hundred edges: how many are feedback edges, and how many go back in the document. */
  readonly late: number
  readonly back: number
  /** Out of a hundred nodes: how many are bypassed or muted. */
  readonly modes: number
}

/** Graphs of up to `most` nodes. */
export function drawnGraphs(most: number): fc.Arbitrary<Drawn> {
  const any = fc.nat(9_999)
  return fc.record({
    nodes: fc.array(
      fc.record({ type: any, params: any, tier: any, policy: any, mode: any, output: fc.constantFrom(false, false, false, true) }),
      { minLength: 1, maxLength: most },
    ),
    edges: fc.array(fc.record({ from: any, port: any, to: any, input: any, delay: any }), { maxLength: 2 * most }),
    inputs: fc.array(fc.record({ to: fc.array(fc.tuple(any, any), { minLength: 1, maxLength: 2 }), media: any }), { maxLength: 2 }),
    outputs: fc.array(fc.tuple(any, any), { maxLength: 3 }), negotiate: any,
  })
}

const MEDIA: readonly (object | undefined)[] = [
  undefined, undefined,
  { kind: 'audio', rate: 48_000, channels: 1, format: 'f32', layout: 'planar' },
  { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' },
]
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!

/**
 * The graph of what was drawn: ends that exist, single inputs mostly linked once, edges mostly
 * forwards; and values for its run-time inputs.
 */
export function graphOf(
  { nodes, edges, inputs, outputs, negotiate }: Drawn, c: Choices,
): { readonly graph: Graph; readonly values: Readonly<Record<string, readonly Float32Array[]>> } {
  const typed = nodes.map((node, i) => {
    const [type, ...params] = pick(c.types, node.type), d = c.registry.get(type)!
    return { node, id: `n${i}`, type, params: params.length === 0 ? {} : pick(params, node.params), d }
  })
  const targets = (d: (typeof typed)[number]['d']): string[] =>
    [...Object.keys(d.inputs), ...Object.entries(d.params).flatMap(([name, { input }]) => input === true ? [name] : [])]
  const linked = new Set<string>(), free = (id: string, d: (typeof typed)[number]['d'], n: number): string | undefined => {
    const all = targets(d)
    const open = all.filter((port) => d.inputs[port]?.multi === true || !linked.has(`${id}.${port}`))
    const port = all.length === 0 ? undefined : n % 50 === 49 || open.length === 0 ? undefined : pick(open, n)
    if (port !== undefined) linked.add(`${id}.${port}`)
    return port
  }
  const links = edges.flatMap(({ from, port, to, input, delay }) => {
    const late = delay % 100 < c.late, a = from % typed.length, back = late || delay % 1_000 >= 1_000 - 10 * c.back,
      b = back ? to % typed.length : a + 1 + to % Math.max(1, typed.length - a - 1)
    const source = typed[a]!, target = typed[b], ports = Object.keys(source.d.outputs)
    const end = target === undefined || ports.length === 0 ? undefined : free(target.id, target.d, input)
    return end === undefined ? [] : [{
      from: [source.id, pick(ports.slice(0, 3), port)], to: [target!.id, end],
      ...(late && { delayFrames: pick([128, 200, 1_000, 100_000], delay) }),
    }]
  })
  const bound = inputs.map(({ to, media }, i) => [`x${i}`, {
    to: to.flatMap(([node, port]) => {
      const one = pick(typed, node), end = free(one.id, one.d, port)
      return end === undefined || !Object.hasOwn(one.d.inputs, end) ? [] : [[one.id, end]]
    }),
    ...(pick(MEDIA, media) && { media: pick(MEDIA, media) }),
  }] as const).filter(([, { to }]) => to.length > 0)
  const graph = fromDocument({
    millrace: 1, nodes: typed.map(({ node, id, type, params }) => ({
      id, type, ...(Object.keys(params).length > 0 && { params }),
      ...(pick(c.tiers, node.tier) !== undefined && { tier: pick(c.tiers, node.tier) }),
      ...(pick(c.policies, node.policy) && { policy: pick(c.policies, node.policy) }),
      ...(node.mode % 100 < c.modes && { mode: node.mode % 2 === 0 ? 'mute' : 'bypass' }), ...(node.output && { output: true }),
    })),
    edges: links, inputs: Object.fromEntries(bound), config: { negotiate: pick(['auto', 'auto', 'safe', 'strict'], negotiate) },
    outputs: Object.fromEntries(outputs.flatMap(([node, port], i) => {
      const { id, d } = pick(typed, node), ports = Object.keys(d.outputs)
      return ports.length === 0 ? [] : [[`o${i}`, [id, pick(ports.slice(0, 3), port)]]]
    })),
  }, c.registry)
  return {
    graph,
    values: Object.fromEntries(bound.map(([name, { media }]) =>
      [name, Array.from({ length: (media as { channels?: number } | undefined)?.channels ?? 1 }, () => new Float32Array(10))])),
  }
}

/** A source whose media stand in its definition. */
export const sound = defineNode({
  type: 'test::sound', version: '1.0.0', title: 'Sound', doc: 'Silence.', family: 'test', inputs: {},
  params: { rate: { type: 'number', default: 8_000, doc: 'Rate.' }, channels: { type: 'number', default: 1, doc: 'Channels.' } },
  outputs: {
    out: { media: audio({ rate: (p) => p['rate'] as number, channels: (p) => p['channels'] as number, format: 'f32', layout: 'planar' }) },
  },
  pull: async function* () { /* nothing */ },
})
/** A node written in TypeScript that hands audio on. */
export const script = defineNode({
  type: 'test::script', version: '1.0.0', title: 'Script', doc: 'Hands on.', family: 'test', params: {}, inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ like: 'in' }) } }, process: () => Promise.resolve({}),
})
/** Gives a list of sounds. */
export const sounds = defineNode({
  type: 'test::sounds', version: '1.0.0', title: 'Sounds', doc: 'A list.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }), list: true } },
  pull: async function* () { /* nothing */ },
})
/** Takes a list whole, and anything lazily. */
export const collect = defineNode({
  type: 'test::collect', version: '1.0.0', title: 'Collect', doc: 'Counts.', family: 'test',
  params: { scale: { type: 'number', input: true, default: 1, doc: 'Scale.' } },
  inputs: { list: { media: match('T'), list: true, optional: true }, late: { media: match('T'), lazy: true, optional: true } },
  outputs: { out: { media: json() }, same: { media: match('T') } }, process: () => Promise.resolve({}),
})
export type { AudioBuffer, Media }

/** Small node types and graphs for tests of graph code. Their work is never executed. */
import { createGraph, type Graph, type GraphEdge, type GraphNode } from '../../src/graph/graph.js'
import type { InputDeclaration, NodeDefinition, OutputDeclaration, ParamTable } from '../../src/graph/node-definition.js'
import type { Reference } from '../../src/graph/reference.js'
import { createRegistry, type Registry } from '../../src/graph/registry.js'
import { audio, events, type AudioMedia, type Media, type MediaConstraint } from '../../src/media/media-type.js'

/** A reference that copies nothing: enough for a definition to be complete. */
export const idle: Reference = { init: () => ({}), process: () => 0, reset: () => undefined }

type Parts = Partial<Omit<NodeDefinition, 'inputs' | 'outputs'>> & {
  readonly inputs?: Readonly<Record<string, MediaConstraint | InputDeclaration>>
  readonly outputs?: Readonly<Record<string, MediaConstraint | OutputDeclaration>>
}

/** A node type written short: ports by constraint, everything else defaulted. TypeScript node unless `kernel` is given. */
export function nodeType(type: string, { inputs = {}, outputs = {}, ...parts }: Parts = {}): NodeDefinition {
  return {
    type, version: '1.0.0', title: type, doc: `${type}.`, family: 'test', params: {},
    inputs: declared(inputs) as NodeDefinition['inputs'], outputs: declared(outputs) as NodeDefinition['outputs'],
    ...(parts.kernel === undefined ? { process: async () => ({}) } : { reference: idle }), ...parts,
  }
}

function declared(ports: Readonly<Record<string, MediaConstraint | InputDeclaration | OutputDeclaration>>): Record<string, InputDeclaration
  | OutputDeclaration> {
    return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, 'media' in port ? port : { media: port }]))
  }

export const kernel = { module: 'core', export: 'test' } as const
const audioMedia = (media: Media): AudioMedia | null => media.kind === 'audio' ? media : null
const params = (table: ParamTable): ParamTable => table

/** Audio of exactly these fields comes out. */
export function source(type: string, fields: Parameters<typeof audio>[0]): NodeDefinition {
  return nodeType(type, { outputs: { out: audio(fields) } })
}
/** Audio of exactly these fields goes in. */
export function sink(type: string, fields: Parameters<typeof audio>[0]): NodeDefinition {
  return nodeType(type, { inputs: { in: audio(fields) } })
}

/** Changes format and layout only. */
export const convert: NodeDefinition = nodeType('audio::convert', {
  kernel,
  params: params({
    format: { type: 'enum', values: ['f32', 'i16', 'i32', 'u8'], default: 'f32', doc: 'Format.' },
    layout: { type: 'enum', values: ['planar', 'interleaved'], default: 'planar', doc: 'Layout.' },
  }),
  inputs: { in: audio({ format: ['f32', 'i16', 'i32', 'u8'], layout: ['planar', 'interleaved'] }) },
  outputs: { out: audio({ like: 'in', format: (p) => p['format'] as 'f32', layout: (p) => p['layout'] as 'planar' }) },
  converter: {
    lossless: (from, to) => widens(audioMedia(from)!.format, audioMedia(to)!.format), cost: 1,
    params: (from, to) => from.kind === 'audio' && to.kind === 'audio' && (from.format !== to.format || from.layout !== to.layout)
      ? { format: to.format, layout: to.layout } : null,
  },
})
const BITS = { u8: 8, i16: 16, f32: 24, i32: 32 } as const
function widens(from: keyof typeof BITS, to: keyof typeof BITS): boolean { return BITS[from] <= BITS[to] }

/** Changes the number of channels only; `mean` towards mono. */
export const channels: NodeDefinition = nodeType('audio::channels', {
  kernel,
  params: params({
    to: { type: 'integer', min: 1, max: 64, default: 2, doc: 'Channels.' },
    mode: { type: 'enum', values: ['speakers', 'mean'], default: 'speakers', doc: 'Rule.' },
  }),
  inputs: { in: audio() }, outputs: { out: audio({ like: 'in', channels: (p) => p['to'] as number }) },
  converter: {
    lossless: false, cost: 2,
    params: (from, to) => from.kind === 'audio' && to.kind === 'audio' && from.channels !== to.channels
      ? { to: to.channels, ...(to.channels === 1 && { mode: 'mean' }) } : null,
  },
})

/** Changes the rate only. */
export const resample: NodeDefinition = nodeType('audio::resample', {
  kernel, params: params({ rate: { type: 'integer', unit: 'Hz', min: 1, max: 768_000, default: 48_000, doc: 'Rate.' } }),
  inputs: { in: audio() }, outputs: { out: audio({ like: 'in', rate: (p) => p['rate'] as number }) },
  converter: {
    lossless: false, cost: 10,
    params: (from, to) => from.kind === 'audio' && to.kind === 'audio' && from.rate !== to.rate ? { rate: to.rate } : null,
  },
})

/** Kernel that leaves audio as it is. */
export const pass: NodeDefinition = nodeType('test::pass', { kernel, inputs: { in: audio() }, outputs: { out: audio({ like: 'in' }) } })
/** Detector: audio passes, events on its clock. */
export const detect: NodeDefinition = nodeType('test::detect', {
  kernel, inputs: { in: audio({ channels: 1 }) },
  outputs: {
    audio: audio({ like: 'in' }),
    segments: events({
      schema: 'vad',
      timebase: (_params, inputs) => { const media = inputs['in']; return media?.kind === 'audio' ? media.rate : undefined },
    }),
  },
})
/** Any number of equal inputs. */
export const mix: NodeDefinition = nodeType('test::mix', {
  kernel, inputs: { in: { media: audio(), multi: true } }, outputs: { out: audio({ like: 'in' }) },
})

/** The three audio converters with these other types. */
export function registryOf(...definitions: readonly NodeDefinition[]): Registry {
  return createRegistry(...[convert, channels, resample, ...definitions].map((definition) => ({ definition })))
}

/** A graph written short: `id: definition` or `[definition, params]`; edges `a.out->b.in`. */
export function graphOf(
  nodes: Readonly<Record<string, NodeDefinition | readonly [NodeDefinition, Readonly<Record<string, unknown>>]>>,
  edges: readonly string[] = [], parts: Partial<Graph> = {},
): Graph {
  return createGraph({
    nodes: Object.entries(nodes).map(([id, given]): GraphNode => {
      const [definition, values] = isPair(given) ? given : [given, {}] as const
      return { id, type: definition.type, definition, params: values }
    }),
    edges: edges.map(edgeOf), ...parts,
  })
}

function isPair(given: NodeDefinition
  | readonly [NodeDefinition, Readonly<Record<string, unknown>>]): given is readonly [NodeDefinition, Readonly<Record<string, unknown>>] {
    return Array.isArray(given)
  }

/** `a.out->b.in`. */
export function edgeOf(text: string): GraphEdge {
  const [from, to] = text.split('->') as [string, string]
  return { from: portOf(from), to: portOf(to) }
}

/** `a.out`, split at the last dot. */
export function portOf(text: string): [string, string] {
  const dot = text.lastIndexOf('.')
  return [text.slice(0, dot), text.slice(dot + 1)]
}

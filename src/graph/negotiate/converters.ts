import type { Diagnostic } from '../../errors/diagnostic.js'
import type { AudioMedia, Media, MediaKind } from '../../media/media-type.js'
import { ask, internal } from '../ask.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { resolveParams } from '../params.js'
import { mediaOf } from './constraints.js'
import { exactly, FIELDS, revise } from './domain.js'
import { addNode, findLink, portsOf, runFunctions, type NodeFaults } from './node-ports.js'
import { pickPort } from './pick.js'
import { PortNetwork } from './port-network.js'

/** One converter to insert, with the media it gives. */
export interface ConverterStep {
  readonly definition: NodeDefinition
  /** As a document would spell them. */
  readonly params: ParamValues
  readonly input: string
  readonly output: string
  readonly from: Media
  readonly to: Media
  readonly lossless: boolean
}

/** What a search may use. */
export interface SearchOptions { readonly losslessOnly: boolean; /** Most converters in the chain. */ readonly most: number }

/** Finds converter chains among the converters of a registry. Remembers what it found: equal questions are frequent. */
export interface ConverterSearch {
  /** Cheapest chain from one media to another, null when there is none. Ties: fewer nodes, then order of the converters. */
  find(from: Media, to: Media, o: SearchOptions): readonly ConverterStep[] | null
  /** True when some converter takes one of the kinds and gives one of the others. */
  mayBridge(from: readonly MediaKind[], to: readonly MediaKind[]): boolean
  /** Converters that would need another input as well: they are suggested, never inserted (GR-32). */
  readonly needingMore: readonly NodeDefinition[]
  /** Those whose functions failed, by type: they convert nothing any more. */
  readonly faults: ReadonlyMap<string, Diagnostic>
}

/** Prepares a search over `converters`, in their order. */
export function converterSearch(converters: readonly NodeDefinition[]): ConverterSearch {
  const usable = converters.filter((one) =>
    requiredInputs(one) <= 1 && Object.keys(one.inputs).length > 0 && Object.keys(one.outputs).length > 0)
  const found = new Map<string, readonly ConverterStep[] | null>(), faults = new Map<string, Diagnostic>()
  return {
    faults,
    needingMore: converters.filter((one) => requiredInputs(one) > 1),
    mayBridge: (from, to) => usable.some((one) => {
      const gives = one.outputs[outputOf(one)]!.media.kind, takes = one.inputs[inputOf(one)]!.media.kind
      return gives !== takes && from.some((kind) => accepts(takes, kind)) && to.some((kind) => accepts(gives, kind))
    }),
    find(from, to, o) {
      const key = `${o.losslessOnly ? 1 : 0}${o.most}${keyOf(from)}>${keyOf(to)}`
      let chain = found.get(key)
      if (chain === undefined) found.set(key, chain = search(from, to, o, usable, faults))
      return chain
    },
  }
}

interface State {
  readonly media: Media
  readonly rank: number
  readonly cost: number
  readonly path: readonly ConverterStep[]
  readonly order: readonly number[]
}

/** Dijkstra over media; a state also holds how far the audio order has come and how many converters it took. */
function search(
  from: Media, to: Media, o: SearchOptions, converters: readonly NodeDefinition[], faults: Map<string, Diagnostic>,
): readonly ConverterStep[] | null {
  const goal = keyOf(to)
  const waiting: State[] = [{ media: from, rank: 0, cost: 0, path: [], order: [] }]
  const done = new Set<string>()
  while (waiting.length > 0) {
    const state = takeBest(waiting)
    const key = `${keyOf(state.media)}/${state.rank}/${state.path.length}`
    if (done.has(key)) continue
    done.add(key)
    if (keyOf(state.media) === goal) return state.path
    if (state.path.length >= o.most) continue
    converters.forEach((definition, index) => {
      const targets = new Set<string>()
      for (const wish of wishesOf(state.media, to)) {
        let step: ConverterStep | null = null
        if (!faults.has(definition.type)) {
          try { step = convert(definition, state.media, wish, to) } catch (error) { faults.set(definition.type, internal(error)) }
        }
        if (step === null || (o.losslessOnly && !step.lossless) || targets.has(keyOf(step.to))) continue
        targets.add(keyOf(step.to))
        const rank = rankAfter(state.rank, state.media, step.to)
        if (rank === null) continue
        waiting.push({
          media: step.to, rank, cost: state.cost + definition.converter!.cost, path: [...state.path, step], order: [...state.order, index],
        })
      }
    })
  }
  return null
}

function takeBest(waiting: State[]): State {
  let best = 0
  for (let i = 1; i < waiting.length; i++) if (compareStates(waiting[i]!, waiting[best]!) < 0) best = i
  return waiting.splice(best, 1)[0]!
}

function compareStates(a: State, b: State): number {
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.path.length !== b.path.length) return a.path.length - b.path.length
  for (let i = 0; i < a.order.length; i++) if (a.order[i] !== b.order[i]) return a.order[i]! - b.order[i]!
  return 0
}

/** What to ask one converter for: audio changes in one respect at a time, or all at once; other media only the whole. */
function wishesOf(from: Media, to: Media): Media[] {
  if (from.kind !== 'audio' || to.kind !== 'audio') return [to]
  const wishes: AudioMedia[] = [{ ...from, channels: to.channels }, { ...from, rate: to.rate }]
  for (const format of new Set([from.format, to.format, 'f32'] as const)) {
    for (const layout of new Set([from.layout, to.layout, 'planar'] as const)) wishes.push({ ...from, format, layout })
  }
  wishes.push(to)
  const own = keyOf(from)
  return wishes.filter((wish) => keyOf(wish) !== own)
}

/**
 * One application of a converter: what it gives for `from` when asked for `wish`; null when it
 * refuses, or gives something else of the same kind.
 */
function convert(definition: NodeDefinition, from: Media, wish: Media, goal: Media): ConverterStep | null {
  const params = ask(definition, 'converter.params', () => definition.converter!.params(from, wish), (given) => typeof given === 'object')
  if (params === null) return null
  const { values, diagnostics } = resolveParams(definition, params)
  if (diagnostics.some((one) => one.severity === 'error')) return null
  const input = inputOf(definition), output = outputOf(definition)
  const network = new PortNetwork()
  const faults: NodeFaults = { clashes: [], failures: [] }
  const node = addNode(network, {
    id: definition.type, ports: portsOf(definition), params: values, linkCount: (port) => port === input ? 1 : 0, known: () => undefined,
  }, faults)
  const a = findLink(node, input)!.variable, b = findLink(node, output)!.variable
  const taken = revise(network.domain(a), exactly(from))
  if (taken === undefined || !network.assign(a, taken)) return null
  runFunctions(network, node, faults)
  const sameKind = from.kind === wish.kind
  const wanted = sameKind ? revise(network.domain(b), exactly(wish)) : network.domain(b)
  if (faults.clashes.length > 0 || wanted === undefined || !network.assign(b, wanted)) return null
  pickPort(network, b, exactly(goal))
  const to = mediaOf(network.domain(b))
  if (to === undefined || keyOf(to) === keyOf(from)) return null
  const { lossless } = definition.converter!
  return {
    definition, params, input, output, from, to,
    lossless: typeof lossless === 'function' ? ask(definition, 'converter.lossless', () => lossless(from, to)) : lossless,
  }
}

/**
 * Audio order (GR-36): decode to `f32` → down-mix → resample → up-mix → encode. Returns the place reached, or null when the step would go
 * back: resampling after a down-mix is cheaper and filtering integers twice loses more.
 */
function rankAfter(before: number, from: Media, to: Media): number | null {
  if (from.kind !== 'audio' || to.kind !== 'audio') return 0
  const places: number[] = []
  if (from.format !== to.format || from.layout !== to.layout) places.push(to.format === 'f32' && to.layout === 'planar' ? DECODE : ENCODE)
  if (to.channels < from.channels) places.push(DOWN_MIX)
  if (to.rate !== from.rate) places.push(RESAMPLE)
  if (to.channels > from.channels) places.push(UP_MIX)
  return Math.min(...places) < before ? null : Math.max(...places)
}
const DECODE = 0, DOWN_MIX = 1, RESAMPLE = 2, UP_MIX = 3, ENCODE = 4

function requiredInputs(definition: NodeDefinition): number {
  return Object.values(definition.inputs).filter((input) => input.optional !== true).length
}

function inputOf(definition: NodeDefinition): string {
  const names = Object.keys(definition.inputs)
  return names.find((name) => definition.inputs[name]!.optional !== true) ?? names[0]!
}

function outputOf(definition: NodeDefinition): string { return definition.main ?? Object.keys(definition.outputs)[0]! }

function accepts(declared: string, kind: MediaKind): boolean { return declared === kind || !Object.hasOwn(FIELDS, declared) }

/** Equal media, equal key. */
function keyOf(media: Media): string {
  if (media.kind === 'audio') return `audio ${media.rate} ${media.channels} ${media.format} ${media.layout}`
  const record = media as unknown as Readonly<Record<string, unknown>>
  return Object.keys(record).sort().map((name) => `${name}=${JSON.stringify(record[name])}`).join(',')
}

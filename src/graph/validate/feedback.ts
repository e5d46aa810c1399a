import { commonErrors } from '../../errors/common-errors.js'
import type { Media } from '../../media/media-type.js'
import { strongParts } from '../cycles.js'
import { adjacencyOf } from '../edge-list.js'
import { graphErrors } from '../errors.js'
import { describeMedia } from '../negotiate/describe.js'
import type { Negotiation } from '../negotiate/index.js'
import type { Context } from './context.js'
import type { Flow } from './flow.js'
import { removeEdge } from './links.js'

/**
 * Stage 12, feedback edges (GR-12): what lies between the ends of one runs as one segment, so it must be kernels, all of them pinned or none; and a loop that nothing outside
 * feeds would never end. One diagnostic per edge.
 */
export function checkFeedback(c: Context, { graph, nodeIndex, edgeIndex, edges: { fromAt, toAt, count } }: Flow): void {
  if (!graph.edges.some(({ delayFrames }) => delayFrames !== undefined)) return
  const late = graph.edges.flatMap(({ delayFrames }, i) => delayFrames === undefined || c.brokenEdges.has(edgeIndex[i]!) || fromAt[i]! < 0 || toAt[i]! < 0 ? [] : [i])
  if (late.length === 0) return
  const sound = graph.edges.flatMap((_, i) => c.brokenEdges.has(edgeIndex[i]!) || fromAt[i]! < 0 || toAt[i]! < 0 ? [] : [i])
  const from = sound.map((i) => fromAt[i]!), to = sound.map((i) => toAt[i]!), ends = (one: 'from' | 'to'): number[] => late.map((i) => (one === 'from' ? fromAt : toAt)[i]!)
  const parts = (a: number[], b: number[]): Int32Array => strongParts(count, adjacencyOf(count, Uint32Array.from(a), Uint32Array.from(b)))
  const loops = parts(from, to), knots = parts([...from, ...ends('to')], [...to, ...ends('from')])
  const fed = new Set<number>(), linked = new Set<number>(), streams = (n: number): object => c.definitions[nodeIndex[n]!]?.inputs ?? {}
  for (const i of sound) {
    const n = toAt[i]!
    if (!Object.hasOwn(streams(n), graph.edges[i]!.to[1])) continue
    linked.add(n)
    if (loops[fromAt[i]!] !== loops[n]) fed.add(loops[n]!)
  }
  const indexOf = new Map(graph.nodes.map(({ id }, n) => [id, n]))
  for (const { to: targets } of graph.inputs.values()) for (const [id, port] of targets) { const n = indexOf.get(id); if (n !== undefined && Object.hasOwn(streams(n), port)) fed.add(loops[n]!) }
  const pinned = (n: number): boolean => { const { place, policy } = graph.nodes[n]!; return place === 'main' || (policy?.['pin'] ?? c.definitions[nodeIndex[n]!]?.pin) === 'main' }
  /** Per knot: the first node written in TypeScript, one that is pinned and one that is not. */
  const members = new Map<number, { script?: number; pinned?: number; free?: number }>()
  graph.nodes.forEach((_, n) => {
    if (!linked.has(n)) fed.add(loops[n]!)
    const definition = c.sound(nodeIndex[n]!), knot = members.get(knots[n]!) ?? {}
    members.set(knots[n]!, knot)
    if (definition === undefined) return
    if (definition.kernel === undefined) knot.script ??= n
    else if (pinned(n)) knot.pinned ??= n
    else knot.free ??= n
  })
  for (const i of late) {
    const n = toAt[i]!, { script, pinned: main, free } = members.get(knots[n]!)!, name = (one: number): string => graph.nodes[one]!.id
    const [runtime, alternative] = script !== undefined ? [`a loop through ${name(script)}, which is written in TypeScript`, script === fromAt[i] ? `Put a gain node behind ${name(script)}, and the delay behind that.` : `Take ${name(script)} out of the loop: only kernels run there.`]
      : main !== undefined && free !== undefined ? [`a loop through ${name(main)}, which is pinned, and ${name(free)}, which is not`, 'Pin all of its nodes or none.']
        : loops[fromAt[i]!] === loops[n] && !fed.has(loops[n]!) ? ['a loop that nothing outside feeds: it would never end', 'Link something into the loop.'] : []
    if (runtime === undefined) continue
    const e = edgeIndex[i]!, edge = c.edgeName(e)
    c.report('edges', e, commonErrors.UNSUPPORTED.diagnostic({ feature: `Feedback edge ${edge}`, runtime, ...(alternative !== undefined && { alternative }) }, {
      stage: 12, edge, node: name(script ?? n), pointer: `${c.edgePointer(e)}/delayFrames`, got: graph.edges[i]!.delayFrames, suggestions: [removeEdge(c, e)],
    }))
    c.brokenEdges.add(e)
  }
}

/** Stage 12: only audio goes round, of samples whose zero is silence. `solved`: with converters in. */
export function checkFeedbackMedia(c: Context, { graph, media }: Negotiation, edgeIndex: readonly number[]): void {
  graph.edges.forEach(({ from, to, delayFrames }, i) => {
    const e = edgeIndex[i], got = delayFrames === undefined ? undefined : media.get(from.join('.'))
    if (got === undefined || e === undefined || c.brokenEdges.has(e) || delays(got)) return
    const edge = c.edgeName(e), expected = got.kind === 'audio' ? 'audio of signed samples' : 'audio', shown = describeMedia(got)
    c.report('edges', e, graphErrors.TYPE_MISMATCH.diagnostic({ from: from.join('.'), to: to.join('.'), expected, got: shown }, {
      node: to[0], port: to[1], edge, pointer: c.edgePointer(e), constraint: 'kind', expected, got: shown, suggestions: [removeEdge(c, e)],
    }))
  })
}

function delays(media: Media): boolean { return media.kind === 'audio' && media.format !== 'u8' }

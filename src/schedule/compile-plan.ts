import type { Diagnostic } from '../errors/diagnostic.js'
import { errorOf } from '../errors/error-of.js'
import { ask, isWhole } from '../graph/ask.js'
import { edgeListOf, edgeName } from '../graph/edge-list.js'
import { hashGraph, type HashOptions } from '../graph/hash.js'
import type { Graph, GraphNode } from '../graph/graph.js'
import { negotiate, type Negotiation } from '../graph/negotiate/index.js'
import type { NodeDefinition } from '../graph/node-definition.js'
import type { GraphPasses } from '../graph/passes.js'
import type { LinkedNode } from '../graph/resolve/linked-node.js'
import { resolveLinks } from '../graph/resolve/resolve-graph.js'
import type { Registry } from '../graph/registry.js'
import type { Tier } from '../graph/tiers.js'
import type { Media } from '../media/media-type.js'
import { OutputModes } from './batch/output-modes.js'
import { alignedBytes } from './colouring.js'
import type { CompiledPlan } from './compiled-plan.js'
import type { CostHistory, OwnBytes } from './estimates.js'
import { mediaBytes } from './media-bytes.js'
import { peakBytes } from './peak-bytes.js'
import { configDiagnostics, policyDiagnostics, readPolicy } from './policy/node-policy.js'
import { queueCapacity } from './packet-queue.js'
import type { InsertedNode, Plan, PlanBuffer, PlanEdge, PlanNode } from './plan.js'
import { nodeOf, valueId, type ResolvedNode } from './resolved-graph.js'
import { planSegment } from './segment-buffers.js'
import type { SegmentPlan, ValueId } from './segment-plan.js'
import type { Materialize } from './run-types.js'
import { groupSegments, type SegmentDraft } from './segments.js'
import { totalFrames } from './totals.js'
import { withIdentities } from './value-identity.js'

/** What compiling depends on beside the graph. */
export interface CompileContext {
  readonly registry: Registry
  readonly negotiate: 'auto' | 'safe' | 'strict'
  /** What validation has agreed already; undefined: negotiate. */
  readonly solved: Negotiation | undefined
  /** Order and hashes. */
  readonly passes: GraphPasses
  /** What hashes take from outside the graph. Default: nothing. */
  readonly outside?: Pick<HashOptions, 'referenced' | 'fingerprint' | 'moduleHash'>
  /** Media of discovered ports, by value id: from probes or first packets. */
  readonly known: ReadonlyMap<ValueId, Media>
  /** Whole lengths of sources that told them, frames, by node id. */
  readonly lengths: ReadonlyMap<string, number>
  /** Tier of the engine, in whose memory nodes of it and of `js` run. */
  readonly tier: Tier
  /** Tier and reason for each kernel node. */
  readonly tierOf: (node: GraphNode) => { readonly tier: Tier; readonly why: string }
  /** Workers that may be used; 0: everything on the engine's thread. */
  readonly workers: number
  /** True: workers even when the estimate is small. */
  readonly forceWorkers: boolean
  readonly blockFrames: number
  readonly materialize?: Materialize
  readonly seed: bigint
  readonly history: CostHistory
  /** Silence that is a hang where a node says nothing, ms. */
  readonly hangMs?: number
  /** Nodes written in TypeScript may have threads of their own. Default false. */
  readonly threads?: boolean
  /** Threads have memories of their own. Default false. */
  readonly private?: boolean
  /** Tags that only workers have, and not all of them: what requires one runs there, however small it is. Default: none. */
  readonly workerTags?: ReadonlySet<string>
  /** Limiters that have permits. Default: none. */
  readonly hasLimiter?: (name: string) => boolean
  /** The definition of a kernel node that is to run once per item of a list. */
  readonly perItem?: (node: GraphNode) => NodeDefinition
  readonly diagnostics: readonly Diagnostic[]
}

/** Below this estimate a plan runs on the engine's own thread: starting and waking workers would take longer, µs. */
const INLINE_US = 20_000

/**
 * Graph → plan (DESIGN section 6, steps 2 to 4). The graph has been validated, its run inputs bound, its modes applied and what no output
 * needs left out. Deterministic. Iterative throughout.
 */
export function compilePlan(graph: Graph, c: CompileContext): CompiledPlan {
  const solved = c.solved ?? negotiate(graph, c.registry, { mode: c.negotiate, known: c.known })
  // Media that only the first packets could tell may not fit after all.
  const misfits = solved.diagnostics.filter((one) => one.severity === 'error')
  if (misfits.length > 0) throw errorOf(misfits[0]!, misfits)
  const order = c.passes.order(edgeListOf(solved.graph))
  const tiers = new Map<string, string>(), byId = new Map(solved.graph.nodes.map((node) => [node.id, node]))
  const {
    nodes: linked, removed, origin, views, delays, shown, lazy, feedback, faults,
  } = resolveLinks(solved.graph, order.order, solved.media, {
    tierOf: (node) => { const { tier, why } = c.tierOf(node); tiers.set(node.id, why); return tier },
    edgeName: (e) => edgeName((graph.edges[e] ?? solved.graph.edges[e])!), ...(c.perItem && { perItem: c.perItem }),
  })
  if (faults.length > 0) throw errorOf(faults[0]!.diagnostic, faults.map(({ diagnostic }) => diagnostic))
  const nodes = linked.map((node) => withPlan(
    node, tiers.get(node.id) ?? 'written in TypeScript',
    readPolicy(byId.get(node.id)!, node.definition, solved.graph.config, c.hangMs),
  ))
  const outputs = new Map([...shown].map(([name, value]) => [name, origin.get(value) ?? value]))
  const totals = totalFrames(nodes, origin, c.lengths, feedback)
  const asked = checkPolicies(solved.graph, nodes, c)
  for (const node of nodes) node.estUs = estimate(node, removed, origin, totals, c)
  const kernelUs = nodes.reduce((sum, node) => sum + (node.tier === null ? 0 : node.estUs), 0)
  const tagged = nodes.some(({ tier, policy }) => tier !== null && policy!.tags.some((tag) => c.workerTags?.has(tag) === true))
  const onWorkers = c.workers > 0 && (c.forceWorkers || tagged || kernelUs > INLINE_US)
  const whereOf = (tier: Tier): 'engine' | 'worker' => onWorkers && tier === c.tier ? 'worker' : 'engine'
  const selfScheduled = onWorkers && nodes.every((node) => node.tier === null || (node.tier === c.tier && !node.driver)) ? c.workers : 0
  const drafts = groupSegments(
    nodes, origin, removed, selfScheduled,
    nodes.map((node) => node.tier === 'wasm' ? handOverUs(node, origin, totals) : 0),
    lazy?.keys, feedback?.knots,
  )
  const readers = readersOf(nodes, origin, removed)
  const stored = storedValues(c.materialize ?? 'segments', nodes, removed, origin, solved.media, outputs, drafts, readers, delays)
  const returned = new Set([...outputs.values(), ...stored.values()])
  const segments = drafts.map((draft, i) => planSegment(draft, i, {
    nodes, tier: c.tier, origin, views, feedback, mediaOf: (value) => solved.media.get(value), removed, blockFrames: c.blockFrames,
    seed: c.seed, hangMs: c.hangMs,
    external: (value, inside) => returned.has(value) || (readers.get(value) ?? []).some((reader) => !inside.has(reader)),
  }))
  const where = segments.map((segment) => nodes[segment.nodes[0]!.node]!.policy?.main === true ? 'engine' : whereOf(segment.tier))
  const own = new Map(nodes.flatMap((node) =>
    node.tier !== null || removed.has(node.id) ? [] : [[node.index, c.history.ownBytes(node, { origin, totals })]]))
  const peak = peakBytes({
    own, nodes, removed, segments, media: solved.media, totals, kept: returned,
    ...(lazy && { mayRest: (node: number) => lazy.keys[node] !== '' }),
    readOutside: new Set([
      ...[...readers].flatMap(([value, list]) => list.some((reader) => nodes[reader]!.tier === null) ? [value] : []),
      ...segments.flatMap((segment) => segment.buffers.flatMap((b) => b.kind === 'input' ? [b.value] : [])),
    ]),
  })
  const plan = describe({ peak, own, graph: solved.graph, nodes, removed, origin, outputs, stored, segments, where, totals, order,
    inserted: solved.inserted, media: solved.media, c, lazy: lazy?.keys,
    onWorkers,
    why: onWorkers ? tagged ? 'on workers: tags that only they have' : 'on workers: estimate above 20 ms or workers asked for'
      : c.workers === 0 ? 'no workers allowed'
      : 'small: done before a worker would have started',
    diagnostics: [...c.diagnostics, ...unsaid(solved.diagnostics, c.diagnostics), ...asked] })
  return {
    plan, leastBytes: peak.least, ownBytes: own, roomBytes: peak.rooms, nodes, removed, origin, views, media: solved.media, outputs, stored,
    shown, segments, where, totals, lazy,
  }
}

/** Notes that were not made before the first packets. */
function unsaid(notes: readonly Diagnostic[], said: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ code, node, edge }: Diagnostic): string => JSON.stringify([code, node, edge]), before = new Set(said.map(key))
  return notes.filter((note) => !before.has(key(note)))
}

/** One literal: planning reads these objects more than any other, and copies by spread are slow to make and to read. */
function withPlan(
  { index, id, definition, params, media, inputs, tier, driver, lists, perItem }: LinkedNode,
  tierWhy: string, policy: ResolvedNode['policy'],
): { -readonly [K in keyof ResolvedNode]: ResolvedNode[K] } {
  const node = { index, id, definition, params, media, inputs, tier, tierWhy, estUs: 0, driver, policy, lists, perItem }
  return node as ResolvedNode
}

/** What nodes ask for and do not get: warnings, of limiters without permits and code that cannot run here errors. */
function checkPolicies(graph: Graph, nodes: readonly ResolvedNode[], c: CompileContext): Diagnostic[] {
  const byId = new Map(graph.nodes.map((node) => [node.id, node])), found = configDiagnostics(graph)
  for (const { id, definition, policy } of nodes) {
    found.push(...policyDiagnostics(byId.get(id)!, definition, {
      threads: c.threads === true && policy?.main !== true, hasLimiter: c.hasLimiter ?? (() => false),
    }))
  }
  const faults = found.filter(({ severity }) => severity === 'error')
  if (faults.length > 0) throw errorOf(faults[0]!, faults)
  return found
}

/** Values to keep beside the outputs (EX-05), as named → their writers'. */
function storedValues(
  mode: Materialize, nodes: readonly ResolvedNode[], removed: ReadonlySet<string>, origin: ReadonlyMap<ValueId, ValueId>,
  media: ReadonlyMap<ValueId, Media>,
  outputs: ReadonlyMap<string, ValueId>, drafts: readonly SegmentDraft[], readers: ReadonlyMap<ValueId, readonly number[]>,
  delays: ReadonlyMap<ValueId, number>,
): Map<ValueId, ValueId> {
  const stored = new Map<ValueId, ValueId>(), returned = new Set(outputs.values())
  if (mode === 'outputs') return stored
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const segmentOf = new Map(drafts.flatMap((draft, d) => draft.nodes.map((node) => [node, d] as const)))
  for (const node of nodes) for (const [port, output] of Object.entries(node.definition.outputs)) {
    const value = valueId(node.id, port), writer = origin.get(value) ?? value, source = byId.get(nodeOf(writer))
    if (source === undefined || delays.has(value) || (source.definition.pull !== undefined && !isWhole(source.definition, source.params))) {
      continue
    }
    if (mode === 'all') { if (output.view === undefined && (media.has(value) || source.tier === null)) stored.set(value, writer); continue }
    const draft = segmentOf.get(source.index), whole = draft !== undefined && drafts[draft]!.feed === 'values'
    const segments = new Set((readers.get(writer) ?? []).map((reader) => segmentOf.get(reader) ?? -1 - reader))
    if (draft !== undefined) segments.delete(draft)
    if (whole && writer === value && !removed.has(node.id) && !returned.has(writer) && segments.size > 1) stored.set(value, writer)
  }
  return stored
}

function readersOf(
  nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>, removed: ReadonlySet<string>,
): Map<ValueId, number[]> {
  const readers = new Map<ValueId, number[]>()
  for (const node of nodes) {
    if (removed.has(node.id)) continue
    for (const input of node.inputs) {
      if (input.from === null) continue
      const value = origin.get(input.from) ?? input.from
      const list = readers.get(value)
      if (list) list.push(node.index); else readers.set(value, [node.index])
    }
  }
  return readers
}

function estimate(
  node: ResolvedNode, removed: ReadonlySet<string>, origin: ReadonlyMap<ValueId, ValueId>, totals: ReadonlyMap<ValueId, number>,
  c: CompileContext,
): number {
  if (removed.has(node.id)) return 0
  return (node.tier === 'js' ? 8 : 1) * c.history.us(node, { origin, totals })
}

/** Bytes that one µs moves between two memories, both copies counted: a low guess, so that a cut is worth it. */
const MOVED_PER_US = 1_000

/** What another memory costs a node, µs: its inputs and outputs cross. */
function handOverUs(node: ResolvedNode, origin: ReadonlyMap<ValueId, ValueId>, totals: ReadonlyMap<ValueId, number>): number {
  const values = [
    ...node.inputs.flatMap(({ link, from }) => from === null ? [] : [[link, origin.get(from) ?? from] as const]),
    ...Object.keys(node.definition.outputs).map((port) => [port, valueId(node.id, port)] as const),
  ]
  return values.reduce((sum, [port, value]) => sum + mediaBytes(node.media[port], totals.get(value) ?? 0), 0) / MOVED_PER_US
}

interface Described {
  readonly peak: { readonly most: number }
  readonly own: ReadonlyMap<number, OwnBytes>
  readonly graph: Graph
  readonly nodes: readonly ResolvedNode[]
  readonly removed: ReadonlySet<string>
  readonly origin: ReadonlyMap<ValueId, ValueId>
  readonly outputs: ReadonlyMap<string, ValueId>
  readonly stored: ReadonlyMap<ValueId, ValueId>
  readonly segments: readonly SegmentPlan[]
  readonly where: readonly ('engine' | 'worker')[]
  readonly totals: ReadonlyMap<ValueId, number>
  readonly order: { readonly levels: Uint32Array; readonly order: Uint32Array }
  readonly inserted: readonly InsertedNode[]
  readonly media: ReadonlyMap<ValueId, Media>
  readonly c: CompileContext
  readonly why: string
  readonly onWorkers: boolean
  readonly diagnostics: readonly Diagnostic[]
  readonly lazy: readonly string[] | undefined
}

const GUEST = 'in a memory of its own on the engine\'s thread'

/** Why a kernel runs where it does: the plan's reason, or what keeps it on the engine's thread while others go to workers. */
function placeOf(d: Described, { policy }: ResolvedNode, segment: number): string {
  if ((!d.onWorkers && d.segments[segment]?.guest !== true) || segment < 0 || d.where[segment] === 'worker') return d.why
  return d.segments[segment]!.guest === true ? GUEST
    : policy?.main === true ? 'pinned to the engine\'s thread'
    : 'references run on the engine\'s thread'
}

/** What nodes wait for, by their lazy keys: three links at most. */
function askedBy(keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map([...new Set(keys)].map((key) => {
    const links = key.split('\n'), more = links.length - 3
    return [key, key === '' ? '' : `; when asked for: ${links.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
  }))
}

/** The printable part. */
function describe(d: Described): Plan {
  const tiers = new Map(d.nodes.map((node) => [node.id, node.tier])), asked = askedBy(d.lazy ?? [])
  const hashes = hashGraph(withIdentities(d.graph), {
    ...d.c.outside, passes: d.c.passes, seed: d.c.seed, tier: (id) => tiers.get(id) ?? undefined,
  })
  const segmentOf = new Map<number, number>()
  d.segments.forEach((segment, s) => { for (const node of segment.nodes) segmentOf.set(node.node, s) })
  const nodes = d.nodes.map((node): PlanNode => {
    const segment = segmentOf.get(node.index) ?? -1
    return {
      id: node.id, type: node.definition.type, version: node.definition.version, tier: node.tier ?? 'typescript',
      where: segment >= 0 ? d.where[segment]!
        : d.c.threads === true && node.definition.thread === 'worker' && node.policy?.main !== true ? 'worker'
        : 'engine',
      ...noteOf(node),
      why: d.removed.has(node.id)
        ? 'removed: it changes nothing, or is a view of its input'
        : `${node.tier === null ? node.tierWhy : `${node.tierWhy}; ${placeOf(d, node, segment)}`}${d.lazy ? asked.get(d.lazy[node.index]!)! : ''}`,
      hash: hashes.node(node.id), dirty: true, reason: 'never run', segment, estUs: node.estUs,
      estBytes: Object.keys(node.definition.outputs).reduce((sum, port) =>
        sum + mediaBytes(node.media[port], d.totals.get(valueId(node.id, port)) ?? 0), d.own.get(node.index)?.bytes ?? 0),
    }
  })
  const kept = new Set(d.outputs.values())
  const stored = [
    ...[...kept].map((value) => ({ value, reason: 'run output' })),
    ...[...new Set(d.stored.values())].filter((value) => !kept.has(value)).map((value) => ({ value, reason: 'materialize' })),
  ]
  const counted = new Set<string>(), edges = edgesOf(d, segmentOf, counted)
  return {
    graphHash: hashes.graph, driver: 'batch', order: d.nodes.map((node) => node.id),
    levels: Array.from(d.order.order, (index) => d.order.levels[index]!), nodes, edges,
    segments: d.segments.map((segment, s) => ({
      index: s, nodes: segment.nodes.map((node) => node.spec.nodeId), tier: segment.tier, where: d.where[s]!, feed: segment.feed,
      blockFrames: segment.headFrames,
      workBytes: segment.workBytes, estUs: segment.nodes.reduce((sum, node) => sum + d.nodes[node.node]!.estUs, 0),
    })),
    media: Object.fromEntries([...d.media.keys()].sort().map((value) => [value, d.media.get(value)!])), inserted: d.inserted,
    buffers: d.segments.flatMap(buffersOf), evictions: [], stored,
    estTimeMs: nodes.reduce((sum, node) => sum + node.estUs, 0) / 1000,
    estPeakBytes: d.peak.most,
    estCopyBytes: edges.reduce((sum, edge) => sum + edge.copies, 0) + returnedCopies(d, segmentOf, counted) + joinedCopies(d),
    diagnostics: d.diagnostics,
  }
}

function noteOf({ definition, params, media }: ResolvedNode): { readonly note?: string } {
  const note = ask(definition, 'planNote', () => definition.planNote?.(params, media))
  return note === undefined ? {} : { note }
}

function edgesOf(d: Described, segmentOf: ReadonlyMap<number, number>, counted: Set<string>): PlanEdge[] {
  const indexOf = new Map(d.nodes.map((node) => [node.id, node.index]))
  return d.graph.edges.map((edge): PlanEdge => {
    const from = indexOf.get(edge.from[0])!, to = indexOf.get(edge.to[0])!, a = segmentOf.get(from), b = segmentOf.get(to)
    const value = valueId(edge.from[0], edge.from[1]), media = d.media.get(value) ?? null
    const fused = a !== undefined && a === b
    const whole = a !== undefined && b !== undefined && d.segments[a]!.feed === 'values'
    const crosses = hopsOf(d, a) + hopsOf(d, b) > 0
    const copies = fused ? 0 : copyBytes(d, d.origin.get(value) ?? value, to, segmentOf, indexOf, counted)
    return {
      from: [edge.from[0], edge.from[1]], to: [edge.to[0], edge.to[1]], media,
      transport: fused || d.removed.has(d.nodes[from]!.id) || d.removed.has(d.nodes[to]!.id) ? 'address'
        : crosses ? 'transfer'
        : whole ? 'value'
        : 'queue',
      capacity: fused ? d.segments[a]!.headFrames : queueCapacity(media?.kind), whenFull: 'block', copies,
      ...(edge.delayFrames !== undefined && { delayFrames: edge.delayFrames }),
    }
  })
}

/**
 * Copies that take a value into a segment's memory or out of it: 0 in the engine's own, 1 between two memories
 * of its thread, 2 by way of a posted buffer.
 */
function hopsOf(d: Described, segment: number | undefined): number {
  return segment === undefined ? 0
    : d.segments[segment]!.guest === true ? 1
    : d.where[segment] === 'worker' && d.segments[segment]!.tier === 'wasm' ? 2
    : 0
}

/** True for a node written in TypeScript whose thread has a memory of its own. */
function isAwayNode(d: Described, index: number): boolean {
  const node = d.nodes[index]!
  return d.c.threads === true && d.c.private === true && node.tier === null && node.definition.thread === 'worker'
    && node.policy?.main !== true
}

/**
 * Bytes copied for a reader of a value over the whole run: one copy out of a memory and one into the next, once per place that it goes to;
 * a thread's buffers are posted as they are.
 */
function copyBytes(
  d: Described, value: ValueId, reader: number, segmentOf: ReadonlyMap<number, number>, indexOf: ReadonlyMap<string, number>,
  counted: Set<string>,
): number {
  const writer = indexOf.get(nodeOf(value))!, a = segmentOf.get(writer), b = segmentOf.get(reader)
  const bytes = mediaBytes(d.media.get(value), d.totals.get(value) ?? 0)
  const once = (place: string, copies: number): number =>
    counted.has(`${place} ${value}`) ? 0 : (counted.add(`${place} ${value}`), copies * bytes)
  const out = hopsOf(d, a), into = hopsOf(d, b)
  if (a === b && out > 0) return 0
  if (out === 2 && into === 2) return once(`${b}`, 2)
  return (out > 0 ? once('engine', out) : isAwayNode(d, writer) ? once('engine', 1) : 0)
    + (into > 0 ? once(`${b}`, into) : isAwayNode(d, reader) ? bytes : 0)
}

/** The same for values that only the caller gets. */
function returnedCopies(d: Described, segmentOf: ReadonlyMap<number, number>, counted: ReadonlySet<string>): number {
  const indexOf = new Map(d.nodes.map(({ id, index }) => [id, index]))
  return [...new Set([...d.outputs.values(), ...d.stored.values()])].reduce((sum, value) => {
    const writer = indexOf.get(nodeOf(value))!, copies = hopsOf(d, segmentOf.get(writer)) || (isAwayNode(d, writer) ? 1 : 0)
    return sum + (counted.has(`engine ${value}`) ? 0 : copies * mediaBytes(d.media.get(value), d.totals.get(value) ?? 0))
  }, 0)
}

/**
 * Outputs that leave in pieces, because others read them packet by packet, are joined at the end: once, if there are two pieces or more.
 */
function joinedCopies(d: Described): number {
  const modes = new OutputModes(d), byId = new Map(d.nodes.map((node) => [node.id, node]))
  return [...modes.returned].reduce((sum, value) => {
    const media = d.media.get(value), { definition, params } = byId.get(nodeOf(value))!
    return (media?.kind !== 'audio' && media?.kind !== 'tensor') || modes.isCollected(value) || isWhole(definition, params)
      ? sum
      : sum + mediaBytes(media, d.totals.get(value) ?? 0)
  }, 0)
}

function buffersOf(segment: SegmentPlan): PlanBuffer[] {
  return segment.buffers.filter((b) => b.kind === 'internal').map((b) => ({
    segment: segment.index, value: b.value, bytes: alignedBytes(b.capacity * b.frameBytes) * b.channels, offset: b.offset, live: b.live,
  }))
}


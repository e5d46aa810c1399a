import type { Document, DocumentNode } from '../document/document.js'
import type { NodeDefinition } from '../node-definition.js'
import { escapePointer } from '../pointer.js'
import { sameValue } from '../edit/same-value.js'
import { isObject } from '../schema/fit-shape.js'
import type { ObjectShape } from '../schema/shape.js'
import { noteChanged, noteLosses } from './losses.js'
import { mediaCapabilities, portConstraints } from './media-capabilities.js'
import { SEED } from './remotemedia-seed.js'
import {
  capabilitiesShape, executionShape, metadataShape, seedNodeShape, seedShape, v1EdgeShape, v1NodeShape, v1Shape,
} from './remotemedia-shapes.js'
import {
  OWN, carryOver, isFromSeed, isOwnName, keptOf, readEdge, readHint, readNode, writeEdge, writeHint, type Known,
} from './remotemedia.js'
import { Report } from './report.js'
import { demandShape, foreignType, leftovers, present, timestamp, type ImportContext, type Json } from './source.js'

const GIB = 1_073_741_824

/** Reads a RemoteMedia manifest v1. Throws `SCHEMA_INVALID`. */
export function importV1(c: ImportContext, source: Json): Document {
  demandShape(c, v1Shape, source)
  const known: Known = new Map(), metadata = source['metadata'] as Json
  const nodes = (source['nodes'] as readonly Json[]).map((node, i) => readV1Node(c, known, node, `/nodes/${i}`))
  const edges = (source['connections'] as readonly Json[])
    .map((edge, i) => readEdge(c, known, edge, `/connections/${i}`, leftovers(v1EdgeShape, edge)))
  const created = metadata['created_at'] === undefined ? undefined : timestamp(metadata['created_at'] as string)
  if (metadata['created_at'] !== undefined && created === undefined) c.report.drop('/metadata/created_at', 'no ISO-8601 time')
  const description = metadata['description'] as string | undefined
  if (description !== undefined && description.length > 10_000) c.report.drop('/metadata/description', 'longer than 10 000 characters')
  const own = present({
    metadata: leftovers(metadataShape, metadata, created === metadata['created_at'] ? [] : ['created_at']),
    ...leftovers(v1Shape, source),
  })
  return {
    millrace: 1, meta: present({ name: metadata['name'], description: description?.slice(0, 10_000), created }), nodes, edges,
    ...(metadata['auto_negotiate'] !== true && { config: { negotiate: 'strict' } }), ...(Object.keys(own).length > 0 && { [OWN]: own }),
  }
}

function readV1Node(c: ImportContext, known: Known, node: Json, pointer: string): DocumentNode {
  const { tier, kept } = readHint(c, node['runtime_hint'], `${pointer}/runtime_hint`)
  const execution = node['execution'] as Json | undefined, capabilities = node['capabilities'] as Json | undefined
  const placement = execution?.['placement'] as string | undefined
  const place = placement === undefined || placement === 'auto'
    ? node['host'] === undefined ? undefined : 'remote'
    : placement.replace('_', '-')
  for (const part of ['gpu', 'cpu']) {
    const shape = capabilitiesShape.fields[part]!.shape as ObjectShape
    for (const name of Object.keys(leftovers(shape, (capabilities?.[part] ?? {}) as Json) ?? {})) {
      c.report.drop(`${pointer}/capabilities/${part}/${escapePointer(name)}`, `${name} has no place`)
    }
  }
  if (node['host'] !== undefined) {
    c.report.substitute(`${pointer}/host`, `host ${node['host'] as string}`, `place ${place!}; which machine is the cluster's choice`)
  }
  const own = present({
    runtime_hint: kept, execution: execution === undefined ? undefined : leftovers(executionShape, execution),
    capabilities: capabilities === undefined ? undefined : leftovers(capabilitiesShape, capabilities),
    ...leftovers(v1NodeShape, node, ['host', 'media_capabilities', 'is_streaming']),
  })
  const read = readNode(c, known, node['id'] as string, node['node_type'] as string, node['params'], `${pointer}/node_type`, present({
    tier, place, requires: capabilities === undefined ? undefined : requirementsOf(capabilities),
    policy: node['fast_path'] === true ? { timeoutMs: 0 } : undefined,
    output: node['is_output_node'] === true ? true : undefined, [OWN]: Object.keys(own).length > 0 ? own : undefined,
  }))
  const definition = known.get(read.id), told = node['media_capabilities']
  const media = told === undefined ? undefined : portConstraints(told, definition, `${pointer}/media_capabilities`, c.report)
  if (node['is_streaming'] !== undefined && definition !== undefined && node['is_streaming'] !== streams(definition)) {
    c.report.warn(
      `${pointer}/is_streaming`,
      `says ${String(node['is_streaming'])}, type ${definition.type} ${streams(definition) ? 'streams' : 'does not stream'}`,
    )
  }
  return media === undefined ? read : { ...read, media }
}

/** True for types that take and give their media in parts: kernels, sources, generators. */
function streams({ kernel, pull, process }: NodeDefinition): boolean {
  return kernel !== undefined || pull !== undefined || Object.prototype.toString.call(process) === '[object AsyncGeneratorFunction]'
}

function requirementsOf({ gpu, cpu, memory_gb: memory }: Json): Json {
  const { type, min_memory_gb: least, required } = (gpu ?? {}) as Json, { cores, arch } = (cpu ?? {}) as Json
  return present({
    cores, memoryBytes: bytesOf(memory), arch,
    gpu: gpu === undefined ? undefined : present({ type, minMemoryBytes: bytesOf(least), required }),
  })
}

/** Whole bytes of so many GiB. */
function bytesOf(gib: unknown): number | undefined {
  return gib === undefined ? undefined : Math.min(Number.MAX_SAFE_INTEGER, Math.ceil((gib as number) * GIB))
}

/** Writes a RemoteMedia manifest v1; what it cannot say is in the report. */
export function exportV1(document: Document, definitionOf: (id: string) => NodeDefinition | undefined, report: Report): Json {
  noteLosses(document, {
    document: [], node: ['tier', 'place', 'requires', 'output', 'policy', 'media'], edge: [], meta: ['name', 'description', 'created'],
    config: ['negotiate'], own: OWN,
  }, report)
  const other = isFromSeed(document)
  const { metadata, rest } = keptOfDocument(document, other, report)
  const { name, description, created } = (document.meta ?? {}) as Json
  const ids = ownIds(document, report)
  const nodes = document.nodes.map((node, i) => writeV1Node(node, definitionOf(node.id), ids.get(node.id)!, report.node(i), report, other))
  const connections = (document.edges ?? []).map((edge) => {
    const written = writeEdge(edge, definitionOf)
    return { ...written, from: ids.get(edge.from[0]), to: ids.get(edge.to[0]) }
  })
  const negotiate = document.config?.negotiate ?? 'auto'
  if (negotiate === 'safe') report.substitute('/config/negotiate', 'safe', 'auto_negotiate: false')
  return present({
    version: 'v1', nodes, connections, ...rest,
    metadata: present({
      name: name ?? 'untitled', description, created_at: created, auto_negotiate: negotiate === 'auto' ? true : undefined, ...metadata,
    }),
  })
}

/** What was kept of the document; what the seed dialect kept and this one has no place for is dropped in the report. */
function keptOfDocument(document: Document, other: boolean, report: Report): { readonly metadata?: Json; readonly rest: Json } {
  if (document.config !== undefined) {
    for (const name of Object.keys(keptOf(document.config))) {
      report.drop(`/config/${OWN}/${escapePointer(name)}`, `${name} has no place in remotemedia-v1`)
    }
  }
  const kept = keptOf(document)
  if (!other) { const { metadata, ...rest } = kept; return { rest, ...(isObject(metadata) && { metadata }) } }
  const { version, ...own } = kept
  return { rest: carryOver({ ...own, ...(version !== SEED && { version }) }, [v1Shape, seedShape], '', report) }
}

function writeV1Node(
  node: DocumentNode, definition: NodeDefinition | undefined, written: string, pointer: string, report: Report, other: boolean,
): Json {
  const { runtime_hint: kept, execution, capabilities, ...own } = other
    ? carryOver(keptOf(node), [v1NodeShape, seedNodeShape], pointer, report)
    : keptOf(node)
  const type = foreignType(node, definition, isOwnName)
  report.rename(`${pointer}/type`, node.type, type)
  if (node.place === 'main') report.drop(`${pointer}/place`, 'main has no place in remotemedia-v1')
  const { host, media_capabilities: told, ...others } = own, { place = 'auto' } = node
  // What was read goes back as it was written, unless it says something else by now.
  const same = told !== undefined
    && (node.media === undefined || sameValue(portConstraints(told, definition, '', new Report('remotemedia-v1')), node.media))
  const placement = place === 'auto' || place === 'main' || (place === 'remote' && host !== undefined) ? undefined : place.replace('-', '_')
  // A host without a placement would mean `remote`.
  const unplaced = place === 'auto' || place === 'main'
  if (host !== undefined && unplaced) report.drop(`${pointer}/${OWN}/host`, `host has no place beside place ${place}`)
  for (const [name, value] of Object.entries(node.policy ?? {})) {
    if (name !== 'timeoutMs' || value !== 0) report.drop(`${pointer}/policy/${name}`, `${name} has no place in remotemedia-v1`)
  }
  return present({
    id: written, node_type: type, params: node.params, is_output_node: node.output === true ? true : undefined,
    capabilities: capabilitiesOf(node.requires, capabilities as Json | undefined, `${pointer}/requires`, report),
    host: unplaced ? undefined : host, runtime_hint: writeHint(node.tier, kept, pointer, report),
    execution: placement === undefined && execution === undefined ? undefined : present({ placement, ...execution as Json | undefined }),
    fast_path: node.policy?.['timeoutMs'] === 0 ? true : undefined,
    media_capabilities: same ? told : mediaOf(node, definition, `${pointer}/media`, report), ...others,
  })
}

/** Constraints of ports; those that would be read as something else are in the report. */
function mediaOf({ media }: DocumentNode, definition: NodeDefinition | undefined, pointer: string, report: Report): Json | undefined {
  if (media === undefined) return undefined
  const written = mediaCapabilities(media, definition)
  noteChanged(media, portConstraints(written, definition, '', new Report('remotemedia-v1')), pointer, report)
  return Object.keys(written).length === 0 ? undefined : written
}

function capabilitiesOf(requires: Json | undefined, kept: Json | undefined, pointer: string, report: Report): Json | undefined {
  if (requires === undefined) return kept
  const gpu = requires['gpu'] as Json | undefined
  const gib = (bytes: unknown): number | undefined => typeof bytes === 'number' ? bytes / GIB : undefined
  const written = present({
    gpu: gpu === undefined
      ? undefined
      : present({ type: gpu['type'] ?? 'any', min_memory_gb: gib(gpu['minMemoryBytes']), required: gpu['required'] }),
    cpu: requires['cores'] === undefined && requires['arch'] === undefined
      ? undefined
      : present({ cores: requires['cores'], arch: requires['arch'] }),
    memory_gb: gib(requires['memoryBytes']), ...kept,
  })
  noteChanged(requires, requirementsOf(written), pointer, report)
  return Object.keys(written).length === 0 ? undefined : written
}

/** Ids as the manifest allows them, each once: of nodes, and of nodes that edges name though there are none. */
function ownIds(document: Document, report: Report): ReadonlyMap<string, string> {
  const ids = new Map<string, string>(), edges = document.edges ?? []
  const taken = new Set([...document.nodes.map((node) => node.id), ...edges.flatMap(({ from, to }) => [from[0], to[0]])])
  const own = (given: string, pointer: string): void => {
    const plain = given.replaceAll(/[^A-Za-z0-9_-]/gu, '_') || '_'
    let written = plain
    for (let n = 2; written !== given && taken.has(written); n++) written = `${plain.slice(0, 63 - String(n).length)}_${n}`
    taken.add(written)
    report.rename(pointer, given, written)
    ids.set(given, written)
  }
  document.nodes.forEach(({ id }, i) => own(id, `${report.node(i)}/id`))
  edges.forEach(({ from, to }, e) => {
    if (!ids.has(from[0])) own(from[0], `${report.edge(e)}/from/0`)
    if (!ids.has(to[0])) own(to[0], `${report.edge(e)}/to/0`)
  })
  return ids
}

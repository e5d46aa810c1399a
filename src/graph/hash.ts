import { commonErrors } from '../errors/common-errors.js'
import { edgeListOf } from './edge-list.js'
import { endsOf, type DefinitionOf } from './ends.js'
import { graphErrors } from './errors.js'
import type { Graph, PortRef } from './graph.js'
import { HashWriter } from './hash-writer.js'
import { applyModes } from './modes.js'
import type { NodeDefinition, ParamDeclaration, ParamValues } from './node-definition.js'
import { topologicalOrder } from './order.js'
import { resolveParams } from './params.js'
import { hexOf } from './sha256.js'
import { flatGraph } from './subgraph/flatten.js'
import { compareUtf8 } from './utf8.js'

/** SHA-256 as 64 lower-case hex digits. */
export type Hash = string

/** What a content hash depends on beside the graph itself. Digests are 32 bytes of SHA-256. */
export interface HashOptions {
  /** Types of nodes that carry no definition. */
  readonly registry?: { get(type: string): NodeDefinition | undefined }
  /** Seed of the run: part of the hash of nodes declared `seeded`. */
  readonly seed?: bigint
  /** Digest of a node type's code: of the kernel module's bytes. Default: of version, functions and kernel name. */
  readonly codeHash?: (definition: NodeDefinition) => Uint8Array | undefined
  /** Digest of the bytes behind a `file` param, or of a value that has no bytes of its own (a Blob, a buffer). */
  readonly referenced?: (node: string, param: string) => Uint8Array | undefined
  /** Run-time values by input name; absent ones take the graph's default. */
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Digests of run-time values that cannot be hashed here, by input name. */
  readonly inputDigests?: Readonly<Record<string, Uint8Array>>
  /** Awaited `fingerprint` of a node; null = never equal. Default: the definition's, when it answers at once. */
  readonly fingerprint?: (node: string) => Uint8Array | null | undefined
  /** Tier of a node whose tiers may differ in their numbers. */
  readonly tier?: (node: string) => string | undefined
  /** 16 fresh bytes for what is never equal to anything. Default: the platform's random source. */
  readonly nonce?: () => Uint8Array
}

/** Content hashes of a graph. Throw `NODE_NOT_FOUND` for an unknown node. */
export interface GraphHashes {
  readonly graph: Hash
  node(id: string): Hash
  output(ref: PortRef): Hash
}

/** Record tags (spec graph.md section 6). */
const TAG = {
  domain: 0x01, type: 0x02, version: 0x03, code: 0x04, deterministic: 0x05, param: 0x06, input: 0x07, file: 0x08, fingerprint: 0x09, tier: 0x0a,
  paramName: 0x10, paramValue: 0x11, port: 0x20, order: 0x21, parent: 0x22, parentPort: 0x23, literal: 0x24, feedback: 0x25, filePath: 0x30, fileBytes: 0x31,
} as const
const DOMAIN = 'millrace-node-hash/1'
const DETERMINISTIC = { yes: 0, seeded: 1, no: 2 } as const
const DIGEST_BYTES = 32
const NO_TYPES = { get: (): undefined => undefined }

/**
 * Content hash of every node, every output and the whole graph (spec graph.md section 6, GR-54). A node's hash covers its type, version, code, params with
 * defaults filled in, and its parents' hashes; ids, layout, policies and the order of nodes never enter. Nodes that are muted or bypassed are taken out
 * first. One pass in topological order. Throws `GRAPH_CYCLE`.
 */
export function hashGraph(whole: Graph, o: HashOptions = {}): GraphHashes {
  const given = flatGraph(whole, o.registry ?? NO_TYPES)
  const definition: (graph: Graph) => DefinitionOf = (g) => (node) => g.nodes[node]!.definition ?? o.registry?.get(g.nodes[node]!.type)
  const { graph } = applyModes(given, definition(given))
  return new GraphHasher(graph, definition(graph), o).run()
}

class GraphHasher {
  readonly #graph: Graph
  readonly #definitionOf: DefinitionOf
  readonly #o: HashOptions
  readonly #writer = new HashWriter()
  readonly #digests: Uint8Array
  readonly #code = new Map<NodeDefinition, Uint8Array>()
  readonly #names = new Map<NodeDefinition, readonly string[]>()
  readonly #indexOf: ReadonlyMap<string, number>
  /** Edge indices into each node. */
  readonly #edgesInto: number[][]
  /** Run-time inputs by node and port. */
  readonly #bound = new Map<number, Map<string, string>>()

  constructor(graph: Graph, definitionOf: DefinitionOf, o: HashOptions) {
    this.#graph = graph
    this.#definitionOf = definitionOf
    this.#o = o
    this.#digests = new Uint8Array(graph.nodes.length * DIGEST_BYTES)
    this.#indexOf = edgeListOf(graph).indexOf
    this.#edgesInto = graph.nodes.map(() => [])
    graph.edges.forEach((edge, e) => { const to = this.#indexOf.get(edge.to[0]); if (to !== undefined) this.#edgesInto[to]!.push(e) })
    for (const [name, input] of graph.inputs) for (const [id, port] of input.to) this.#bind(id, port, name)
  }

  run(): GraphHashes {
    for (const node of topologicalOrder(this.#graph).order) this.#hashNode(node)
    return {
      graph: this.#hashWhole(),
      node: (id) => this.#hexOf(this.#find(id)),
      output: ([id, port]) => hexOf(this.#outputDigest(this.#find(id), port)),
    }
  }

  #bind(id: string, port: string, name: string): void {
    const node = this.#indexOf.get(id)
    if (node === undefined) return
    const ports = this.#bound.get(node)
    if (ports === undefined) this.#bound.set(node, new Map([[port, name]]))
    else ports.set(port, name)
  }

  #find(id: string): number {
    const node = this.#indexOf.get(id)
    if (node === undefined) throw graphErrors.NODE_NOT_FOUND({ thing: 'Hash', id: 'node', node: id })
    return node
  }

  #hexOf(node: number): Hash { return hexOf(this.#digests, node * DIGEST_BYTES, (node + 1) * DIGEST_BYTES) }

  #hashNode(index: number): void {
    const node = this.#graph.nodes[index]!, definition = this.#definitionOf(index), writer = this.#writer.clear()
    writer.text(TAG.domain, DOMAIN).text(TAG.type, definition?.type ?? node.type)
    if (definition !== undefined) {
      writer.text(TAG.version, definition.version).record(TAG.code, this.#codeOf(definition))
      this.#writeDeterminism(definition.deterministic ?? 'yes')
    } else if (node.version !== undefined) writer.text(TAG.version, node.version)
    const files = this.#writeParams(index, definition)
    this.#writeInputs(index, definition)
    for (const name of files) this.#writeFile(node.id, name)
    if (definition !== undefined) this.#writeFingerprint(index, definition)
    const tier = definition?.parity === undefined || definition.parity === 'exact' ? undefined : this.#o.tier?.(node.id)
    if (tier !== undefined) writer.text(TAG.tier, tier)
    writer.digestInto(this.#digests, index * DIGEST_BYTES)
  }

  #writeDeterminism(kind: keyof typeof DETERMINISTIC): void {
    const writer = this.#writer.begin(TAG.deterministic).raw(Uint8Array.of(DETERMINISTIC[kind]))
    if (kind === 'no') writer.raw(this.#nonce())
    else if (kind === 'seeded' && this.#o.seed !== undefined) writer.u64(BigInt.asUintN(64, this.#o.seed))
    writer.end()
  }

  /** Params as the node will see them; returns those that name files. */
  #writeParams(index: number, definition: NodeDefinition | undefined): readonly string[] {
    const node = this.#graph.nodes[index]!
    const values = this.#paramsOf(index, definition)
    const names = definition === undefined ? Object.keys(values).sort(compareUtf8) : this.#namesOf(definition)
    const files: string[] = []
    for (const name of names) {
      const declaration = definition?.params[name]
      if (values[name] === undefined || declaration?.cosmetic === true) continue
      this.#writeParam(node.id, name, values[name], declaration)
      if (declaration?.type === 'file' || this.#o.referenced?.(node.id, name) !== undefined) files.push(name)
    }
    return files
  }

  #writeParam(node: string, name: string, value: unknown, declaration: ParamDeclaration | undefined): void {
    const writer = this.#writer.begin(TAG.param).text(TAG.paramName, name).begin(TAG.paramValue)
    const mark = writer.mark
    if (!writer.value(declaration?.type === 'seed' ? seedOf(value) : value)) {
      writer.rewind(mark)
      // No bytes to go by: its digest stands among the files, or else it equals nothing.
      writer.value(this.#o.referenced?.(node, name) === undefined ? this.#nonce() : null)
    }
    if (declaration?.secret === true) { const digest = writer.takeDigest(mark); writer.raw(digest) }
    writer.end().end()
  }

  #paramsOf(index: number, definition: NodeDefinition | undefined): ParamValues {
    const given = this.#graph.nodes[index]!.params, bound = this.#bound.get(index)
    let all: ParamValues = given
    for (const [port, input] of bound ?? []) {
      const value = definition !== undefined && Object.hasOwn(definition.params, port) ? this.#inputValue(input) : undefined
      if (value !== undefined) all = { ...all, [port]: value }
    }
    return definition === undefined ? all : resolveParams(definition, all).values
  }

  #inputValue(name: string): unknown {
    const values = this.#o.inputs
    return values !== undefined && Object.hasOwn(values, name) ? values[name] : this.#graph.inputs.get(name)?.default
  }

  #namesOf(definition: NodeDefinition): readonly string[] {
    let names = this.#names.get(definition)
    if (names === undefined) this.#names.set(definition, names = Object.keys(definition.params).sort(compareUtf8))
    return names
  }

  /** Links by port name, then order; the rank among a port's links enters, not the number written in the document. */
  #writeInputs(index: number, definition: NodeDefinition | undefined): void {
    const { edges } = this.#graph
    const links = this.#edgesInto[index]!
    if (links.length > 1) links.sort((a, b) => compareUtf8(edges[a]!.to[1], edges[b]!.to[1]) || (edges[a]!.order ?? a) - (edges[b]!.order ?? b) || a - b)
    const literals = [...this.#bound.get(index) ?? []].filter(([port]) => definition === undefined || !Object.hasOwn(definition.params, port))
      .sort(([a], [b]) => compareUtf8(a, b))
    let literal = 0, rank = 0, before: string | undefined
    for (const e of links) {
      const { from, to, delayFrames } = edges[e]!
      while (literal < literals.length && compareUtf8(literals[literal]![0], to[1]) < 0) this.#writeLiteral(...literals[literal++]!)
      rank = to[1] === before ? rank + 1 : 0
      before = to[1]
      const parent = this.#indexOf.get(from[0])
      if (parent === undefined) continue
      const writer = this.#writer.begin(TAG.input).text(TAG.port, to[1]).index(TAG.order, rank)
      if (delayFrames === undefined) writer.record(TAG.parent, this.#digests, parent * DIGEST_BYTES, (parent + 1) * DIGEST_BYTES)
      else writer.index(TAG.feedback, delayFrames) // its parent stands later in the order
      writer.text(TAG.parentPort, from[1]).end()
    }
    while (literal < literals.length) this.#writeLiteral(...literals[literal++]!)
  }

  #writeLiteral(port: string, input: string): void {
    const value = this.#inputValue(input), digest = this.#o.inputDigests?.[input]
    if (value === undefined && digest === undefined) return
    this.#writer.begin(TAG.input).text(TAG.port, port).index(TAG.order, 0).record(TAG.literal, digest ?? this.#valueDigest(value)).end()
  }

  #valueDigest(value: unknown): Uint8Array {
    const { mark } = this.#writer
    if (!this.#writer.value(value)) { this.#writer.rewind(mark); this.#writer.raw(this.#nonce()) }
    return this.#writer.takeDigest(mark)
  }

  #writeFile(node: string, param: string): void {
    const digest = this.#o.referenced?.(node, param)
    if (digest === undefined) return
    this.#writer.begin(TAG.file).text(TAG.filePath, param).record(TAG.fileBytes, digest).end()
  }

  #writeFingerprint(index: number, definition: NodeDefinition): void {
    const { id } = this.#graph.nodes[index]!
    const given = this.#o.fingerprint?.(id)
    const found = given === undefined ? definition.fingerprint?.(this.#paramsOf(index, definition)) : given
    if (found === undefined) return
    if (found !== null && 'then' in found) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'hashGraph', expected: `options.fingerprint to give node ${id}'s awaited fingerprint`, got: 'a promise' })
    }
    this.#writer.record(TAG.fingerprint, found ?? this.#nonce())
  }

  #codeOf(definition: NodeDefinition): Uint8Array {
    let digest = this.#code.get(definition)
    if (digest === undefined) this.#code.set(definition, digest = this.#o.codeHash?.(definition) ?? codeDigest(definition))
    return digest
  }

  #nonce(): Uint8Array { return this.#o.nonce?.() ?? randomBytes() }

  #outputDigest(node: number, port: string): Uint8Array {
    const writer = this.#writer.clear().raw(this.#digests, node * DIGEST_BYTES, (node + 1) * DIGEST_BYTES).text(TAG.parentPort, port)
    return writer.takeDigest(0)
  }

  /** Sorted by declared name, then digest; what was not declared has an empty name; a sink without ports stands for its (nameless) effect. */
  #hashWhole(): Hash {
    const { outputs, sinks } = endsOf(this.#graph, this.#indexOf, this.#definitionOf)
    const named = outputs.map(({ name, node, port }) => ({ name: name ?? '', digest: this.#outputDigest(node, port) }))
    const read = new Set(outputs.map((output) => output.node))
    for (const node of sinks) {
      const ports = Object.keys(this.#definitionOf(node)?.outputs ?? {})
      if (ports.length === 0) named.push({ name: '', digest: this.#outputDigest(node, '') })
      else if (!read.has(node)) for (const port of ports) named.push({ name: '', digest: this.#outputDigest(node, port) })
    }
    const entries = named.map(({ name, digest }) => ({ name, digest, hex: hexOf(digest) }))
    entries.sort((a, b) => compareUtf8(a.name, b.name) || (a.hex < b.hex ? -1 : a.hex > b.hex ? 1 : 0))
    const writer = this.#writer.clear()
    for (const { name, digest } of entries) writer.text(TAG.parentPort, name).raw(digest)
    return hexOf(writer.takeDigest(0))
  }
}

/** Digest of what a node type runs, when nobody supplies the bytes of its kernel: version, kernel name, and the source of its functions. */
export function codeDigest({ version, kernel, reference, process, pull, latencyFrames, summary }: NodeDefinition): Uint8Array {
  const writer = new HashWriter().utf8(version)
  if (kernel !== undefined) writer.text(1, `${kernel.module}/${kernel.export}`)
  const functions = [process, pull, reference?.init, reference?.process, reference?.flush, reference?.reset, latencyFrames, summary]
  functions.forEach((code, i) => { if (typeof code === 'function') writer.text(2 + i, Function.prototype.toString.call(code)) })
  return writer.takeDigest(0)
}

/** Seeds are u64 however they are spelled: number, bigint, decimal text. */
function seedOf(value: unknown): unknown {
  try {
    return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? BigInt(value) : value
  } catch {
    return value
  }
}

function randomBytes(): Uint8Array {
  const { crypto } = globalThis as { readonly crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array } }
  if (crypto === undefined) throw commonErrors.UNSUPPORTED({ feature: 'hashGraph of a node that is not deterministic', runtime: 'a host without crypto', alternative: 'Give options.nonce.' })
  return crypto.getRandomValues(new Uint8Array(16))
}

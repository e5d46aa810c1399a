import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { demandGraph } from './as-graph.js'
import type { DefinitionOf, RunOutput } from './ends.js'
import { graphErrors } from './errors.js'
import type { Graph } from './graph.js'
import { MessageBatch, type Opening } from './hash-batch.js'
import { digestOfEnds, endsToHash, sortedEnds } from './hash-ends.js'
import { graphLinks, linkedAlike, linksInto, type GraphLinks, type LinkRecord } from './hash-links.js'
import { digestsOf, kindsOf, loopDigest, type GraphPart } from './hash-loops.js'
import type { GraphHashes, Hash, HashOptions } from './hash-options.js'
import { endAlike, HashReuse, type HashedGraph } from './hash-reuse.js'
import { codeDigest, DOMAIN, isPlain, TAG, typeRecords, withAdditional, type TypeRecords } from './hash-type.js'
import { asSeed, randomBytes, requireText, seedOf, valueDigest } from './hash-values.js'
import { HashWriter } from './hash-writer.js'
import { allRun, applyModes } from './modes.js'
import type { NodeDefinition, ParamDeclaration, ParamValues } from './node-definition.js'
import { resolveParams } from './params.js'
import { plainPasses } from './passes.js'
import { DIGEST_BYTES, hexOf } from './sha256.js'
import { flatGraph } from './subgraph/flatten.js'
import { compareUtf8 } from './utf8.js'
import { withDefinitions } from './with-definitions.js'

export type { GraphHashes, Hash, HashOptions } from './hash-options.js'

const DETERMINISTIC_NO = /* @__PURE__ */ Uint8Array.of(2), NO_TYPES = { get: (): undefined => undefined }

/**
 * Content hash of every node, every output and the whole graph (spec graph.md section 6, GR-54). A node's hash covers its type, version,
 * code, params with defaults filled in, and its parents' hashes; ids, layout, policies and the order of nodes never enter. Nodes that are
 * muted or bypassed are taken out first. One pass in topological order. Throws `GRAPH_CYCLE`, `INVALID_ARGUMENT` for what is no graph.
 */
export function hashGraph(whole: Graph, o: HashOptions = {}): GraphHashes {
  demandGraph(whole, 'hashGraph')
  // Others would be new objects each time, of which `previous` knows nothing.
  const types = o.registry ?? NO_TYPES
  const old = whole.nodes.some(({ definition, version }) => definition === undefined && version !== undefined)
  const given = flatGraph(old ? withDefinitions(whole, types) : whole, types)
  const definition: (graph: Graph) => DefinitionOf = (g) => (node) => g.nodes[node]!.definition ?? o.registry?.get(g.nodes[node]!.type)
  const graph = allRun(given) ? given : applyModes(given, definition(given)).graph
  return new GraphHasher(graph, definition(graph), o).run()
}

const hashed = new WeakMap<GraphHashes, HashedGraph>()

/** Records of a type, and its openings as far as messages have had them. */
interface OpenType { readonly records: TypeRecords; readonly openings: (Opening | undefined)[] }

class GraphHasher {
  readonly #graph: Graph
  readonly #definitionOf: DefinitionOf
  readonly #o: HashOptions
  readonly #seed: bigint
  readonly #types = new Map<NodeDefinition, OpenType>()
  /** Nodes that hold a nonce or a run-time value; see `HashedGraph`. */
  readonly #fresh: Uint8Array
  #index = 0
  readonly #links: GraphLinks
  readonly #ends: readonly RunOutput[]
  readonly #before: HashedGraph | undefined
  /** One message per node, then one per end. */
  readonly #batch: MessageBatch
  readonly #writer: HashWriter
  /** Records of ports as outputs. */
  readonly #ports = new Map<string, Uint8Array>()
  /** Of a loop that is being hashed the digests of the round before. */
  #round: ReadonlyMap<number, Uint8Array> | undefined
  /** Run-time inputs by node and port. */
  readonly #bound = new Map<number, Map<string, string>>()

  constructor(graph: Graph, definitionOf: DefinitionOf, o: HashOptions) {
    this.#graph = graph
    this.#definitionOf = definitionOf
    this.#o = o
    this.#seed = o.seed ?? seedOf(graph.config.seed ?? 0)
    const before = this.#before = o.previous && hashed.get(o.previous), count = graph.nodes.length, passes = o.passes ?? plainPasses
    const alike = before !== undefined && linkedAlike(before.graph, graph), links = this.#links = alike ? before.links : graphLinks(graph)
    this.#ends = alike && endAlike(before, graph, definitionOf) ? before.ends : endsToHash(graph, links, definitionOf)
    this.#batch =
      new MessageBatch(passes, count + this.#ends.length, links.linkOf.length + this.#ends.length, alike ? before.digests : undefined)
    this.#writer = this.#batch.writer
    this.#fresh = new Uint8Array(count)
    for (const [name, input] of graph.inputs) for (const [id, port] of input.to) this.#bind(id, port, name)
  }

  run(): GraphHashes {
    const { nodes } = this.#graph, { sorted, levels, parts } = this.#links, batch = this.#batch, before = this.#before, ends = this.#ends
    const now = {
      graph: this.#graph, definitionOf: this.#definitionOf, links: this.#links, ends, fresh: this.#fresh, seed: this.#seed,
      o: { ...this.#o, previous: undefined },
    }
    const reuse = before && new HashReuse(before, now), alike = before?.links === this.#links, ran = new Uint8Array(nodes.length)
    let level = 0, kept = 0
    const write = (node: number): void => {
      this.#index = node
      ran[node] = 1
      this.#writeNode(node)
      batch.end(node)
    }
    const visit = (node: number): void => {
      const same = reuse === undefined ? -1 : reuse.find(node)
      if (same < 0) write(node); else { kept++; if (!alike) batch.keep(node, before!.digests, same) }
    }
    if (parts === undefined) for (const node of sorted) {
      if (levels[node] !== level) { batch.endLevel(); level = levels[node]! }
      visit(node)
    }
    else for (const some of parts.levels) {
      for (const { nodes: [node], late } of some) if (late.length === 0) visit(node!)
      for (const part of some) {
        if (part.late.length === 0) continue
        const same = reuse?.findAll(part.nodes)
        if (same === undefined) { this.#writeLoop(part, levels, write); continue }
        kept += same.length
        part.nodes.forEach((node, i) => { batch.keep(node, before!.digests, same[i]!) })
      }
      batch.endLevel()
    }
    batch.endLevel()
    ends.forEach((
      { node, port }, i,
    ) => { if (ran[node] === 0 && ends === before?.ends) return; this.#writeOutput(node, port); batch.end(nodes.length + i) })
    batch.flush()
    const order = sortedEnds(ends, batch.digests, nodes.length, before?.ends === ends ? before.order : undefined)
    const result: GraphHashes = {
      graph: hexOf(digestOfEnds(ends, batch.digests, nodes.length, order)), hashed: nodes.length - kept,
      node: (id) => this.#hexOf(this.#find(id)),
      output: ([id, port]) => { this.#writeOutput(this.#find(id), port); return hexOf(this.#writer.takeDigest(0)) },
    }
    hashed.set(result, { ...now, order, digests: batch.digests })
    return result
  }

  /**
   * A loop. Its nodes are hashed in rounds: what comes round is at first known by its delay and port only, then by the round before. Once a
   * round tells no more of them apart, each node is its last digest in the loop as a whole (GR-54): nothing depends on where a walk began,
   * nor on names or order.
   */
  #writeLoop({ nodes, late }: GraphPart, levels: Uint32Array, write: (node: number) => void): void {
    const batch = this.#batch, sorted = [...nodes].sort((a, b) => levels[a]! - levels[b]!)
    const round = (): Map<number, Uint8Array> => {
      sorted.forEach((node, i) => {
        if (i > 0 && levels[node] !== levels[sorted[i - 1]!]) batch.endLevel()
        write(node)
      })
      batch.flush()
      return digestsOf(late, batch.digests)
    }
    batch.flush()
    this.#round = undefined
    let before = this.#round = round(), after = round()
    while (kindsOf(after) > kindsOf(before)) {
      before = this.#round = after
      after = round()
    }
    const whole = loopDigest(before, after)
    for (const node of sorted) {
      this.#writer.record(TAG.loop, whole).begin(TAG.parent)
      batch.digestOf(node)
      this.#writer.end()
      batch.end(node)
    }
    batch.flush()
  }

  #bind(id: string, port: string, name: string): void {
    const node = this.#links.edges.indexOf.get(id)
    if (node === undefined) return
    this.#fresh[node] = 1
    const ports = this.#bound.get(node)
    if (ports === undefined) this.#bound.set(node, new Map([[port, name]]))
    else ports.set(port, name)
  }

  #find(id: string): number {
    const node = this.#links.edges.indexOf.get(id)
    if (node === undefined) throw graphErrors.NODE_NOT_FOUND({ thing: 'Hash', id: 'node', node: id })
    return node
  }

  #hexOf(slot: number): Hash { return hexOf(this.#batch.digests, slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES) }

  #writeNode(index: number): void {
    const node = this.#graph.nodes[index]!, definition = this.#definitionOf(index), writer = this.#writer
    let files: readonly string[]
    if (definition === undefined) {
      writer.text(TAG.domain, DOMAIN).text(TAG.type, node.type)
      if (node.version !== undefined) writer.text(TAG.version, node.version)
      files = this.#writeUnknown(index)
    } else {
      files = this.#writeParams(index, definition, this.#typeOf(definition))
    }
    this.#writeInputs(index, definition)
    for (const name of files) this.#writeFile(node.id, name)
    if (definition?.fingerprint !== undefined || this.#o.fingerprint !== undefined) this.#writeFingerprint(index, definition)
    const tier = definition?.parity === undefined || definition.parity === 'exact' ? undefined : this.#o.tier?.(node.id)
    if (tier !== undefined) writer.text(TAG.tier, tier)
  }

  /** What is the type's, and params as the node will see them; returns those that name files. */
  #writeParams(index: number, definition: NodeDefinition, type: OpenType): readonly string[] {
    const { id } = this.#graph.nodes[index]!, writer = this.#writer, given = this.#givenOf(index, definition)
    const { params, openings } = type.records
    const plain = isPlain(definition, given)
    if (!plain) requireText(id, given, definition)
    const values = plain ? given : resolveParams(definition, given).values
    const records = plain || definition.additionalParams !== true ? params : withAdditional(params, values, definition)
    let files: readonly string[] = NONE, at = 0
    if (plain && this.#o.referenced === undefined) {
      while (at < openings.length - 1 && (!Object.hasOwn(given, params[at]!.name) || given[params[at]!.name] === undefined)) at++
    }
    this.#batch.open(type.openings[at] ??= this.#batch.openingOf(openings[at]!))
    if (definition.deterministic === 'no') writer.begin(TAG.deterministic).raw(DETERMINISTIC_NO).raw(this.#nonce()).end()
    for (; at < records.length; at++) {
      const { name, declaration, omitted, number } = records[at]!
      const own = Object.hasOwn(values, name) ? values[name] : undefined, value = own === undefined && plain ? declaration.default : own
      if (value === undefined) continue
      if (own === undefined && omitted !== undefined) writer.raw(omitted)
      else if (typeof value === 'number' && number !== undefined) writer.raw(number).lastNumber(value)
      else this.#writeParam(id, name, value, declaration)
      if (declaration.type === 'file' || this.#o.referenced?.(id, name) !== undefined) files = [...files, name]
      else if (declaration.items?.type === 'file' && Array.isArray(value)) {
        files = [...files, ...value.map((_, i) => `${name}[${i}]`).sort(compareUtf8)]
      }
    }
    return files
  }

  /** A node of unknown type: all params as given. */
  #writeUnknown(index: number): readonly string[] {
    const { id } = this.#graph.nodes[index]!, values = this.#givenOf(index, undefined)
    requireText(id, values)
    const names = Object.keys(values).filter((name) => values[name] !== undefined).sort(compareUtf8)
    for (const name of names) this.#writeParam(id, name, values[name], undefined)
    return names.filter((name) => this.#o.referenced?.(id, name) !== undefined)
  }

  #writeParam(node: string, name: string, value: unknown, declaration: ParamDeclaration | undefined): void {
    const writer = this.#writer.begin(TAG.param).text(TAG.paramName, name).begin(TAG.paramValue)
    const mark = writer.mark
    if (!writer.value(declaration?.type === 'seed' ? asSeed(value) : value)) {
      writer.rewind(mark)
      // No bytes to go by: its digest stands among the files, or else it equals nothing.
      writer.value(this.#o.referenced?.(node, name) === undefined ? this.#nonce() : null)
    }
    if (declaration?.secret === true) { const digest = writer.takeDigest(mark); writer.raw(digest) }
    writer.end().end()
  }

  /** Params as given, with run-time inputs that drive some of them. */
  #givenOf(index: number, definition: NodeDefinition | undefined): ParamValues {
    let all: ParamValues = this.#graph.nodes[index]!.params
    for (const [port, input] of this.#bound.get(index) ?? NO_PORTS) {
      const value = definition !== undefined && Object.hasOwn(definition.params, port) ? this.#inputValue(input) : undefined
      if (value !== undefined) all = { ...all, [port]: value }
    }
    return all
  }

  #inputValue(name: string): unknown {
    const values = this.#o.inputs
    return values !== undefined && Object.hasOwn(values, name) ? values[name] : this.#graph.inputs.get(name)?.default
  }

  /** Links by port name, then order; the rank among a port's links enters, not the number written in the document. */
  #writeInputs(index: number, definition: NodeDefinition | undefined): void {
    if (this.#writeLinks(index)) return
    const { edges } = this.#graph
    const { into, recordOf, parts, edges: { fromAt } } = this.#links
    const writer = this.#writer, links = linksInto(edges, into, index)
    const bound = this.#bound.get(index)
    const literals: readonly (readonly string[])[] = bound === undefined ? NONE : [...bound].filter(([port]) =>
      definition === undefined || !Object.hasOwn(definition.params, port)).sort(([a], [b]) => compareUtf8(a, b))
    let literal = 0, rank = 0, before: string | undefined
    for (let i = 0; i < links.length; i++) {
      const e = links[i]!, { from, to, delayFrames } = edges[e]!
      while (literal < literals.length && compareUtf8(literals[literal]![0]!, to[1]) < 0) this.#writeLiteral(literals[literal++]!)
      rank = to[1] === before ? rank + 1 : 0
      before = to[1]
      if (fromAt[e]! < 0) continue
      if (delayFrames === undefined) this.#batch.link(recordOf(to[1], from[1]), rank, fromAt[e]!)
      else {
        writer.begin(TAG.input).text(TAG.port, to[1]).index(TAG.order, rank).index(TAG.feedback, delayFrames)
        if (parts!.of[fromAt[e]!] !== parts!.of[index]) { writer.begin(TAG.parent); this.#batch.digestOf(fromAt[e]!); writer.end() }
        else if (this.#round) writer.record(TAG.parent, this.#round.get(fromAt[e]!)!)
        writer.text(TAG.parentPort, from[1]).end()
      }
    }
    while (literal < literals.length) this.#writeLiteral(literals[literal++]!)
  }

  /**
   * The inputs of a node of which nothing but plain links in order of their ports is to be told: false = it is not one, nothing written.
   */
  #writeLinks(index: number): boolean {
    const { into: { start, list }, linkOf, records, edges: { fromAt } } = this.#links, from = start[index]!, to = start[index + 1]!
    if (this.#bound.size > 0 && this.#bound.has(index)) return false
    for (let i = from, before = -1; i < to; i++) {
      const link = linkOf[list[i]!]!
      if (link < 0 || (before >= 0 && link !== before && compareUtf8(records[before]!.port, records[link]!.port) > 0)) return false
      before = link
    }
    for (let i = from, rank = 0, before: LinkRecord | undefined; i < to; i++) {
      const e = list[i]!, record = records[linkOf[e]!]!
      rank = before?.port === record.port ? rank + 1 : 0
      this.#batch.link(before = record, rank, fromAt[e]!)
    }
    return true
  }

  #writeLiteral([port, input]: readonly string[]): void {
    const value = this.#inputValue(input!), digest = this.#o.inputDigests?.[input!]
    if (value === undefined && digest === undefined) return
    this.#writer.begin(TAG.input).text(TAG.port, port!).index(TAG.order, 0)
      .record(TAG.literal, digest ?? valueDigest(value, () => this.#nonce())).end()
  }

  #writeFile(node: string, param: string): void {
    const digest = this.#o.referenced?.(node, param)
    if (digest === undefined) return
    this.#writer.begin(TAG.file).text(TAG.filePath, param).record(TAG.fileBytes, digest).end()
  }

  #writeFingerprint(index: number, definition: NodeDefinition | undefined): void {
    if (definition === undefined) return
    const { id } = this.#graph.nodes[index]!
    const given = this.#o.fingerprint?.(id)
    const found: unknown = given === undefined
      ? definition.fingerprint?.(resolveParams(definition, this.#givenOf(index, definition)).values)
      : given
    if (found === undefined) return
    if (found !== null && !(found instanceof Uint8Array)) {
      const later = typeof found === 'object' && 'then' in found
      throw commonErrors.INVALID_ARGUMENT({
        function: 'hashGraph',
        expected: later
          ? `options.fingerprint to give node ${id}'s awaited fingerprint`
          : `a Uint8Array or null as node ${id}'s fingerprint`,
        got: later ? 'a promise' : show(found),
      }, { nodeId: id })
    }
    this.#writer.record(TAG.fingerprint, found ?? this.#nonce())
  }

  #typeOf(definition: NodeDefinition): OpenType {
    let type = this.#types.get(definition)
    if (type === undefined) {
      this.#types.set(definition, type = {
        records:
          typeRecords(definition, this.#o.codeHash?.(definition) ?? codeDigest(definition, this.#o.moduleHash?.(definition)), this.#seed),
        openings: [],
      })
    }
    return type
  }

  #nonce(): Uint8Array { this.#fresh[this.#index] = 1; return this.#o.nonce?.() ?? randomBytes() }

  #writeOutput(node: number, port: string): void {
    this.#batch.digestOf(node)
    let record = this.#ports.get(port)
    if (record === undefined) this.#ports.set(port, record = new HashWriter().text(TAG.parentPort, port).bytes)
    this.#writer.raw(record)
  }

}
const NONE: readonly never[] = [], NO_PORTS: ReadonlyMap<string, string> = new Map()

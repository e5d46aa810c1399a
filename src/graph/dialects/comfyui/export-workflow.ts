import type { Document, DocumentNode } from '../../document/document.js'
import type { PortRef } from '../../graph.js'
import type { NodeDefinition } from '../../node-definition.js'
import { paramNames } from '../../params.js'
import { escapePointer } from '../../pointer.js'
import { isObject } from '../../schema/fit-shape.js'
import type { TypeSource } from '../../subgraph/origin.js'
import { noteChanged, noteLosses } from '../losses.js'
import type { Report } from '../report.js'
import { foreignType, present, type Json } from '../source.js'
import { isClassName, isNote, isOutputClass, noteOutput } from './classes.js'
import { bareNumbers, seedsBare } from './big-integers.js'
import { OWN, definitionName, isEnd, modeOf, type KeptLink, type KeptNode, type KeptScope } from './import-workflow.js'
import { commentOf, groupOf, groupsOf, nodeUi, noteOf, same, withNodeUi } from './layout.js'
import { Sockets, sameLinks } from './sockets.js'
import { uuidOf } from './uuid.js'
import { writeInstance, writeWidgets } from './widgets.js'
import { Wiring, readLink, type RawLink } from './wiring.js'

/** What one scope is written with. */
interface Given {
  readonly document: Document
  /** Definitions of the root's nodes; inner documents carry none. */
  readonly definitionOf: (id: string) => NodeDefinition | undefined
  readonly report: Report
  /** Types of inner nodes. */
  readonly types?: TypeSource
  readonly pointer: string
  /** Ids of subgraph definitions by name. */
  readonly subgraphs: ReadonlyMap<string, string>
  /** Name of the definition; absent: the workflow itself. */
  readonly name?: string
}

/**
 * Writes a ComfyUI workflow: what was imported from one and not changed is written as it was, everything else anew (version 0.4). What it
 * cannot say is in the report.
 */
export function exportWorkflow(
  document: Document, definitionOf: (id: string) => NodeDefinition | undefined, report: Report, types?: TypeSource,
): Json {
  const subgraphs = new Map<string, string>()
  nameSubgraphs(document, subgraphs)
  return new ScopeWriter({ document, definitionOf, report, pointer: '', subgraphs, ...(types !== undefined && { types }) }).write()
}

function nameSubgraphs(document: Document, found: Map<string, string>): void {
  for (const [name, definition] of Object.entries(document.definitions ?? {})) {
    if (!isObject(definition)) continue
    const raw = keptScope(definition as Document)?.raw['id']
    found.set(name, typeof raw === 'string' ? raw : uuidOf(name))
    nameSubgraphs(definition as Document, found)
  }
}

function keptScope(document: Document): KeptScope | undefined {
  const kept = document[OWN]
  return isObject(kept) && isObject(kept['raw']) ? kept as unknown as KeptScope : undefined
}

function keptNode(node: DocumentNode): KeptNode | undefined {
  const kept = node[OWN]
  return isObject(kept) && isObject(kept['raw']) && isObject(kept['raw']) ? kept as unknown as KeptNode : undefined
}

/** A link as it is written, and where its ends are. */
interface Written {
  readonly id: number
  readonly raw: unknown
  readonly from: readonly [string, number]
  readonly to: readonly [string, number]
}

class ScopeWriter {
  readonly #g: Given
  readonly #kept: KeptScope | undefined
  readonly #keptNodes: readonly Json[]
  readonly #sockets = new Map<string, Sockets>()
  readonly #ids = new Map<string, number | string>()
  readonly #links: Written[] = []
  readonly #linkIds = new Set<number>()
  /** Notes by the comments that they stand for. */
  readonly #written = new Map<unknown, Json>()
  readonly #ports: { readonly inputs: string[]; readonly outputs: string[]; readonly inputNode: string; readonly outputNode: string }
  readonly #nodes: ReadonlyMap<string, DocumentNode>
  #lastNode = 0
  #lastLink = 0

  constructor(given: Given) {
    this.#g = given
    const { document } = given
    this.#kept = keptScope(document)
    this.#nodes = new Map(document.nodes.map((node) => [node.id, node]))
    this.#keptNodes = this.#notes()
    const raw = this.#kept?.raw ?? {}, names = (ports: unknown, more: Json | undefined): string[] => {
      const listed = (Array.isArray(ports) ? ports as readonly Json[] : []).map((port) => String(port['name']))
      return [...listed, ...Object.keys(more ?? {}).filter((name) => !listed.includes(name))]
    }
    const state = isObject(raw['state']) ? raw['state'] : {}
    this.#lastNode = counter(raw['last_node_id'] ?? state['lastNodeId'])
    this.#lastLink = counter(raw['last_link_id'] ?? state['lastLinkId'])
    const idOf = (node: unknown, preset: number): string => String(isObject(node) ? node['id'] : preset)
    this.#ports = given.name === undefined ? { inputs: [], outputs: [], inputNode: '', outputNode: '' } : {
      inputs: names(raw['inputs'], document.inputs), outputs: names(raw['outputs'], document.outputs),
      inputNode: idOf(raw['inputNode'], -10), outputNode: idOf(raw['outputNode'], -20),
    }
    this.#nameNodes()
  }

  write(): Json {
    const { document, report, pointer, name } = this.#g
    noteLosses(document, {
      document: ['id', 'revision', 'ui', 'definitions', ...(name === undefined ? [] : ['inputs', 'outputs'])],
      node: ['mode', 'output', 'ui'], edge: ['id'], own: OWN,
      meta: name === undefined ? [] : ['name', 'description'],
    }, report, pointer)
    if (name !== undefined) {
      // Ports of a subgraph are names with links, none of them required.
      for (const [input, { to, required = true, ...more }] of Object.entries(document.inputs ?? {})) {
        noteChanged({ ...more, to, required }, { to, required: false }, `${pointer}/inputs/${escapePointer(input)}`, report)
      }
    }
    for (const node of document.nodes) this.#sockets.set(node.id, new Sockets(keptNode(node), this.#g.definitionOf(node.id)))
    for (const node of this.#keptNodes) this.#sockets.set(String(node['id']), new Sockets({ raw: node }, undefined))
    this.#writeLinks()
    const nodes = [
      ...document.nodes.map((node, i) => this.#writeNode(node, i)),
      ...this.#keptNodes.map((raw) => this.#sockets.get(String(raw['id']))!.write(raw)),
    ]
    const head = this.#head(), subgraphs = this.#definitions()
    const definitions = head['definitions'] as Json | undefined
    const groups = this.#groups(head['groups'])
    if (name !== undefined && document.meta !== undefined) {
      noteChanged({ name: document.meta['name'], description: document.meta['description'] }, head, `${pointer}/meta`, report)
    }
    noteChanged(document.ui, {
      groups: Array.isArray(groups) ? groups.map(groupOf) : undefined,
      comments: this.#comments()
        .map((comment) => { const note = this.#written.get(comment); return note === undefined ? undefined : commentOf(note) }),
    }, `${pointer}/ui`, report)
    return present({
      ...head, nodes, links: this.#links.sort((a, b) => a.id - b.id).map((link) => link.raw), groups,
      definitions: subgraphs.length === 0 && definitions === undefined ? undefined : { ...definitions, subgraphs },
    })
  }

  /** Notes follow the document's comments, the other nodes outside the graph stay. */
  #notes(): Json[] {
    const comments = this.#comments().filter(isObject), taken = new Set<unknown>(this.#nodes.keys())
    const kept = this.#kept?.nodes ?? [], byId = new Map(comments.map((comment) => [comment['id'], comment]))
    const write = (raw: Json, comment: Json): Json => {
      const note = noteOf(raw, comment)
      this.#written.set(comment, note)
      return note
    }
    const before = kept.flatMap((raw): Json[] => {
      if (!isNote(raw['type'] as string)) return [raw]
      const comment = byId.get(String(raw['id']))
      byId.delete(String(raw['id']))
      return comment === undefined ? [] : [write(raw, comment)]
    })
    for (const raw of before) taken.add(String(raw['id']))
    const fresh: Json = { type: 'Note', pos: [0, 0], size: [210, 60], flags: {}, order: 0, mode: 0, properties: {} }
    const after = comments.filter((comment) => !this.#written.has(comment)).map((comment) => {
      let id = isId(comment['id']) ? comment['id'] : 'note-1'
      for (let n = 1; taken.has(id); n++) id = `note-${n}`
      taken.add(id)
      return write({ id: NUMERIC.test(id) ? Number(id) : id, ...fresh }, comment)
    })
    return [...before, ...after]
  }

  #comments(): readonly unknown[] {
    const { ui } = this.#g.document
    return isObject(ui) && Array.isArray(ui['comments']) ? ui['comments'] : []
  }

  /** Ids as the file had them; numbers where the document's are numbers; fresh numbers for the rest. */
  #nameNodes(): void {
    const nodes = this.#g.document.nodes, taken = new Set(this.#keptNodes.map((raw) => String(raw['id'])))
    for (const { id } of nodes) taken.add(id)
    const note = (id: unknown): void => { this.#lastNode = Math.max(this.#lastNode, counter(id)) }
    for (const raw of this.#keptNodes) note(raw['id'])
    nodes.forEach((node) => {
      const raw = keptNode(node)?.raw['id'], numeric = NUMERIC.test(node.id) ? Number(node.id) : undefined
      const own = raw !== undefined && String(raw) === node.id ? raw as number | string : numeric
      if (own !== undefined) { this.#ids.set(node.id, own); note(own) }
    })
    nodes.forEach((node, i) => {
      if (this.#ids.has(node.id)) return
      do this.#lastNode++; while (taken.has(String(this.#lastNode)))
      this.#ids.set(node.id, this.#lastNode)
      this.#g.report.rename(`${this.#g.pointer}/nodes/${i}/id`, node.id, String(this.#lastNode))
    })
  }

  #writeNode(node: DocumentNode, i: number): Json {
    const { report, pointer, subgraphs, definitionOf } = this.#g
    const kept = keptNode(node), definition = definitionOf(node.id), at = `${pointer}/nodes/${i}`
    const subgraph = node.type.startsWith('graph::') ? subgraphs.get(node.type.slice(7)) : undefined
    const type = subgraph ?? foreignType(node, definition, isClassName)
    report.rename(`${at}/type`, node.type, subgraph === undefined ? type : `graph::${definitionName(subgraph)}`)
    const base = kept?.raw ?? {
      pos: [40 + (i % 8) * 280, 40 + Math.floor(i / 8) * 200], size: [240, 120], flags: {}, order: i, mode: 0,
      properties: { 'Node name for S&R': type },
    }
    const mode = node.mode === 'mute' ? 2 : node.mode === 'bypass' ? 4 : 0
    const before = modeOf(base['mode']), changed = (before ?? 'run') !== (node.mode ?? 'run')
    const raw = withNodeUi({ ...base, id: this.#ids.get(node.id)!, type, ...(changed && { mode }) }, node.ui)
    const params = seedsBare(node.params ?? {}, definition)
    const lose = (name: string, dropped: boolean): void => {
      const what = `${at}/params/${escapePointer(name)}`
      // A primitive's link carries the value, or #writeKept says that it does not.
      if (this.#kept?.links?.some(({ at: end }) => same(end, [node.id, name])) === true) return
      if (dropped) report.drop(what, `${name} is no widget of ${type}`)
      else report.substitute(what, `param ${name}`, 'a widget without a name')
    }
    const widgets = subgraph !== undefined && kept !== undefined
      ? writeInstance(kept.widgets, params, lose)
      : writeWidgets(kept?.widgets, kept?.named === true, params, definition, lose)
    const written = this.#sockets.get(node.id)!
      .write({ ...raw, ...(widgets !== undefined && { widgets_values: kept?.big === true ? bareNumbers(widgets) : widgets }) })
    if (definition !== undefined && subgraph === undefined) {
      for (const name of Object.keys(params)) {
        if (!Object.hasOwn(definition.params, name) && kept?.widgets?.includes(name) !== true) {
          report.rename(`${at}/params/${escapePointer(name)}`, name, paramNames(definition.params).get(name) ?? name)
        }
      }
    }
    const known = definition ?? this.#g.types?.get(node.type)
    noteChanged(node.ui, nodeUi(written), `${at}/ui`, report)
    noteOutput(node, type, subgraph === undefined && (isOutputClass(type, known) || (known === undefined && isEnd(written))), at, report)
    return written
  }

  #writeLinks(): void {
    const { document } = this.#g, edges = document.edges ?? [], kept = this.#kept?.links ?? []
    const raws = edges.map((edge) => isLink(edge[OWN]) ? readLink(edge[OWN]) : undefined)
    const wiring = new Wiring([...raws.filter((link) => link !== undefined), ...kept.map(({ link }) => readLink(link))], this.#keptNodes)
    for (const link of [...raws, ...kept.map((one) => readLink(one.link))]) {
      if (link !== undefined) this.#lastLink = Math.max(this.#lastLink, counter(link.id))
    }
    const fresh: (readonly [from: PortRef, to: PortRef, id: string | undefined, pointer: string, order: number])[] = []
    edges.forEach(({ from, to, id, order }, e) => {
      const link = raws[e], origin = link === undefined ? null : wiring.originOf(link)
      const stands = link !== undefined && origin !== null && 'node' in origin && origin.node === from[0]
        && this.#nameAt('outputs', from[0], origin.slot) === from[1]
        && link.target === to[0] && this.#nameAt('inputs', to[0], link.targetSlot) === to[1]
      if (!stands || !this.#emit(link)) fresh.push([from, to, id, `${this.#g.pointer}/edges/${e}`, order ?? e])
    })
    const inputs = new Map<string, PortRef[]>(Object.entries(document.inputs ?? {}).map(([name, input]) => [name, [...input.to]]))
    const outputs = new Map(Object.entries(document.outputs ?? {}))
    for (const one of kept) this.#writeKept(one, inputs, outputs)
    for (const [from, to, id, at] of fresh.sort((a, b) => a[4] - b[4])) {
      const slot = this.#slot('inputs', to), target = this.#sockets.get(to[0])
      if (target === undefined || !this.#sockets.has(from[0])) this.#g.report.drop(at, 'it has an end at no node')
      // The link is written all the same, so that whoever reads the file is told of it.
      else if (target.inputs[slot]!.links.length > 0) this.#g.report.drop(at, 'an input of ComfyUI has one link')
      const written = this.#emitFresh([from[0], this.#slot('outputs', from)], [to[0], slot], id)
      if (id !== undefined) this.#g.report.rename(`${at}/id`, id, String(written))
    }
    if (this.#g.name === undefined) return
    for (const [name, to] of inputs) {
      for (const ref of to) this.#emitFresh([this.#ports.inputNode, this.#ports.inputs.indexOf(name)], [ref[0], this.#slot('inputs', ref)])
    }
    for (const [name, from] of outputs) {
      this.#emitFresh([from[0], this.#slot('outputs', from)], [this.#ports.outputNode, this.#ports.outputs.indexOf(name)])
    }
  }

  /** A link outside the graph stays while what it stands for does. */
  #writeKept({ link: raw, input, output, at, value }: KeptLink, inputs: Map<string, PortRef[]>, outputs: Map<string, PortRef>): void {
    const link = readLink(raw)
    if (input !== undefined) {
      const to = inputs.get(input), found = to?.findIndex((ref) => same(ref, at)) ?? -1
      if (found >= 0 && this.#emit(link)) to!.splice(found, 1)
    } else if (output !== undefined) {
      if (same(outputs.get(output), at) && this.#emit(link)) outputs.delete(output)
    } else if (at !== undefined) {
      const node = this.#nodes.get(at[0])
      if (node !== undefined && same(node.params?.[at[1]], value)) this.#emit(link)
      else this.#g.report.drop(`${this.#g.pointer}/${OWN}/links`, `link ${link.id}: the param has another value than its primitive`)
    } else this.#emit(link)
  }

  /** Writes a link as it was, if both of its ends are still there. */
  #emit(link: RawLink): boolean {
    const exists = (id: string): boolean =>
      this.#sockets.has(id) || (id !== '' && (id === this.#ports.inputNode || id === this.#ports.outputNode))
    if (this.#linkIds.has(link.id) || !exists(link.origin) || !exists(link.target)) return false
    this.#add({ id: link.id, raw: link.raw, from: [link.origin, link.originSlot], to: [link.target, link.targetSlot] })
    return true
  }

  #emitFresh(from: readonly [string, number], to: readonly [string, number], wanted?: string): number {
    const own = wanted !== undefined && /^\d{1,15}$/.test(wanted) ? Number(wanted) : undefined
    const id = own !== undefined && !this.#linkIds.has(own) ? own : ++this.#lastLink
    this.#lastLink = Math.max(this.#lastLink, counter(id))
    const type = this.#sockets.get(from[0])?.outputs[from[1]]?.raw['type'] ?? '*'
    const ref = (end: string): number | string => this.#ids.get(end) ?? (/^-?\d+$/.test(end) ? Number(end) : end)
    const raw = this.#tuples() ? [id, ref(from[0]), from[1], ref(to[0]), to[1], type]
      : { id, origin_id: ref(from[0]), origin_slot: from[1], target_id: ref(to[0]), target_slot: to[1], type }
    this.#add({ id, raw, from, to })
    return id
  }

  #add(link: Written): void {
    this.#linkIds.add(link.id)
    this.#links.push(link)
    this.#sockets.get(link.from[0])?.outputs[link.from[1]]?.links.push(link.id)
    this.#sockets.get(link.to[0])?.inputs[link.to[1]]?.links.push(link.id)
  }

  #slot(side: 'inputs' | 'outputs', [node, port]: PortRef): number { return this.#sockets.get(node)?.slot(side, port) ?? 0 }

  #nameAt(side: 'inputs' | 'outputs', node: string, slot: number): string {
    return this.#sockets.get(node)?.[side][slot]?.port ?? String(slot)
  }

  /** Version 0.4 writes links as tuples; subgraphs and version 1 as objects. */
  #tuples(): boolean { return this.#g.name === undefined && this.#kept?.raw['version'] !== 1 }

  #groups(raw: unknown): unknown {
    const { ui } = this.#g.document, groups = isObject(ui) && Array.isArray(ui['groups']) ? ui['groups'].filter(isObject) : []
    return groups.length === 0 && (raw === undefined || raw === null) ? raw ?? undefined : groupsOf((raw ?? []) as readonly Json[], groups)
  }

  /** Everything beside nodes, links and definitions. */
  #head(): Json {
    const { document, name } = this.#g, { id, revision } = document
    const raw = this.#kept?.raw ?? (name === undefined
      ? { last_node_id: 0, last_link_id: 0, groups: [], config: {}, extra: {}, version: 0.4 }
      : this.#freshSubgraph(name))
    const state = raw['state'], counters = present({
      last_node_id: larger(raw['last_node_id'], this.#lastNode), last_link_id: larger(raw['last_link_id'], this.#lastLink),
      state: isObject(state)
        ? { ...state, lastNodeId: larger(state['lastNodeId'], this.#lastNode), lastLinkId: larger(state['lastLinkId'], this.#lastLink) }
        : undefined,
    })
    const meta = (document.meta ?? {}) as Json
    return {
      ...raw, ...present(counters), ...(name === undefined ? present({ id, revision }) : {
        inputs: this.#portList(raw['inputs'], this.#ports.inputs, this.#ports.inputNode, 'from'),
        outputs: this.#portList(raw['outputs'], this.#ports.outputs, this.#ports.outputNode, 'to'),
        ...present({ name: meta['name'], description: meta['description'] }),
      }),
    }
  }

  #freshSubgraph(name: string): Json {
    return {
      id: uuidOf(name), version: 1, state: { lastGroupId: 0, lastNodeId: 0, lastLinkId: 0, lastRerouteId: 0 }, revision: 0, config: {},
      name, groups: [], extra: {},
      inputNode: { id: -10, bounding: [-200, 0, 120, 60] }, outputNode: { id: -20, bounding: [2_400, 0, 120, 60] },
    }
  }

  /** Ports of the subgraph with the links at them. */
  #portList(raw: unknown, names: readonly string[], node: string, end: 'from' | 'to'): unknown {
    if (names.length === 0) return raw
    const raws = Array.isArray(raw) ? raw as readonly Json[] : []
    const linked = names.map((): number[] => [])
    for (const link of this.#links) if (link[end][0] === node) linked[link[end][1]]?.push(link.id)
    return names.map((name, slot): Json => {
      const links = linked[slot]!, port = raws[slot]
      if (port === undefined) return { id: uuidOf(`${this.#g.pointer}/${end}/${name}`), name, type: '*', linkIds: links }
      return sameLinks((port['linkIds'] ?? []) as readonly number[], links) ? port : { ...port, linkIds: links }
    })
  }

  #definitions(): Json[] {
    const { document, report, pointer, subgraphs, types } = this.#g
    return Object.entries(document.definitions ?? {}).sort(([a], [b]) => a < b ? -1 : 1).flatMap(([name, definition]) => {
      if (!isObject(definition) || !Array.isArray(definition['nodes'])) return []
      const given = {
        document: definition as unknown as Document, definitionOf: () => undefined, report,
        pointer: `${pointer}/definitions/${escapePointer(name)}`, subgraphs, name, ...(types !== undefined && { types }),
      }
      report.rename(given.pointer, name, definitionName(subgraphs.get(name)!))
      return [new ScopeWriter(given).write()]
    })
  }
}

/** Ids that are numbers in a file. */
const NUMERIC = /^(?:0|[1-9]\d{0,14})$/
/** What a node of a file may be called. */
function isId(id: unknown): id is string { return typeof id === 'string' && id !== '' && id.length <= 64 && !/\p{Cc}/u.test(id) }

/** A counter of the file, or 0 for one that could not be counted on. */
function counter(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 50 ? value as number : 0
}

function larger(a: unknown, b: number): unknown { return typeof a === 'number' ? Math.max(a, b) : a }

function isLink(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 6 && typeof value[0] === 'number' : isObject(value) && typeof value['id'] === 'number'
}

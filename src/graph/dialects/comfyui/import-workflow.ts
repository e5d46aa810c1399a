import type { Document, DocumentEdge, DocumentInput, DocumentNode } from '../../document/document.js'
import { LONGEST_NAME } from '../../ids.js'
import type { PortRef } from '../../graph.js'
import { utf8Length } from '../../utf8.js'
import { isObject } from '../../schema/fit-shape.js'
import { demandShape, present, resolveType, type ImportContext, type Json, type ResolvedType } from '../source.js'
import { isNote, isOutputClass, isPrimitive, isReroute } from './classes.js'
import { commentOf, groupOf, nodeUi, same } from './layout.js'
import { definitionsShape, subgraphShape, workflowShape } from './shapes.js'
import { fileSlots, slotName, slotsOf, type Slots } from './slots.js'
import { instanceWidgets, readWidgets, type Widget, type Widgets } from './widgets.js'
import { Wiring, primitiveValue, readLink, type Origin, type RawLink } from './wiring.js'

/** The `x-` field that holds what a Millrace document has no place for. */
export const OWN = 'x-comfyui'

/** A link that is no edge, and what it stands for, as far as that can change: a subgraph's port, or a primitive's value at a param. */
export interface KeptLink {
  readonly link: unknown
  readonly input?: string
  readonly output?: string
  readonly at?: PortRef
  readonly value?: unknown
}
/** What is kept of a workflow or subgraph. */
export interface KeptScope { readonly raw: Json; readonly nodes?: readonly Json[]; readonly links?: readonly KeptLink[] }
/**
 * What is kept of a node: the node without its widgets' values; `slots` when the document's ports have other names than the file's; `big`
 * when digits beyond 2^53 stand among the values as text.
 */
export interface KeptNode {
  readonly raw: Json
  readonly slots?: Slots
  readonly widgets?: readonly Widget[]
  readonly named?: true
  readonly big?: true
}

/** Reads a ComfyUI workflow, version 0.4 or 1 (GR-18). Throws `SCHEMA_INVALID`. */
export function importWorkflow(c: ImportContext, source: Json): Document {
  const subgraphs = new Map<string, Ports>()
  demandShape(c, workflowShape, source, '', true)
  findSubgraphs(c, source, '', subgraphs)
  return new Scope(c, source, '', subgraphs).read()
}

/** Ports of every subgraph definition, nested ones included. Recursion is as deep as the file, whose depth has been bounded. */
function findSubgraphs(c: ImportContext, scope: Json, pointer: string, found: Map<string, Ports>): void {
  definitionsOf(c, scope, pointer).forEach((definition, i) => {
    const at = `${pointer}/definitions/subgraphs/${i}`
    demandShape(c, subgraphShape, definition, at, true)
    const names = (ports: unknown): string[] => ((ports ?? []) as readonly Json[]).map((port, n) => portName(port['name'] as string, n))
    const inputs = names(definition['inputs'])
    found.set(definition['id'] as string, { inputs, outputs: names(definition['outputs']), widgets: widgetsOf(definition, inputs) })
    findSubgraphs(c, definition, at, found)
  })
}

/** Inputs of a definition that lead to widgets: its instances have a widget for each. */
function widgetsOf(definition: Json, inputs: readonly string[]): string[] {
  const nodes = new Map((definition['nodes'] as readonly Json[]).map((node) => [String(node['id']), node]))
  const own = ioNode(definition['inputNode'], '-10'), slots = new Set<number>()
  for (const link of ((definition['links'] ?? []) as readonly unknown[]).map(readLink)) {
    const sockets = (nodes.get(link.target)?.['inputs'] ?? []) as readonly Json[]
    if (link.origin === own && isObject((sockets.find((socket) => socket['link'] === link.id) ?? sockets[link.targetSlot])?.['widget'])) {
      slots.add(link.originSlot)
    }
  }
  return inputs.filter((_, slot) => slots.has(slot))
}

/** Id of one of the two nodes that stand for a subgraph's ports. */
function ioNode(node: unknown, preset: string): string { return String((node as Json | undefined | null)?.['id'] ?? preset) }

function definitionsOf(c: ImportContext, scope: Json, pointer: string): readonly Json[] {
  const definitions = scope['definitions']
  if (definitions === undefined || definitions === null) return []
  demandShape(c, definitionsShape, definitions, `${pointer}/definitions`, true)
  return ((definitions as Json)['subgraphs'] ?? []) as readonly Json[]
}

/** Names of subgraph ports are names of a document's inputs and outputs. */
function portName(name: string, slot: number): string {
  return name === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name) ? String(slot) : name
}

/** Name of the definition, and of the type of its instances behind `graph::`. */
export function definitionName(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, LONGEST_NAME - 'graph::'.length)
}

/** Ports of a subgraph, and which of its inputs are widgets of its instances. */
interface Ports extends Slots { readonly widgets: readonly string[] }

/** A subgraph's own nodes for its ports, and the names of these. */
interface OwnPorts extends Slots { readonly inputNode?: string; readonly outputNode?: string }

/** One workflow or subgraph on its way to a document. */
class Scope {
  readonly #c: ImportContext
  readonly #raw: Json
  readonly #pointer: string
  readonly #subgraphs: ReadonlyMap<string, Ports>
  readonly #slots = new Map<string, Slots>()
  readonly #sockets = new Map<string, readonly Json[]>()
  readonly #nodes: DocumentNode[] = []
  /** Position of a node among them; the first of equal ids. */
  readonly #indexOf = new Map<string, number>()
  /** Nodes that are not part of the graph: reroutes, primitives, notes. */
  readonly #kept: Json[] = []
  readonly #keptIds = new Set<string>()
  readonly #keptLinks: KeptLink[] = []
  readonly #edges: DocumentEdge[] = []
  readonly #inputs = new Map<string, PortRef[]>()
  readonly #outputs = new Map<string, PortRef>()

  constructor(c: ImportContext, raw: Json, pointer: string, subgraphs: ReadonlyMap<string, Ports>) {
    this.#c = c
    this.#raw = raw
    this.#pointer = pointer
    this.#subgraphs = subgraphs
  }

  read(): Document {
    const raw = this.#raw
    ;(raw['nodes'] as readonly Json[]).forEach((node, i) => {
      const read = this.#readNode(node, `${this.#pointer}/nodes/${i}`)
      if (read === undefined) return
      if (!this.#indexOf.has(read.id)) this.#indexOf.set(read.id, this.#nodes.length)
      this.#nodes.push(read)
    })
    this.#readLinks(((raw['links'] ?? []) as readonly unknown[]).map(readLink))
    const ui = present({ groups: this.#groups(), comments: this.#comments() })
    const { nodes: _nodes, links: _links, definitions, ...rest } = raw
    const { subgraphs: _subgraphs, ...moreDefinitions } = (definitions ?? {}) as Json
    const kept: KeptScope = present({
      raw: { ...rest, ...(Object.keys(moreDefinitions).length > 0 && { definitions: moreDefinitions }) },
      nodes: this.#kept.length > 0 ? this.#kept : undefined, links: this.#keptLinks.length > 0 ? this.#keptLinks : undefined,
    })
    return present({
      millrace: 1, ...this.#head(), inputs: this.#documentInputs(), nodes: this.#nodes, edges: this.#edges,
      outputs: this.#documentOutputs(),
      definitions: this.#definitions(), ui: Object.keys(ui).length > 0 ? ui : undefined, [OWN]: kept,
    }) as Document
  }

  #head(): Pick<Document, 'id' | 'revision' | 'meta'> {
    const { id, revision, name, description } = this.#raw
    const meta = present({
      name: isText(name, 255) && name !== '' ? name : undefined, description: isText(description, 10_000) ? description : undefined,
    })
    return present({
      id: isText(id, LONGEST_NAME) && id !== '' && !/\p{Cc}/u.test(id) ? id : undefined,
      revision: Number.isSafeInteger(revision) && (revision as number) >= 0 ? revision as number : undefined,
      meta: Object.keys(meta).length > 0 ? meta : undefined,
    })
  }

  #readNode(node: Json, pointer: string): DocumentNode | undefined {
    const id = String(node['id']), name = node['type'] as string
    if (isReroute(name) || isPrimitive(name) || isNote(name)) {
      this.#kept.push(node)
      this.#keptIds.add(id)
      this.#c.report.substitute(pointer, name, isReroute(name) ? 'edges' : isPrimitive(name) ? 'params' : 'ui.comments')
      return undefined
    }
    const ports = this.#subgraphs.get(name)
    const { type, definition, fields }: ResolvedType = ports === undefined
      ? resolveType(this.#c, name, `${pointer}/type`, 'comfyui')
      : { type: `graph::${definitionName(name)}`, fields: {} }
    const lost = (at: string, what: string): void => { this.#c.report.drop(`${pointer}/widgets_values${at}`, what) }
    const widgets: Widgets = ports === undefined ? readWidgets(node, definition) : instanceWidgets(node, ports.inputs, ports.widgets, lost)
    if (ports === undefined && definition === undefined && /^workflow[>/]/.test(name)) {
      this.#c.report.warn(`${pointer}/type`, 'a group node: the nodes in it stay in extra.groupNodes and are not read')
    }
    const slots = slotsOf(node, definition, ports)
    if (!this.#slots.has(id)) {
      this.#slots.set(id, slots)
      this.#sockets.set(id, (node['inputs'] ?? []) as readonly Json[])
    }
    const { widgets_values: _values, ...raw } = node
    const own: KeptNode = {
      ...(widgets.list === undefined ? { raw: node } : { raw, widgets: widgets.list, ...(widgets.named !== undefined && { named: true }) }),
      ...(!same(slots, fileSlots(node)) && { slots }), ...(this.#c.big?.has(node) === true && { big: true as const }),
    }
    const ui = nodeUi(node), mode = modeOf(node['mode'])
    if (mode === undefined) this.#c.report.warn(`${pointer}/mode`, `mode ${String(node['mode'])} is read as run`)
    const isOutput = isOutputClass(name, definition) || (ports === undefined && definition === undefined && isEnd(node))
    return present({
      id, type, params: widgets.params.size > 0 ? Object.fromEntries(widgets.params) : undefined, mode: mode === 'run' ? undefined : mode,
      output: isOutput ? true : undefined, ui: Object.keys(ui).length > 0 ? ui : undefined, ...fields, [OWN]: own,
    }) as DocumentNode
  }

  #readLinks(links: readonly RawLink[]): void {
    const wiring = new Wiring(links, this.#kept), ports = this.#ports()
    for (const given of links) {
      if (this.#keptIds.has(given.target)) { this.#keptLinks.push({ link: given.raw }); continue }
      const origin = wiring.originOf(given), link = this.#settled(given)
      if (link === undefined) this.#loose(given, 'its input has another link')
      else if (link.target === ports.outputNode) this.#readOutput(link, origin, ports)
      else if (origin === null || ('node' in origin && origin.node !== ports.inputNode && !this.#slots.has(origin.node))) {
        this.#loose(link, 'comes from nowhere')
      } else if (!this.#slots.has(link.target)) {
        this.#loose(link, 'leads nowhere')
      } else {
        const at: PortRef = [link.target, slotName(this.#slots.get(link.target)?.inputs ?? [], link.targetSlot)]
        if ('primitive' in origin) this.#drive(link, origin.primitive, at)
        else if (origin.node === ports.inputNode) this.#readInput(link, slotName(ports.inputs, origin.slot), at)
        else this.#edges.push({ from: this.#outputAt(origin), to: at, id: String(link.id), [OWN]: link.raw })
      }
    }
  }

  /** The link at the input that names it, which is what counts where slots have moved; nothing when its input names another. */
  #settled(link: RawLink): RawLink | undefined {
    const sockets = this.#sockets.get(link.target), named = sockets?.[link.targetSlot]?.['link']
    if (sockets === undefined || named === link.id) return link
    const slot = sockets.findIndex((socket) => socket['link'] === link.id)
    if (slot < 0) return typeof named === 'number' ? undefined : link
    this.#c.report.substitute(
      `${this.#pointer}/links`,
      `link ${link.id} to input ${link.targetSlot} of node ${link.target}`,
      `one to input ${slot}, which names it`,
    )
    return {
      ...link, targetSlot: slot,
      raw: Array.isArray(link.raw) ? link.raw.map((part: unknown, i) => i === 4 ? slot : part) : { ...link.raw as Json, target_slot: slot },
    }
  }

  #ports(): OwnPorts {
    const own = this.#pointer === '' ? undefined : this.#subgraphs.get(this.#raw['id'] as string)
    if (own === undefined) return { inputs: [], outputs: [] }
    for (const name of own.inputs) this.#inputs.set(name, [])
    return { ...own, inputNode: ioNode(this.#raw['inputNode'], '-10'), outputNode: ioNode(this.#raw['outputNode'], '-20') }
  }

  #outputAt({ node, slot }: { readonly node: string; readonly slot: number }): PortRef {
    return [node, slotName(this.#slots.get(node)?.outputs ?? [], slot)]
  }

  #readOutput(link: RawLink, origin: Origin, ports: OwnPorts): void {
    const name = slotName(ports.outputs, link.targetSlot)
    if (origin === null || 'primitive' in origin || origin.node === ports.inputNode) {
      this.#loose(link, `output ${name} is no node's`)
      return
    }
    const at = this.#outputAt(origin)
    this.#outputs.set(name, at)
    this.#keptLinks.push({ link: link.raw, output: name, at })
  }

  #readInput(link: RawLink, name: string, at: PortRef): void {
    const to = this.#inputs.get(name)
    if (to === undefined) this.#inputs.set(name, [at])
    else to.push(at)
    this.#keptLinks.push({ link: link.raw, input: name, at })
  }

  /** A primitive's value becomes the param that it is linked to; the widget's own value stays with the widget. */
  #drive(link: RawLink, primitive: Json, at: PortRef): void {
    const index = this.#indexOf.get(at[0]), node = index === undefined ? undefined : this.#nodes[index], value = primitiveValue(primitive)
    if (node === undefined || value === undefined) { this.#loose(link, 'sets nothing'); return }
    const own = node[OWN] as KeptNode, before = node.params?.[at[1]]
    const widgets = own.widgets?.map((widget): Widget => {
      if (widget === at[1]) return same(before, value) ? widget : [at[1], before, value]
      return typeof widget !== 'string' && widget.length === 3 && widget[0] === at[1] ? [at[1], widget[1], value] : widget
    })
    this.#nodes[index!] = {
      ...node, params: { ...node.params, [at[1]]: value }, [OWN]: { ...own, ...(widgets !== undefined && { widgets }) },
    }
    this.#keptLinks.push({ link: link.raw, at, value })
  }

  #loose(link: RawLink, what: string): void {
    this.#keptLinks.push({ link: link.raw })
    this.#c.report.drop(`${this.#pointer}/links`, `link ${link.id}: ${what}`)
  }

  #documentInputs(): Document['inputs'] {
    if (this.#inputs.size === 0) return undefined
    return Object.fromEntries([...this.#inputs].map(([name, to]): [string, DocumentInput] => [name, { to, required: false }]))
  }

  #documentOutputs(): Document['outputs'] { return this.#outputs.size === 0 ? undefined : Object.fromEntries(this.#outputs) }

  #definitions(): Document['definitions'] {
    const found = definitionsOf(this.#c, this.#raw, this.#pointer)
    return found.length === 0 ? undefined : Object.fromEntries(found.map((definition, i) => {
      const at = `${this.#pointer}/definitions/subgraphs/${i}`, id = definition['id'] as string, name = definitionName(id)
      this.#c.report.rename(`${at}/id`, id, name)
      return [name, new Scope(this.#c, definition, at, this.#subgraphs).read()]
    }))
  }

  #groups(): readonly Json[] | undefined {
    const groups = this.#raw['groups'] as readonly Json[] | null | undefined
    return groups === undefined || groups === null || groups.length === 0 ? undefined : groups.map(groupOf)
  }

  #comments(): readonly Json[] | undefined {
    const notes = this.#kept.filter((node) => isNote(node['type'] as string))
    return notes.length === 0 ? undefined : notes.map(commentOf)
  }
}

/** Text that a document takes, of so many units at most. */
function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most && utf8Length(value) >= 0
}

/** Mode numbers of the canvas: 0 always, 2 never, 4 bypass; 1 and 3 are of other programs. */
export function modeOf(mode: unknown): DocumentNode['mode'] | undefined {
  return mode === 2 ? 'mute' : mode === 4 ? 'bypass' : mode === 0 || mode === undefined || mode === null ? 'run' : undefined
}

/** True for a node of an unknown class that reads something and gives nothing: ComfyUI can only run it for its own sake. */
export function isEnd(node: Json): boolean {
  const outputs = node['outputs'] as readonly unknown[] | null | undefined, inputs = (node['inputs'] ?? []) as readonly Json[]
  return (outputs ?? []).length === 0 && inputs.some(({ link }) => typeof link === 'number')
}

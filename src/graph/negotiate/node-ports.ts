import type { Media } from '../../media/media-type.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { compilePorts, functionDomain, takenDomain, type CompiledPort, type FieldFunction } from './constraints.js'
import { FIELDS, exactly, type Domain } from './domain.js'
import { OPEN, type FieldDomain } from './field-domain.js'
import { evaluate } from './input-view.js'
import type { PortNetwork } from './port-network.js'

/** A link into a port: its name as kernels and functions see it (`in`, or `in.0` for a `multi` port). */
export interface PortLink { readonly name: string; readonly port: CompiledPort; readonly variable: number }
/** A field function of one node that is still to be evaluated. */
export interface PendingFunction { readonly link: PortLink; readonly function: FieldFunction }

/** One node in the network: a variable per link and output. */
export interface NodePorts {
  readonly id: string
  readonly params: ParamValues
  readonly links: readonly PortLink[]
  pending: readonly PendingFunction[]
}

/** Two ports of one node that cannot agree for these params: the definition contradicts itself. */
export interface PortClash { readonly a: PortLink; readonly b: PortLink; readonly field?: string }
/** What setting a node up found wrong. */
export interface NodeFaults { readonly clashes: PortClash[]; readonly failures: { readonly link: PortLink; readonly message: string }[] }

/** Values that functions turned out to have in an earlier pass, by `variable:field`. */
export type FixedFields = ReadonlyMap<string, FieldDomain>

/** What {@link addNode} needs: how many links each input has (`multi`: any number), and media known from a probe or packet by link name. */
export interface NodeRequest {
  readonly id: string
  readonly ports: readonly CompiledPort[]
  readonly params: ParamValues
  readonly linkCount: (port: string) => number
  readonly known: (link: string) => Media | undefined
  readonly fixed?: FixedFields
}

const NONE: readonly PendingFunction[] = []

/** Puts a node into the network: variables with their own constraints, ties between its ports, functions that need params only. */
export function addNode(network: PortNetwork, request: NodeRequest, faults: NodeFaults): NodePorts {
  const { id, ports, params } = request
  const links: PortLink[] = []
  let pending: PendingFunction[] | undefined
  for (const port of ports) {
    const count = port.input ? request.linkCount(port.name) : 1
    for (let n = 0; n < count; n++) {
      const name = port.multi ? `${port.name}.${n}` : port.name
      const known = request.known(name)
      const link: PortLink = { name, port, variable: network.add(known === undefined ? port.own : exactly(known)) }
      links.push(link)
      if (known === undefined) for (const f of port.functions) (pending ??= []).push({ link, function: f })
    }
  }
  const node: NodePorts = { id, params, links, pending: pending ?? NONE }
  if (request.fixed !== undefined && request.fixed.size > 0) applyFixed(network, node, request.fixed)
  tiePorts(network, node, faults)
  runFunctions(network, node, faults)
  return node
}

/** Link of that name; `in` also finds the first link of a `multi` port. */
export function findLink({ links }: NodePorts, name: string): PortLink | undefined {
  for (const link of links) if (link.name === name || link.port.name === name) return link
  return undefined
}

function applyFixed(network: PortNetwork, node: NodePorts, fixed: FixedFields): void {
  for (const { link, function: f } of node.pending) {
    const value = fixed.get(`${link.variable}:${f.field}`)
    const next = value === undefined ? undefined : network.narrowed(f)(value)(network.domain(link.variable))
    if (next !== undefined) network.assign(link.variable, next)
  }
}

function tiePorts(network: PortNetwork, node: NodePorts, { clashes }: NodeFaults): void {
  let named: Map<string, { readonly link: PortLink; readonly field: string }> | undefined
  for (const a of node.links) {
    const { like, dimensions } = a.port
    // One name of a tensor's dimensions is one number, wherever it stands.
    for (let d = 0; d < dimensions.length; d++) {
      const name = dimensions[d], field = `d${d}`, first = name && named?.get(name)
      if (first) { if (!network.tie(first.link.variable, a.variable, first.field, field)) clashes.push({ a: first.link, b: a, field }) }
      else if (name) (named ??= new Map()).set(name, { link: a, field })
    }
    if (like !== undefined && node.links.every((b) => b.port.name !== like || sameKind(b.port.own, a.port.own))) {
      for (const b of node.links) if (b.port.name === like && b !== a && !network.tie(b.variable, a.variable)) clashes.push({ a, b })
      continue
    }
    for (const { field, port, other } of a.port.links) {
      for (const b of node.links) {
        if (b.port.name === port && b !== a && !network.tie(b.variable, a.variable, other, field)) clashes.push({ a, b, field })
      }
    }
    if (a.port.group === undefined) continue
    const first = node.links.find((link) => link.port.group === a.port.group)!
    if (first !== a && !network.tie(first.variable, a.variable)) clashes.push({ a: first, b: a })
  }
}

/** Both are one and the same kind: then all fields equal means all equal. */
function sameKind(a: Domain, b: Domain): boolean { return a?.length === 1 && b?.length === 1 && a[0]!.kind === b[0]!.kind }

/**
 * Evaluates the node's pending functions with what is known of its inputs; those that read something undecided stay pending, those that
 * read an open field make their own field open. `late` collects values that no longer fit because consumers have narrowed the port; else
 * such a value is a clash.
 */
export function runFunctions(network: PortNetwork, node: NodePorts, faults: NodeFaults, late?: Map<string, FieldDomain>): void {
  if (node.pending.length === 0) return
  const domains = (name: string): Domain | undefined => {
    const link = findLink(node, name)
    return link?.port.input === true ? network.domain(link.variable) : undefined
  }
  node.pending = node.pending.filter((item) => {
    const { link, function: f } = item
    const found = evaluate(f.of, node.params, domains)
    if (found.failed !== undefined) { faults.failures.push({ link, message: found.failed }); return false }
    if (found.undecided && !found.open) return true
    const value = found.open ? OPEN : functionDomain(found.result, network.only)
    if (value === undefined) return false
    const taken = link.port.input && value !== OPEN ? takenDomain(f, value) : value
    const next = network.narrowed(f)(taken)(network.domain(link.variable))
    if (next !== undefined && network.assign(link.variable, next)) return false
    if (late !== undefined) late.set(`${link.variable}:${f.field}`, taken)
    else faults.clashes.push({ a: link, b: link, field: FIELDS[f.kind][f.field] ?? '' })
    return false
  })
}

const compiled = new WeakMap<NodeDefinition, readonly CompiledPort[]>()

/** Compiled ports of a definition, compiled once. */
export function portsOf(definition: NodeDefinition): readonly CompiledPort[] {
  let ports = compiled.get(definition)
  if (ports === undefined) compiled.set(definition, ports = compilePorts(definition))
  return ports
}

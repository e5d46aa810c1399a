import { commonErrors } from '../../errors/common-errors.js'
import type { Suggestion } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import type { MediaKind } from '../../media/media-type.js'
import { checkParam } from '../check-param.js'
import { exceeded } from '../document/check-document.js'
import { graphErrors } from '../errors.js'
import { migrateNode } from '../migrate-node.js'
import { constraintDomain } from '../negotiate/constraints.js'
import { describeConstraint } from '../negotiate/describe.js'
import { kindsOf } from '../negotiate/domain.js'
import type { NodeDefinition } from '../node-definition.js'
import { resolveParams } from '../params.js'
import { escapePointer } from '../pointer.js'
import { remembering } from '../remembering.js'
import { satisfies } from '../semver.js'
import { paramOriginOf } from '../subgraph/origin.js'
import type { Context } from './context.js'

/** Stage 7: node types that the registry lacks, versions out of range, deprecated types. A node of an unknown type or version is broken. */
export function checkTypes(c: Context): void {
  const portsOf = remembering(({ inputs, outputs }: NodeDefinition) => Object.keys(inputs).length + Object.keys(outputs).length)
  c.graph.nodes.forEach((node, n) => {
    const definition = c.definitions[n]
    if (c.brokenNodes.has(n)) return
    const retype = (to: string): Suggestion => ({ title: `Use ${to}`, edit: { op: 'set-type', node: node.id, to } })
    if (definition === undefined) {
      c.brokenNodes.add(n)
      const near = c.near(node.type, () => c.registry.list().map((one) => one.type))
      c.report('nodes', n, graphErrors.NODE_TYPE_UNKNOWN.diagnostic({ node: node.id, type: node.type, near }, {
        node: node.id, pointer: `${c.nodePointer(n)}/type`, got: node.type,
        ...(near.length > 0 && { expected: near, suggestions: near.map(retype) }),
      }))
      return
    }
    if (node.version !== undefined && !satisfies(definition.version, node.version)) {
      c.brokenNodes.add(n)
      const { fault } = migrateNode(node, definition)
      c.report('nodes', n, graphErrors.NODE_VERSION.diagnostic(
        { node: node.id, range: node.version, version: fault === undefined ? definition.version : `${definition.version}; ${fault}` },
        { node: node.id, pointer: `${c.nodePointer(n)}/version`, expected: node.version, got: definition.version }))
      return
    }
    const ports = portsOf(definition)
    if (ports > c.limits.portsPerNode) {
      c.brokenNodes.add(n)
      c.report('nodes', n, { ...exceeded(`Ports of node ${node.id}`, c.limits.portsPerNode, ports, c.nodePointer(n)), node: node.id })
      return
    }
    if (definition.status !== 'deprecated') return
    const { replacedBy } = definition
    c.report('nodes', n, graphErrors.NODE_DEPRECATED.diagnostic(
      { node: node.id, what: `type ${definition.type} is deprecated`, ...(replacedBy !== undefined && { todo: `Use ${replacedBy}.` }) },
      {
        node: node.id, pointer: `${c.nodePointer(n)}/type`, got: definition.type,
        ...(replacedBy !== undefined && { expected: replacedBy, suggestions: [retype(replacedBy)] }),
      }))
  })
}

/**
 * Stage 8: params against their declarations, run-time inputs' defaults included. A node with a wrong param is broken: its media cannot be
 * known. Params driven by an edge or a run-time input need no value of their own.
 */
export function checkParams(c: Context): void {
  const { seed } = c.graph.config, wrong = seed === undefined ? undefined : checkParam({ type: 'seed', doc: '' }, seed)
  if (wrong) {
    c.report('document', 0, graphErrors.PARAM_INVALID.diagnostic({ node: 'config', param: 'seed', ...wrong }, {
      pointer: '/config/seed', constraint: wrong.constraint, expected: wrong.limit, got: wrong.got,
    }))
  }
  let driven: Map<number, Set<string>> | undefined
  c.graph.nodes.forEach((node, n) => {
    const definition = c.sound(n)
    if (definition === undefined) return
    let { values, diagnostics } = resolveParams(definition, node.params)
    // Where a node stands, and what drives its params, matters only to those that something is wrong with.
    if (diagnostics.length > 0) {
      const own = (driven ??= drivenParams(c)).get(n);
      ({ values, diagnostics } = resolveParams(definition, node.params, {
        node: node.id, pointer: `${c.nodePointer(n)}/params`, ...(own !== undefined && { driven: own }),
      }))
    }
    c.params[n] = values
    for (const diagnostic of diagnostics) {
      const pointer = diagnostic.got === undefined || diagnostic.port === undefined ? undefined : paramOriginOf(node, diagnostic.port)
      c.report('nodes', n, pointer === undefined ? diagnostic : { ...diagnostic, pointer })
      if (diagnostic.severity === 'error') c.brokenNodes.add(n)
    }
  })
  let index = 0
  for (const [name, input] of c.graph.inputs) {
    if (input.default !== undefined) for (const [id, port] of input.to) checkDefault(c, index, name, input.default, id, port)
    index++
  }
}

function drivenParams(c: Context): Map<number, Set<string>> {
  const driven = new Map<number, Set<string>>()
  const addAt = (node: number, port: string): void => {
    if (!Object.hasOwn(c.definitions[node]?.params ?? NONE, port)) return
    const ports = driven.get(node)
    if (ports === undefined) driven.set(node, new Set([port]))
    else ports.add(port)
  }
  c.graph.edges.forEach(({ to }, e) => { addAt(c.edges.toAt[e]!, to[1]) })
  for (const input of c.graph.inputs.values()) for (const [id, port] of input.to) addAt(c.indexOf.get(id) ?? -1, port)
  return driven
}
const NONE = {}

/** Kinds of media that a plain value can stand for at a port, as those who bind it see it; undefined: more than its look decides. */
function literalKinds(value: unknown): readonly MediaKind[] | undefined {
  if (typeof value === 'string') return ['text', 'json']
  if (Array.isArray(value)) {
    return value.every((item) => typeof item !== 'object')
      ? ['json', 'events', ...(value.length > 0 && value.every((item) => typeof item === 'string') ? ['text' as const] : [])]
      : undefined
  }
  if (typeof value === 'object' && value !== null
    && ('media' in value || 'rate' in value || ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null))) {
    return undefined
  }
  return ['json']
}

/** A default is checked like a value written at the node, and then stands there for what later stages see. */
function checkDefault(c: Context, index: number, input: string, value: unknown, id: string, port: string): void {
  const node = c.indexOf.get(id)
  const definition = node === undefined ? undefined : c.sound(node)
  if (definition === undefined) return
  if (!Object.hasOwn(definition.params, port)) {
    const media = c.graph.inputs.get(input)!.media ?? (Object.hasOwn(definition.inputs, port) ? definition.inputs[port]!.media : undefined)
    const kinds = literalKinds(value)
    const own = media && kindsOf(constraintDomain(media))
    if (own == null || kinds === undefined || own.some((kind) => kinds.includes(kind))) return
    const expected = `${describeConstraint(media!)} for ${id}.${port}`, got = show(value)
    c.report('inputs', index, commonErrors.INVALID_ARGUMENT.diagnostic({ function: `run input ${input}`, expected, got }, {
      stage: 8, node: id, port, pointer: `/inputs/${escapePointer(input)}/default`, expected, got: value,
    }))
    c.brokenNodes.add(node!)
    return
  }
  const { values, diagnostics } = resolveParams(definition, { [port]: value }, { node: id })
  for (const one of diagnostics) {
    if (one.port?.split(/[.[]/)[0] !== port || one.constraint === 'required') continue
    const suggestions = one.suggestions?.map(({ title, edit }) =>
      ({ title, edit: { op: 'set-default', input, ...(edit!['op'] === 'set-param' && { value: edit!['value'] }) } }))
    c.report('inputs', index, {
      ...one, pointer: `/inputs/${escapePointer(input)}/default`, ...(suggestions !== undefined && { suggestions }),
    })
    c.brokenNodes.add(node!)
  }
  c.params[node!] = { ...c.params[node!], ...(Object.hasOwn(values, port) && { [port]: values[port] }) }
}

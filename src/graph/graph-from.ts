import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { graphErrors } from './errors.js'
import { createGraph, type Graph, type GraphEdge, type GraphNode, type PortRef } from './graph.js'
import { shortName } from './ids.js'
import { callOf, outputFacts, type AnyHandle, type AnyOutput, type NodeCall } from './output-ref.js'

/** Named outputs of a graph written in TypeScript. */
export type Outputs = Readonly<Record<string, AnyOutput | AnyHandle>>

/**
 * The graph behind some outputs: every node they need, sources first, in an order that depends on the calls alone. Ids are `<name>-<n>`
 * unless given. A handle without outputs (a sink) is kept as `output: true`. Iterative: depth is not limited by the stack.
 * Throws `INVALID_ARGUMENT` for what is no output, `DUPLICATE_ID` for an id given twice.
 */
export function graphFrom(outputs: Outputs, parts: Partial<Omit<Graph, 'nodes' | 'edges' | 'outputs'>> = {}): Graph {
  const targets = Object.entries(outputs).map(([name, value]) => ({ name, ...targetOf(name, value) }))
  const calls = reachable(targets.map((target) => target.call))
  const ids = namesOf(calls)
  const sinks = new Set(targets.filter((target) => target.port === undefined).map((target) => target.call))
  const edges: GraphEdge[] = []
  for (const call of calls) {
    for (const link of call.links) {
      edges.push({
        from: [ids.get(link.from.call)!, link.from.port], to: [ids.get(call)!, link.to],
        ...(link.order === undefined ? {} : { order: link.order }),
        ...(link.from.delayFrames === undefined ? {} : { delayFrames: link.from.delayFrames }),
      })
    }
  }
  const named = targets.flatMap(({ name, call, port }): [string, PortRef][] => port === undefined ? [] : [[name, [ids.get(call)!, port]]])
  return createGraph({
    ...parts,
    nodes: calls.map((call) => nodeOf(call, ids.get(call)!, sinks.has(call))),
    edges, outputs: new Map(named),
  })
}

function targetOf(name: string, value: unknown): { readonly call: NodeCall; readonly port?: string } {
  const facts = outputFacts(value)
  if (facts !== undefined && facts.delayFrames === undefined) return facts
  const call = facts === undefined ? callOf(value) : undefined
  if (call === undefined) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'outputs', expected: `an output of a node as ${name}`, got: show(value) })
  }
  const ports = Object.keys(call.definition.outputs)
  if (ports.length === 0) return { call }
  throw commonErrors.INVALID_ARGUMENT({
    function: 'outputs', expected: `one output as ${name}`, got: `all outputs of ${call.definition.type}`,
    hint: `Choose one of ${ports.map((port) => `.${port}`).join(', ')}.`,
  })
}

/**
 * All calls needed, each after those it reads: depth first, links in order, without recursion. What comes round a loop is looked up last.
 */
function reachable(roots: readonly NodeCall[]): NodeCall[] {
  const done = new Set<NodeCall>()
  const order: NodeCall[] = [], all = [...roots]
  for (const root of all) {
    if (done.has(root)) continue
    const path: { readonly call: NodeCall; next: number }[] = [{ call: root, next: 0 }]
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const link = top.call.links[top.next++]
      if (link === undefined) {
        path.pop()
        if (!done.has(top.call)) { done.add(top.call); order.push(top.call) }
      } else if (link.from.delayFrames !== undefined) all.push(link.from.call)
      else if (!done.has(link.from.call)) path.push({ call: link.from.call, next: 0 })
    }
  }
  return order
}

/** Ids as given, else `<name>-<n>` counted per name, passing over ids that are given. */
function namesOf(calls: readonly NodeCall[]): Map<NodeCall, string> {
  const taken = new Map<string, NodeCall>()
  for (const call of calls) {
    const id = call.settings.id
    if (id === undefined) continue
    const first = taken.get(id)
    if (first !== undefined) {
      throw graphErrors.DUPLICATE_ID({ thing: 'Node', id, first: first.definition.type, second: call.definition.type })
    }
    taken.set(id, call)
  }
  const counts = new Map<string, number>()
  return new Map(calls.map((call) => [call, call.settings.id ?? nextId(shortName(call.definition.type), counts, taken)]))
}

function nextId(name: string, counts: Map<string, number>, taken: ReadonlyMap<string, unknown>): string {
  let n = counts.get(name) ?? 0
  do n++; while (taken.has(`${name}-${n}`))
  counts.set(name, n)
  return `${name}-${n}`
}

function nodeOf(call: NodeCall, id: string, sink: boolean): GraphNode {
  const { id: _id, ...settings } = call.settings
  return {
    id, type: call.definition.type, definition: call.definition, params: call.params, ...settings, ...(sink ? { output: true } : {}),
  }
}

import { portKey } from '../port-key.js'
import type { Suggestion } from '../../errors/diagnostic.js'
import { exceeded } from '../document/check-document.js'
import { linkableInputs } from '../driven-params.js'
import { graphErrors } from '../errors.js'
import type { PortRef } from '../graph.js'
import { describeConstraint } from '../negotiate/describe.js'
import { olderHint } from '../params.js'
import { escapePointer } from '../pointer.js'
import { remembering } from '../remembering.js'
import type { Context, Section } from './context.js'
import { removeEdge } from './links.js'

/** What an input is linked from first: an output, or a run-time input in words; and that of another input of the node. */
interface FirstLink { readonly port: string; readonly from: PortRef | string; readonly next: FirstLink | undefined }

/** Stage 12, first half: ports that do not exist, inputs linked twice, required inputs without anything. */
export function checkPorts(c: Context, planned: Uint8Array): void {
  /** Per node: what each of its inputs is linked from, and whether a link to it went astray. */
  const first = new Array<FirstLink | undefined>(c.graph.nodes.length), count = new Map<string, number>(), astray = new Set<number>()
  const firstInto = (node: number, port: string): FirstLink | undefined => {
    let link = first[node]
    while (link !== undefined && link.port !== port) link = link.next
    return link
  }
  const note = (node: number, port: string, from: PortRef | string): string | undefined => {
    const before = firstInto(node, port)?.from
    if (before === undefined) first[node] = { port, from, next: first[node] }
    return before === undefined || typeof before === 'string' ? before : before.join('.')
  }
  const { fromAt, toAt } = c.edges, targetsOf = remembering(linkableInputs)
  c.graph.edges.forEach((edge, e) => {
    const source = fromAt[e]!, target = toAt[e]!, from = c.definitions[source], to = c.definitions[target]
    // A link that an earlier stage broke, or whose source port is wrong, still stands for its input: that is one fault, not two.
    if (source >= 0 && target >= 0 && from !== undefined) hasPort(c, e, 'from', from.outputs)
    if (to === undefined) return
    if (!hasPort(c, e, 'to', targetsOf(to))) { astray.add(target); return }
    const before = note(target, edge.to[1], edge.from)
    if (before === undefined || c.brokenEdges.has(e)) return
    const input = to.inputs[edge.to[1]]
    if (input?.multi === true) { checkLinkCount(c, 'edges', e, edge.to, c.edgePointer(e), count); return }
    const name = c.edgeName(e)
    c.brokenEdges.add(e)
    c.report('edges', e, graphErrors.INPUT_OCCUPIED.diagnostic({ input: edge.to.join('.'), first: before, got: edge.from.join('.') }, {
      node: edge.to[0], port: edge.to[1], edge: name, pointer: c.edgePointer(e), expected: before, got: edge.from.join('.'),
      suggestions: [removeEdge(c, e)],
    }))
  })
  checkRunInputs(c, note, count, astray)
  checkRunOutputs(c)
  c.graph.nodes.forEach((node, n) => {
    const definition = c.sound(n)
    if (definition === undefined || planned[n] === 0 || astray.has(n)) return
    for (const port in definition.inputs) {
      const input = definition.inputs[port]!
      if (input.optional === true || firstInto(n, port) !== undefined) continue
      const media = describeConstraint(input.media)
      c.report('nodes', n, graphErrors.INPUT_MISSING.diagnostic(
        { input: `${node.id}.${port}`, media },
        { node: node.id, port, pointer: c.nodePointer(n), constraint: 'required', expected: media }))
    }
  })
}

/** Whether an end of an edge is among ports of its node; told, and the edge broken, when it is not. */
function hasPort(c: Context, e: number, end: 'from' | 'to', table: object): boolean {
  const [node, port] = c.graph.edges[e]![end]
  if (Object.hasOwn(table, port)) return true
  const edge = c.edgeName(e)
  unknownPort(c, 'edges', e, [node, port], Object.keys(table), {
    edge, pointer: `${c.edgePointer(e)}/${end}/1`,
    edit: (to) => ({ op: 'relink-edge', edge, [end]: [node, to] }),
  })
  c.brokenEdges.add(e)
  return false
}

/** The first link beyond the limit is told. */
function checkLinkCount(c: Context, section: Section, index: number, to: PortRef, pointer: string, count: Map<string, number>): void {
  const key = portKey(to), links = (count.get(key) ?? 1) + 1
  count.set(key, links)
  if (links !== c.limits.linksPerInput + 1) return
  c.report(section, index, { ...exceeded(`Links into ${to.join('.')}`, c.limits.linksPerInput, links, pointer), node: to[0], port: to[1] })
}

/** Run-time inputs stand behind the edges into a `multi` input, in order of declaration. */
function checkRunInputs(
  c: Context,
  note: (node: number, port: string, from: string) => string | undefined,
  count: Map<string, number>, astray: Set<number>,
): void {
  let index = 0
  for (const [name, input] of c.graph.inputs) {
    input.to.forEach((ref, i) => {
      const node = c.indexOf.get(ref[0])
      const definition = node === undefined ? undefined : c.definitions[node]
      if (definition === undefined) return
      const names = [...Object.keys(definition.inputs), ...Object.keys(definition.params)]
      const pointer = `/inputs/${escapePointer(name)}/to/${i}`
      if (!names.includes(ref[1])) {
        astray.add(node!)
        unknownPort(c, 'inputs', index, ref, names, {
          pointer: `${pointer}/1`,
          edit: (port) => ({ op: 'set-input', input: name, index: i, to: [ref[0], port] }),
        })
        return
      }
      const before = note(node!, ref[1], `input ${name}`)
      if (before === undefined) return
      const twice = input.to.findIndex(([id, port]) => id === ref[0] && port === ref[1]) < i
      if (!twice && Object.hasOwn(definition.inputs, ref[1]) && definition.inputs[ref[1]]!.multi === true) {
        checkLinkCount(c, 'inputs', index, ref, pointer, count)
        return
      }
      c.report('inputs', index, graphErrors.INPUT_OCCUPIED.diagnostic(
        { input: ref.join('.'), first: before, got: `input ${name}` },
        { node: ref[0], port: ref[1], pointer, expected: before, got: `input ${name}` }))
    })
    index++
  }
}

function checkRunOutputs(c: Context): void {
  let index = 0
  for (const [name, ref] of c.graph.outputs) {
    const node = c.indexOf.get(ref[0])
    const definition = node === undefined ? undefined : c.definitions[node]
    const names = Object.keys(definition?.outputs ?? {})
    if (definition !== undefined && !names.includes(ref[1])) {
      unknownPort(c, 'outputs', index, ref, names, {
        pointer: `/outputs/${escapePointer(name)}/1`,
        edit: (port) => ({ op: 'set-output', output: name, to: [ref[0], port] }),
      })
    }
    index++
  }
}

interface PortPlace { readonly pointer: string; readonly edge?: string; readonly edit: (port: string) => Readonly<Record<string, unknown>> }

function unknownPort(
  c: Context, section: Section, index: number, [node, port]: PortRef, ports: readonly string[], { pointer, edge, edit }: PortPlace,
): void {
  const near = c.near(port, () => ports)
  const suggestions = near.map((to): Suggestion => ({ title: `Use port ${to}`, edit: edit(to) }))
  c.report(
    section, index,
    graphErrors.PORT_NOT_FOUND.diagnostic({ node, port, ports, near, older: olderHint(c.definitions[c.indexOf.get(node)!]!) }, {
      node, port, pointer, expected: ports, got: port, ...(edge !== undefined && { edge }), ...(suggestions.length > 0 && { suggestions }),
    }),
  )
}

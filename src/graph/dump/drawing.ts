/** What a drawing of a graph shows, whatever language it is then written in. */
import type { Media } from '../../media/media-type.js'
import { demandGraph } from '../as-graph.js'
import type { Graph, PortRef } from '../graph.js'
import { describeMedia } from '../negotiate/describe.js'

/** The part of a plan that is drawn: what will run, converters and identities settled. An engine's plan is one. */
export interface DrawnPlan {
  readonly nodes: readonly { readonly id: string; readonly type: string; readonly tier: string; readonly segment: number }[]
  readonly edges: readonly { readonly from: PortRef; readonly to: PortRef; readonly media: Media | null; readonly delayFrames?: number }[]
  readonly segments: readonly { readonly index: number; readonly tier: string; readonly where: string; readonly nodes: readonly string[] }[]
  readonly inserted: readonly { readonly id: string }[]
}

/** A box: its lines of text, how it looks, and the group that it stands in. */
export interface DrawnNode {
  readonly key: string
  readonly lines: readonly string[]
  readonly look: 'node' | 'inserted' | 'idle' | 'input' | 'output'
  readonly group?: number
}
export interface DrawnEdge {
  readonly from: string
  readonly to: string
  readonly label: string
  readonly look: 'link' | 'feedback' | 'value'
}
/** Everything in a drawing; groups are segments. */
export interface Drawing {
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
  readonly groups: readonly { readonly index: number; readonly title: string }[]
}

/**
 * Nodes and edges of a graph with its run-time inputs and outputs; with a plan, what the plan runs, in
 * its segments. Give the flattened graph then.
 */
export function drawingOf(graph: Graph, plan?: DrawnPlan): Drawing {
  demandGraph(graph, 'toDot, toMermaid')
  const nodes: DrawnNode[] = [], edges: DrawnEdge[] = [], inserted = new Set(plan?.inserted.map(({ id }) => id))
  if (plan === undefined) {
    for (const { id, type, mode } of graph.nodes) {
      const idle = mode === 'mute' || mode === 'bypass'
      nodes.push({ key: id, lines: [id, idle ? `${type}, ${mode}` : type], look: idle ? 'idle' : 'node' })
    }
    for (const { from, to, delayFrames } of graph.edges) {
      edges.push({ from: from[0], to: to[0], ...lateOf(ports(from, to), delayFrames) })
    }
  } else {
    for (const { id, type, tier, segment } of plan.nodes) {
      nodes.push({
        key: id, lines: segment < 0 ? [id, `${type}, ${tier}`] : [id, type], look: inserted.has(id) ? 'inserted' : 'node',
        ...(segment >= 0 && { group: segment }),
      })
    }
    for (const { from, to, media, delayFrames } of plan.edges) {
      edges.push({ from: from[0], to: to[0], ...lateOf(media === null ? ports(from, to) : describeMedia(media), delayFrames) })
    }
  }
  const drawn = new Set(nodes.map(({ key }) => key))
  for (const key of edges.flatMap(({ from, to }) => [from, to])) {
    if (drawn.has(key)) continue
    drawn.add(key)
    nodes.push({ key, lines: [key, 'no such node'], look: 'idle' })
  }
  for (const [name, { to }] of graph.inputs) {
    const key = freeKey(`input ${name}`, drawn)
    nodes.push({ key, lines: [name], look: 'input' })
    for (const [id, port] of to) if (drawn.has(id)) edges.push({ from: key, to: id, label: port, look: 'value' })
  }
  for (const [name, [id, port]] of graph.outputs) {
    const key = freeKey(`output ${name}`, drawn)
    nodes.push({ key, lines: [name], look: 'output' })
    if (drawn.has(id)) edges.push({ from: id, to: key, label: port, look: 'link' })
  }
  return {
    nodes, edges,
    groups: plan?.segments.map(({ index, tier, where }) => ({ index, title: `segment ${index}: ${tier} on ${where}` })) ?? [],
  }
}

/** A feedback edge says how late it is. */
function lateOf(label: string, delayFrames: number | undefined): Pick<DrawnEdge, 'label' | 'look'> {
  return delayFrames === undefined
    ? { label, look: 'link' }
    : { label: [label, `${delayFrames} frames late`].filter((part) => part !== '').join(', '), look: 'feedback' }
}

function ports(from: PortRef, to: PortRef): string { return from[1] === 'out' && to[1] === 'in' ? '' : `${from[1]} → ${to[1]}` }

/** Node ids are free text: one of them may read like the key of an input. */
function freeKey(key: string, taken: ReadonlySet<string>): string { return taken.has(key) ? freeKey(`${key} `, taken) : key }

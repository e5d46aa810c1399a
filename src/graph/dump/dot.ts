import type { Graph } from '../graph.js'
import { drawingOf, type DrawnEdge, type DrawnNode, type DrawnPlan } from './drawing.js'

const NODE: Readonly<Record<DrawnNode['look'], string>> = {
  node: '', inserted: ', style="rounded,dashed"', idle: ', style="rounded,dotted"', input: ', shape=ellipse', output: ', shape=ellipse',
}
const EDGE: Readonly<Record<DrawnEdge['look'], string>> = {
  link: '', feedback: ', style=dashed, constraint=false', value: ', style=dotted',
}

/** A graph as Graphviz DOT (GR-14); with a plan, what it runs: converters dashed, a box around each segment. */
export function toDot(graph: Graph, plan?: DrawnPlan): string {
  const { nodes, edges, groups } = drawingOf(graph, plan), lines = ['digraph {', '  rankdir=LR', '  node [shape=box, style=rounded]']
  const nodeLine = ({ key, lines: text, look }: DrawnNode): string => `${quote(key)} [label=${quote(text.join('\n'))}${NODE[look]}]`
  for (const { index, title } of groups) {
    lines.push(
      `  subgraph cluster_${index} {`, `    label=${quote(title)}`,
      ...nodes.filter((node) => node.group === index).map((node) => `    ${nodeLine(node)}`),
      '  }',
    )
  }
  for (const node of nodes) if (node.group === undefined) lines.push(`  ${nodeLine(node)}`)
  for (const { from, to, label, look } of edges) {
    const style = `${label === '' ? '' : `, label=${quote(label)}`}${EDGE[look]}`.slice(2)
    lines.push(`  ${quote(from)} -> ${quote(to)}${style === '' ? '' : ` [${style}]`}`)
  }
  return `${lines.join('\n')}\n}\n`
}

/** A DOT string: quotes and backslashes escaped, line ends as `\n`. */
function quote(text: string): string { return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"` }

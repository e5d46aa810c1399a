import type { Graph } from '../graph.js'
import { drawingOf, type DrawnNode, type DrawnPlan } from './drawing.js'

const SHAPE: Readonly<Record<DrawnNode['look'], readonly [string, string]>> = {
  node: ['[', ']'], inserted: ['[/', '/]'], idle: ['[', ']'], input: ['([', '])'], output: ['([', '])'],
}

/** A graph as a Mermaid flowchart (GR-14); with a plan, what it runs: converters slanted, a subgraph for each segment. */
export function toMermaid(graph: Graph, plan?: DrawnPlan): string {
  const { nodes, edges, groups } = drawingOf(graph, plan)
  const names = new Map(nodes.map((node, n) => [node.key, `n${n}`]))
  const lines = ['flowchart LR']
  const nodeLine = ({ key, lines: text, look }: DrawnNode): string => {
    const [open, close] = SHAPE[look]
    return `${names.get(key)!}${open}${quote(text.join('\n'))}${close}${look === 'idle' ? ':::idle' : ''}`
  }
  for (const { index, title } of groups) {
    lines.push(
      `  subgraph s${index} [${quote(title)}]`,
      ...nodes.filter((node) => node.group === index).map((node) => `    ${nodeLine(node)}`),
      '  end',
    )
  }
  for (const node of nodes) if (node.group === undefined) lines.push(`  ${nodeLine(node)}`)
  for (const { from, to, label, look } of edges) {
    lines.push(`  ${names.get(from)!} ${look === 'link' ? '-->' : '-.->'}${label === '' ? '' : `|${quote(label)}|`} ${names.get(to)!}`)
  }
  if (nodes.some(({ look }) => look === 'idle')) lines.push('  classDef idle stroke-dasharray: 2')
  return `${lines.join('\n')}\n`
}

/** Mermaid text: what has a meaning in it as entity codes. */
function quote(text: string): string {
  return `"${text.replaceAll(/[#"<>&]/g, (sign) => `#${sign.charCodeAt(0)};`).replaceAll('\n', '<br/>')}"`
}

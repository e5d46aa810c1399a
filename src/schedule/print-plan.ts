import { describeMedia } from './media-text.js'
import type { Plan } from './plan.js'

/** A plan as text: one line per segment and TypeScript node, converters marked, sums at the end. Equal plans print equal text. */
export function printPlan(plan: Plan): string {
  const lines = [`plan ${plan.graphHash.slice(0, 12)}  ${plan.nodes.length} nodes, ${plan.segments.length} segment${plan.segments.length === 1 ? '' : 's'}`]
  for (const segment of plan.segments) {
    lines.push(`  segment ${segment.index}  ${segment.tier} on ${segment.where}, ${segment.feed}, ${segment.blockFrames} frames a block, ${kib(segment.workBytes)}`)
    for (const id of segment.nodes) lines.push(`    ${nodeLine(plan, id)}`)
  }
  for (const node of plan.nodes) if (node.segment < 0) lines.push(`  ${nodeLine(plan, node.id)}  ${node.why}`)
  for (const inserted of plan.inserted) {
    lines.push(`  inserted ${inserted.id} (${inserted.type}${inserted.lossless ? '' : ', lossy'}) on ${inserted.edge}: ${inserted.reason}`)
  }
  lines.push(`  about ${plan.estTimeMs.toFixed(1)} ms, ${kib(plan.estPeakBytes)} at most, ${plan.estCopyBytes} bytes copied between nodes`)
  return lines.join('\n')
}

function nodeLine(plan: Plan, id: string): string {
  const node = plan.nodes.find((n) => n.id === id)!
  const out = plan.edges.find((edge) => edge.from[0] === id && edge.media !== null)
  return `${id} (${node.type})${node.note === undefined ? '' : ` [${node.note}]`}${out?.media ? ` -> ${describeMedia(out.media)}` : ''}`
}

function kib(bytes: number): string { return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 102_400 ? 1 : 0)} KiB` }

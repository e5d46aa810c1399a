import type { ResolvedNode } from './resolved-graph.js'

/** Frames that a rule of a definition gives for this node. */
export function framesOf(rule: number | ((params: ResolvedNode['params'], media: ResolvedNode['media']) => number) | undefined, node: ResolvedNode): number {
  return typeof rule === 'function' ? rule(node.params, node.media) : rule ?? 0
}

/** How far a node may lag behind its input, seconds: what its siblings at a join must be able to hold. */
export function heldSeconds(node: ResolvedNode): number {
  const media = node.inputs.map((input) => node.media[input.link]).find((m) => m?.kind === 'audio')
  const rate = media?.kind === 'audio' ? media.rate : 1
  return (framesOf(node.definition.holdFrames, node) + framesOf(node.definition.latencyFrames, node)) / rate
}

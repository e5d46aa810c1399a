import { ask, isCount } from '../ask.js'
import type { LinkedNode } from './linked-node.js'

/** Frames that a rule of a definition gives for this node. Throws `INTERNAL` for a function that throws or gives no number from 0. */
export function framesOf(
  name: 'latencyFrames' | 'holdFrames' | 'tailFrames',
  { definition, params, media }: Pick<LinkedNode, 'definition' | 'params' | 'media'>,
): number {
  const rule = definition[name]
  return typeof rule === 'function' ? ask(definition, name, () => rule(params, media), isCount) : rule ?? 0
}

/** How far a node may lag behind its input, seconds: what its siblings at a join must be able to hold. */
export function heldSeconds(node: LinkedNode): number {
  const media = node.inputs.map((input) => node.media[input.link]).find((m) => m?.kind === 'audio')
  const rate = media?.kind === 'audio' ? media.rate : 1
  return (framesOf('holdFrames', node) + framesOf('latencyFrames', node)) / rate
}

/** The same; NaN for a node whose lag depends on media that nobody knows yet. */
export function heldIfKnown(node: LinkedNode): number {
  const { holdFrames, latencyFrames } = node.definition
  return holdFrames === undefined && latencyFrames === undefined ? 0
    : node.inputs.some((input) => node.media[input.link]?.kind === 'audio') ? heldSeconds(node)
    : NaN
}

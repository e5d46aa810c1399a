import { audio, bytes, events, json, oneOf, sameAs, text, type MediaConstraint } from '../media/media-type.js'
import type { InputDeclaration, NodeDefinition, ParamType } from './node-definition.js'

/**
 * What an edge into a param carries (spec graph.md section 2): for a kernel one f32 per frame of the node's first stream, in the param's
 * own unit; for a node written in TypeScript the param's value, packet by packet. Undefined: no edge may drive that param.
 */
export function drivenInput(definition: NodeDefinition, name: string): InputDeclaration | undefined {
  if (!Object.hasOwn(definition.params, name) || definition.params[name]!.input !== true) return undefined
  if (definition.kernel === undefined) return { media: valuesOf(definition.params[name]!.type), optional: true }
  const { rate } = definition.params[name]!
  if (rate !== 'sample' && rate !== 'block') return undefined
  const first = Object.keys(definition.inputs)[0] ?? Object.keys(definition.outputs)[0]
  return { media: audio({ channels: 1, ...(first !== undefined && { rate: sameAs(first) }) }), optional: true }
}

/** Media whose packets carry values of a param type. */
function valuesOf(type: ParamType): MediaConstraint {
  if (type === 'file') return oneOf(json(), text(), bytes())
  if (type === 'json' || type === 'array') return oneOf(json(), text(), events())
  return type === 'string' || type === 'enum' || type === 'color' ? oneOf(json(), text()) : json()
}

/** Everything that an edge may end at: the inputs, then the params that edges drive. */
export function linkableInputs(definition: NodeDefinition): Readonly<Record<string, InputDeclaration>> {
  const driven = Object.keys(definition.params)
    .flatMap((name) => { const input = drivenInput(definition, name); return input ? [[name, input] as const] : [] })
  return driven.length === 0 ? definition.inputs : { ...definition.inputs, ...Object.fromEntries(driven) }
}

/** The input or driven param of that name. */
export function linkableInput(definition: NodeDefinition, name: string): InputDeclaration | undefined {
  return Object.hasOwn(definition.inputs, name) ? definition.inputs[name] : drivenInput(definition, name)
}

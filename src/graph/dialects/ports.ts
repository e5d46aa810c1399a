import type { NodeDefinition } from '../node-definition.js'
import { paramNames } from '../params.js'

/**
 * The port that an edge without a key means (spec graph.md section 2): the only one, else the one named `default`, else the first declared;
 * `default` for a type that is not known.
 */
export function defaultPort(definition: NodeDefinition | undefined, side: 'inputs' | 'outputs'): string {
  const names = Object.keys(definition?.[side] ?? {})
  return names.length === 1 ? names[0]! : names.includes('default') ? 'default' : names[0] ?? 'default'
}

/**
 * The port or param of a known type that a foreign name means: itself, the same letters in another case (`IMAGE`, `sampleRate`), a param by
 * its aliases; the name itself when nothing fits or the type is not known.
 */
export function portNamed(definition: NodeDefinition | undefined, side: 'inputs' | 'outputs', name: string): string {
  if (definition === undefined || Object.hasOwn(definition[side], name)) return name
  const plain = (word: string): string => word.replaceAll(/[-_ ]/g, '').toLowerCase()
  const near = Object.keys(definition[side]).find((port) => plain(port) === plain(name))
  return near ?? (side === 'inputs' ? paramNames(definition.params).get(name) : undefined) ?? name
}

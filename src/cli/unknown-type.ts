import { nearest } from '../graph/nearest.js'
import type { Registry } from '../index.js'
import { UsageError } from './command.js'

/**
 * A mistake of usage that names the types which a word may have meant: those of that name in any family (`gain`), else those written alike.
 */
export function unknownType(word: string, registry: Registry): UsageError {
  const types = registry.list().map(({ type }) => type), named = types.filter((type) => type.split('::')[1] === word.toLowerCase())
  const near = named.length > 0 ? named : nearest(word, types)
  return new UsageError(
    `${word}: no such node type. ${near.length > 0 ? `Did you mean ${near.join(' or ')}?` : '`millrace nodes` lists them.'}`,
  )
}

import { HARD_LIMITS, resolveLimits, type Limits } from '../graph/limits.js'
import { pairs, UsageError, type Command, type CommandContext } from './command.js'

/** `--limit`, of every command that reads a document. */
export const LIMIT_OPTION: Command['options'] = {
  limit: {
    type: 'string', multiple: true, value: 'NAME=N',
    doc: 'Another limit, like nodes=50000 or documentBytes=20000000. May be repeated.',
  },
}

/**
 * `--limit` words as limits of reading, checking and planning. Throws UsageError for a name that is
 * none, and for a number above the hard limit.
 */
export function limitsOf(options: CommandContext['options']): Partial<Limits> {
  const limits: Record<string, number> = {}
  for (const [name, word] of pairs(options['limit'], 'limit')) {
    if (!Object.hasOwn(HARD_LIMITS, name)) throw new UsageError(`--limit ${name}: expected one of ${Object.keys(HARD_LIMITS).join(', ')}.`)
    limits[name] = word === '' ? NaN : Number(word)
    try {
      resolveLimits({ [name]: limits[name] })
    } catch {
      throw new UsageError(`--limit ${name}=${word}: expected a whole number from 1 to ${HARD_LIMITS[name as keyof Limits]}.`)
    }
  }
  return limits
}

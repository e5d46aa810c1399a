import { commonErrors } from '../errors/common-errors.js'
import { checkJson } from './check-text.js'
import { graphErrors } from './errors.js'
import { HashWriter } from './hash-writer.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'

/** Text that has no UTF-8 form equals nothing, and is not to be taken for nothing either. */
export function requireText(node: string, params: ParamValues, definition?: NodeDefinition): void {
  const problem = checkJson(params, '', true)
  if (problem === undefined) return
  const { constraint, limit, path, at: [name] } = problem, got = definition?.params[name ?? '']?.secret === true ? '(secret)' : problem.got
  throw graphErrors.PARAM_INVALID({ node, param: path.slice(1), constraint, limit, got, range: undefined }, { nodeId: node })
}

/** Seeds are u64 however they are spelled: number, bigint, decimal text. */
export function asSeed(value: unknown): unknown {
  try {
    return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? BigInt(value) : value
  } catch {
    return value
  }
}
/** What is no seed is told by validation; here it counts as none. */
export function seedOf(value: unknown): bigint { const seed = asSeed(value); return typeof seed === 'bigint' ? seed : 0n }

/** 16 fresh bytes: what is like nothing else. Throws `UNSUPPORTED`. */
export function randomBytes(): Uint8Array {
  const { crypto } = globalThis as { readonly crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array } }
  if (crypto === undefined) {
    throw commonErrors.UNSUPPORTED({
      feature: 'hashGraph of a node that is not deterministic', runtime: 'a host without crypto', alternative: 'Give options.nonce.',
    })
  }
  return crypto.getRandomValues(new Uint8Array(16))
}

/**
 * Digest of a value that goes to a port; one that has no bytes of its own is `nonce`. Throws
 * `INVALID_ARGUMENT` for what cannot be written out.
 */
export function valueDigest(value: unknown, nonce: () => Uint8Array): Uint8Array {
  const problem = checkJson(value, ''), writer = new HashWriter()
  if (problem?.constraint === 'other') {
    throw commonErrors.INVALID_ARGUMENT({ function: 'hashGraph', expected: problem.limit, got: String(problem.got) })
  }
  return (writer.value(value) ? writer : writer.clear().raw(nonce())).takeDigest(0)
}

import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import { show } from '../errors/show.js'
import { withContext, type ErrorPlace } from '../errors/with-context.js'
import { scheduleErrors } from './errors.js'

/** Which call failed. */
export interface FailurePlace extends Omit<ErrorPlace, 'nodeId' | 'nodeType' | 'operation'> {
  readonly node: string
  readonly type: string
  /** `process`, `pull`, `probe`, `init`, … */
  readonly operation: string
}

/** Faults of the program itself: trying again changes nothing (EX-43). */
const OWN_FAULTS = new Set(['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'])

/**
 * What a node's own code threw, as a MillraceError that names node, type and operation (EX-62). A MillraceError keeps its code and stack;
 * any other error becomes the cause of `NODE_FAILED`; a thrown non-error stands in `details.thrown`. `retryable` is the thrower's word,
 * else EX-43's rule.
 */
export function wrapNodeFailure(thrown: unknown, { node, type, operation, ...place }: FailurePlace): MillraceError {
  const context = { ...place, nodeId: node, nodeType: type, operation }
  if (isMillraceError(thrown)) return withContext(thrown, context)
  if (!isError(thrown)) {
    return scheduleErrors.NODE_FAILED({ node, type, operation, cause: `threw ${show(thrown)}`, thrown: cloneable(thrown) }, {
      ...context, retryable: true,
    })
  }
  const said = (thrown as { readonly retryable?: unknown }).retryable, hint = (thrown as { readonly hint?: unknown }).hint
  const cause = `${thrown.name === 'Error' ? '' : `${thrown.name}: `}${thrown.message === '' ? 'failed without a message' : thrown.message}`
  return scheduleErrors.NODE_FAILED({ node, type, operation, cause, ...(typeof hint === 'string' ? { causeHint: hint } : {}) },
    { ...context, cause: thrown, retryable: typeof said === 'boolean' ? said : !OWN_FAULTS.has(thrown.name) })
}

/** What a node's code threw itself: of a `NODE_FAILED` its cause. */
export function ownFault(failure: unknown): unknown {
  return isMillraceError(failure) && failure.code === 'NODE_FAILED' ? failure.cause : failure
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

/** Scalars as they are, the rest in words: details cross threads. */
function cloneable(value: unknown): unknown {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value) ? value : show(value)
}

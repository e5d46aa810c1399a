import { MillraceError, type MillraceErrorFields } from './millrace-error.js'

/** Where an error happened. */
export type ErrorPlace = Pick<MillraceErrorFields, 'nodeId' | 'nodeType' | 'port' | 'edge' | 'runId' | 'operation' | 'attempt' | 'delivery'>

/**
 * The same error with the fields of `place` that it does not have yet; the same object when nothing is missing. Code, stack and cause stay.
 */
export function withContext(error: MillraceError, place: ErrorPlace): MillraceError {
  const missing = Object.entries(place).filter(([key, value]) => value !== undefined && error[key as keyof ErrorPlace] === undefined)
  if (missing.length === 0) return error
  return copyOf(error, Object.fromEntries(missing))
}

/** The same error under another node id: that of an inner node, seen from outside. */
export function atNode(error: MillraceError, nodeId: string): MillraceError { return copyOf(error, { nodeId }) }

function copyOf(error: MillraceError, fields: ErrorPlace): MillraceError {
  const { code, kind, severity, hint, httpStatus, retryable, details, remoteStack } = error
  const had = (['nodeId', 'nodeType', 'port', 'edge', 'runId', 'operation', 'attempt', 'delivery'] as const)
    .filter((key) => error[key] !== undefined).map((key) => [key, error[key]])
  const copy = new MillraceError(error.message, {
    code, kind, severity, hint, httpStatus, retryable, details, ...Object.fromEntries(had), ...fields,
    ...(remoteStack === undefined ? {} : { remoteStack }), ...(error.cause === undefined ? {} : { cause: error.cause }),
  })
  if (error.stack !== undefined) Object.defineProperty(copy, 'stack', { value: error.stack, configurable: true, writable: true })
  return copy
}

import { isInstance } from './is-instance.js'
import { isKnownCode } from './code-of.js'
import { commonErrors } from './common-errors.js'
import { isMillraceError, MillraceError, type ErrorKind, type MillraceErrorFields } from './millrace-error.js'
import { show } from './show.js'

/** An error as JSON: what crosses workers, wires and histories. */
export interface EncodedError {
  /** `millrace`: all fields kept. `error`: any other Error. `value`: something thrown that is none. */
  readonly type: 'millrace' | 'error' | 'value'
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly cause?: EncodedError
  /** Members of an AggregateError. */
  readonly errors?: readonly EncodedError[]
  /** Code, kind, details and place of a MillraceError. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** A thrown non-error. */
  readonly value?: unknown
}

/** Longest cause chain, and most members, that are kept. */
const DEEPEST = 16, MOST_MEMBERS = 64
const TEXT_FIELDS = ['hint', 'nodeId', 'nodeType', 'port', 'edge', 'runId', 'operation', 'remoteStack'] as const
const NUMBER_FIELDS = ['httpStatus', 'attempt', 'delivery'] as const
/** Constructors that survive the crossing; any other class arrives as Error with its name. */
const NATIVE: Readonly<Record<string, ErrorConstructor>> = {
  Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
}

/** Turns anything thrown into plain JSON. Never throws: cycles end, details that cannot be cloned are told in words. */
export function encodeError(error: unknown, depth = 0): EncodedError {
  if (!isErrorLike(error)) return { type: 'value', name: 'value', message: show(error), value: jsonOf(error, 0) }
  const name = textOf(() => error.name, 'Error'), message = textOf(() => error.message, ''), stack = textOf(() => error.stack, '')
  const cause: unknown = read(() => error.cause), members: unknown = read(() => (error as { readonly errors?: unknown }).errors)
  return {
    type: isMillraceError(error) ? 'millrace' : 'error', name, message, ...(stack === '' ? {} : { stack }),
    ...(isMillraceError(error) ? { fields: fieldsOf(error) } : {}),
    ...(cause === undefined || depth >= DEEPEST ? {} : { cause: encodeError(cause, depth + 1) }),
    ...(!Array.isArray(members) || depth >= DEEPEST
      ? {}
      : { errors: members.slice(0, MOST_MEMBERS).map((member) => encodeError(member, depth + 1)) }),
  }
}

/**
 * Turns {@link encodeError}'s result back into an error. A code that this library does not know becomes `INTERNAL` with the original in
 * `details`, so does what is no encoded error at all. The stack of the other side is in `remoteStack` (MillraceError) or kept as the stack
 * (others).
 */
export function decodeError(encoded: unknown, known: (code: string) => boolean = isKnownCode): Error {
  if (!isEncoded(encoded)) return internal('a message that is no error', encoded)
  if (encoded.type === 'value') return internal(`a thrown value: ${encoded.message}`, encoded.value)
  const cause = encoded.cause === undefined ? undefined : decodeCause(encoded.cause, known)
  if (encoded.type === 'millrace') return decodeMillrace(encoded, cause, known)
  const options = cause === undefined ? undefined : { cause }
  const error = Array.isArray(encoded.errors)
    ? new AggregateError(encoded.errors.map((member) => decodeCause(member, known)), encoded.message, options)
    : new (NATIVE[encoded.name] ?? Error)(encoded.message, options)
  if (error.name !== encoded.name) Object.defineProperty(error, 'name', { value: encoded.name, configurable: true, writable: true })
  if (encoded.stack !== undefined) Object.defineProperty(error, 'stack', { value: encoded.stack, configurable: true, writable: true })
  return error
}

/** A thrown non-error stands in a cause chain as itself. */
function decodeCause(encoded: unknown, known: (code: string) => boolean): unknown {
  return isEncoded(encoded) && encoded.type === 'value' ? encoded.value : decodeError(encoded, known)
}

function decodeMillrace(encoded: EncodedError, cause: unknown, known: (code: string) => boolean): MillraceError {
  const fields = encoded.fields ?? {}, code = fields['code']
  if (typeof code !== 'string' || !known(code)) return internal(`unknown code ${show(code)}: ${encoded.message}`, encoded, cause)
  const remoteStack = fields['remoteStack'] ?? encoded.stack
  return new MillraceError(encoded.message, {
    ...(fields as unknown as MillraceErrorFields), ...(typeof remoteStack === 'string' ? { remoteStack } : {}),
    ...(cause === undefined ? {} : { cause }),
  })
}

function internal(what: string, original: unknown, cause?: unknown): MillraceError {
  const error = commonErrors.INTERNAL({ what: `Received ${what}.` })
  return new MillraceError(error.message, {
    code: error.code, kind: error.kind, hint: error.hint, httpStatus: error.httpStatus, details: { what, original: jsonOf(original, 0) },
    ...(cause === undefined ? {} : { cause }),
  })
}

function fieldsOf(error: MillraceError): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {
    code: error.code, kind: error.kind satisfies ErrorKind, severity: error.severity, retryable: error.retryable,
    details: jsonOf(error.details, 0),
  }
  for (const name of TEXT_FIELDS) if (typeof error[name] === 'string' && error[name] !== '') fields[name] = error[name]
  for (const name of NUMBER_FIELDS) if (typeof error[name] === 'number') fields[name] = error[name]
  return fields
}

/** A JSON copy; what JSON cannot hold is told in words. */
function jsonOf(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
    return value
  }
  if (value === undefined) return null
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || depth >= DEEPEST) return show(value)
  try {
    if (Array.isArray(value)) return value.slice(0, 1_024).map((item) => jsonOf(item, depth + 1))
    if (isInstance(value)) return show(value)
    return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined).slice(0, 1_024).map(([key, item]) =>
      [key, jsonOf(item, depth + 1)]))
  } catch {
    return show(value)
  }
}

/** Errors of other realms are no `instanceof Error`. */
function isErrorLike(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]' || isMillraceError(value)
      || (typeof value === 'object' && value !== null && typeof (value as Error).message === 'string'
        && typeof (value as Error).name === 'string')
  } catch {
    return false
  }
}

function isEncoded(value: unknown): value is EncodedError {
  if (typeof value !== 'object' || value === null) return false
  const { type, name, message } = value as Partial<EncodedError>
  return (type === 'millrace' || type === 'error' || type === 'value') && typeof name === 'string' && typeof message === 'string'
}

function read(get: () => unknown): unknown {
  try { return get() } catch { return undefined }
}
function textOf(get: () => unknown, otherwise: string): string {
  const value = read(get)
  return typeof value === 'string' ? value : otherwise
}

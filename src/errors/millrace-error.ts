import type { Severity } from './diagnostic.js'

/** Family of an error; decides default retry behaviour (spec execution.md, EX-43). */
export type ErrorKind =
  | 'validation' | 'usage' | 'environment' | 'resource' | 'execution' | 'timeout' | 'worker' | 'transport' | 'storage' | 'integrity'
  | 'security' | 'cancelled' | 'internal'

const BRAND: unique symbol = Symbol.for('millrace.error') as never

/** Everything an error carries beside its message; all fields cross workers and wires unchanged. */
export interface MillraceErrorFields {
  readonly code: string
  readonly kind: ErrorKind
  readonly severity?: Severity
  readonly hint?: string
  readonly httpStatus?: number
  readonly retryable?: boolean
  /** The named values of the message, cloneable. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly nodeId?: string
  readonly nodeType?: string
  readonly port?: string
  readonly edge?: string
  readonly runId?: string
  readonly operation?: string
  readonly attempt?: number
  readonly delivery?: number
  /** Stack of the thread or machine where the error was first thrown. */
  readonly remoteStack?: string
  readonly cause?: unknown
}

/**
 * The one error class of Millrace. Test with {@link isMillraceError}, never with `instanceof`: errors cross realms.
 * `message` follows the grammar `<Thing> <id>: expected <x>, got <y>.`; `hint` says how to mend it.
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: string
  readonly kind: ErrorKind
  readonly severity: Severity
  readonly hint: string
  readonly httpStatus: number
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>
  // declared, not defined: a field that an error does not have is no property of it
  declare readonly nodeId?: string
  declare readonly nodeType?: string
  declare readonly port?: string
  declare readonly edge?: string
  declare readonly runId?: string
  declare readonly operation?: string
  declare readonly attempt?: number
  declare readonly delivery?: number
  declare readonly remoteStack?: string

  constructor(message: string, fields: MillraceErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause })
    const { cause: _cause, code, kind, severity, hint, httpStatus, retryable, details, ...place } = fields
    this.code = code
    this.kind = kind
    this.severity = severity ?? 'error'
    this.hint = hint ?? ''
    this.httpStatus = httpStatus ?? 500
    this.retryable = retryable ?? false
    this.details = details ?? {}
    for (const [key, value] of Object.entries(place)) {
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true, configurable: true })
    }
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** True for a MillraceError of any realm or copy of the library. */
export function isMillraceError(value: unknown): value is MillraceError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true
}

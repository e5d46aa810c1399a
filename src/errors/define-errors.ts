import type { Diagnostic, Place, Severity, Suggestion } from './diagnostic.js'
import { MillraceError, type ErrorKind, type MillraceErrorFields } from './millrace-error.js'

/** One row of an error catalogue: text, kind, status and hint of a code live here and nowhere else (spec execution.md section 7). */
export interface ErrorRow<D> {
  readonly kind: ErrorKind
  readonly httpStatus: number
  readonly retryable?: boolean
  readonly severity?: Severity
  /** Validation stage (spec graph.md section 5) when the code appears as a diagnostic. */
  readonly stage?: number
  /** `<Thing> <id>: expected <x>, got <y>.` */
  readonly message: (details: D) => string
  /** How to mend it. */
  readonly hint?: (details: D) => string
}

/** Context of a thrown error beside its named values. */
export type ErrorContext = Pick<MillraceErrorFields,
  'nodeId' | 'nodeType' | 'port' | 'edge' | 'runId' | 'operation' | 'attempt' | 'delivery' | 'remoteStack' | 'cause' | 'retryable'>

/** Optional fields of a diagnostic beside its named values. */
export interface DiagnosticExtra extends Place {
  readonly severity?: Severity
  readonly stage?: number
  readonly constraint?: string
  readonly expected?: unknown
  readonly got?: unknown
  readonly suggestions?: readonly Suggestion[]
}

/** Builds a throwable error of one code, or the same fact as a diagnostic value. */
export interface ErrorFactory<D> {
  (details: D, context?: ErrorContext): MillraceError
  diagnostic(details: D, extra?: DiagnosticExtra): Diagnostic
  readonly code: string
  readonly row: ErrorRow<D>
}

/** One row per code; `T` maps each code to the named values of its message, inferred from `message`. */
export type ErrorTable<T> = { readonly [K in keyof T]: ErrorRow<T[K]> }
/** One factory per row of the table. */
export type ErrorFactories<T> = { readonly [K in keyof T]: ErrorFactory<T[K]> }

/**
 * Rows of which a diagnostic was made, by code: what throws one asks them for kind and status, so
 * that no list of all codes is needed for it.
 */
const used = /* @__PURE__ */ new Map<string, ErrorRow<never>>()

/** Kind and HTTP status of a diagnostic's code. One that this copy of the library made no diagnostic of counts as a fault of a graph. */
export function kindOf(code: string): Pick<ErrorRow<never>, 'kind' | 'httpStatus'> {
  return used.get(code) ?? { kind: 'validation', httpStatus: 400 }
}

/** Turns a table of rows into typed factories; pure (the catalogue test collects all tables). */
/* @__NO_SIDE_EFFECTS__ */
export function defineErrors<T extends Readonly<Record<string, object>>>(table: ErrorTable<T>): ErrorFactories<T> {
  const factories: Record<string, unknown> = {}
  for (const [code, row] of Object.entries(table)) factories[code] = factoryOf(code, row as ErrorRow<object>)
  return factories as ErrorFactories<T>
}

function factoryOf<D>(code: string, row: ErrorRow<D>): ErrorFactory<D> {
  const make = (details: D, context: ErrorContext = {}): MillraceError =>
    new MillraceError(row.message(details), {
      code, kind: row.kind, httpStatus: row.httpStatus, severity: row.severity, retryable: row.retryable ?? false,
      hint: row.hint?.(details) ?? '', details: details as Readonly<Record<string, unknown>>, ...defined(context),
    })
  const diagnostic = (details: D, extra: DiagnosticExtra = {}): Diagnostic => {
    used.set(code, row)
    return {
      code, severity: row.severity ?? 'error', stage: row.stage ?? 0, message: row.message(details), hint: row.hint?.(details) ?? '',
      docs: `errors/${code}`, ...defined(extra),
    }
  }
  return Object.assign(make, { diagnostic, code, row })
}

function defined<T extends object>(fields: T): Partial<T> {
  const kept: Partial<T> = {}
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name]
  return kept
}

/** How bad a diagnostic is. `error` refuses the graph or file; `warning` and `info` let it pass. */
export type Severity = 'error' | 'warning' | 'info'

/** A machine-applicable edit that would remove a diagnostic (spec graph.md, GR-51 words). */
export interface Suggestion {
  readonly title: string
  readonly edit?: Readonly<Record<string, unknown>>
}

/** Where in a graph or document a diagnostic or error stands. */
export interface Place {
  readonly node?: string
  readonly port?: string
  readonly edge?: string
  /** JSON pointer into the document (RFC 6901). */
  readonly pointer?: string
  /** One-based line and column of a text document. */
  readonly line?: number
  readonly column?: number
}

/** One problem found in data: a graph, a document, a file. All problems are reported at once; none is thrown (STYLE 11). */
export interface Diagnostic extends Place {
  readonly code: string
  readonly severity: Severity
  /** Validation stage 1–13 of spec graph.md section 5; 0 outside validation. */
  readonly stage: number
  readonly message: string
  readonly hint: string
  readonly constraint?: string
  readonly expected?: unknown
  readonly got?: unknown
  readonly suggestions?: readonly Suggestion[]
  /** Page of the error reference that explains the code. */
  readonly docs: string
}

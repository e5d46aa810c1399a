import type { MediaConstraint } from '../../media/media-type.js'
import type { Extras, GraphConfig, PortRef } from '../graph.js'

/** A node in its JSON form. Fields that are not named here are kept. */
export interface DocumentNode {
  readonly id: string
  readonly type: string
  readonly version?: string
  readonly params?: Extras
  readonly tier?: string | readonly string[]
  readonly place?: string
  readonly requires?: Extras
  readonly media?: Readonly<Record<string, MediaConstraint>>
  readonly mode?: 'run' | 'bypass' | 'mute'
  readonly policy?: Extras
  readonly matrix?: unknown
  readonly produces?: unknown
  readonly consumes?: unknown
  readonly output?: boolean
  readonly ui?: unknown
  readonly [extra: string]: unknown
}
/** An edge in its JSON form. */
export interface DocumentEdge {
  readonly from: PortRef
  readonly to: PortRef
  readonly id?: string
  readonly order?: number
  readonly whenFull?: 'block' | 'drop-oldest' | 'drop-newest' | 'latest' | 'error'
  readonly capacity?: number
  readonly delayFrames?: number
  readonly [extra: string]: unknown
}
/** A value given at run time. */
export interface DocumentInput {
  readonly to: readonly PortRef[]
  readonly media?: unknown
  readonly required?: boolean
  readonly default?: unknown
  readonly [extra: string]: unknown
}
/** A graph in its JSON form (spec graph.md section 1): what files, editors and the command line exchange. */
export interface Document {
  /** Where an editor finds the JSON Schema of this format; never looked at here. */
  readonly $schema?: string
  /** Version of the format; `"1"`, `"1.0"` and `"1.2.3"` are read, 1 is written. */
  readonly millrace: 1 | string
  readonly id?: string
  readonly revision?: number
  readonly meta?: Extras
  readonly engines?: { readonly millrace?: string; readonly [extra: string]: unknown }
  readonly packs?: readonly Extras[]
  readonly inputs?: Readonly<Record<string, DocumentInput>>
  readonly nodes: readonly DocumentNode[]
  readonly edges?: readonly DocumentEdge[]
  readonly outputs?: Readonly<Record<string, PortRef>>
  readonly definitions?: Readonly<Record<string, unknown>>
  readonly config?: Omit<GraphConfig, 'extras'> & { readonly [extra: string]: unknown }
  readonly ui?: unknown
  readonly [extra: string]: unknown
}

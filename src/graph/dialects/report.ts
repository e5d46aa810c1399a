import type { Diagnostic } from '../../errors/diagnostic.js'
import { nearest } from '../nearest.js'
import type { Registry } from '../registry.js'
import { dialectErrors } from './errors.js'
import type { Dialect } from './dialect.js'

/** A name that changed: a type, an id, a port. Pointers of imports go into the source, those of exports into the document. */
export interface Renamed { readonly pointer: string; readonly from: string; readonly to: string }
/** Something that stands as something else of the same effect: a reroute as an edge, a hint as a tier. */
export interface Substituted { readonly pointer: string; readonly what: string; readonly by: string }
/** A node type that the registry lacks; the node is kept as it stands. */
export interface Missing { readonly pointer: string; readonly type: string; readonly near: readonly string[] }
/** Something the result cannot hold. */
export interface Dropped { readonly pointer: string; readonly what: string }

/** What became of a graph on its way between formats: every loss, with its place. */
export interface ImportReport {
  readonly dialect: Dialect
  /** Nodes of the result, those of subgraph definitions included. */
  readonly nodes: number
  readonly renamed: readonly Renamed[]
  readonly substituted: readonly Substituted[]
  readonly missing: readonly Missing[]
  readonly dropped: readonly Dropped[]
  readonly warnings: readonly Diagnostic[]
}

/** Type names looked up for hints per report: each costs a pass over all names. */
const MOST_HINTS = 20

/** A report being written. */
export class Report implements ImportReport {
  nodes = 0
  readonly renamed: Renamed[] = []
  readonly substituted: Substituted[] = []
  readonly missing: Missing[] = []
  readonly dropped: Dropped[] = []
  readonly warnings: Diagnostic[] = []
  readonly dialect: Dialect
  readonly #near = new Map<string, readonly string[]>()
  #names: readonly string[] | undefined
  /** Pointers of a document's nodes and edges, where they stand elsewhere than their number says (subgraphs opened, modes carried out). */
  node = (index: number): string => `/nodes/${index}`
  edge = (index: number): string => `/edges/${index}`

  constructor(dialect: Dialect) { this.dialect = dialect }

  /** Notes a type that a registry lacks, with up to three near names: once per name, and for the first twenty names. */
  miss(pointer: string, type: string, registry: Registry): void {
    let near = this.#near.get(type)
    if (near === undefined) {
      this.#names ??= [...registry.aliases().keys(), ...registry.list().map((one) => one.type)]
      this.#near.set(type, near = this.#near.size < MOST_HINTS ? nearest(type, this.#names) : [])
    }
    this.missing.push({ pointer, type, near })
  }

  rename(pointer: string, from: string, to: string): void { if (from !== to) this.renamed.push({ pointer, from, to }) }
  substitute(pointer: string, what: string, by: string): void { this.substituted.push({ pointer, what, by }) }
  drop(pointer: string, what: string): void { this.dropped.push({ pointer, what }) }
  warn(pointer: string, what: string): void { this.warnings.push(dialectErrors.IMPORT_NOTE.diagnostic({ pointer, what }, { pointer })) }
}

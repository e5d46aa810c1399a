/**
 * The history of one graph (GR-11): every mutation a record with an inverse; undo, redo, and the graph at any revision since the snapshot.
 */
import { graphErrors } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'
import type { TypeSource } from '../subgraph/origin.js'
import { applyChange, changeOf, invertChange, type Change } from './change.js'

/** What a record did. `set`: any other field; `apply`: a diff, a suggestion, an import. */
export type ChangeType = 'add' | 'remove' | 'connect' | 'disconnect' | 'set-param' | 'rename' | 'move' | 'group' | 'set' | 'apply' | 'undo'
  | 'redo'

/** One mutation, plain data. `revision` is that of the graph after it. */
export interface ChangeRecord extends Change {
  readonly id: string
  readonly type: ChangeType
  /** ISO-8601, UTC, with milliseconds. */
  readonly time: string
  readonly revision: number
  readonly author?: string
  /** Of an undo or redo: the record taken back or done again. */
  readonly of?: string
}

/** How a log is kept. */
export interface ChangeLogOptions {
  /** Milliseconds since 1970: the caller's clock. */
  readonly now: () => number
  readonly author?: string
  /** Undo steps kept; default 100. */
  readonly steps?: number
  /** Records kept; older ones go into the snapshot. Default 10 000. */
  readonly keep?: number
  /** Finds the definitions of node types; those of the first graph are known without it. */
  readonly types?: TypeSource
  /** Makes record ids; default `c<revision>`. */
  readonly newId?: (revision: number) => string
}

/** A graph with its history. The graph itself is never changed in place: each mutation makes a new one, whose `revision` is one more. */
export class ChangeLog {
  readonly #o: ChangeLogOptions
  readonly #known = new Map<string, NodeDefinition>()
  readonly #records: ChangeRecord[] = []
  readonly #done: ChangeRecord[] = []
  readonly #undone: ChangeRecord[] = []
  #graph: Graph
  #snapshot: Graph

  constructor(graph: Graph, o: ChangeLogOptions) {
    this.#o = o
    this.#graph = this.#snapshot = graph.revision === undefined ? { ...graph, revision: 0 } : graph
    this.#learn(graph)
  }

  /** The graph as it is now. */
  get graph(): Graph { return this.#graph }
  get revision(): number { return this.#graph.revision ?? 0 }
  /** Records since the snapshot, oldest first. */
  get records(): readonly ChangeRecord[] { return this.#records }
  /** The graph before the oldest record. */
  get snapshot(): Graph { return this.#snapshot }
  get canUndo(): boolean { return this.#done.length > 0 }
  get canRedo(): boolean { return this.#undone.length > 0 }

  /**
   * Carries out an edit, which makes one record and one undo step however much it changes; undefined when it changes nothing.
   * @example
   * log.change('remove', (graph) => removeNode(graph, 'vad'))   // its edges go in the same record
   */
  change(type: Exclude<ChangeType, 'undo' | 'redo'>, edit: (graph: Graph) => Graph, author?: string): ChangeRecord | undefined {
    const next = edit(this.#graph), change = changeOf(this.#graph, next)
    if (change === undefined) return undefined
    if (change.after.nodes !== undefined) this.#learn(next, change.after.nodes.map(({ at }) => at))
    const record = this.#append(type, change, next, author)
    this.#undone.length = 0
    this.#push(this.#done, record)
    return record
  }

  /** Takes the last step back; the record of that, or undefined when there is none. */
  undo(): ChangeRecord | undefined { return this.#turn('undo', this.#done, this.#undone) }
  /** Does what was taken back last again. */
  redo(): ChangeRecord | undefined { return this.#turn('redo', this.#undone, this.#done) }

  /** The graph at a revision, from snapshot and records. Throws `INVALID_ARGUMENT` for one that is not kept. */
  at(revision: number): Graph {
    const first = this.#snapshot.revision ?? 0
    if (!Number.isInteger(revision) || revision < first || revision > this.revision) {
      throw graphErrors.INVALID_ARGUMENT({
        function: 'ChangeLog.at', expected: `a revision from ${first} to ${this.revision}`, got: String(revision),
      })
    }
    return replay(this.#snapshot, this.#records.slice(0, revision - first), this.#types)
  }

  readonly #types: TypeSource = { get: (type) => this.#known.get(type) ?? this.#o.types?.get(type) }

  #turn(type: 'undo' | 'redo', from: ChangeRecord[], to: ChangeRecord[]): ChangeRecord | undefined {
    const record = from.pop()
    if (record === undefined) return undefined
    const change: Change = type === 'undo' ? invertChange(record) : record
    this.#push(to, record)
    return this.#append(
      type,
      { before: change.before, after: change.after },
      applyChange(this.#graph, change, this.#types), undefined, record.id,
    )
  }

  #append(type: ChangeType, change: Change, next: Graph, author = this.#o.author, of?: string): ChangeRecord {
    const revision = this.revision + 1
    const record: ChangeRecord = {
      id: this.#o.newId?.(revision) ?? `c${revision}`, type, time: new Date(this.#o.now()).toISOString(), before: change.before,
      after: change.after, revision,
      ...(author !== undefined && { author }), ...(of !== undefined && { of }),
    }
    this.#graph = { ...next, revision }
    this.#records.push(record)
    if (this.#records.length > (this.#o.keep ?? 10_000)) this.#snapshot = replay(this.#snapshot, [this.#records.shift()!], this.#types)
    return record
  }

  #push(stack: ChangeRecord[], record: ChangeRecord): void {
    stack.push(record)
    if (stack.length > (this.#o.steps ?? 100)) stack.shift()
  }

  #learn({ nodes }: Graph, places: Iterable<number> = nodes.keys()): void {
    for (const at of places) { const { definition, type } = nodes[at]!; if (definition !== undefined) this.#known.set(type, definition) }
  }
}

/**
 * The graph after some records; `types` finds the definitions of nodes that they add. Throws
 * `INVALID_ARGUMENT` when they do not follow on it.
 */
export function replay(snapshot: Graph, records: readonly ChangeRecord[], types: TypeSource): Graph {
  return records.reduce((graph, record) => ({ ...applyChange(graph, record, types), revision: record.revision }), snapshot)
}

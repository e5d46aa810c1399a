import type { LazyBranches } from '../../graph/resolve/lazy-branches.js'
import type { PacketQueue } from '../packet-queue.js'
import { nodeOf, type ResolvedNode } from '../resolved-graph.js'

/** A queue by the indices of the nodes at its ends. `link` (`node.link`): it is a lazy input's. */
interface Lane { readonly queue: Pick<PacketQueue, 'mode'>; readonly from: number; readonly to: number; readonly link: string | undefined }

/**
 * What lazy inputs want of a run (GR-29): branches that only they want, which have started and which somebody may still ask for, each started at most once; and queues that nobody
 * wants to read for now. Of those a writer that serves others is not held up: packets pass. A writer that serves nobody else waits.
 */
export class Demand {
  readonly #nodes: readonly ResolvedNode[]
  readonly #lazy: LazyBranches
  readonly #start: (keys: ReadonlySet<string>) => void
  readonly #drop: (key: string) => void
  /** Keys that have not started, with the links that may still ask for them. */
  readonly #resting = new Map<string, Set<string>>()
  readonly #indexOf: ReadonlyMap<string, number>
  /** Lazy link → node that may ask. */
  readonly #askers = new Map<string, number>()
  /** What askers said last: true when they read the link, false when they do not, or never will. */
  readonly #said = new Map<string, boolean>()
  readonly #lanes: Lane[] = []
  /** Some link was declined: queues are looked after. */
  #declined = false
  #looking = false

  /** `start`: the nodes of these keys run now. `drop`: nobody can ask for that key any more. */
  constructor(nodes: readonly ResolvedNode[], lazy: LazyBranches, start: (keys: ReadonlySet<string>) => void, drop: (key: string) => void) {
    this.#nodes = nodes
    this.#lazy = lazy
    this.#start = start
    this.#drop = drop
    for (const key of lazy.keys) if (key !== '') this.#resting.set(key, new Set(key.split('\n')))
    this.#indexOf = new Map(nodes.map(({ id, index }) => [id, index]))
    for (const { id, index, inputs, definition } of nodes) for (const { link, port, control } of inputs) {
      if (control === undefined && definition.inputs[port]?.lazy === true) this.#askers.set(`${id}.${link}`, index)
    }
  }

  /** A queue from the writer of a value to a node's link. */
  join(queue: Lane['queue'], from: string, to: string, link: string | undefined): void {
    const name = `${to}.${link ?? ''}`
    this.#lanes.push({ queue, from: this.#indexOf.get(from)!, to: this.#indexOf.get(to)!, link: this.#askers.has(name) ? name : undefined })
  }

  /** A lazy link (`node.link`) is asked for: the node reads it from now on. */
  ask(link: string): void {
    this.#say(link, true)
    const keys = new Set((this.#lazy.needs.get(link) ?? []).filter((key) => this.#resting.delete(key)))
    if (keys.size > 0) this.#start(keys)
  }

  /** These links are not read until they are asked for again. */
  decline(links: readonly string[]): void {
    this.#declined = true
    for (const link of links) this.#say(link, false)
  }

  /** That link will not be asked for any more. */
  close(link: string): void {
    if (this.#askers.has(link)) this.#say(link, false)
    for (const key of this.#lazy.needs.get(link) ?? []) {
      const open = this.#resting.get(key)
      open?.delete(link)
      if (open?.size === 0 && this.#resting.delete(key)) this.#drop(key)
    }
  }

  /** What is said in one turn counts as said at once. */
  #say(link: string, reads: boolean): void {
    this.#said.set(link, reads)
    if (this.#looking || !this.#declined) return
    this.#looking = true
    queueMicrotask(() => {
      this.#looking = false
      this.#look()
    })
  }

  /** Tells every queue how it stands. O(nodes + edges). */
  #look(): void {
    const nodes = this.#nodes, { keys } = this.#lazy
    /** 1: it is read; 0: it may be asked for; −1: not for now. */
    const wanted = new Int8Array(nodes.length).fill(-1), serves = new Uint8Array(nodes.length)
    const linkWanted = (link: string): number => this.#said.get(link) === false ? -1 : Math.min(wanted[this.#askers.get(link)!]!, this.#said.get(link) === true ? 1 : 0)
    // Who asks for a node comes after it.
    for (let n = nodes.length - 1; n >= 0; n--) wanted[n] = keys[n] === '' ? 1 : Math.max(...keys[n]!.split('\n').map(linkWanted))
    for (const { index, id, inputs } of nodes) {
      const runs = (from: string, link: string): boolean => serves[this.#indexOf.get(nodeOf(from))!] === 1 && (!this.#askers.has(link) || this.#said.get(link) === true)
      serves[index] = Number(wanted[index]! > 0 || inputs.some(({ from, link }) => from !== null && runs(from, `${id}.${link}`)))
    }
    for (const { queue, from, to, link } of this.#lanes) {
      const unread = link === undefined ? this.#resting.has(keys[to]!) && wanted[to]! < 0 : linkWanted(link) < 0
      queue.mode = !unread ? 'read' : serves[from] === 1 ? 'pass' : 'hold'
    }
  }
}

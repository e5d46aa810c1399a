import type { LazyBranches } from '../../graph/resolve/lazy-branches.js'
import type { PacketQueue } from '../packet-queue.js'
import { nodeOf, type ResolvedNode } from '../resolved-graph.js'

/** A queue by the indices of the nodes at its ends. `link` (`node.link`): it is a lazy input's. */
interface Lane { readonly queue: Pick<PacketQueue, 'mode'>; readonly from: number; readonly to: number; readonly link: string | undefined }

/**
 * What lazy inputs want of a run (GR-29): branches that only they want, which have started and which somebody may still ask for, each
 * started at most once; and queues that nobody wants to read for now. Of those a writer that serves others is not held up: packets pass. A
 * writer that serves nobody else waits.
 */
export class Demand {
  readonly #lazy: LazyBranches
  readonly #start: (keys: ReadonlySet<string>) => void
  readonly #drop: (key: string, nodes: readonly number[]) => void
  /** Keys that have not started, with the links that may still ask for them. */
  readonly #resting = new Map<string, Set<string>>()
  readonly #members = new Map<string, number[]>()
  readonly #indexOf: ReadonlyMap<string, number>
  /** Lazy links that may be asked for. */
  readonly #links = new Set<string>()
  /** By node: what it reads, with the link where that is a lazy one. Feedback edges, of nodes further on, are left out. */
  readonly #reads: readonly (readonly (readonly [from: number, link: string | undefined])[])[]
  /** What askers said last: true when they read the link, false when they do not, or never will. */
  readonly #said = new Map<string, boolean>()
  readonly #lanes: Lane[] = []
  /** Some link was declined: queues are looked after. */
  #declined = false
  #looking = false

  /** `start`: the nodes of these keys run now. `drop`: nobody can ask for that key any more, nor for its nodes. */
  constructor(
    nodes: readonly ResolvedNode[], lazy: LazyBranches, start: (keys: ReadonlySet<string>) => void,
    drop: (key: string, nodes: readonly number[]) => void,
  ) {
    this.#lazy = lazy
    this.#start = start
    this.#drop = drop
    for (const [n, key] of lazy.keys.entries()) {
      const members = this.#members.get(key)
      if (members) { members.push(n); continue }
      this.#members.set(key, [n])
      if (key !== '') this.#resting.set(key, new Set(key.split('\n')))
    }
    this.#indexOf = new Map(nodes.map(({ id, index }) => [id, index]))
    this.#reads = nodes.map(({ id, index, inputs, definition }) =>
      inputs.flatMap(({ link, port, control, from }): (readonly [number, string | undefined])[] => {
        const lazily = control === undefined && definition.inputs[port]?.lazy === true ? `${id}.${link}` : undefined
        const writer = from === null ? undefined : this.#indexOf.get(nodeOf(from))
        if (lazily !== undefined) this.#links.add(lazily)
        return writer === undefined || writer >= index ? [] : [[writer, lazily]]
      }))
  }

  /** A queue from the writer of a value to a node's link. */
  join(queue: Lane['queue'], from: string, to: string, link: string | undefined): void {
    const name = `${to}.${link ?? ''}`
    this.#lanes.push({ queue, from: this.#indexOf.get(from)!, to: this.#indexOf.get(to)!, link: this.#links.has(name) ? name : undefined })
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
    if (this.#links.has(link)) this.#say(link, false)
    for (const key of this.#lazy.needs.get(link) ?? []) {
      const open = this.#resting.get(key)
      open?.delete(link)
      if (open?.size === 0 && this.#resting.delete(key)) this.#drop(key, this.#members.get(key)!)
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
    const { keys } = this.#lazy, count = keys.length
    /** 1: it is read; 0: it may be asked for; −1: not for now. */
    const wanted = new Int8Array(count).fill(-1), serves = new Uint8Array(count)
    const linkWanted = (link: string, of: number): number =>
      this.#said.get(link) === false ? -1 : Math.min(wanted[of]!, this.#said.get(link) === true ? 1 : 0)
    // Who asks for a node comes after it.
    for (let n = count - 1; n >= 0; n--) {
      if (keys[n] === '') wanted[n] = 1
      for (const [from, link] of this.#reads[n]!) {
        wanted[from] = Math.max(wanted[from]!, link === undefined ? wanted[n]! : linkWanted(link, n))
      }
    }
    for (let n = 0; n < count; n++) {
      serves[n] = Number(wanted[n]! > 0
        || this.#reads[n]!.some(([from, link]) => serves[from] === 1 && (link === undefined || this.#said.get(link) === true)))
    }
    for (const { queue, from, to, link } of this.#lanes) {
      const unread = link === undefined ? this.#resting.has(keys[to]!) && wanted[to]! < 0 : linkWanted(link, to) < 0
      queue.mode = !unread ? 'read' : serves[from] === 1 ? 'pass' : 'hold'
    }
  }
}

import { fromSmallest, type Cycle } from '../graph/cycles.js'
import type { EdgeList } from '../graph/edge-list.js'
import type { TopologicalOrder } from '../graph/order.js'
import { plainPasses, type GraphPasses, type HashBatch } from '../graph/passes.js'
import { DIGEST_BYTES } from '../graph/sha256.js'
import { WINDOW } from '../memory/layout.js'
import type { CompiledModules } from './compiled-modules.js'
import { instantiateRuntime, type CoreExports } from './runtime.js'

/** Nodes or messages from which the core is asked: below, TypeScript is done before an instance would have been made. */
const LEAST = 256
const PAGE_BYTES = 65_536
/** Where tables start, behind the core's own window; most pages, 256 MiB: what needs more is done in TypeScript. */
const BASE = WINDOW.CORE_END, MOST_PAGES = 4_096

/**
 * Order, cycles and hashes by the core (GR-55). They run in an instance of their own over a memory of their own: a plan must not take room
 * from the arena, whose use is what a run is measured by. Made at the first graph that is large enough, and again, twice as large, when one
 * does not fit (a memory never grows, MW-04). `least`: nodes or messages from which it is asked.
 */
export function corePasses(compiled: CompiledModules, least = LEAST): GraphPasses {
  let own: Scratch | undefined
  /** An instance with `bytes` of room; undefined when that is too much, or the host has not so much to give. */
  const scratch = (bytes: number): Scratch | undefined => {
    if (own === undefined || own.bytes < bytes) try { own = new Scratch(compiled, bytes) } catch { return undefined }
    return own
  }
  return {
    order: (edges) => (edges.count < least ? undefined : scratch(4 * (5 * edges.count + 3 * edges.from.length + 1))?.order(edges))
      ?? plainPasses.order(edges),
    cycles: (edges) => (edges.count < least ? undefined : scratch(4 * (16 * edges.count + 4 * edges.from.length + 3))?.cycles(edges))
      ?? plainPasses.cycles(edges),
    hash: (batch) => (batch.count < least
      ? undefined
      : scratch(batch.bytes.length + 4 * (batch.offsets.length + batch.levels.length + batch.gaps.length + batch.states.length)
        + (DIGEST_BYTES + 4) * batch.count)?.hash(batch)) ?? plainPasses.hash(batch),
  }
}

class Scratch {
  /** Room for tables. */
  readonly bytes: number
  readonly #words: Uint32Array<ArrayBuffer>
  readonly #core: CoreExports

  /** Throws `RangeError` beyond the largest memory, or what the host throws when it has none. */
  constructor({ shared, modules }: CompiledModules, bytes: number) {
    const pages = 2 ** Math.ceil(Math.log2((BASE + bytes) / PAGE_BYTES))
    if (pages > MOST_PAGES) throw new RangeError(`${pages} pages`)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
    this.#core = instantiateRuntime({ shared, modules: modules.filter((one) => one.name === 'core') }, memory).core
    this.#words = new Uint32Array(memory.buffer)
    this.bytes = pages * PAGE_BYTES - BASE
  }

  order({ count, from, to }: EdgeList): TopologicalOrder | undefined {
    const edges = from.length, words = this.#words
    const at = BASE, toAt = at + 4 * edges, order = toAt + 4 * edges, levels = order + 4 * count, work = levels + 4 * count
    words.set(from, at / 4)
    words.set(to, toAt / 4)
    const done = this.#core.graph_order(count, edges, at, toAt, order, levels, work)
    return done < 0 ? undefined : { order: words.slice(order / 4, order / 4 + done), levels: words.slice(levels / 4, levels / 4 + count) }
  }

  cycles({ count, from, to }: EdgeList): Cycle[] | undefined {
    const edges = from.length, words = this.#words
    const toAt = BASE + 4 * edges, found = toAt + 4 * edges, work = found + 8 * count
    words.set(from, BASE / 4)
    words.set(to, toAt / 4)
    const written = this.#core.graph_cycles(count, edges, BASE, toAt, found, work)
    if (written < 0) return undefined
    const cycles: number[][] = []
    for (let at = found / 4, end = at + written; at < end; at += words[at]! + 1) {
      cycles.push(fromSmallest([...words.subarray(at + 1, at + 1 + words[at]!)]))
    }
    return cycles.sort((a, b) => a[0]! - b[0]!)
  }

  hash({ bytes, count, offsets, levels, gaps, states, starts }: HashBatch): Uint8Array | undefined {
    const words = this.#words
    const messages = BASE, offsetsAt = messages + bytes.length, levelsAt = offsetsAt + 4 * offsets.length
    const gapsAt = levelsAt + 4 * levels.length, startsAt = gapsAt + 4 * gaps.length
    const digests = startsAt + 4 * (count + states.length)
    new Uint8Array(words.buffer).set(bytes, messages)
    words.set(offsets, offsetsAt / 4)
    words.set(levels, levelsAt / 4)
    words.set(gaps, gapsAt / 4)
    words.set(starts, startsAt / 4)
    words.set(states, startsAt / 4 + count)
    if (this.#core.graph_hash(messages, offsetsAt, count, levelsAt, levels.length, gapsAt, gaps.length / 2, digests, startsAt) !== 0) {
      return undefined
    }
    return new Uint8Array(words.slice(digests / 4, digests / 4 + 8 * count).buffer)
  }
}

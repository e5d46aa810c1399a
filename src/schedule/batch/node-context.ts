import type { NodeBlock, NodeContext, NodeRandom } from '../../graph/node-definition.js'
import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import { blocker } from '../../media/blocker.js'
import { philox, uniform } from '../../kernels/philox.js'
import type { BlockWatch } from '../block-watch.js'
import type { OwnAudio } from './own-audio.js'
import type { RunServices } from './services.js'

/** Key of a node's random numbers: run seed and node hash, so that neither order nor thread matters (EX-77). `hash`: hex, or any text. */
export function randomKey(seed: bigint, hash: string): readonly [number, number] {
  let a = 0x811c9dc5, b = 0x01000193
  for (let i = 0; i < hash.length; i++) {
    a = Math.imul(a ^ hash.charCodeAt(i), 0x01000193) >>> 0
    b = (Math.imul(b, 0x85ebca6b) + hash.charCodeAt(i)) >>> 0
  }
  return [(a ^ Number(seed & 0xffff_ffffn)) >>> 0, (b ^ Number((seed >> 32n) & 0xffff_ffffn)) >>> 0]
}

/** Random numbers of a key; every attempt begins at the first. */
export function nodeRandom(key: readonly [number, number]): NodeRandom {
  let n = 0
  const at = (index: number, stream = 0): number => {
    const block = Math.floor(index / 4)
    return uniform(philox([block >>> 0, Math.floor(block / 2 ** 32) >>> 0, stream >>> 0, 0], key)[index % 4]!)
  }
  return { next: () => at(n++), at }
}

/** What `ctx.expand` was given, if it can be a graph at all; throws `INVALID_ARGUMENT`. */
export function expandable<T>(graph: T, node: string): T {
  if (typeof graph === 'object' && graph !== null) return graph
  throw commonErrors.INVALID_ARGUMENT({
    function: `Node ${node} ctx.expand`, expected: 'a graph, a document or named outputs', got: show(graph),
  })
}

/** What a node's context is made of. */
export interface ContextParts {
  readonly node: NodeContext['node']
  readonly services: Pick<RunServices, 'clock' | 'log' | 'allocAudio' | 'alloc' | 'nested' | 'call' | 'document' | 'preview'>
  readonly signal: AbortSignal
  readonly diagnostics: Diagnostic[]
  readonly random: readonly [number, number]
  readonly instance: unknown
  /** Gets what `allocAudio` gives; default: nobody takes it back. */
  readonly own?: OwnAudio | undefined
  readonly attempt?: number
  readonly delivery?: number
  /** Waits for other nodes' work without the node's own turn; default: as it is. */
  readonly outside?: <T>(work: Promise<T>) => Promise<T>
  /** Default: the node has no inputs to ask for. */
  readonly need?: (port: string) => Promise<unknown>
  readonly decline?: (port: string) => void
  /** Measures how long the node has this thread. */
  readonly watch?: BlockWatch | undefined
  progress(done: number, total?: number): void
}

/** A node's context on the engine's thread, and how to take back the memory that it did not give back. */
export function nodeContext(p: ContextParts): { readonly ctx: NodeContext; readonly end: () => void } {
  const { node, services, signal, diagnostics, outside = (work) => work, watch } = p
  const { clock, log, allocAudio, alloc } = services, blocks = new Set<NodeBlock>()
  const ctx: NodeContext = {
    signal, node: { ...node, document: () => Promise.resolve(services.document()) }, instance: p.instance, attempt: p.attempt ?? 1,
    delivery: p.delivery ?? 1,
    progress: (done, total) => { watch?.beat(); p.progress(done, total) },
    log: (level, text, details) => { log(level, text, { node: node.id, ...details }) },
    warn: (diagnostic) => { diagnostics.push({ ...diagnostic, node: diagnostic.node ?? node.id }) },
    nowUs: () => clock.nowUs(),
    clock: {
      nowUs: () => clock.nowUs(), nowMs: () => clock.nowMs(),
      sleep: (ms) => { const slept = clock.sleep(ms, signal); return watch ? watch.waiting(slept) : slept },
    },
    rng: nodeRandom(p.random),
    beat: () => { watch?.beat() },
    preview: ({ media, data }) => { services.preview({ media, data }, node.id) },
    callOp: (type, inputs = {}, params = {}) => outside(services.call(type, inputs, params, node.id, signal)),
    expand: async (graph) => outside(services.nested(expandable(graph, node.id), node.id, signal)),
    need: <T>(port: string) => (p.need?.(port) ?? Promise.reject(commonErrors.INVALID_ARGUMENT({
      function: `Node ${node.id} ctx.need`, expected: 'a node with lazy inputs', got: port,
    }))) as Promise<T>,
    decline: (port) => { p.decline?.(port) },
    blocker,
    allocAudio: async (spec) => { signal.throwIfAborted(); const audio = allocAudio(spec, node.id); return p.own?.add(audio) ?? audio },
    async alloc(bytes, dtype) {
      signal.throwIfAborted()
      const block = alloc(bytes, dtype, node.id)
      blocks.add(block)
      return { bytes: block.bytes, view: (type) => block.view(type), release: () => { if (blocks.delete(block)) block.release() } }
    },
  }
  return { ctx, end: () => { for (const block of blocks) block.release(); blocks.clear() } }
}

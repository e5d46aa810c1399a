import type { NodeContext, NodeDefinition, ParamValues } from '../graph/node-definition.js'
import { wrapNodeFailure } from './node-failure.js'

/** Idle instances kept per node type and params. */
const MOST_IDLE = 4
/** Node types that idle instances are kept of: definitions that were replaced (GR-31) are never asked for again. */
const MOST_TYPES = 64

/** An instance in use: give it back when the node has ended. */
export interface InstanceLease { readonly instance: unknown; /** `sound`: false after a failure; the instance is then not used again. Throws what `dispose` throws, as the node's failure. */ release(sound: boolean): Promise<void> }

/**
 * Instances of TypeScript nodes (GR-26): as many `dispose` as `init`, whatever happens between. Idle ones of equal params are reset and used again when their
 * type has `reset`. Owner: the engine, which closes it after its last run.
 */
export class NodeInstances {
  readonly #idle = new Map<NodeDefinition, { readonly key: string; readonly instance: unknown }[]>()
  /** Instances that are given up beside somebody else's run, and what their `dispose` threw. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #faults: unknown[] = []
  #closed = false

  /** An instance for a node about to run. Throws what `init` throws, as the node's failure. */
  async take(definition: NodeDefinition, params: ParamValues, node: string, ctx: Pick<NodeContext, 'signal' | 'log'>): Promise<InstanceLease> {
    if (definition.init === undefined) return NOTHING
    const key = keyOf(params), kept = this.#idle.get(definition) ?? [], at = key === undefined ? -1 : kept.findIndex((one) => one.key === key)
    const reused = at < 0 ? undefined : kept.splice(at, 1)[0]
    try {
      const instance = reused === undefined ? await definition.init(params, ctx) : reused.instance
      return { instance, release: async (sound) => {
        try { await this.#release(definition, key, instance, sound) } catch (error) { throw wrapNodeFailure(error, { node, type: definition.type, operation: 'dispose' }) }
      } }
    } catch (error) { throw wrapNodeFailure(error, { node, type: definition.type, operation: 'init' }) }
  }

  /** Disposes all idle instances; what is still in use is disposed when it is given back. */
  async close(): Promise<void> {
    this.#closed = true
    await this.evict()
  }

  /** Disposes all idle instances. Throws the first failure of one that nobody heard of. */
  async evict(): Promise<void> {
    for (const [definition, kept] of this.#idle) for (const { instance } of kept.splice(0)) this.#giveUp(definition, instance)
    await Promise.all(this.#leaving)
    const faults = this.#faults.splice(0)
    if (faults.length > 0) throw wrapNodeFailure(faults[0], { node: 'engine', type: 'engine', operation: 'dispose' })
  }

  async #release(definition: NodeDefinition, key: string | undefined, instance: unknown, sound: boolean): Promise<void> {
    if (!sound || this.#closed || key === undefined || definition.reset === undefined) { await dispose(definition, instance); return }
    try { await definition.reset(instance as never) } catch { await dispose(definition, instance); return }
    // Looked up after the wait: others may have been given back, and the engine closed, meanwhile.
    const kept = this.#idle.get(definition) ?? []
    if (this.#closed || kept.length >= MOST_IDLE) { await dispose(definition, instance); return }
    kept.push({ key, instance })
    // The type used last stands last.
    this.#idle.delete(definition)
    this.#idle.set(definition, kept)
    const [first] = this.#idle
    if (this.#idle.size <= MOST_TYPES || first === undefined) return
    this.#idle.delete(first[0])
    for (const one of first[1]) this.#giveUp(first[0], one.instance)
  }

  #giveUp(definition: NodeDefinition, instance: unknown): void {
    const leaving = dispose(definition, instance).catch((error: unknown) => { this.#faults.push(error) }).finally(() => { this.#leaving.delete(leaving) })
    this.#leaving.add(leaving)
  }
}

const NOTHING: InstanceLease = { instance: undefined, release: () => Promise.resolve() }

async function dispose(definition: NodeDefinition, instance: unknown): Promise<void> {
  await definition.dispose?.(instance as never)
}

/** Params as a key; none when a value is no plain data, and then nothing is kept. */
function keyOf(params: ParamValues): string | undefined {
  const plain = (value: unknown): boolean => value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value) ||
    (Array.isArray(value) && value.every(plain)) || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && Object.values(value as object).every(plain))
  return plain(params) ? JSON.stringify(Object.entries(params).sort(([a], [b]) => a < b ? -1 : 1)) : undefined
}

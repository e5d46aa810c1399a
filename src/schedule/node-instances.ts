import type { NodeContext, NodeDefinition, ParamValues } from '../graph/node-definition.js'
import { wrapNodeFailure } from './node-failure.js'

/** Idle instances kept per node type and params. */
const MOST_IDLE = 4
/** Node types that idle instances are kept of: definitions that were replaced (GR-31) are never asked for again. */
const MOST_TYPES = 64

/** An instance in use: give it back when the node has ended. */
export interface InstanceLease {
  readonly instance: unknown
  /** `sound`: false after a failure; the instance is then not used again. Throws what `dispose` throws, as the node's failure. */
  release(sound: boolean): Promise<void>
}

/**
 * Instances of TypeScript nodes (GR-26): as many `dispose` as `init`, whatever happens between. Idle ones of equal params are reset and
 * used again when their type has `reset`. Owner: the engine, which closes it after its last run.
 */
export class NodeInstances {
  readonly #idle = new Map<NodeDefinition, { readonly key: Key; readonly instance: unknown }[]>()
  /** Instances that are given up beside somebody else's run, and what their `dispose` threw. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #faults: unknown[] = []
  #closed = false

  /**
   * An instance for a node about to run. Rejects with what `init` throws, as the node's failure. One
   * that is used again costs no wait of its own.
   */
  take(definition: NodeDefinition, params: ParamValues, node: string, ctx: Pick<NodeContext, 'signal' | 'log'>): Promise<InstanceLease> {
    if (definition.init === undefined) return Promise.resolve(NOTHING)
    const key = keyOf(definition, params), kept = this.#idle.get(definition)
    const at = key === undefined || kept === undefined ? -1 : kept.findIndex((one) => equal(one.key, key))
    return at < 0
      ? this.#make(definition, params, key, node, ctx)
      : Promise.resolve(this.#lease(definition, key, kept!.splice(at, 1)[0]!.instance, node))
  }

  async #make(
    definition: NodeDefinition, params: ParamValues, key: Key | undefined, node: string, ctx: Pick<NodeContext, 'signal' | 'log'>,
  ): Promise<InstanceLease> {
    try {
      return this.#lease(definition, key, await definition.init!(params, ctx), node)
    } catch (error) {
      throw wrapNodeFailure(error, { node, type: definition.type, operation: 'init' })
    }
  }

  #lease(definition: NodeDefinition, key: Key | undefined, instance: unknown, node: string): InstanceLease {
    return {
      instance,
      release: (sound) => this.#release(definition, key, instance, sound)
        ?.catch((error: unknown) => { throw wrapNodeFailure(error, { node, type: definition.type, operation: 'dispose' }) }) ?? RELEASED,
    }
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

  #release(definition: NodeDefinition, key: Key | undefined, instance: unknown, sound: boolean): Promise<void> | undefined {
    const { reset } = definition
    if (!sound || this.#closed || key === undefined || reset === undefined) return dispose(definition, instance)
    let clean: void | Promise<void>
    try { clean = reset.call(definition, instance as never) } catch { return dispose(definition, instance) }
    if (!(clean instanceof Object)) return this.#keep(definition, key, instance)
    return Promise.resolve(clean).then(() => true, () => false).then((kept) =>
      kept ? this.#keep(definition, key, instance) : dispose(definition, instance))
  }

  #keep(definition: NodeDefinition, key: Key, instance: unknown): Promise<void> | undefined {
    // Looked up after the wait: others may have been given back, and the engine closed, meanwhile.
    const kept = this.#idle.get(definition) ?? []
    if (this.#closed || kept.length >= MOST_IDLE) return dispose(definition, instance)
    kept.push({ key, instance })
    // The type used last stands last.
    this.#idle.delete(definition)
    this.#idle.set(definition, kept)
    if (this.#idle.size > MOST_TYPES) {
      const [first] = this.#idle
      this.#idle.delete(first![0])
      for (const one of first![1]) this.#giveUp(first![0], one.instance)
    }
    return undefined
  }

  #giveUp(definition: NodeDefinition, instance: unknown): void {
    const leaving = dispose(definition, instance).catch((error: unknown) => { this.#faults.push(error) }).finally(() => {
      this.#leaving.delete(leaving)
    })
    this.#leaving.add(leaving)
  }
}

const RELEASED = Promise.resolve()
const NOTHING: InstanceLease = { instance: undefined, release: () => RELEASED }

async function dispose(definition: NodeDefinition, instance: unknown): Promise<void> {
  await definition.dispose?.(instance as never)
}

/** Params as they were when the instance was made: names and values in turn, those that are objects as text. */
type Key = readonly unknown[]
/** Before the text of an object: a text as a value is another one. */
const OBJECT = {}

/** None when a value is no plain data: then nothing is kept. */
function keyOf({ additionalParams }: NodeDefinition, params: ParamValues): Key | undefined {
  const key: unknown[] = [], names = Object.keys(params)
  // Those that a type declares come in its order.
  if (additionalParams === true) names.sort()
  for (const name of names) {
    const value = params[name]
    if (!isPlain(value)) return undefined
    if (typeof value !== 'object' || value === null) key.push(name, value)
    else key.push(name, OBJECT, JSON.stringify(value))
  }
  return key
}

/** Data; within an object only what JSON tells apart. */
function isPlain(value: unknown): boolean { return value === undefined || typeof value === 'number' || isJson(value) }

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return value === null || typeof value === 'string' || typeof value === 'boolean' ||
    (Array.isArray(value) && Array.from<unknown>(value).every(isJson))
    || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson))
}

function equal(a: Key, b: Key): boolean { return a.length === b.length && a.every((value, n) => Object.is(value, b[n])) }

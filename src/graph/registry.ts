import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { graphErrors } from './errors.js'
import type { NodeDefinition } from './node-definition.js'
import type { AnyNode } from './node-factory.js'
import { nodeSchema } from './schema/node-schema.js'
import { revise } from './revisions.js'
import type { JsonSchema } from './schema/json-schema.js'

/** A set of node types. An object, never a global: two registries do not see each other (GR-24). */
export interface Registry {
  /** The definition of a type id or alias, or undefined. */
  get(type: string): NodeDefinition | undefined
  has(type: string): boolean
  /** All definitions, sorted by id; aliases are not listed. */
  list(): readonly NodeDefinition[]
  /** JSON Schema (2020-12) of a node of this type as it stands in a document, or undefined for an unknown type. */
  schema(type: string): JsonSchema | undefined
  /** {@link schema} of every type, sorted by id. */
  schemas(): ReadonlyMap<string, JsonSchema>
  /** Adds node types. Throws `DUPLICATE_ID` when an id or alias is taken; then none is added. */
  add(...nodes: readonly AnyNode[]): void
  /**
   * Puts another definition of the same id in place of one of this layer (hot reload, GR-31): graphs read from now on have it and a code
   * hash of its own, graphs and runs that have the old one keep it. Throws `NODE_TYPE_UNKNOWN`, `DUPLICATE_ID`.
   */
  replace(node: AnyNode): void
  /** Takes a type and its aliases out; false when it is not of this layer. */
  remove(type: string): boolean
  /** A registry over this one: it sees this one's types, live, and may replace them; this one sees nothing of it. */
  extend(...nodes: readonly AnyNode[]): Registry
  /** Lets a foreign name (`AudioResampleNode`) stand for a type id. Throws `NODE_TYPE_UNKNOWN`, `DUPLICATE_ID`. */
  alias(name: string, type: string): void
  /** Every alias with the id that it stands for. */
  aliases(): ReadonlyMap<string, string>
}

/**
 * Creates a registry of the given node types. Throws `DUPLICATE_ID` when two of them share an id or alias,
 * `INVALID_ARGUMENT` for a list of them or a namespace.
 */
export function createRegistry(...nodes: readonly AnyNode[]): Registry {
  return layer(undefined, nodes)
}

function layer(below: Registry | undefined, nodes: readonly AnyNode[]): Registry {
  const types = new Map<string, NodeDefinition>()
  const names = new Map<string, string>()
  const registry: Registry = {
    get: (type) => types.get(type) ?? aliased(type) ?? below?.get(type),
    has: (type) => registry.get(type) !== undefined,
    list: () => [...all().values()].sort((a, b) => (a.type < b.type ? -1 : 1)),
    schema: (type) => { const definition = registry.get(type); return definition === undefined ? undefined : nodeSchema(definition) },
    schemas: () => new Map(registry.list().map((definition) => [definition.type, nodeSchema(definition)])),
    add: (...more) => {
      const before = new Map(types), beforeNames = new Map(names)
      try {
        for (const node of more) {
          if (typeof node?.definition?.type !== 'string') {
            throw commonErrors.INVALID_ARGUMENT({
              function: 'createRegistry', expected: 'node types one by one', got: show(node), hint: 'Write createRegistry(...list).',
            })
          }
          addOne(node.definition)
        }
      } catch (error) {
        restore(types, before)
        restore(names, beforeNames)
        throw error
      }
    },
    replace: (node) => {
      const { type } = node.definition, before = types.get(type), beforeNames = new Map(names)
      if (before === undefined) throw graphErrors.NODE_TYPE_UNKNOWN({ node: 'replace', type })
      registry.remove(type)
      try { registry.add(node) } catch (error) { types.set(type, before); restore(names, beforeNames); throw error }
      if (node.definition !== before) revise(node.definition)
      // Names given by `alias` stay.
      for (const [name, target] of beforeNames) {
        if (target === type && before.aliases?.includes(name) !== true && !names.has(name)) names.set(name, type)
      }
    },
    remove: (type) => {
      for (const [name, target] of names) if (target === type) names.delete(name)
      return types.delete(type)
    },
    extend: (...more) => layer(registry, more),
    alias: (name, type) => {
      const definition = registry.get(type)
      if (definition === undefined) throw graphErrors.NODE_TYPE_UNKNOWN({ node: `alias ${name}`, type })
      addName(name, definition.type)
    },
    aliases: () => new Map([...(below?.aliases() ?? []), ...names]),
  }
  registry.add(...nodes)
  return registry

  function aliased(name: string): NodeDefinition | undefined {
    const type = names.get(name)
    return type === undefined ? undefined : types.get(type) ?? below?.get(type)
  }
  function all(): Map<string, NodeDefinition> {
    return new Map([...(below?.list() ?? []).map((definition): [string, NodeDefinition] => [definition.type, definition]), ...types])
  }
  /** A layer may replace a type of the one below, but not one of its own. */
  function addOne(definition: NodeDefinition): void {
    demandFree(definition.type, definition.type)
    types.set(definition.type, definition)
    for (const name of definition.aliases ?? []) addName(name, definition.type)
  }
  function addName(name: string, type: string): void {
    if (names.get(name) === type) return
    demandFree(name, type)
    names.set(name, type)
  }
  function demandFree(name: string, by: string): void {
    const first = types.has(name) ? name : names.get(name)
    if (first !== undefined) throw graphErrors.DUPLICATE_ID({ thing: 'Node type', id: name, first, second: by })
  }
}

function restore<K, V>(map: Map<K, V>, content: ReadonlyMap<K, V>): void {
  map.clear()
  for (const [key, value] of content) map.set(key, value)
}

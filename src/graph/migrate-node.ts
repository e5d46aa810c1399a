import { show } from '../errors/show.js'
import type { Graph, GraphNode, PortRef } from './graph.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'
import { snakeCase } from './params.js'
import { isObject } from './schema/fit-shape.js'
import { compareVersions, oldestOf, satisfies } from './semver.js'

/** A node as its type's version wants it; `fault`: a migration failed, and the node is as it was; `rename`: what a name of then is now. */
export interface MigratedNode { readonly node: GraphNode; readonly fault?: string; readonly rename?: (name: string) => string }

/**
 * Takes a node that names an older version of its type (`version: '^1.0.0'`) to the version there is: its params go through the type's
 * `migrations`, from the one that begins at or before what the node was written for to the last. A node whose range fits, or that no
 * migration begins for, stays as it is. Never throws.
 */
export function migrateNode(node: GraphNode, { version, migrations, outputs }: NodeDefinition): MigratedNode {
  const { version: range } = node
  if (migrations === undefined || range === undefined || satisfies(version, range)) return { node }
  const base = oldestOf(range)
  if (base === undefined || compareVersions(base, version) > 0) return { node }
  // Of steps that begin before it the last one; its line of compatible versions has to be the node's own.
  const steps = [...migrations].sort((a, b) => compareVersions(a.from, b.from))
    .filter((_, i, all) => i === all.length - 1 || compareVersions(all[i + 1]!.from, base) > 0)
  const [first] = steps
  if (first === undefined || !(satisfies(base, `^${first.from}`) || satisfies(first.from, `^${base}`))) return { node }
  let params: ParamValues = node.params, rename = (name: string): string => name
  for (const { from, renames = {}, params: step } of steps) {
    const names = new Map(Object.entries(renames))
    const spelled = new Map([...names].map(([old, name]) => [snakeCase(old), name]))
    const before = rename, given = Object.entries(params)
    rename = (name) => names.get(before(name)) ?? before(name)
    params = Object.fromEntries(given.map(([key, value]) => [names.get(key) ?? spelled.get(key) ?? key, value]))
    if (Object.keys(params).length < given.length) return { node, fault: `its migration from ${from} makes one of two params` }
    try {
      params = step === undefined ? params : step(params)
    } catch (error) {
      return { node, fault: `its migration from ${from} failed: ${error instanceof Error ? error.message : show(error)}` }
    }
    if (!isObject(params)) return { node, fault: `its migration from ${from} gave ${show(params)}` }
  }
  const { policy, media } = node, when = policy?.['skipIf']
  return { rename, node: {
    ...node, version: `^${version}`, params,
    ...(isObject(when) && {
      policy: {
        ...policy,
        skipIf: Object.fromEntries(Object.entries(when).map(([key, value]) =>
          [key, (key === 'param' || key === 'absent') && typeof value === 'string' ? rename(value) : value])),
      },
    }),
    ...(media !== undefined && {
      media: Object.fromEntries(Object.entries(media).map(([port, constraint]) =>
        [Object.hasOwn(outputs, port) ? port : rename(port), constraint])),
    }),
  } }
}

/**
 * The graph with {@link migrateNode} of its nodes, and with what leads to params and inputs under their names of now: edges and run-time
 * inputs. Nodes that stood in `before` at the same place are left alone.
 */
export function migrateGraph(graph: Graph, before: readonly GraphNode[] = []): Graph {
  const renames = new Map<string, (name: string) => string>()
  const nodes = graph.nodes.map((given, n) => {
    if (given.definition === undefined || given.version === undefined || given === before[n]) return given
    const { node, rename } = migrateNode(given, given.definition)
    if (rename !== undefined) renames.set(given.id, rename)
    return node
  })
  if (renames.size === 0) return graph
  const now = (ref: PortRef): PortRef => [ref[0], renames.get(ref[0])?.(ref[1]) ?? ref[1]]
  return {
    ...graph, nodes, edges: graph.edges.map((edge) => renames.has(edge.to[0]) ? { ...edge, to: now(edge.to) } : edge),
    inputs: new Map([...graph.inputs].map(([name, input]) =>
      [name, input.to.some(([id]) => renames.has(id)) ? { ...input, to: input.to.map(now) } : input])),
  }
}

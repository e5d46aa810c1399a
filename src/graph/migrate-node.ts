import { show } from '../errors/show.js'
import type { GraphNode } from './graph.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'
import { compareVersions, oldestOf, satisfies } from './semver.js'

/** A node as its type's version wants it; `fault`: a migration failed, and the node is as it was. */
export interface MigratedNode { readonly node: GraphNode; readonly fault?: string }

/**
 * Takes a node that names an older version of its type (`version: '^1.0.0'`) to the version there is: its params go through the type's `migrations`, from the one that begins at or before
 * what the node was written for to the last. A node whose range fits, or that no migration begins for, stays as it is. Never throws.
 */
export function migrateNode(node: GraphNode, { version, migrations }: NodeDefinition): MigratedNode {
  const { version: range } = node
  if (migrations === undefined || range === undefined || satisfies(version, range)) return { node }
  const base = oldestOf(range)
  if (base === undefined || compareVersions(base, version) > 0) return { node }
  // Of steps that begin before it the last one; its line of compatible versions has to be the node's own.
  const steps = [...migrations].sort((a, b) => compareVersions(a.from, b.from)).filter((_, i, all) => i === all.length - 1 || compareVersions(all[i + 1]!.from, base) > 0)
  const [first] = steps
  if (first === undefined || !(satisfies(base, `^${first.from}`) || satisfies(first.from, `^${base}`))) return { node }
  let params: ParamValues = node.params
  for (const { from, params: step } of steps) {
    try { params = step({ ...params }) } catch (error) { return { node, fault: `its migration from ${from} failed: ${error instanceof Error ? error.message : show(error)}` } }
    if (typeof params !== 'object' || params === null || Array.isArray(params)) return { node, fault: `its migration from ${from} gave ${show(params)}` }
  }
  return { node: { ...node, version: `^${version}`, params } }
}

declare const ID: unique symbol

/**
 * A string that names one kind of thing. Text from outside may be given where an id is wanted, but an id of one kind never passes for
 * another (GR-22); inside WebAssembly things are numbered, names stand at the border only.
 */
export type Id<K extends string> = string & { readonly [ID]?: K }

/** Ids by what they name. */
export type NodeId = Id<'NodeId'>
export type GraphId = Id<'GraphId'>
export type RunId = Id<'RunId'>
export type JobId = Id<'JobId'>
export type WorkerId = Id<'WorkerId'>
export type TensorId = Id<'TensorId'>
export type PackId = Id<'PackId'>

/** Longest id, port, param or type name, in characters (spec graph.md section 7). */
export const LONGEST_NAME = 64
/** Names of ports and params; no dot, so that `node.port` splits at the last one. */
export const PORT_NAME: RegExp = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
/** Node type ids. */
export const TYPE_ID: RegExp = /^[A-Za-z0-9_.-]+::[A-Za-z0-9_.-]+$/

/** The short name of a node type: what stands after `::`. Default node ids are built from it: `resample-1`. */
export function shortName(type: string): string {
  const cut = type.indexOf('::')
  return cut < 0 ? type : type.slice(cut + 2)
}

import type { NodeDefinition } from './node-definition.js'

const revisions = /* @__PURE__ */ new WeakMap<NodeDefinition, Uint8Array>()

/** A definition takes the place of another (GR-31): its functions may call what has changed, which their text does not say. From now on its code is like no other's. */
export function revise(definition: NodeDefinition): void {
  if (!revisions.has(definition)) revisions.set(definition, crypto.getRandomValues(new Uint8Array(16)))
}

/** What {@link revise} made of it; undefined when it never took another's place. */
export function revisionOf(definition: NodeDefinition): Uint8Array | undefined { return revisions.get(definition) }

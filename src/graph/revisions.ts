import type { NodeDefinition } from './node-definition.js'

const revisions = /* @__PURE__ */ new WeakMap<NodeDefinition, Uint8Array>()

/**
 * A definition takes the place of another (GR-31): its functions may call what has changed, which their text does not
 * say. From now on its code is like no other's.
 */
export function revise(definition: NodeDefinition): void {
  if (!revisions.has(definition)) revisions.set(definition, crypto.getRandomValues(new Uint8Array(16)))
}

/** What {@link revise} made of it; undefined when it never took another's place. */
export function revisionOf(definition: NodeDefinition): Uint8Array | undefined { return revisions.get(definition) }

const written = /* @__PURE__ */ new WeakMap<NodeDefinition, NodeDefinition>()

/** A definition that an engine made to carry on with what another has begun (a source that was started): its code is that one's. */
export function standFor<T extends NodeDefinition>(definition: T, original: NodeDefinition): T {
  written.set(definition, writtenOf(original))
  return definition
}

/** The definition as somebody wrote it. */
export function writtenOf(definition: NodeDefinition): NodeDefinition { return written.get(definition) ?? definition }

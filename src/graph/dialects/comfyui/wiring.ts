import { isObject } from '../../schema/fit-shape.js'
import type { Json } from '../source.js'
import { isPrimitive, isReroute } from './classes.js'

/** A link of a workflow in one form, with the form it was written in. */
export interface RawLink {
  readonly id: number
  readonly origin: string
  readonly originSlot: number
  readonly target: string
  readonly targetSlot: number
  /** A 6-tuple (0.4) or an object (1.0). */
  readonly raw: unknown
}

/** Reads either form; the shape has been checked. */
export function readLink(raw: unknown): RawLink {
  const [id, origin, originSlot, target, targetSlot] = Array.isArray(raw)
    ? raw as readonly unknown[]
    : [
      (raw as Json)['id'], (raw as Json)['origin_id'], (raw as Json)['origin_slot'], (raw as Json)['target_id'],
      (raw as Json)['target_slot'],
    ]
  return {
    id: id as number, origin: String(origin), originSlot: Number(originSlot), target: String(target), targetSlot: Number(targetSlot), raw,
  }
}

/** Where a link's value comes from once reroutes are walked back. `null`: nowhere. */
export type Origin = { readonly node: string; readonly slot: number } | { readonly primitive: Json } | null

/**
 * Links of one scope, and the nodes that only pass values on. Walks are iterative, remember what
 * they found, and end in circles of reroutes.
 */
export class Wiring {
  readonly #into = new Map<string, RawLink>()
  readonly #reroutes = new Set<string>()
  readonly #primitives = new Map<string, Json>()
  readonly #known = new Map<string, Origin>()

  constructor(links: readonly RawLink[], nodes: readonly Json[]) {
    for (const node of nodes) {
      const id = String(node['id']), type = node['type'] as string
      if (isReroute(type)) this.#reroutes.add(id)
      else if (isPrimitive(type)) this.#primitives.set(id, node)
    }
    for (const link of links) if (this.#reroutes.has(link.target) && !this.#into.has(link.target)) this.#into.set(link.target, link)
  }

  /** Where the value of a link comes from. */
  originOf(link: RawLink): Origin {
    const passed: string[] = []
    let at: RawLink | undefined = link, found: Origin | undefined
    while (found === undefined) {
      if (at === undefined) found = null
      else if (!this.#reroutes.has(at.origin)) {
        const primitive = this.#primitives.get(at.origin)
        found = primitive === undefined ? { node: at.origin, slot: at.originSlot } : { primitive }
      } else {
        found = this.#known.get(at.origin)
        if (found === undefined) {
          this.#known.set(at.origin, null) // a circle comes back here
          passed.push(at.origin)
          at = this.#into.get(at.origin)
        }
      }
    }
    for (const reroute of passed) this.#known.set(reroute, found)
    return found
  }
}

/** Value of a primitive: its first widget. */
export function primitiveValue(node: Json): unknown {
  const values = node['widgets_values']
  return Array.isArray(values) ? values[0] : isObject(values) ? Object.values(values)[0] : undefined
}

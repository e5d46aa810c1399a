import { LONGEST_NAME } from '../../ids.js'
import type { NodeDefinition } from '../../node-definition.js'
import { utf8Length } from '../../utf8.js'
import { portNamed } from '../ports.js'
import type { Json } from '../source.js'

/** Names of a node's slots by number: what links count, documents name. */
export interface Slots { readonly inputs: readonly string[]; readonly outputs: readonly string[] }

/** Slot names as the file alone gives them: its own where they are good and single, else the number. */
export function fileSlots(raw: Json): Slots {
  return { inputs: unique(namesOf(raw['inputs'])), outputs: unique(namesOf(raw['outputs'])) }
}

/** Slot names of a node of a known type: outputs by number, inputs by name. `ports`: those of a subgraph. */
export function slotsOf(raw: Json, definition: NodeDefinition | undefined, ports?: Slots): Slots {
  const file = fileSlots(raw)
  if (ports !== undefined) return { inputs: file.inputs, outputs: unique(longer(ports.outputs, file.outputs)) }
  if (definition === undefined) return file
  return {
    inputs: unique(file.inputs.map((name) => portNamed(definition, 'inputs', name))),
    outputs: unique(longer(Object.keys(definition.outputs), file.outputs)),
  }
}

/** Number of a named slot; names that are numbers stand for themselves. */
export function slotNumber(names: readonly string[], name: string): number {
  const at = names.indexOf(name)
  return at >= 0 ? at : /^\d{1,4}$/.test(name) ? Number(name) : -1
}

/** Name of a numbered slot. */
export function slotName(names: readonly string[], slot: number): string { return names[slot] ?? String(slot) }

function namesOf(slots: unknown): string[] { return Array.isArray(slots) ? slots.map((slot: Json) => String(slot['name'])) : [] }
function longer(first: readonly string[], rest: readonly string[]): string[] { return [...first, ...rest.slice(first.length)] }

function unique(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.map((name, i) => {
    const good = name !== '' && name.length <= LONGEST_NAME && !seen.has(name) && !/\p{Cc}/u.test(name) && utf8Length(name) >= 0
    const own = good ? name : String(i)
    seen.add(own)
    return own
  })
}

import type { NodeDefinition } from '../../node-definition.js'
import type { Json } from '../source.js'
import { fileSlots, slotNumber } from './slots.js'
import type { KeptNode } from './import-workflow.js'

/** One slot of a node being written: its name in the document, the slot as the file has it, the links at it. */
interface Socket { readonly port: string; readonly raw: Json; readonly links: number[] }

/** The sockets of one node being written: those it came with, those its type declares, and what links need beside them. */
export class Sockets {
  readonly inputs: Socket[]
  readonly outputs: Socket[]
  readonly #definition: NodeDefinition | undefined
  readonly #numbers: Readonly<Record<'inputs' | 'outputs', Map<string, number>>>

  constructor(kept: KeptNode | undefined, definition: NodeDefinition | undefined) {
    this.#definition = definition
    const raws = (side: 'inputs' | 'outputs'): readonly Json[] | undefined => (kept?.raw[side] ?? undefined) as readonly Json[] | undefined
    const names = kept === undefined
      ? { inputs: Object.keys(definition?.inputs ?? {}), outputs: Object.keys(definition?.outputs ?? {}) }
      : kept.slots ?? fileSlots(kept.raw)
    const start = (side: 'inputs' | 'outputs'): Socket[] => {
      const have = raws(side)
      return (kept === undefined ? names[side] : names[side].slice(0, have?.length ?? 0))
        .map((port, i) => ({ port, raw: have?.[i] ?? this.#fresh(side, port), links: [] }))
    }
    this.inputs = start('inputs')
    this.outputs = start('outputs')
    this.#numbers = {
      inputs: new Map(this.inputs.map(({ port }, i) => [port, i])),
      outputs: new Map(this.outputs.map(({ port }, i) => [port, i])),
    }
  }

  /** Number of a port's slot; a port without one gets it. */
  slot(side: 'inputs' | 'outputs', port: string): number {
    const list = this[side], known = this.#numbers[side].get(port), found = known ?? slotNumber([], port)
    if (known !== undefined || (found >= 0 && found < list.length)) return found
    const wanted = side === 'outputs' && found >= 0 ? found : list.length
    while (list.length < wanted) list.push({ port: String(list.length), raw: this.#fresh(side, String(list.length)), links: [] })
    list.push({ port, raw: this.#fresh(side, port), links: [] })
    this.#numbers[side].set(port, wanted)
    return wanted
  }

  /** The node's `inputs` and `outputs`; a side that had none and has none stays as it was. */
  write(raw: Json): Json {
    const inputs = this.inputs.map(({ raw: socket, links }) =>
      (socket['link'] ?? null) === (links[0] ?? null) ? socket : { ...socket, link: links[0] ?? null })
    const outputs = this.outputs.map(({ raw: socket, links }) =>
      sameLinks((socket['links'] ?? []) as readonly number[], links) ? socket : { ...socket, links })
    return {
      ...raw, ...((inputs.length > 0 || raw['inputs'] !== undefined) && { inputs: inputs.length === 0 ? raw['inputs'] : inputs }),
      ...((outputs.length > 0 || raw['outputs'] !== undefined) && { outputs: outputs.length === 0 ? raw['outputs'] : outputs }),
    }
  }

  #fresh(side: 'inputs' | 'outputs', port: string): Json {
    const ports = this.#definition?.[side]
    const type = ports !== undefined && Object.hasOwn(ports, port) ? ports[port]!.media.kind.toUpperCase() : '*'
    if (side === 'outputs') return { name: port, type, links: null }
    const isParam = this.#definition !== undefined && !Object.hasOwn(this.#definition.inputs, port)
      && Object.hasOwn(this.#definition.params, port)
    return { name: port, type, link: null, ...(isParam && { widget: { name: port } }) }
  }
}

/** Equal as sets. */
export function sameLinks(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  const ids = new Set(b)
  return a.every((id) => ids.has(id))
}

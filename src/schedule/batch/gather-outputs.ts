import type { Media } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import type { CompiledPlan } from '../compiled-plan.js'
import type { OpenSegment } from '../open-segment.js'
import { openList, releasePacket, sharePacket, viewPacket } from '../packet-data.js'
import type { ValueId } from '../segment-plan.js'
import type { RunServices } from './services.js'
import { summarise } from './summaries.js'
import type { ValueRoutes } from './value-routes.js'

/** Where the values of a run that has ended are. */
export interface GatherParts {
  readonly compiled: CompiledPlan
  readonly services: RunServices
  readonly segments: readonly (OpenSegment | undefined)[]
  readonly routes: ValueRoutes
  /** Whole values that segments gave; what is taken is deleted. */
  readonly collected: Map<ValueId, Packet>
  /** Values whose writer came to its end. */
  readonly finished: ReadonlySet<ValueId>
  /** Parts of a value could not be joined. */
  readonly failed: (value: ValueId, error: unknown) => void
}

/** Finished run outputs by name, and values kept beside them; those of failed branches are missing. The caller owns the packets. */
export function gatherOutputs(
  parts: GatherParts,
): { readonly outputs: Record<string, Packet>; readonly nodeOutputs: Record<string, Packet> } {
  const { compiled } = parts, gathered = new Gathered(parts)
  const outputs = gathered.take(compiled.outputs, (name, value) => compiled.shown.get(name) ?? value)
  const nodeOutputs = gathered.take(compiled.stored, (name) => name)
  gathered.close()
  return { outputs, nodeOutputs }
}

class Gathered {
  readonly #p: GatherParts
  readonly #whole = new Map<ValueId, Packet>()
  readonly #given = new Set<ValueId>()

  constructor(parts: GatherParts) { this.#p = parts }

  take(names: ReadonlyMap<string, ValueId>, shownAs: (name: string, value: ValueId) => ValueId): Record<string, Packet> {
    const { compiled, finished, segments } = this.#p, outputs: Record<string, Packet> = {}
    for (const [name, value] of names) {
      const packet = finished.has(value) ? this.#wholeOf(value) : undefined
      if (packet === undefined) continue
      const shown = shownAs(name, value), view = compiled.views.get(shown)
      if (view) { outputs[name] = viewPacket(sharePacket(packet), view, compiled.media.get(shown)!); continue }
      outputs[name] = summarise(this.#given.has(value) ? sharePacket(packet) : packet, value, compiled, segments)
      this.#given.add(value)
    }
    return outputs
  }

  /** Of what is returned as views only, they have the leases. */
  close(): void { for (const [value, packet] of this.#whole) if (!this.#given.has(value)) releasePacket(packet) }

  #wholeOf(value: ValueId): Packet | undefined {
    const { compiled, collected, routes, services, failed } = this.#p
    let packet = this.#whole.get(value) ?? collected.get(value)
    if (!collected.delete(value) && packet === undefined) {
      const parts = routes.of(value).shelf?.splice(0) ?? []
      // media that only the packets know: an output whose node discovers them
      const media: Media = compiled.media.get(value) ?? parts[0]?.media ?? { kind: 'json' }
      // The other outputs are whole.
      try { packet = openList(services.join(media, parts)) } catch (error) { failed(value, error); return undefined }
    }
    this.#whole.set(value, packet!)
    return packet
  }
}

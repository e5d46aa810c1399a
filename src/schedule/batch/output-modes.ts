import type { CompiledPlan } from '../compiled-plan.js'
import type { OutputMode } from '../open-segment.js'
import type { SegmentPlan, ValueId } from '../segment-plan.js'

/** How the outputs of a plan's segments leave them. */
export class OutputModes {
  /** Values that the run gives back, outputs and kept ones. */
  readonly returned: ReadonlySet<ValueId>
  readonly #totals: CompiledPlan['totals']
  /** Values that segments write for others, with how the segment is fed. */
  readonly #written: ReadonlyMap<ValueId, SegmentPlan['feed']>
  /** Values that a TypeScript node or another segment reads. */
  readonly #readOutside: ReadonlySet<ValueId>

  constructor({ segments, nodes, origin, outputs, stored, totals }: Pick<CompiledPlan, 'segments' | 'nodes' | 'origin' | 'outputs'
    | 'stored' | 'totals'>) {
      this.returned = new Set([...outputs.values(), ...stored.values()])
      this.#totals = totals
      this.#written = new Map(segments.flatMap((segment) => outputsOf(segment).map((value) => [value, segment.feed] as const)))
      this.#readOutside = new Set([
        ...nodes.flatMap((node) =>
          node.tier !== null ? [] : node.inputs.flatMap(({ from }) => from === null ? [] : [origin.get(from) ?? from])),
        ...segments.flatMap((segment) => segment.buffers.flatMap((b) => b.kind === 'input' ? [b.value] : [])),
      ])
    }

  /**
   * A run output of known length that nothing else reads packet by packet is written straight into its final block by the segment. One of
   * unknown length is collected in pieces and joined at the end: growing one block would need as much room, and leave holes. `read`:
   * somebody waits for packets of a value.
   */
  of(plan: SegmentPlan, read: (value: ValueId) => boolean): Map<number, OutputMode> {
    const modes = new Map<number, OutputMode>()
    plan.buffers.forEach(({ kind, value }, b) => {
      if (kind !== 'output') return
      modes.set(b, this.isCollected(value)
        ? { mode: 'collect', frames: this.#totals.get(value), wanted: this.returned.has(value) || read(value) }
        : { mode: 'emit' })
    })
    return modes
  }

  /** True for a value that its segment gives whole, at the end. */
  isCollected(value: ValueId): boolean {
    const feed = this.#written.get(value)
    return feed === 'values' || (feed === 'chunks' && this.returned.has(value) && this.#totals.has(value) && !this.#readOutside.has(value))
  }
}

/** Values that a segment writes for others. */
export function outputsOf(plan: SegmentPlan): ValueId[] {
  return plan.buffers.filter((b) => b.kind === 'output').map((b) => b.value)
}

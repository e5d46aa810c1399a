import type { BlockTable } from './block-table.js'
import { GRANULE_BYTES, type FreeLists } from './free-lists.js'

/** What a compaction did. */
export interface Compaction { readonly movedBlocks: number; readonly movedBytes: number }

/** Gaps in front of blocks that stay which are looked through for each block. */
const GAPS = 64

/**
 * Moves blocks down, in the order of their addresses: into the first gap in front of a block that stays, else behind the last one; then
 * lays the free lists out anew (MW-11). Blocks that are pinned or were leased at or after `oldestJob` (a stamp of the table) stay; a moved
 * block keeps its handle, its bytes and its alignment. `first`: the first granule. O(blocks) and one pass over the moved bytes.
 */
export function compact(table: BlockTable, lists: FreeLists, u8: Uint8Array, first: number, oldestJob: number): Compaction {
  const placed = table.live().map((index) => ({ index, from: lists.start(table.span(index)), to: 0, size: lists.size(table.span(index)) }))
    .sort((a, b) => a.from - b.from)
  const gaps: { start: number; end: number }[] = []
  let end = first, movedBlocks = 0, movedBytes = 0
  for (const block of placed) {
    const { index, from, size } = block, step = table.step(index), aligned = (at: number): number => Math.ceil(at / step) * step
    block.to = from
    if (table.movable(index, oldestJob)) {
      const gap = gaps.find(({ start, end: stop }) => aligned(start) + size <= stop)
      block.to = gap === undefined ? Math.min(from, aligned(end)) : aligned(gap.start)
      if (gap !== undefined) gap.start = block.to + size
      else end = block.to + size
    } else {
      if (from > end) { gaps.push({ start: end, end: from }); if (gaps.length > GAPS) gaps.shift() }
      end = from + size
    }
    if (block.to === from) continue
    u8.copyWithin(block.to * GRANULE_BYTES, from * GRANULE_BYTES, (from + size) * GRANULE_BYTES)
    movedBlocks++
    movedBytes += size * GRANULE_BYTES
  }
  placed.sort((a, b) => a.to - b.to)
  const spans = lists.layOut(Uint32Array.from(placed, ({ to }) => to), Uint32Array.from(placed, ({ size }) => size))
  placed.forEach(({ index, from, to }, i) => { table.move(index, spans[i]!, table.address(index) + (to - from) * GRANULE_BYTES) })
  return { movedBlocks, movedBytes }
}

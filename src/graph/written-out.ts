/** What a value comes to when it is written out, each place that shares an object with others by itself. */
export interface WrittenOut {
  /** Values in it, shared ones each time. */
  readonly values: number
  /** Values that there are. */
  readonly distinct: number
  /** Levels of nesting; Infinity for a value that stands within itself, or deeper than was asked about. */
  readonly levels: number
}

/**
 * Counts a value in time that its own size bounds, however often its parts are shared: forty levels of `[x, x]` are 10¹² values and 41 objects (40 + the innermost). `parts`: what stands in an object. `deepest`:
 * levels after which nobody looks further.
 */
export function writtenOut(value: unknown, parts: (object: object) => Iterable<unknown>, deepest: number): WrittenOut {
  const known = new Map<object, { values: number; levels: number }>()
  let distinct = 0
  const visit = (one: unknown, depth: number): { readonly values: number; readonly levels: number } => {
    if (typeof one !== 'object' || one === null) { distinct++; return LEAF }
    const before = known.get(one)
    if (before !== undefined) return before
    distinct++
    // Until it is counted: whoever meets it now is inside of it.
    const own = { values: 1, levels: Number.POSITIVE_INFINITY }
    known.set(one, own)
    if (depth >= deepest) return own
    let levels = 0
    for (const part of parts(one)) {
      const found = visit(part, depth + 1)
      own.values += found.values
      levels = Math.max(levels, found.levels + 1)
    }
    own.levels = levels
    return own
  }
  const { values, levels } = visit(value, 0)
  return { values, distinct, levels }
}
const LEAF = { values: 1, levels: 0 } as const

/** A field of a media type holds text, a number or a flag. */
export type FieldValue = string | number | boolean
/** Numbers `base + n·step`. */
export interface Grid { readonly base: number; readonly step: number }

/**
 * Values that one field may still take. Immutable: narrowing gives a new object, no change gives the same one. The order of `values` is an
 * order of preference: the producer's first, else the consumer's.
 */
export interface FieldDomain {
  /** The values themselves; null = every number of the range (or anything at all when the range is unbounded and without grid). */
  readonly values: readonly FieldValue[] | null
  readonly min: number
  readonly max: number
  readonly grids: readonly Grid[]
  /** Known only at the first packet: consumers may not narrow it, and what depends on it is open too (GR-35). */
  readonly open: boolean
}

/** No constraint. */
export const ANY: FieldDomain = { values: null, min: -Infinity, max: Infinity, grids: [], open: false }
/** Known at the first packet, nothing known before. */
export const OPEN: FieldDomain = { values: null, min: -Infinity, max: Infinity, grids: [], open: true }

/** Exactly these values, first preferred. */
export function valuesDomain(values: readonly FieldValue[]): FieldDomain { return { ...ANY, values } }

/** Numbers from `min` to `max`, both included, on the grid `min + n·step` (from 0 without `min`). */
export function rangeDomain(range: { readonly min?: number; readonly max?: number; readonly step?: number }): FieldDomain {
  const { min = -Infinity, max = Infinity, step } = range
  return { ...ANY, min, max, grids: step === undefined ? [] : [{ base: range.min ?? 0, step }] }
}

/** Steps of a range tried when looking for a member on all its grids. */
const GRID_STEPS = 65_536

/** True when nothing is excluded. */
export function isAny(domain: FieldDomain): boolean {
  return domain.values === null && domain.min === -Infinity && domain.max === Infinity && domain.grids.length === 0
}

/** The only value left, or undefined. */
export function onlyValue(domain: FieldDomain): FieldValue | undefined {
  if (domain.values !== null) return domain.values.length === 1 ? domain.values[0] : undefined
  return domain.min === domain.max && domain.min !== -Infinity && domain.min !== Infinity ? domain.min : undefined
}

/** True when the value is allowed. */
export function allows(domain: FieldDomain, value: FieldValue): boolean {
  if (domain.values !== null) return domain.values.includes(value)
  return isAny(domain) || (typeof value === 'number' && inRange(domain, value))
}

/**
 * What both allow, or null when that is nothing; the first's order of preference. Returns `a` itself when
 * `b` excludes nothing of it. Ignores `open`.
 */
export function meet(a: FieldDomain, b: FieldDomain): FieldDomain | null {
  if (a === b || isAny(b)) return a
  if (a.values !== null) {
    if (a.values.length === 1) return allows(b, a.values[0]!) ? a : null
    const kept = a.values.filter((value) => allows(b, value))
    return kept.length === a.values.length ? a : kept.length === 0 ? null : { ...a, values: kept }
  }
  if (b.values !== null) {
    const kept = isAny(a) ? b.values : b.values.filter((value) => allows(a, value))
    // One object on both sides of a tie: the way back has nothing to compare.
    return kept.length === 0 ? null : kept.length === b.values.length && a.open === b.open ? b : { ...b, values: kept, open: a.open }
  }
  const min = Math.max(a.min, b.min), max = Math.min(a.max, b.max)
  const grids = b.grids.every((grid) => hasGrid(a.grids, grid))
    ? a.grids
    : [...a.grids, ...b.grids.filter((grid) => !hasGrid(a.grids, grid))]
  if (!(min <= max)) return null // NaN too, which a function may give: two ranges would narrow each other for ever
  if (min === a.min && max === a.max && grids === a.grids) return a
  const joined: FieldDomain = { values: null, min, max, grids, open: a.open }
  return nearestTo(joined, min === -Infinity ? (max === Infinity ? 0 : max) : min) === undefined ? null : joined
}

/**
 * Narrows `target` by what `source` allows. An open field is never narrowed by a closed one; a closed field fed by an open one becomes open
 * unless one value is left, because that value holds whatever arrives. Null = nothing left.
 */
export function reviseField(target: FieldDomain, source: FieldDomain): FieldDomain | null {
  if (!source.open) return target.open ? target : meet(target, source)
  const both = meet(target, source)
  if (both === null) return target // decided at the first packet: a converter may stand between them
  const open = onlyValue(both) === undefined
  return both.open === open ? both : { ...both, open }
}

/** Allowed number nearest to `wish` (ties: the smaller), undefined when the range holds none. */
export function nearestTo(domain: FieldDomain, wish: number): number | undefined {
  const from = Math.min(Math.max(wish, domain.min), domain.max)
  const coarse = domain.grids.reduce<Grid | undefined>((best, grid) => best === undefined || grid.step > best.step ? grid : best, undefined)
  if (coarse === undefined) return from
  const start = Math.round((from - coarse.base) / coarse.step)
  for (let n = 0; n < GRID_STEPS; n++) {
    const below = coarse.base + (start - n) * coarse.step, above = coarse.base + (start + n) * coarse.step
    const low = inRange(domain, below), high = inRange(domain, above)
    if (low && high) return from - below <= above - from ? below : above
    if (low) return below
    if (high) return above
    if (below < domain.min && above > domain.max) return undefined
  }
  return undefined
}

/** The value to take when a choice is left: the first of a list, else the allowed number nearest to `wish`; undefined when nothing says. */
export function preferred(domain: FieldDomain, wish: FieldValue | undefined): FieldValue | undefined {
  if (domain.values !== null) return domain.values[0]
  if (isAny(domain)) return wish
  return nearestTo(domain, typeof wish === 'number' ? wish : domain.min === -Infinity ? domain.max : domain.min)
}

/** True when every value of `a` is allowed by `b`. Conservative for ranges with grids. */
export function within(a: FieldDomain, b: FieldDomain): boolean {
  if (a.open !== b.open) return false
  return meet(a, b) === a
}

function inRange(domain: FieldDomain, value: number): boolean {
  return value >= domain.min && value <= domain.max && domain.grids.every(({ base, step }) => onGrid(value, base, step))
}

/** On the grid within rounding of the step count. */
function onGrid(value: number, base: number, step: number): boolean {
  const n = (value - base) / step
  return Math.abs(n - Math.round(n)) <= 1e-9 * Math.max(1, Math.abs(n))
}

function hasGrid(grids: readonly Grid[], grid: Grid): boolean {
  return grids.some((other) => other.base === grid.base && other.step === grid.step)
}

/**
 * Numbers that follow from two rates and a quality: the ratio, how far a filter reaches, which method runs and with which blocks.
 * Twin: `wasm/crates/dsp/src/resample/geometry.rs`; both must agree in every integer.
 */

export const QUALITIES = ['low', 'medium', 'high', 'best'] as const
export const METHODS = ['auto', 'direct', 'fft'] as const
export type Quality = (typeof QUALITIES)[number]
export type Method = (typeof METHODS)[number]

/**
 * A row of the quality table (spec audio.md section 4): width in samples of the lower rate, cutoff in
 * units of half of it, and the window's beta.
 */
export interface Grade { readonly taps: number; readonly cutoff: number; readonly beta: number }
/**
 * Cutoff and beta were found by search: the stopband stands 1.8 to 7 dB below the table, the −3 dB point within 0.001 fN of it.
 */
export const GRADES: Readonly<Record<Quality, Grade>> = {
  low: { taps: 45, cutoff: 0.9, beta: 7 }, medium: { taps: 129, cutoff: 0.949, beta: 10.25 },
  high: { taps: 205, cutoff: 0.9592, beta: 13.1 }, best: { taps: 425, cutoff: 0.977, beta: 15.3 },
}

/** Highest rate that is resampled, Hz. */
export const MOST_RATE = 768_000
/** Largest ratio of two rates. */
export const MOST_RATIO = 256
const MOST_TAPS = 262_144, PHASES = 128, MOST_POINTS = 16_384

/** What all calls of one instance share. `l`/`m`: output to input rate, reduced. Frames are input frames unless said. */
export interface Geometry {
  readonly l: number
  readonly m: number
  /** Frames before and after an output's own frame that its window covers. */
  readonly behind: number
  readonly ahead: number
  /** Frames from the first to the last that an output (fft: a block) reads. */
  readonly window: number
  /** Taps of a row of the bank; 0: fft. */
  readonly taps: number
  /** Rows of the bank; 0: fft. */
  readonly phases: number
  readonly interpolated: boolean
  /** The forward transform has 4·pointsIn samples, the inverse 4·pointsOut; 0: direct. */
  readonly pointsIn: number
  readonly pointsOut: number
  /** Frames from one block to the next; 0: direct. */
  readonly hop: number
}

/**
 * Geometry for two whole rates in range and not more than 256 apart; null when `fft` is asked for and cannot serve them. `auto` depends on
 * rates and quality only: fft for `high` and `best` where l and m have no prime factor above 7 and a block of at most 20 ms is whole on
 * both sides (AU-30; docs/adr/0006-resample-blocks.md).
 */
export function geometryOf(from: number, to: number, quality: Quality, method: Method): Geometry | null {
  const common = gcd(from, to), l = to / common, m = from / common
  const none = { taps: 0, phases: 0, interpolated: false, pointsIn: 0, pointsOut: 0, hop: 0 }
  if (l === m) return { ...none, l, m, behind: 0, ahead: 0, window: 1, taps: 1, phases: 1 }
  // The window of an output at t covers the frames i with |i − t| < width/(2l): symmetric for whole t, one more ahead for others.
  const width = GRADES[quality].taps * Math.max(l, m)
  const behind = Math.ceil(width / (2 * l)) - 1, ahead = Math.ceil((width + 2 * (l - 1)) / (2 * l)) - 1
  const base = { ...none, l, m, behind, ahead, window: behind + 1 + ahead }
  if (method === 'direct') return direct(base)
  const blocks = fft(base, from, quality)
  return method === 'fft' ? blocks : blocks !== null && 50 * m <= from ? blocks : direct(base)
}

/** Polyphase bank: rows of a multiple of four taps, padded with older frames. */
function direct(base: Geometry): Geometry {
  const { l, m, ahead } = base, taps = roundUp(base.window, 4), behind = taps - 1 - ahead
  if (l * taps <= MOST_TAPS) return { ...base, behind, window: taps, taps, phases: l }
  // Neighbouring rows may start one frame earlier or later.
  const phases = PHASES * taps <= MOST_TAPS ? PHASES : Math.max(2, Math.ceil(PHASES * l / m))
  return { ...base, behind: behind + 1, ahead: ahead + 1, window: taps + 2, taps, phases, interpolated: true }
}

/** Overlap-save: hop = most frames up to 20 ms (`best`: 30 ms) that are whole on both sides. Null where it does not apply. */
function fft(base: Geometry, rate: number, quality: Quality): Geometry | null {
  const { l, m, behind, ahead } = base
  if ((quality !== 'high' && quality !== 'best') || !isSmooth(l) || !isSmooth(m)) return null
  const longest = Math.floor(quality === 'best' ? 3 * rate / 100 : rate / 50), hop = m * Math.max(1, Math.floor(longest / m))
  const need = behind + hop + ahead
  let k = Math.max(Math.ceil(need / (4 * m)), Math.ceil(16 / Math.min(l, m)))
  while (!isSmooth(k)) k++
  if (4 * k * Math.max(l, m) > MOST_POINTS) return null
  return { ...base, window: need, pointsIn: k * m, pointsOut: k * l, hop }
}

/** Outputs of one hop. */
export function hopOut(g: Geometry): number { return g.hop / g.m * g.l }
/** First output that the first `frames` frames do not yet allow. */
export function readyOutputs(g: Geometry, frames: number): number {
  const settled = Math.max(0, frames - g.ahead)
  if (g.hop > 0) return Math.floor(settled / g.hop) * hopOut(g)
  return Math.floor(settled / g.m) * g.l + Math.ceil(settled % g.m * g.l / g.m)
}
/** Outputs that stand for the first `frames` frames: ⌊(frames·l + ⌊m/2⌋)/m⌋ (AU-26). */
export function totalOutputs(g: Geometry, frames: number): number {
  return Math.floor(frames / g.m) * g.l + Math.floor((frames % g.m * g.l + Math.floor(g.m / 2)) / g.m)
}
/** Frame at or before which output `k` stands, and how far behind it, in 1/l frames. */
export function placeOf(g: Geometry, k: number): { readonly frame: number; readonly phase: number } {
  const rest = k % g.l * g.m
  return { frame: Math.floor(k / g.l) * g.m + Math.floor(rest / g.l), phase: rest % g.l }
}

function gcd(a: number, b: number): number { return b === 0 ? a : gcd(b, a % b) }
function roundUp(x: number, step: number): number { return Math.ceil(x / step) * step }
function isSmooth(n: number): boolean {
  for (const prime of [2, 3, 5, 7]) while (n % prime === 0) n /= prime
  return n === 1
}

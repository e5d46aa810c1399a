/** How `audio::channels` finds its weights. */
export type ChannelMode = 'speakers' | 'discrete' | 'mean' | 'matrix'

const HALF_POWER = Math.fround(Math.SQRT1_2)

/** Non-zero weights as [output, input, weight] by `from→to` (Web Audio API, section 4.1.2; order L R [C LFE] SL SR). */
const SPEAKERS: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  '1→2': [[0, 0, 1], [1, 0, 1]],
  '1→4': [[0, 0, 1], [1, 0, 1]],
  '1→6': [[2, 0, 1]],
  '2→4': [[0, 0, 1], [1, 1, 1]],
  '2→6': [[0, 0, 1], [1, 1, 1]],
  '4→6': [[0, 0, 1], [1, 1, 1], [4, 2, 1], [5, 3, 1]],
  '2→1': [[0, 0, 0.5], [0, 1, 0.5]],
  '4→1': [[0, 0, 0.25], [0, 1, 0.25], [0, 2, 0.25], [0, 3, 0.25]],
  '6→1': [[0, 0, HALF_POWER], [0, 1, HALF_POWER], [0, 2, 1], [0, 4, 0.5], [0, 5, 0.5]],
  '4→2': [[0, 0, 0.5], [0, 2, 0.5], [1, 1, 0.5], [1, 3, 0.5]],
  '6→2': [[0, 0, 1], [0, 2, HALF_POWER], [0, 4, HALF_POWER], [1, 1, 1], [1, 2, HALF_POWER], [1, 5, HALF_POWER]],
  '6→4': [[0, 0, 1], [0, 2, HALF_POWER], [1, 1, 1], [1, 2, HALF_POWER], [2, 4, 1], [3, 5, 1]],
}

/**
 * Weights of a mode, f32, one row of `from` inputs per output. Pairs that `speakers` does not know fall to `discrete`:
 * channel to channel, the rest silent or left out.
 */
export function mixTable(mode: ChannelMode, from: number, to: number): Float32Array {
  const weights = new Float32Array(from * to)
  const known = mode === 'speakers' ? SPEAKERS[`${from}→${to}`] : undefined
  if (known !== undefined) for (const [out, input, weight] of known) weights[out * from + input] = weight
  else for (let c = 0; c < Math.min(from, to); c++) weights[c * from + c] = 1
  return weights
}

/** Index of the only input of a row when its weight is 1: that output is a copy, bit for bit. Else −1. */
export function isCopy(weights: Float32Array): number {
  let only = -1
  for (let c = 0; c < weights.length; c++) {
    if (weights[c] === 0) continue
    if (only >= 0 || weights[c] !== 1) return -1
    only = c
  }
  return only
}

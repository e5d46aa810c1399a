/**
 * What scripts/dist/program.mjs must print everywhere: the tone's own borders (both on the 30 ms grid
 * of the detector) and ⌊24 000 · 2/3⌋ frames.
 */
export const EXPECTED = JSON.stringify({ segments: [[0.3, 0.6]], pcm: [16_000, 'i16'] })

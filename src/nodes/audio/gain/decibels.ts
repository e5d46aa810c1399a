import { exp } from '../../../kernels/approx.js'

/** Range of gains in decibels on the level nodes; at the lower end the factor is 0. */
export const LEAST_DB = -120
export const MOST_DB = 48
/** Factor of {@link MOST_DB}, as the f32 that driven gains are limited to. */
export const MOST_GAIN = Math.fround(251.18864315095823)
/** ln 10 ÷ 20 */
const PER_DECIBEL = 0.11512925464970229

/** 10^(dB/20) by the shared polynomials of AU-07, equal in every engine; −120 dB and below is 0. */
export function toGain(decibels: number): number {
  return decibels <= LEAST_DB ? 0 : exp(decibels * PER_DECIBEL)
}

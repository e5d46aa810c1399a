/** Bursts of a harmonic tone between pauses: what an energy detector takes for speech. Mono f32, deterministic. */
export function speechLike(o: {
  readonly rate: number
  readonly seconds: number
  readonly seed?: number
  readonly burstSeconds?: number
  readonly pauseSeconds?: number
}): Float32Array {
  const { rate, seconds, seed = 1, burstSeconds = 0.4, pauseSeconds = 0.25 } = o, samples = new Float32Array(Math.round(rate * seconds))
  let state = seed >>> 0
  for (let n = 0; n < samples.length; n++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const t = n / rate, phase = t % (burstSeconds + pauseSeconds), noise = (state / 2 ** 32 - 0.5) * 0.004
    const voiced = phase < burstSeconds ? 0.25 * Math.sin(Math.PI * phase / burstSeconds) : 0
    samples[n] =
      noise + voiced * (Math.sin(2 * Math.PI * 140 * t) + 0.5 * Math.sin(2 * Math.PI * 280 * t) + 0.25 * Math.sin(2 * Math.PI * 420 * t))
  }
  return samples
}

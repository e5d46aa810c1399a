/** A WAV file in memory as long as a bench wants, with something like speech in it. */

const RATE = 44_100

/** 16-bit stereo at 44.1 kHz: bursts of three tones and noise, a second apart, over a quiet floor. */
export function longWav(seconds: number, seed = 1): Uint8Array<ArrayBuffer> {
  const frames = Math.round(seconds * RATE), bytes = new Uint8Array(44 + frames * 4), view = new DataView(bytes.buffer)
  const text = (at: number, chars: string): void => { for (let i = 0; i < chars.length; i++) bytes[at + i] = chars.charCodeAt(i) }
  text(0, 'RIFF')
  view.setUint32(4, 36 + frames * 4, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 2, true)
  view.setUint32(24, RATE, true)
  view.setUint32(28, RATE * 4, true)
  view.setUint16(32, 4, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, frames * 4, true)
  const samples = new Int16Array(bytes.buffer, 44), period = Float64Array.from({ length: RATE }, (_, n) => {
    const t = n / RATE
    return Math.sin(2 * Math.PI * 180 * t) + 0.5 * Math.sin(2 * Math.PI * 1_230 * t) + 0.25 * Math.sin(2 * Math.PI * 3_410 * t)
  })
  for (let n = 0, state = seed | 0; n < frames; n++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0
    const noise = state / 2 ** 31, level = (n / RATE + seed) % 2 < 0.9 ? 6_000 : 40
    samples[2 * n] = level * (period[n % RATE]! + 0.3 * noise)
    samples[2 * n + 1] = level * (period[(n + 11) % RATE]! - 0.3 * noise)
  }
  return bytes
}

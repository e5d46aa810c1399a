/**
 * A WAV file made by code: `seconds` at 24 kHz, 16 bits; silence with a 440 Hz tone from 0.3 to 0.6 s
 * of every second, on the first of `channels`.
 */
export function toneWav(seconds = 1, channels = 1): Buffer<ArrayBuffer> {
  const rate = 24_000, frames = seconds * rate, size = channels * 2, wav = Buffer.alloc(44 + frames * size)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(36 + frames * size, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  for (const [at, value] of [[16, 16], [24, rate], [28, rate * size], [40, frames * size]] as const) wav.writeUInt32LE(value, at)
  for (const [at, value] of [[20, 1], [22, channels], [32, size], [34, 16]] as const) wav.writeUInt16LE(value, at)
  wav.write('data', 36, 'latin1')
  for (let n = 0; n < frames; n++) {
    const within = (n % rate) / rate
    if (within >= 0.3 && within < 0.6) wav.writeInt16LE(Math.round(16_384 * Math.sin((2 * Math.PI * 440 * n) / rate)), 44 + n * size)
  }
  return wav
}

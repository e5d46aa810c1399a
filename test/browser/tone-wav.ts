/** A WAV file made by code: `seconds` at 24 kHz, 16 bits, mono; silence with a 440 Hz tone from 0.3 to 0.6 s of every second. */
export function toneWav(seconds = 1): Buffer<ArrayBuffer> {
  const rate = 24_000, frames = seconds * rate, wav = Buffer.alloc(44 + frames * 2)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(36 + frames * 2, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  for (const [at, value] of [[16, 16], [24, rate], [28, rate * 2], [40, frames * 2]] as const) wav.writeUInt32LE(value, at)
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]] as const) wav.writeUInt16LE(value, at)
  wav.write('data', 36, 'latin1')
  for (let n = 0; n < frames; n++) {
    const within = (n % rate) / rate
    if (within >= 0.3 && within < 0.6) wav.writeInt16LE(Math.round(16_384 * Math.sin((2 * Math.PI * 440 * n) / rate)), 44 + n * 2)
  }
  return wav
}

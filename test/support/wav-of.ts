/** The first 44 bytes of a 16-bit WAV file; `bytes`: of the samples behind them. */
export function testWavHeader(rate: number, bytes: number, channels = 1): Uint8Array {
  const file = new DataView(new ArrayBuffer(44))
  const text = (at: number, word: string): void => { for (let i = 0; i < word.length; i++) file.setUint8(at + i, word.charCodeAt(i)) }
  text(0, 'RIFF')
  file.setUint32(4, 36 + bytes, true)
  text(8, 'WAVEfmt ')
  file.setUint32(16, 16, true)
  file.setUint16(20, 1, true)
  file.setUint16(22, channels, true)
  file.setUint32(24, rate, true)
  file.setUint32(28, rate * channels * 2, true)
  file.setUint16(32, channels * 2, true)
  file.setUint16(34, 16, true)
  text(36, 'data')
  file.setUint32(40, bytes, true)
  return new Uint8Array(file.buffer)
}

/** An i16 WAV file of one signal on all channels. */
export function encodeTestWav(samples: Float32Array, rate: number, channels = 1): Uint8Array {
  const bytes = samples.length * channels * 2, whole = new Uint8Array(44 + bytes), file = new DataView(whole.buffer)
  whole.set(testWavHeader(rate, bytes, channels))
  samples.forEach((x, n) => {
    for (let c = 0; c < channels; c++) file.setInt16(44 + (n * channels + c) * 2, Math.round(Math.max(-1, Math.min(1, x)) * 32_767), true)
  })
  return whole
}

/** IMA ADPCM (IMA Digital Audio Focus Group, 1992; Microsoft's WAVE block form): 4 bits a sample, each block starts afresh. */

const INDEX_STEPS = [-1, -1, -1, -1, 2, 4, 6, 8] as const
const STEPS = Int32Array.of(
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173,
  190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066,
  2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
  18500, 20350, 22385, 24623, 27086, 29794, 32767,
)

/**
 * Decodes one block into interleaved `target`. `block`: per channel 4 bytes (first sample, step index, 0), then words of 8 samples, channel
 * by channel. `frames`: how many to write, at most what the block holds.
 */
export function decodeImaBlock(block: Uint8Array, channels: number, frames: number, target: Int16Array): void {
  const header = new DataView(block.buffer, block.byteOffset, block.length)
  for (let channel = 0; channel < channels; channel++) {
    let value = header.getInt16(channel * 4, true)
    let index = Math.min(88, header.getUint8(channel * 4 + 2))
    target[channel] = value
    for (let frame = 1; frame < frames; frame++) {
      const nibbleAt = frame - 1
      const byte = block[(channels + (nibbleAt >> 3) * channels + channel) * 4 + ((nibbleAt & 7) >> 1)]!
      const nibble = nibbleAt & 1 ? byte >> 4 : byte & 15
      const step = STEPS[index]!
      const change = (step >> 3) + (nibble & 1 ? step >> 2 : 0) + (nibble & 2 ? step >> 1 : 0) + (nibble & 4 ? step : 0)
      value = Math.max(-32_768, Math.min(32_767, nibble & 8 ? value - change : value + change))
      index = Math.max(0, Math.min(88, index + INDEX_STEPS[nibble & 7]!))
      target[frame * channels + channel] = value
    }
  }
}

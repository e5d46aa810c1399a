import type { Speakers } from '../../media/audio-buffer.js'

/** Speaker positions of the WAVE channel mask (Microsoft, WAVEFORMATEXTENSIBLE), by layout name. Backs and sides are both usual for 5.x. */
const MASKS: readonly (readonly [Speakers, number])[] = [
  ['mono', 0x4], ['stereo', 0x3], ['quad', 0x33], ['5.0', 0x37], ['5.0', 0x607], ['5.1', 0x3f], ['5.1', 0x60f], ['7.1', 0x63f],
]

/** Layout of a mask: a name where there is one, the mask itself when its bits fit the channels, else `discrete`. */
export function speakersOf(mask: number, channels: number): Speakers {
  if (mask === 0) return defaultSpeakers(channels)
  if (bitCount(mask) !== channels) return 'discrete'
  return MASKS.find(([, known]) => known === mask)?.[0] ?? mask
}

/** Layout by channel count alone: 1 mono, 2 stereo, else discrete (spec audio.md, AU-12). */
export function defaultSpeakers(channels: number): Speakers {
  return channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete'
}

/** Mask of a layout; 0 for `discrete`. */
export function maskOf(speakers: Speakers): number {
  return typeof speakers === 'number' ? speakers : MASKS.find(([name]) => name === speakers)?.[1] ?? 0
}

/** Number of bits set in a 32-bit word. */
export function bitCount(word: number): number {
  let count = 0
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++
  return count
}

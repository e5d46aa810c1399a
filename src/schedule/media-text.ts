import type { Media } from '../media/media-type.js'

/** True when two negotiated media are the same in every field. */
export function sameMedia(a: Media, b: Media): boolean {
  return describeMedia(a) === describeMedia(b)
}

/** Media in a few words: `audio f32 planar 16000 Hz, 1 channel`. */
export function describeMedia(media: Media): string {
  switch (media.kind) {
    case 'audio': return `audio ${media.format} ${media.layout} ${media.rate} Hz, ${media.channels} channel${media.channels === 1 ? '' : 's'}`
    case 'tensor': return `tensor ${media.dtype} [${media.shape.map((n) => n ?? '?').join(', ')}]`
    case 'events': return `events ${media.schema} at ${media.timebase} Hz`
    default: return media.kind
  }
}

import { describeFields } from '../graph/negotiate/describe.js'
import { exactly, FIELDS } from '../graph/negotiate/domain.js'
import type { Media, TensorMedia } from '../media/media-type.js'

/** A field of media that is not what it should be; `field` as in a packet. */
export interface MediaFault { readonly field: string; readonly expected: string; readonly got: string }

/** True when two negotiated media are the same in every field. */
export function sameMedia(a: Media, b: Media): boolean { return mediaFault(a, b) === undefined }

/**
 * The first field in which `is` is not as `want` says; undefined: none. `agreed`: what `is` leaves out, and lengths of a shape that `want`
 * leaves open, may be anything, and bytes may be fewer than `want` allows.
 */
export function mediaFault(want: Media, is: Media, agreed = false): MediaFault | undefined {
  if (want === is) return undefined
  const field = want.kind === is.kind ? FIELDS[want.kind].find((name) => !fits(name === 'rank' ? 'shape' : name, want, is, agreed)) : 'kind'
  const name = field === 'rank' ? 'shape' : field
  return name === undefined ? undefined : { field: `media.${name}`, expected: fieldText(want, name), got: fieldText(is, name) }
}

function fits(name: string, want: Media, is: Media, agreed: boolean): boolean {
  const a = (want as never)[name] as unknown, b = (is as never)[name] as unknown
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((length, d) => length === b[d] || (agreed && typeof length !== 'number'))
  }
  return a === b || (agreed && (a === undefined || b === undefined || (name === 'maxBytes' && b as number <= (a as number))))
}

function fieldText(media: Media, field: string): string {
  if (media.kind === 'tensor' && field === 'shape') return shapeText(media)
  return field === 'kind' ? media.kind : describeFields(exactly(media), [field])
}

function shapeText({ shape }: TensorMedia): string { return `[${shape.map((length) => length ?? '?').join(', ')}]` }

/** Media in a few words: `audio f32 planar 16000 Hz, 1 channel`. */
export function describeMedia(media: Media): string {
  switch (media.kind) {
    case 'audio':
      return `audio ${media.format} ${media.layout} ${media.rate} Hz, ${media.channels} channel${media.channels === 1 ? '' : 's'}`
    case 'tensor': return `tensor ${media.dtype} ${shapeText(media)}`
    case 'events': return `events ${media.schema} at ${media.timebase} Hz`
    default: return media.kind
  }
}

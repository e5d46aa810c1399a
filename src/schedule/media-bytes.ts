import { portSpec, frameBytes } from '../kernels/kernel-spec.js'
import type { Media } from '../media/media-type.js'

/** Bytes of `frames` frames of a medium, all channels; 0 for media without frames. */
export function mediaBytes(media: Media | undefined, frames: number): number {
  if (media === undefined || (media.kind !== 'audio' && media.kind !== 'tensor' && media.kind !== 'events')) return 0
  const port = portSpec('', media, true)
  return port.channels * frameBytes(port) * frames
}

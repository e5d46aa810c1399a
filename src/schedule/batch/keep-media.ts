import { LIST_MARK } from '../../media/list-mark.js'
import type { Media } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import { scheduleErrors } from '../errors.js'
import { mediaFault } from '../media-text.js'

/**
 * Watches the packets of one edge: gives `MEDIA_CHANGED` for one whose media are not those of the first (GR-35, AU-11), else undefined. A
 * tensor's first dimension, how many there are, may differ; the items of a list say themselves what they are. `port`: as `node.port`.
 */
export function keepMedia(port: string, nodeId: string, edge?: string): (packet: Packet) => MillraceError | undefined {
  let first: Media | undefined
  return ({ media, metadata }) => {
    if (metadata[LIST_MARK] === true || media === first) return undefined
    first ??= media
    const fault = mediaFault(counted(first), counted(media))
    return fault && scheduleErrors.MEDIA_CHANGED({ port, ...fault, ...(edge !== undefined && { edge }) }, {
      nodeId, port: port.slice(nodeId.length + 1),
    })
  }
}

function counted(media: Media): Media { return media.kind === 'tensor' ? { ...media, shape: [null, ...media.shape.slice(1)] } : media }

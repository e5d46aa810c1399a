import { describeConstraint, describeMedia } from '../../graph/negotiate/describe.js'
import { admits } from '../../graph/negotiate/domain.js'
import { portsOf } from '../../graph/negotiate/node-ports.js'
import type { Media, TensorMedia } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { scheduleErrors } from '../errors.js'
import { mediaFault } from '../media-text.js'
import type { ResolvedNode } from '../resolved-graph.js'
import type { Refuse } from './check-packet.js'

/** Looks at a packet of an output, which is one, and gives the media that it goes on with. */
export type AgreedCheck = (packet: Packet, refuse: Refuse) => Media

/**
 * Holds what a node gives at an output to what was agreed on there, field by field: fields that a packet's media leave out are those
 * agreed. Where the first packet tells (`discovered`), and in nodes with inputs that may change (`changes`), the port's own constraint
 * counts (GR-35). A named length is the same number wherever its name stands: `names`, the node's own, holds those that are known (absent:
 * each item has its own); the first length of a shape, how many there are, only within its packet. Media that are the same object as the
 * last packet's are not looked at again.
 */
export function agreedCheck({ definition, media }: ResolvedNode, port: string, names?: Map<string, number>): AgreedCheck {
  const declared = definition.outputs[port]!.media, options = declared.kind === 'oneOf' ? declared.options : [declared]
  const free = Object.values(definition.inputs).some(({ changes }) => changes === true)
    || options.some((option) => 'discovered' in option && option.discovered === true)
  const agreed = free ? undefined : media[port], own = portsOf(definition).find(({ name, input }) => !input && name === port)!.own
  const most = agreed?.kind === 'bytes' ? agreed.maxBytes ?? Infinity : Infinity
  let given: Media | undefined, last: Media | undefined
  return ({ media: is, data }, refuse) => {
    if (is !== given) {
      const fault = agreed && mediaFault(agreed, is, true)
      if (fault) refuse(fault.expected, fault.got, fault.field)
      if (!agreed && !admits(own, is)) refuse(describeConstraint(declared), describeMedia(is), 'media')
      if (agreed?.kind === 'tensor' && is.kind === 'tensor') bindNames(agreed.shape, is.shape, names, refuse)
      last = agreed && Object.keys(agreed).some((name) => (is as never)[name] === undefined) ? { ...agreed, ...is } as Media : is
      given = is
    }
    if (most < Infinity) for (const { byteLength } of (Array.isArray(data) ? data : [data]) as Uint8Array[]) {
      if (byteLength > most) refuse(`at most ${most} bytes`, `${byteLength}`, 'data')
    }
    return last!
  }
}

/**
 * What looks at the packets of an input for the lengths that its names have (see {@link agreedCheck}); undefined
 * where there are none. Throws `OUTPUT_INVALID`.
 */
export function namesCheck(
  { id, definition, inputs: links }: ResolvedNode, link: string, names?: Map<string, number>,
): ((packet: Packet) => void) | undefined {
  const port = links.find((one) => one.link === link)?.port ?? link
  const dimensions = portsOf(definition).find(({ name, input }) => input && name === port)?.dimensions ?? []
  if (dimensions.every((name) => name === null) || definition.inputs[port]?.changes === true) return undefined
  const refuse: Refuse = (expected, got, field) => {
    throw scheduleErrors.OUTPUT_INVALID({ port: `${id}.${link}`, field, expected, got }, { nodeId: id, nodeType: definition.type, port })
  }
  return ({ media: is }) => { if (is.kind === 'tensor') bindNames(dimensions, is.shape, names, refuse) }
}

function bindNames(
  agreed: TensorMedia['shape'], shape: TensorMedia['shape'], names: Map<string, number> | undefined, refuse: Refuse,
): void {
  const here = new Map<string, number>()
  for (const [d, name] of agreed.entries()) {
    const length = shape[d]
    if (typeof name !== 'string' || typeof length !== 'number') continue
    const known = here.get(name) ?? names?.get(name) ?? length
    if (known !== length) refuse(`${name} = ${known}`, `[${shape.join(', ')}]`, 'media.shape')
    here.set(name, length)
    if (d > 0) names?.set(name, length)
  }
}

import { show } from '../../errors/show.js'
import type { PacketRecord } from '../../graph/node-definition.js'
import type { MediaConstraint } from '../../media/media-type.js'
import { scheduleErrors } from '../errors.js'
import { isBlocker } from '../../media/blocker.js'
import { isAudioBuffer } from '../packet-data.js'

/** What an output should have been given, and was given. Throws. */
export type Refuse = (expected: string, got: string) => never

/** Refuses what a node gave in place of a packet of its port's media (GR-27). `list`: its data is an array of items. Throws what `refuse` throws. */
export function checkPacket(packet: unknown, media: MediaConstraint, list: boolean, refuse: Refuse): void {
  if (typeof packet !== 'object' || packet === null) return refuse('a packet', show(packet))
  const { media: own, data, position, duration } = packet as Readonly<Record<string, unknown>>
  const kind = typeof own === 'object' && own !== null ? (own as { readonly kind?: unknown }).kind : undefined
  const allowed = media.kind === 'oneOf' ? media.options.map((option) => option.kind) : [media.kind]
  if (typeof kind !== 'string') refuse('a packet with media', show(packet))
  if (!allowed.some((one) => one === kind || one === 'any' || one === 'match')) refuse(allowed.join(' or '), String(kind))
  if (list && !Array.isArray(data)) refuse('a list as data', show(data))
  for (const item of list ? data as readonly unknown[] : [data]) if (kind === 'audio' && !isAudioBuffer(item) && !(list && isBlocker(item))) refuse('an AudioBuffer as data', show(item))
  if (!Number.isFinite(position) || !Number.isFinite(duration)) refuse('position and duration as numbers', `${show(position)}, ${show(duration)}`)
}

/** What a node gave as a record of packets. Throws `OUTPUT_INVALID`. */
export function asRecord(got: unknown): PacketRecord {
  if (typeof got !== 'object' || got === null) throw scheduleErrors.OUTPUT_INVALID({ port: 'result', expected: 'a record of packets by output', got: show(got) })
  return got as PacketRecord
}

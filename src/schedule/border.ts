import { EVENT } from '../kernels/contract.js'
import type { SegmentEvent } from '../media/packet.js'
import type { SegmentBuffer } from './segment-plan.js'

const EVENT_TYPE = ['segment', 'start', 'end', 'segment', 'cancel'] as const

/**
 * Frames of an output that is no audio, as users get them outside the arena: events decoded, tensors
 * as a typed array of their own (one copy).
 */
export function readFrames(buffer: Pick<SegmentBuffer, 'media' | 'frameBytes'>, bytes: Uint8Array, from: number, frames: number): unknown {
  const own = bytes.slice(from * buffer.frameBytes, (from + frames) * buffer.frameBytes)
  if (buffer.media.kind === 'events') return readEvents(own, buffer.media.timebase)
  if (buffer.media.kind !== 'tensor') return own
  switch (buffer.media.dtype) {
    case 'f32': return new Float32Array(own.buffer)
    case 'f64': return new Float64Array(own.buffer)
    case 'i32': return new Int32Array(own.buffer)
    case 'i16': return new Int16Array(own.buffer)
    default: return own
  }
}

/** Event records → events (spec audio.md, AU-50). `timebase`: frames per second of their positions. */
export function readEvents(bytes: Uint8Array, timebase: number): SegmentEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), events: SegmentEvent[] = []
  for (let at = 0; at + EVENT.BYTES <= bytes.byteLength; at += EVENT.BYTES) {
    const from = Number(view.getBigUint64(at + EVENT.POSITION_U64, true)), length = view.getUint32(at + EVENT.ID, true)
    const value = (i: number): number => view.getFloat32(at + EVENT.VALUES_F32 + 4 * i, true)
    events.push({
      type: EVENT_TYPE[view.getUint16(at + EVENT.KIND_U16, true)] ?? 'segment', from, ...(length > 0 ? { to: from + length } : {}),
      timestampUs: Math.round(from / timebase * 1e6), probability: value(0), rms: value(1), peak: value(2),
    })
  }
  return events
}

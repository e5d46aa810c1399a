import type { Packet } from '../../media/packet.js'
import { scheduleErrors } from '../errors.js'
import { describeMedia, sameMedia } from '../media-text.js'
import type { Advance, OpenSegment } from '../open-segment.js'
import type { PacketQueue } from '../packet-queue.js'
import { releasePacket } from '../packet-data.js'
import type { Turn } from '../policy/turn.js'
import type { ResolvedNode } from '../resolved-graph.js'
import type { ValueRoutes } from './value-routes.js'

/**
 * Drives one segment fed by packets (EX-05): gives each hungry input its next packet, lets the segment's thread run, hands on what came out. One
 * packet per input is inside the segment at a time; readers' queues bound what waits outside. Returns when every step has ended.
 */
export async function runSegmentTask(segment: OpenSegment, queues: ReadonlyMap<number, PacketQueue>, routes: ValueRoutes, turn: Turn, node: ResolvedNode): Promise<void> {
  const seen = new Map<number, number>(), timeoutMs = node.policy?.timeoutMs ?? 0
  const timeout = (): Error => scheduleErrors.NODE_TIMEOUT({ node: node.id, timeoutMs }, { nodeId: node.id, nodeType: node.definition.type })
  let stop = (): void => undefined
  const expired = new Promise<never>((_, reject) => {
    stop = turn.watch(timeoutMs, false, () => { reject(timeout()) })
  })
  expired.catch(() => undefined)
  try {
    for (;;) {
      for (const buffer of segment.hungry()) await feedNext(segment, buffer, queues.get(buffer)!, seen)
      await turn.enter()
      const running = segment.advance().finally(() => { turn.leave() })
      const release = ({ outputs }: Advance): void => { for (const { packet } of outputs) releasePacket(packet) }
      const advanced = await Promise.race([running, expired]).catch((error: unknown) => {
        void running.then(release, () => undefined)
        throw error
      })
      // Timers may starve while segments run on this very thread.
      if (timeoutMs > 0 && turn.ownUs > timeoutMs * 1000) {
        release(advanced)
        throw timeout()
      }
      const { done, outputs } = advanced
      for (const { buffer, packet } of outputs) await routes.give(segment.plan.buffers[buffer]!.value, packet)
      if (done) return
    }
  } finally {
    stop()
    for (const queue of queues.values()) queue.leave()
  }
}

async function feedNext(segment: OpenSegment, buffer: number, queue: PacketQueue, seen: Map<number, number>): Promise<void> {
  const packet = await queue.take()
  if (packet === undefined) { segment.end(buffer); return }
  checkMedia(segment, buffer, packet)
  checkPosition(segment, buffer, packet, seen)
  await segment.feed(buffer, packet)
}

/** AU-11: a stream's media may not change between two packets. */
function checkMedia(segment: OpenSegment, buffer: number, packet: Packet): void {
  const plan = segment.plan.buffers[buffer]!
  if (sameMedia(plan.media, packet.media)) return
  releasePacket(packet)
  throw scheduleErrors.MEDIA_CHANGED({ port: plan.value, expected: describeMedia(plan.media), got: describeMedia(packet.media) })
}

function checkPosition(segment: OpenSegment, buffer: number, packet: Packet, seen: Map<number, number>): void {
  const expected = seen.get(buffer)
  seen.set(buffer, packet.position + packet.duration)
  if (expected === undefined || expected === packet.position) return
  releasePacket(packet)
  throw scheduleErrors.OUTPUT_INVALID({ port: segment.plan.buffers[buffer]!.value, expected: `a packet at frame ${expected}`, got: `one at frame ${packet.position}` })
}

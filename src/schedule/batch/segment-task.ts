import type { Packet } from '../../media/packet.js'
import { scheduleErrors } from '../errors.js'
import { mediaFault } from '../media-text.js'
import type { Advance, OpenSegment } from '../open-segment.js'
import type { PacketQueue } from '../packet-queue.js'
import { releasePacket } from '../packet-data.js'
import type { NodePolicy } from '../policy/node-policy.js'
import type { Turn } from '../policy/turn.js'
import type { ResolvedNode } from '../resolved-graph.js'
import type { ValueRoutes } from './value-routes.js'

/**
 * Drives one segment fed by packets (EX-05): gives each hungry input its next packet, lets the segment's thread run, hands on what came
 * out. One packet per input is inside the segment at a time; readers' queues bound what waits outside. Returns when every step has ended. A
 * segment on a memory of its own gets the next packets while it runs, and goes on by itself where readers have room (MW-57); what is read,
 * when and in what order stays the same.
 */
export async function runSegmentTask(
  segment: OpenSegment, queues: ReadonlyMap<number, PacketQueue>, routes: ValueRoutes, turn: Turn, node: ResolvedNode,
): Promise<void> {
  const seen = new Map<number, number>(), timeoutMs = node.policy?.timeoutMs ?? 0
  const timeout = (): Error =>
    scheduleErrors.NODE_TIMEOUT({ node: node.id, timeoutMs }, { nodeId: node.id, nodeType: node.definition.type })
  let stop = (): void => undefined, fail: (error: unknown) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
    stop = turn.watch(timeoutMs, false, () => { reject(timeout()) })
  })
  failed.catch(() => undefined)
  const feedAhead = lookAhead(segment, queues, routes, seen, node.policy, fail)
  try {
    for (;;) {
      for (const buffer of segment.hungry()) await feedNext(segment, buffer, queues.get(buffer)!, seen)
      await turn.enter()
      const running = segment.advance().finally(() => { turn.leave() })
      feedAhead()
      const release = ({ outputs }: Advance): void => { for (const { packet } of outputs) releasePacket(packet) }
      const advanced = await Promise.race([running, failed]).catch((error: unknown) => {
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
    segment.again = undefined
    for (const queue of queues.values()) {
      queue.arrived = undefined
      queue.leave()
    }
  }
}

async function feedNext(segment: OpenSegment, buffer: number, queue: PacketQueue, seen: Map<number, number>): Promise<void> {
  const packet = await queue.take()
  if (packet === undefined) { segment.end(buffer); return }
  const refused = refusal(segment, buffer, packet, seen)
  if (refused !== undefined) {
    releasePacket(packet)
    throw refused
  }
  seen.set(buffer, packet.position + packet.duration)
  await segment.feed(buffer, packet)
}

/** What is wrong with a packet: a stream's media may not change (AU-11), its frames follow each other. */
function refusal(segment: OpenSegment, buffer: number, { media, position }: Packet, seen: ReadonlyMap<number, number>): Error | undefined {
  const plan = segment.plan.buffers[buffer]!, expected = seen.get(buffer), fault = mediaFault(plan.media, media)
  if (fault !== undefined) return scheduleErrors.MEDIA_CHANGED({ port: plan.value, ...fault })
  if (expected === undefined || expected === position) return undefined
  return scheduleErrors.OUTPUT_INVALID({ port: plan.value, expected: `a packet at frame ${expected}`, got: `one at frame ${position}` })
}

/**
 * To be called when a pass has begun: gives what is there for the next one, and what comes while it runs. What would be
 * refused, and failures, wait for their turn.
 */
function lookAhead(
  segment: OpenSegment, queues: ReadonlyMap<number, PacketQueue>, routes: ValueRoutes, seen: Map<number, number>,
  policy: NodePolicy | undefined, fail: (error: unknown) => void,
): () => void {
  if (segment.ahead === undefined) return () => undefined
  // A node that shares or times its turns has one for each pass.
  const free = policy === undefined || (policy.claim.limits.length === 0 && policy.claim.exclusive === false && !policy.timeoutMs)
  const outputs = segment.plan.buffers.filter(({ kind }) => kind === 'output').map(({ value }) => value)
  const look = (): void => {
    for (const buffer of segment.ahead!()) {
      const queue = queues.get(buffer)!
      queue.settle()
      const packet = queue.peek()
      if (packet === undefined || (packet !== null && refusal(segment, buffer, packet, seen) !== undefined)) continue
      if (packet === null) { segment.end(buffer); continue }
      queue.takeEarly()
      seen.set(buffer, packet.position + packet.duration)
      segment.feed(buffer, packet).catch(fail)
    }
    // What this pass and the next one give has room.
    if (free && outputs.every((value) => routes.hasRoom(value, 2))) segment.goOn!()
  }
  const guarded = (): void => { try { look() } catch (error) { fail(error) } }
  for (const queue of queues.values()) queue.arrived = guarded
  // A pass that had to wait for its worker may be followed only when it has it.
  segment.again = guarded
  return guarded
}

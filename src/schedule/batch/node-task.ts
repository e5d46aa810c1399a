import type { NodeContext, PacketRecord } from '../../graph/node-definition.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { memoryErrors } from '../../memory/errors.js'
import { scheduleErrors } from '../errors.js'
import { show } from '../../errors/show.js'
import { wrapNodeFailure } from '../node-failure.js'
import type { InstanceLease } from '../node-instances.js'
import type { PacketQueue } from '../packet-queue.js'
import { isAudioBuffer, releasePacket } from '../packet-data.js'
import type { ResolvedNode } from '../resolved-graph.js'
import { valueId } from '../resolved-graph.js'
import { checkPacket } from './check-packet.js'
import { withPatience } from './patience.js'
import type { RunFrame } from './services.js'
import type { ValueRoutes } from './value-routes.js'

/** Counters of a node written in TypeScript. */
export interface NodeReport { startUs: number; busyUs: number; itemsIn: number; itemsOut: number; framesIn: number; framesOut: number }

/**
 * Executes one node written in TypeScript on the engine's thread: a source (`pull`) or a `process`. Packets go to the routes as they come, so a
 * slow reader slows the node. Checks that each declared, connected output was written at least once or is a stream that ended (GR-27).
 */
export async function runNodeTask(node: ResolvedNode, links: ReadonlyMap<string, PacketQueue>, routes: ValueRoutes, frame: RunFrame): Promise<NodeReport> {
  const { clock } = frame.services, definition = node.definition
  const report: NodeReport = { startUs: clock.nowUs(), busyUs: 0, itemsIn: 0, itemsOut: 0, framesIn: 0, framesOut: 0 }
  const given = new Set<string>(), seq = new Map<string, number>()
  const emit = async (record: PacketRecord): Promise<void> => {
    for (const [port, packet] of Object.entries(record)) {
      if (definition.outputs[port] === undefined) { warnUndeclared(node, port, frame); releasePacket(packet); continue }
      if (isAudioBuffer(packet.data) && !frame.services.owns(packet.data)) throw foreign(node, port, packet)
      checkPacket(packet, definition.outputs[port]!.media, valueId(node.id, port))
      given.add(port)
      report.itemsOut++
      report.framesOut += packet.duration
      const number = seq.get(port) ?? 0
      seq.set(port, number + 1)
      await routes.give(valueId(node.id, port), { ...packet, streamId: packet.streamId || `${node.id}.${port}`, seq: number, arrivalUs: clock.nowUs() })
    }
  }
  let sincePaused = frame.ownUs()
  const outside = async <T>(work: Promise<T>): Promise<T> => {
    report.busyUs += frame.ownUs() - sincePaused
    try { return await work } finally { sincePaused = frame.ownUs() }
  }
  let sound = false, lease: InstanceLease | undefined
  try {
    lease = await frame.services.instances.take(definition, node.params, node.id, contextOf(node, frame, undefined))
    const ctx = contextOf(node, frame, lease.instance), inputs = inputsOf(node, links)
    await withPatience(drain(definition.pull ? definition.pull(node.params, ctx) : definition.process!(inputs, node.params, ctx), emit, outside, frame.signal, () => wanted(node, routes)), frame.signal, clock)
    sound = !frame.signal.aborted
  } catch (error) {
    throw wrapNodeFailure(error, { node: node.id, type: definition.type, operation: definition.pull ? 'pull' : 'process', runId: frame.runId })
  } finally {
    report.busyUs += frame.ownUs() - sincePaused
    for (const queue of links.values()) { report.itemsIn += queue.counters.items; report.framesIn += queue.counters.frames; report.busyUs -= queue.counters.waitedUs; queue.leave() }
    report.busyUs = Math.max(0, report.busyUs)
    await lease?.release(sound).catch((error: unknown) => { frame.services.log('error', 'dispose failed', { node: node.id, error: String(error) }) })
  }
  if (!frame.signal.aborted && definition.process !== undefined) requireOutputs(node, given, routes)
  return report
}

/** Takes packets from a generator, or the one record of a promise. Stops a source that nobody reads any more. */
async function drain(
  result: Promise<PacketRecord> | AsyncIterable<PacketRecord>, emit: (record: PacketRecord) => Promise<void>, outside: <T>(work: Promise<T>) => Promise<T>,
  signal: AbortSignal, isWanted: () => boolean,
): Promise<void> {
  if (typeof result !== 'object' || result === null) throw noRecord(result)
  if (!(Symbol.asyncIterator in result)) {
    const record: unknown = await result
    if (typeof record !== 'object' || record === null) throw noRecord(record)
    await outside(emit(record as PacketRecord))
    return
  }
  for await (const record of result) {
    if (signal.aborted) { for (const packet of Object.values(record)) releasePacket(packet); return }
    await outside(emit(record))
    if (!isWanted()) return
  }
}

/** A node gives a record of packets, a promise of one, or an async iterable of them. */
function noRecord(got: unknown): Error {
  return scheduleErrors.OUTPUT_INVALID({ port: 'result', expected: 'a record of packets by output', got: show(got) })
}

/** True while some reader remains, or nothing ever read it (a sink's report). */
function wanted(node: ResolvedNode, routes: ValueRoutes): boolean {
  const outputs = Object.keys(node.definition.outputs)
  return outputs.length === 0 || node.inputs.length > 0 || outputs.some((port) => routes.wanted(valueId(node.id, port)))
}

function inputsOf(node: ResolvedNode, links: ReadonlyMap<string, PacketQueue>): Record<string, PacketStream | readonly PacketStream[] | undefined> {
  const inputs: Record<string, PacketStream | readonly PacketStream[] | undefined> = {}
  for (const [port, declared] of Object.entries(node.definition.inputs)) {
    inputs[port] = declared.multi ? node.inputs.filter((input) => input.port === port).map((input) => links.get(input.link)!) : links.get(port)
  }
  return inputs
}

function contextOf(node: ResolvedNode, frame: RunFrame, instance: unknown): NodeContext {
  const { services } = frame
  return {
    signal: frame.signal,
    progress: (done, total) => { frame.progress(node.id, done, total) },
    log: (level, text, details) => { services.log(level, text, { node: node.id, ...details }) },
    warn: (diagnostic) => { frame.diagnostics.push({ ...diagnostic, node: diagnostic.node ?? node.id }) },
    nowUs: () => services.clock.nowUs(),
    allocAudio: async (spec) => { frame.signal.throwIfAborted(); return services.allocAudio(spec) },
    node: { id: node.id, type: node.definition.type, runId: frame.runId },
    instance,
  }
}

function requireOutputs(node: ResolvedNode, given: ReadonlySet<string>, routes: ValueRoutes): void {
  const streamed = given.size > 0 && Object.keys(node.definition.outputs).every((port) => given.has(port) || !routes.wanted(valueId(node.id, port)))
  if (streamed || Object.keys(node.definition.outputs).length === 0) return
  for (const port of Object.keys(node.definition.outputs)) {
    if (given.has(port) || !routes.wanted(valueId(node.id, port)) || node.definition.outputs[port]!.media.kind === 'events') continue
    throw scheduleErrors.OUTPUT_INVALID({ port: valueId(node.id, port), expected: 'a packet', got: 'nothing' }, { nodeId: node.id, nodeType: node.definition.type, port })
  }
}

/** Audio of another engine: its address means other bytes here. */
function foreign(node: ResolvedNode, port: string, packet: Packet): Error {
  releasePacket(packet)
  return memoryErrors.INVALID_HANDLE({ handle: `of ${valueId(node.id, port)}`, reason: 'arena', what: 'it belongs to another engine; pass toArray()' }, { nodeId: node.id, nodeType: node.definition.type, port })
}

function warnUndeclared(node: ResolvedNode, port: string, frame: RunFrame): void {
  frame.diagnostics.push(scheduleErrors.OUTPUT_INVALID.diagnostic(
    { port: valueId(node.id, port), expected: `one of ${Object.keys(node.definition.outputs).join(', ') || 'no output'}`, got: 'an undeclared output' },
    { severity: 'warning', node: node.id, port }))
}

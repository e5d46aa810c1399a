import type { NodeContext, PacketRecord, ParamValues } from '../../graph/node-definition.js'
import { BLOCKED_MARK, blocker, isBlocker } from '../../media/blocker.js'
import { LIST_MARK } from '../../media/list-mark.js'
import type { Media } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { isAudioBuffer, packetOf, releasePacket, releaseRecord } from '../packet-data.js'
import { valueId, type ResolvedInput, type ResolvedNode } from '../resolved-graph.js'
import { asRecord } from './check-packet.js'
import { drivenValue } from './driven-params.js'
import { isList, OnePacket, type InputStreams, type NodeInputs } from './node-inputs.js'

/** A node's code: a promise of one record, or records as they come. */
export type NodeCode = (inputs: InputStreams, params: ParamValues) => Promise<PacketRecord> | AsyncIterable<PacketRecord>

/** What calling a node item by item takes. */
export interface PerItem {
  readonly node: ResolvedNode
  readonly inputs: NodeInputs
  readonly params: ParamValues
  readonly ctx: Pick<NodeContext, 'signal' | 'progress'>
  readonly call: NodeCode
  /** Joins what one call gave of an output. */
  join(media: Media, parts: Packet[]): Packet
  /** Refuses what is no packet of that output. */
  check(port: string, packet: Packet): void
  /** A call gave nothing of an output that is read. */
  missing(port: string): never
  /** Says that a call gave what is no output. */
  undeclared(port: string): void
  /** True when somebody reads an output. */
  wanted(port: string): boolean
}

/**
 * Calls a node once per item of the lists that it is given, and gathers what it gives into a list per output (GR-29). Of several lists the
 * longest counts, and a shorter one repeats its last item, as ComfyUI does (`_map_node_over_list` in its `execution.py`); what is no list
 * is given to every call. With an empty list there is no call and the outputs are empty lists; with none at all, because optional ones were
 * blocked, there is one call. For a place that a blocker holds the node is not called: its outputs are blocked there too.
 */
export async function callPerItem(p: PerItem): Promise<PacketRecord> {
  const { node, inputs, params, ctx } = p
  const read: { readonly input: ResolvedInput; readonly packet: Packet; readonly items: readonly unknown[] }[] = []
  for (const input of inputs.links()) read.push({ input, ...await inputs.items(input) })
  const lengths = read.map(({ items }) => items.length), calls = lengths.includes(0) ? 0 : Math.max(1, ...lengths), lists = new Lists(p)
  try {
    for (let n = 0; n < calls; n++) {
      ctx.signal.throwIfAborted()
      const items = read.map((one) => ({ ...one, item: one.items[Math.min(n, one.items.length - 1)] }))
      if (items.some(({ item }) => isBlocker(item))) { lists.block(); continue }
      const streams: Record<string, PacketStream | readonly PacketStream[] | undefined> = {}
      const values: Record<string, unknown> = { ...params }
      for (const { input: { port, control }, item, packet } of items) {
        if (control !== undefined) { values[port] = isAudioBuffer(item) ? item : drivenValue(node, port, item); continue }
        const stream = new OnePacket(itemOf(packet, item, n))
        streams[port] = node.definition.inputs[port]!.multi === true
          ? [...streams[port] as readonly PacketStream[] | undefined ?? [], stream]
          : stream
      }
      await lists.add(p.call(streams, values))
      ctx.progress(n + 1, calls)
    }
    return lists.take()
  } finally { lists.close() }
}

/** What the calls gave, output by output. */
class Lists {
  readonly #p: PerItem
  readonly #items = new Map<string, unknown[]>()
  readonly #media = new Map<string, Media>()

  constructor(parts: PerItem) {
    this.#p = parts
    for (const port of Object.keys(parts.node.definition.outputs)) this.#items.set(port, [])
  }

  block(): void { for (const items of this.#items.values()) items.push(blocker) }

  async add(result: ReturnType<NodeCode>): Promise<void> {
    const parts = new Map<string, Packet[]>(), blocked = new Set<string>()
    const { join, check, missing, undeclared, wanted, node: { definition } } = this.#p
    try {
      for await (const record of typeof result === 'object' && result !== null && Symbol.asyncIterator in result ? result : [result]) {
        for (const [port, packet] of Object.entries(asRecord(record, this.#p.node.id))) {
          if (definition.outputs[port] === undefined) { undeclared(port); releaseRecord({ packet }); continue }
          if (isBlocker(packet)) { blocked.add(port); continue }
          check(port, packet)
          const list = parts.get(port)
          if (list) list.push(packet); else parts.set(port, [packet])
        }
      }
      for (const [port, items] of this.#items) {
        const own = parts.get(port), { list, media } = definition.outputs[port]!
        if (blocked.has(port)) { items.push(blocker); continue }
        if (own === undefined) {
          if (wanted(port) && media.kind !== 'events') missing(port)
          if (media.kind === 'events') items.push([])
          continue
        }
        parts.delete(port)
        const whole = join(own[0]!.media, own)
        if (!this.#media.has(port)) this.#media.set(port, whole.media)
        if (list === true) for (const item of whole.data as readonly unknown[]) items.push(item); else items.push(whole.data)
      }
    } finally { for (const list of parts.values()) for (const packet of list) releasePacket(packet) }
  }

  /** The lists, for good. */
  take(): PacketRecord {
    const { node, wanted } = this.#p, lists = [...this.#items].filter(([port]) => wanted(port))
    return Object.fromEntries(lists.map(([port, items]) => {
      const places = items.filter(isBlocker).length
      const packet = this.#packet(port, items.splice(0), { [LIST_MARK]: true, ...(places > 0 && { [BLOCKED_MARK]: places }) })
      return [port, { ...packet, streamId: valueId(node.id, port) }]
    }))
  }

  close(): void { for (const [port, items] of this.#items) releasePacket(this.#packet(port, items)) }

  #packet(port: string, items: readonly unknown[], metadata: Packet['metadata'] = {}): Packet {
    return packetOf(this.#media.get(port) ?? this.#p.node.media[port] ?? { kind: 'json' }, items, 0, items.length, { metadata })
  }
}

/** One item of a packet as a packet of its own. */
function itemOf(packet: Packet, item: unknown, n: number): Packet {
  if (!isList(packet)) return item === packet.data ? packet : { ...packet, data: item }
  return { ...packet, data: item, position: 0, duration: isAudioBuffer(item) ? item.frames : 1, seq: n, metadata: {} }
}

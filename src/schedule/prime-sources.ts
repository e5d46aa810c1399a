import type { Graph, GraphNode } from '../graph/graph.js'
import type { NodeContext, NodeDefinition, PacketRecord } from '../graph/node-definition.js'
import { resolveParams } from '../graph/params.js'
import { standFor } from '../graph/revisions.js'
import type { Media } from '../media/media-type.js'
import { isBlocker } from '../media/blocker.js'
import { asRecord, checkPacket } from './batch/check-packet.js'
import { scheduleErrors } from './errors.js'
import { restingNodes } from './lazy-sources.js'
import { withPatience } from './batch/patience.js'
import { wrapNodeFailure } from './node-failure.js'
import type { InstanceLease } from './node-instances.js'
import { releaseRecord } from './packet-data.js'
import { watchOf, type EarlyCalls } from './probe-sources.js'
import { valueId } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** Sources whose media nobody knows before their first packet, started: the graph goes on reading them where they are. */
export interface Primed {
  readonly graph: Graph
  readonly known: ReadonlyMap<ValueId, Media>
  /** Ends sources that no run has taken over. */
  abandon(): Promise<void>
}

/** Makes the context and the instance of a source that starts before its run. */
export type StartSource = (node: GraphNode) => Promise<{
  readonly ctx: NodeContext
  readonly lease: InstanceLease
  /** In place of the definition's own: on a thread. */
  readonly pull?: NonNullable<NodeDefinition['pull']>
}>

/**
 * Reads the first packet of every source with a `discovered` port that no probe could tell (GR-35), but for those that may rest, so that
 * the rest can be solved. The nodes of the graph given back continue from there. Throws what a source throws, as its node's failure, after
 * the others have been ended.
 */
export async function primeSources(
  graph: Graph, known: ReadonlyMap<ValueId, Media>, start: StartSource, calls: EarlyCalls,
): Promise<Primed> {
  const resting = restingNodes(graph)
  const open = graph.nodes.filter((node) => isSource(node.definition) && !resting.has(node.id) && openPorts(node, known).length > 0)
  if (open.length === 0) return { graph, known, abandon: () => Promise.resolve() }
  const started: Started[] = [], media = new Map(known), replaced = new Map<string, GraphNode>()
  const abandon = async (): Promise<void> => { await Promise.all(started.map((source) => source.abandon())) }
  try {
    for (const node of open) {
      const source = await Started.open(node, start, calls)
      started.push(source)
      for (const port of openPorts(node, known)) { const m = source.mediaOf(port); if (m) media.set(valueId(node.id, port), m) }
      replaced.set(node.id, {
        ...node,
        definition: standFor({
          ...node.definition!, init: undefined, thread: 'engine', codeURL: undefined, pull: () => source.rest(),
        } as GraphNode['definition'] & object, node.definition!),
      })
    }
  } catch (error) {
    await abandon()
    throw error
  }
  return { graph: { ...graph, nodes: graph.nodes.map((node) => replaced.get(node.id) ?? node) }, known: media, abandon }
}

function isSource(definition: NodeDefinition | undefined): boolean {
  return definition?.pull !== undefined || (definition?.codeURL !== undefined && Object.keys(definition.inputs).length === 0)
}

function openPorts(node: GraphNode, known: ReadonlyMap<ValueId, Media>): string[] {
  return Object.entries(node.definition!.outputs).filter(([port, output]) =>
    'discovered' in output.media && output.media.discovered === true && !known.has(valueId(node.id, port))).map(([port]) => port)
}

/** The graph is solved for the media of these packets. Throws `OUTPUT_INVALID`. */
function checkFirst(record: PacketRecord, { id, type, definition }: GraphNode): void {
  for (const [port, packet] of Object.entries(asRecord(record, id))) {
    const output = definition!.outputs[port]
    if (output === undefined || isBlocker(packet)) continue
    checkPacket(packet, output.media, output.list === true, (expected, got, field) => {
      throw scheduleErrors.OUTPUT_INVALID({ port: valueId(id, port), field, expected, got }, { nodeId: id, nodeType: type, port })
    })
  }
}

/** One source that has given its first packets. */
class Started {
  readonly #iterator: AsyncIterator<PacketRecord>
  readonly #lease: InstanceLease
  readonly #calls: EarlyCalls
  #first: IteratorResult<PacketRecord> | undefined
  #taken = false

  private constructor(iterator: AsyncIterator<PacketRecord>, first: IteratorResult<PacketRecord>, lease: InstanceLease, calls: EarlyCalls) {
    this.#iterator = iterator
    this.#first = first
    this.#lease = lease
    this.#calls = calls
  }

  static async open(node: GraphNode, start: StartSource, calls: EarlyCalls): Promise<Started> {
    const { ctx, lease, pull = node.definition!.pull! } = await start(node), { signal, clock } = calls, watch = watchOf(node, calls)
    try {
      const iterator = pull(resolveParams(node.definition!, node.params).values, ctx)[Symbol.asyncIterator]()
      const first = await withPatience(watch.call(async () => iterator.next()), signal, clock, ({ done, value }) => {
        if (done !== true) releaseRecord(value)
      })
      try { if (first.done !== true) checkFirst(first.value, node) } catch (error) {
        releaseRecord(first.value)
        await withPatience(Promise.resolve(iterator.return?.()), signal, clock).catch(() => undefined)
        throw error
      }
      return new Started(iterator, first, lease, calls)
    } catch (error) {
      await withPatience(lease.release(false), signal, clock).catch(() => undefined)
      throw wrapNodeFailure(error, { node: node.id, type: node.type, operation: 'pull' })
    }
  }

  mediaOf(port: string): Media | undefined {
    return this.#first?.done === true ? undefined : this.#first?.value[port]?.media
  }

  /** The first packets again, then the rest; ends the source when its reader leaves. */
  async *rest(): AsyncGenerator<PacketRecord> {
    this.#taken = true
    let sound = false
    try {
      for (let next = this.#first ?? await this.#iterator.next(); next.done !== true; next = await this.#iterator.next()) {
        this.#first = undefined
        yield next.value
      }
      sound = true
    } finally { await this.#close(sound) }
  }

  async abandon(): Promise<void> {
    if (this.#taken) return
    if (this.#first?.done === false) releaseRecord(this.#first.value)
    // What it throws now is nobody's: the run has failed already, or was stopped.
    await withPatience(this.#close(false), this.#calls.signal, this.#calls.clock).catch(() => undefined)
  }

  async #close(sound: boolean): Promise<void> {
    if (!sound) await this.#iterator.return?.()
    await this.#lease.release(sound)
  }
}

import { commonErrors } from '../../errors/common-errors.js'
import { linkableInput } from '../../graph/driven-params.js'
import type { InputDeclaration, ParamValues } from '../../graph/node-definition.js'
import { BLOCKED_MARK } from '../../media/blocker.js'
import { LIST_MARK } from '../../media/list-mark.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { BLOCKED } from '../blocked.js'
import { openList } from '../packet-data.js'
import type { PacketQueue } from '../packet-queue.js'
import type { ResolvedInput, ResolvedNode } from '../resolved-graph.js'
import { namesCheck } from './check-agreed.js'
import { DrivenParams } from './driven-params.js'
import { NodeInput, type InputScope } from './node-input.js'
import type { RunFrame } from './services.js'

/** What a node finds at its inputs: a stream, the streams of a `multi` port, or nothing. */
export type InputStreams = Readonly<Record<string, PacketStream | readonly PacketStream[] | undefined>>

/** All that one node reads: its inputs, those that it may ask for, and what drives its params. */
export class NodeInputs {
  readonly scope: InputScope
  readonly #node: ResolvedNode
  readonly #frame: RunFrame
  readonly #queues: ReadonlyMap<string, PacketQueue>
  readonly #inputs = new Map<string, NodeInput>()
  /** Optional links whose writer was blocked. */
  readonly #absent = new Set<string>()
  readonly #asked = new Map<string, Promise<unknown>>()

  constructor(
    node: ResolvedNode, queues: ReadonlyMap<string, PacketQueue>, scope: InputScope, frame: RunFrame, names?: Map<string, number>,
  ) {
    this.scope = scope
    this.#node = node
    this.#queues = queues
    this.#frame = frame
    for (const [link, queue] of queues) this.#inputs.set(link, new NodeInput(queue, scope, namesCheck(node, link, names)))
  }

  /**
   * Waits until every input has something, so that nobody takes a turn only to wait (EX-57); less will do when the run would
   * stand still. Lazy inputs are not looked at.
   */
  async dispatchable(): Promise<void> {
    const eager = this.#linked().filter((input) => !this.#isLazy(input))
    let stuck = false
    const stop = this.#frame.onStuck(() => {
      stuck = true
      for (const { link } of eager) this.#queues.get(link)!.nudge()
    })
    try { for (const input of eager) await this.#unlessBlocked(input, this.#queues.get(input.link)!.ready(() => stuck)) } finally { stop() }
  }

  /** Params of one attempt; their edges go on with the node's first input. */
  drivenParams(params: ParamValues): DrivenParams {
    const edges = this.#linked().flatMap(({ link, control }) =>
      control === undefined || this.#absent.has(link) ? [] : [[link, this.#inputs.get(link)!] as const])
    const head = this.#linked().find((input) => input.control === undefined && !this.#isLazy(input) && !this.#absent.has(input.link))
    return new DrivenParams(this.#node, params, edges, head && this.#inputs.get(head.link))
  }

  /** What `process` gets. */
  streams(): InputStreams {
    return Object.fromEntries(Object.entries(this.#node.definition.inputs).map(([port, declared]) => {
      const streams = declared.lazy === true
        ? []
        : this.#linked().flatMap((input) => input.port === port && !this.#absent.has(input.link) ? [this.#stream(input)] : [])
      return [port, declared.multi === true && declared.lazy !== true ? streams : streams[0]]
    }))
  }

  /** Links that are there to be read whole, item by item, with the param or port that they belong to. */
  links(): readonly ResolvedInput[] { return this.#linked().filter((input) => !this.#isLazy(input) && !this.#absent.has(input.link)) }

  /** Everything of a link, joined, and its items: one, unless it is a list that the port does not take whole. */
  async items({ link, port }: ResolvedInput): Promise<{ readonly packet: Packet; readonly items: readonly unknown[] }> {
    const packet = await this.#inputs.get(link)!.whole()
    if (this.#node.definition.inputs[port]?.list === true) return { packet, items: [asList(packet).data] }
    return { packet, items: isList(packet) ? packet.data as readonly unknown[] : [packet.data] }
  }

  /** `ctx.need`: see there. */
  need(name: string): Promise<unknown> {
    let asked = this.#asked.get(name)
    if (asked === undefined) {
      this.#asked.set(name, asked = this.#need(name))
      // Whoever asked may have stopped listening.
      asked.catch(() => undefined)
    }
    return asked
  }

  /** `ctx.decline`: see there. */
  decline(name: string): void {
    const found = this.#lazyLinks(name, 'decline')
    // Of items each call has its own choice.
    if (this.#node.perItem === true) return
    // Asked again they are asked for anew.
    for (const { link, port } of found) { this.#asked.delete(link); this.#asked.delete(port) }
    this.#frame.decline(found.map(({ link }) => `${this.#node.id}.${link}`))
  }

  /** True when the node read to the end and nothing came: what it gives is empty too. */
  get empty(): boolean {
    const read = this.#linked().flatMap(({ link, control }) => control === undefined ? [this.#inputs.get(link)!] : [])
    return read.some(({ ended }) => ended) && read.every(({ got }) => got === 0)
  }

  rewind(): void {
    this.#asked.clear()
    for (const input of this.#inputs.values()) input.rewind()
  }

  forget(): void { for (const input of this.#inputs.values()) input.forget() }
  leave(): void { for (const input of this.#inputs.values()) input.leave() }

  async #need(name: string): Promise<unknown> {
    const found = this.#lazyLinks(name, 'need'), several = this.#declared(name)?.multi === true
    this.#frame.signal.throwIfAborted()
    const streams = await Promise.all(found.map((input) => this.#ask(input)))
    return several ? streams.filter((stream) => stream !== undefined) : streams[0]
  }

  /** Lazy links of a port, or one by its own name. Throws `INVALID_ARGUMENT`. */
  #lazyLinks(name: string, member: string): readonly ResolvedInput[] {
    const { id, definition, inputs } = this.#node
    const found = inputs.filter((input) => this.#isLazy(input) && (input.link === name || input.port === name))
    if (found.length > 0 || this.#declared(name)?.lazy === true) return found
    const names = Object.entries(definition.inputs).flatMap(([other, { lazy }]) => lazy === true ? [other] : [])
    throw commonErrors.INVALID_ARGUMENT({
      function: `Node ${id} ctx.${member}`,
      expected: `one of its lazy inputs${names.length > 0 ? ` ${names.join(', ')}` : ': it has none'}`,
      got: String(name),
    })
  }

  #declared(name: string): InputDeclaration | undefined {
    const { inputs } = this.#node.definition
    return Object.hasOwn(inputs, name) ? inputs[name] : undefined
  }

  async #ask(input: ResolvedInput): Promise<PacketStream | undefined> {
    if (input.from === null) return undefined
    this.#frame.ask(`${this.#node.id}.${input.link}`)
    await this.#unlessBlocked(input, this.#inputs.get(input.link)!.ready())
    if (this.#absent.has(input.link)) return undefined
    // Every call of a node that is called item by item reads it again.
    return this.#node.perItem === true ? new OnePacket(await this.#stream(input).whole()) : this.#stream(input)
  }

  /** An optional input whose writer was blocked is absent. */
  async #unlessBlocked({ link, port }: ResolvedInput, waiting: Promise<void>): Promise<void> {
    try { await waiting } catch (error) {
      if (error !== BLOCKED || linkableInput(this.#node.definition, port)?.optional !== true) throw error
      this.#absent.add(link)
      this.#queues.get(link)!.leave()
    }
  }

  #stream({ link, port }: ResolvedInput): PacketStream {
    const input = this.#inputs.get(link)!
    if (this.#node.definition.inputs[port]!.list === true) return new WholeList(input, asList)
    return this.#besideLists(link, port) ? new WholeList(input, (packet) => listOfOne(packet, input.parts), true) : input
  }

  /** Of lazy inputs that one output may give on, one list makes all of them lists: what comes out does not depend on the choice. */
  #besideLists(link: string, port: string): boolean {
    const { lists, definition: { inputs }, inputs: links } = this.#node, { lazy, media } = inputs[port]!
    if (lists === undefined || lazy !== true || lists.has(link)) return false
    return links.some((other) => {
      const { lazy: too, media: its } = inputs[other.port] ?? {}
      return too === true && lists.has(other.link)
        && (other.port === port || (media.kind === 'match' && its?.kind === 'match' && media.name === its.name))
    })
  }

  #linked(): readonly ResolvedInput[] { return this.#node.inputs.filter(({ link }) => this.#inputs.has(link)) }
  #isLazy({ port, control }: ResolvedInput): boolean { return control === undefined && this.#node.definition.inputs[port]?.lazy === true }
}

/** True for a packet that is a list. */
export function isList({ metadata }: Packet): boolean { return metadata[LIST_MARK] === true }

/** A list as a node gets it that takes it whole; one value is a list of one. */
function asList(packet: Packet): Packet {
  const { [LIST_MARK]: list, [BLOCKED_MARK]: _places, ...metadata } = packet.metadata
  return list === true ? { ...openList(packet), metadata } : { ...packet, data: [packet.data], metadata }
}

/** A value as a list of it; of a stream without a packet there is none. */
function listOfOne(packet: Packet, came: number): Packet {
  const data = came === 0 ? [] : [packet.data]
  return { ...packet, data, position: 0, duration: data.length, metadata: { [LIST_MARK]: true } }
}

/** An input of which everything is one packet, a list. */
class WholeList implements PacketStream {
  readonly #input: NodeInput
  readonly #list: (packet: Packet) => Packet
  readonly #once: boolean
  /** `once`: read again after its end, it has nothing more to give, no list either. */
  constructor(
    input: NodeInput, list: (packet: Packet) => Packet, once = false,
  ) { this.#input = input; this.#list = list; this.#once = once }
  get media(): PacketStream['media'] { return this.#input.media }
  async whole(): Promise<Packet> { return this.#list(await this.#input.whole()) }
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> {
    const over = this.#once && this.#input.ended
    try {
      const list = await this.whole()
      if (!over || this.#input.parts > 0) yield list
    } finally { await this.#input.quit() }
  }
}

/** A stream of one packet, which may be read again; the input that it came from holds it. */
export class OnePacket implements PacketStream {
  readonly #packet: Packet
  constructor(packet: Packet) { this.#packet = packet }
  get media(): PacketStream['media'] { return this.#packet.media }
  whole(): Promise<Packet> { return Promise.resolve(this.#packet) }
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> { yield await this.whole() }
}

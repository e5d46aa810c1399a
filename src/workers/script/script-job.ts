import { decodeError } from '../../errors/codec.js'
import { isMillraceError, MillraceError } from '../../errors/millrace-error.js'
import type { Document } from '../../graph/document/document.js'
import type { PacketRecord } from '../../graph/node-definition.js'
import type { Arena } from '../../memory/arena.js'
import { ArenaAudio } from '../../memory/audio-buffer.js'
import type { CopyLedger } from '../../memory/copies.js'
import type { Holder } from '../../memory/leases.js'
import type { AudioBuffer } from '../../media/audio-buffer.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import type { ScriptCall } from '../../schedule/batch/script-host.js'
import { ownFault, wrapNodeFailure } from '../../schedule/node-failure.js'
import { releasePacket, releaseRecord } from '../../schedule/packet-data.js'
import { unpackPacket } from '../wire-packet.js'
import { placed, unplaced } from './placed.js'
import type { AudioPlace, DrivenValues, GivenAudio, ScriptAsk, ScriptLink, ScriptPacket, ScriptReply, ScriptRequest } from './protocol.js'
import type { ScriptThread } from './script-thread.js'

type Said<K extends ScriptReply['kind']> = Extract<ScriptReply, { readonly kind: K }>

/** The engine's side of one delivery: gives what the code asks for, holds what it reads, takes what it gives out. */
export class ScriptJob {
  readonly call: ScriptCall
  readonly #number: number
  readonly #thread: ScriptThread
  readonly #arena: Arena
  readonly #held = new Map<number, ArenaAudio>()
  readonly #streams = new Map<string, AsyncIterator<Packet>>()
  readonly #sources = new Map<string, PacketStream>()
  readonly #errors = new Map<number, unknown>()
  #refs = 0
  #answer: ((reply: Said<'record'> | Said<'ended'>) => void) | undefined
  #ended: Said<'ended'> | undefined
  #last = false
  #closed = false

  constructor(number: number, call: ScriptCall, thread: ScriptThread, arena: Arena) {
    this.#number = number
    this.call = call
    this.#thread = thread
    this.#arena = arena
  }

  /** True once the code has given its one record. */
  get last(): boolean { return this.#last }

  /** True once the code has come to its end and its instance was given back. */
  get over(): boolean { return this.#ended !== undefined }

  /** Sends the node to its thread. Throws `DataCloneError` for params that cannot be sent. */
  open(code: number): void {
    const { params, inputs, ctx: { node, attempt, delivery }, random } = this.call
    this.#post({
      kind: 'open', job: this.#number, code, params, node: { id: node.id, type: node.type, runId: node.runId }, attempt, delivery, random,
      inputs: Object.entries(inputs).flatMap(([port, source]) => source === undefined ? [] : [[port, this.#link(port, source)] as const]),
    })
  }

  /** Names for streams, by which the code reads them. */
  #link(port: string, source: PacketStream | readonly PacketStream[]): ScriptLink | readonly ScriptLink[] {
    if (Array.isArray(source)) return source.map((one: PacketStream, n) => this.#link(`${port}.${n}`, one) as ScriptLink)
    this.#sources.set(port, source as PacketStream)
    return { link: port, media: (source as PacketStream).media }
  }

  /** Current values of the params that edges drive. */
  #driven(): { readonly driven?: DrivenValues } {
    const { driven, params } = this.call
    return driven === undefined || driven.length === 0 ? {} : { driven: Object.fromEntries(driven.map((name) => [name, params[name]])) }
  }

  /** The next record; undefined at the end. Throws what the code threw, or `WORKER_LOST`. */
  async next(): Promise<PacketRecord | undefined> {
    const reply = this.#ended ?? (this.#last
      // Its instance ends with its thread at the latest.
      ? await this.#wait(() => undefined).catch(() => undefined)
      : await this.#wait(() => { this.#post({ kind: 'next', job: this.#number, ...this.#driven() }) }))
    if (reply?.kind === 'record') return this.#unpack(reply)
    if (reply?.error === undefined) return undefined
    // What is no error is told as it is, as by a node on the engine's thread.
    if (reply.error.type === 'value') throw reply.error.value
    const { signal, node } = this.call.ctx, error = decodeError(reply.error)
    const asked = reply.asked !== undefined && this.#errors.has(reply.asked)
    if (!asked && !(signal.aborted && (ownFault(error) as Error | undefined)?.name === 'AbortError')) throw error
    // The engine's own error, in place of what the thread was told of it; with the call (flush, init) that passed it on.
    const own: unknown = asked ? this.#errors.get(reply.asked) : signal.reason
    const operation = isMillraceError(error) ? error.operation : undefined
    throw operation === undefined ? own : wrapNodeFailure(own, { node: node.id, type: node.type, operation })
  }

  /** Tells the code to stop. */
  abort(): void {
    const reason: unknown = this.call.ctx.signal.reason
    this.#post({
      kind: 'abort', job: this.#number,
      reason: reason instanceof Error ? reason.message : String(reason),
      code: reason instanceof MillraceError ? reason.code : 'CANCELLED',
    })
  }

  /** Ends the code early and waits until it has. */
  async leave(): Promise<void> {
    if (this.#ended === undefined) await this.#wait(() => { this.#post({ kind: 'leave', job: this.#number }) }, 'ended')
  }

  /** Gives back all that the code held. After the thread is gone, or the code has ended. */
  close(): void {
    this.#closed = true
    for (const audio of this.#held.values()) audio.close()
    this.#held.clear()
  }

  receive(reply: Exclude<ScriptReply, { readonly kind: 'ready' | 'loaded' | 'beat' | 'drained' }>): void {
    const { ctx } = this.call
    switch (reply.kind) {
      case 'record':
        this.#last = reply.last === true
        this.#answer?.(reply)
        return
      case 'ended': this.#ended = reply; this.#answer?.(reply); return
      case 'ask': this.#decline(reply.declined); void this.#give(reply); return
      case 'quit': void this.#iterator(reply.link).return?.(); return
      case 'decline': this.#decline(reply.ports); return
      case 'release': for (const ref of reply.refs) { this.#held.get(ref)?.close(); this.#held.delete(ref) } return
      case 'progress': ctx.progress(reply.done, reply.total); return
      case 'log': ctx.log(reply.level, reply.text, reply.details); return
      case 'warn': ctx.warn(reply.diagnostic); return
      case 'preview': ctx.preview({ media: reply.media, data: reply.data }); return
      default: reply satisfies never
    }
  }

  #wait(ask: () => void, until?: 'ended'): Promise<Said<'record'> | Said<'ended'>> {
    return this.#thread.pending.call(() => new Promise((resolve) => {
      this.#answer = (reply) => {
        if (until !== undefined && reply.kind !== until) { releaseRecord(this.#unpack(reply as Said<'record'>)); return }
        this.#answer = undefined
        resolve(reply)
      }
      ask()
    }))
  }

  async #give({ ask, want }: Said<'ask'>): Promise<void> {
    const answer: Extract<ScriptRequest, { kind: 'answer' }> = { kind: 'answer', job: this.#number, ask }
    try {
      const { ctx } = this.call, transfer: ArrayBuffer[] = []
      let more: Pick<typeof answer, 'packet' | 'audio' | 'links' | 'packets' | 'document'> = {}
      if ('audio' in want) more = { audio: this.#lend(await ctx.allocAudio(want.audio) as ArenaAudio, true) }
      else if ('bytes' in want) {
        // A thread with memory of its own takes it there; here it is only held, so that all of a run's memory keeps within the arena.
        const block = this.#arena.claim(want.dtype === undefined ? want.bytes : { dtype: want.dtype, shape: [want.bytes] }, {
          zero: this.#thread.shared, ...this.#holder,
        })
        more = {
          audio: this.#lend(
            new ArenaAudio(this.#arena, block, {
              rate: 1, channels: 1, frames: block.bytes, format: 'u8', layout: 'planar', speakers: 'mono', position: 0,
            }),
            true,
          ),
        }
      } else if ('need' in want) {
        const found = await ctx.need<PacketStream | readonly PacketStream[] | undefined>(want.need)
        if (found !== undefined) more = { links: this.#link(want.need, found) }
      } else if ('document' in want) more = { document: await ctx.node.document?.() }
      else if ('op' in want || 'graph' in want) {
        const packets = 'op' in want ? await this.#callOp(want) : await ctx.expand(want.graph as Document)
        more = { packets: Object.fromEntries(Object.entries(packets).map(([port, packet]) => [port, this.#pack(packet, transfer)])) }
        for (const packet of Object.values(packets)) releasePacket(packet)
      } else {
        const packet = 'take' in want
          ? (await this.#iterator(want.take).next()).value as Packet | undefined
          : await this.#sources.get(want.whole)!.whole()
        if (packet !== undefined) more = { packet: this.#pack(packet, transfer) }
      }
      this.#post({ ...answer, ...more, ...this.#driven() }, transfer)
    } catch (error) {
      this.#errors.set(ask, error)
      this.#post({
        ...answer,
        error: error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) },
      })
    }
  }

  #decline(ports: readonly string[]): void {
    const { ctx } = this.call
    for (const port of ports) try { ctx.decline(port) } catch (error) { ctx.log('error', String(error)) }
  }

  async #callOp({ op, inputs, params }: Extract<ScriptAsk, { readonly op: string }>): Promise<PacketRecord> {
    const given = inputs.map(([port, packet, value]) => [port, packet === undefined ? value : this.#open(packet, port)] as const)
    try { return await this.call.ctx.callOp(op, Object.fromEntries(given), params) } finally {
      for (const [n, [, packet]] of given.entries()) if (inputs[n]![1] !== undefined) releasePacket(packet as Packet)
    }
  }

  #iterator(link: string): AsyncIterator<Packet> {
    let iterator = this.#streams.get(link)
    if (iterator === undefined) this.#streams.set(link, iterator = this.#sources.get(link)![Symbol.asyncIterator]())
    return iterator
  }

  /** A packet for the code: audio by handle, held here until it lets go, or copied out once and moved. */
  #pack(packet: Packet, transfer: ArrayBuffer[]): ScriptPacket<AudioPlace> {
    const { media, data, position, duration, streamId, seq, arrivalUs, metadata } = packet
    const base = { media, position, duration, streamId, seq, arrivalUs, metadata }
    const place = (audio: ArenaAudio): AudioPlace => {
      if (this.#thread.shared) return this.#lend(audio.clone(), audio.block.references === 2)
      const bytes = audio.toArray({ edge: `${this.call.ctx.node.id}.in`, reason: 'thread', ledger: this.#ledger }).buffer as ArrayBuffer
      transfer.push(bytes)
      return { shape: shapeOf(audio), bytes }
    }
    return { ...base, ...placed(data, place) }
  }

  /** Holds audio for the code. */
  #lend(audio: ArenaAudio, sole: boolean): AudioPlace {
    const ref = ++this.#refs, { handle } = audio
    const place = {
      shape: shapeOf(audio), ref, handle,
      offset: audio.address - this.#arena.addressOf(this.#arena.check(handle)),
      strideBytes: audio.strideBytes, sole,
    }
    // What it waited for may come when its thread is gone.
    if (this.#closed) audio.close(); else this.#held.set(ref, audio)
    return place
  }

  #unpack({ record, copied }: Said<'record'>): PacketRecord {
    if (copied > 0) this.#ledger.add(`${this.call.ctx.node.id}.out`, copied, 'thread')
    return Object.fromEntries(Object.entries(record).map(([port, packet]) => [port, this.#open(packet, port)]))
  }

  #open(packet: ScriptPacket<GivenAudio>, port: string): Packet {
    if (typeof packet !== 'object' || packet === null || Array.isArray(packet)) return packet as never
    const { audio: _audio, list: _list, ...rest } = packet
    return { ...rest, data: unplaced(packet, (audio) => this.#audio(audio, port)) }
  }

  /** Audio that the code gave, as a lease of this memory. */
  #audio(audio: GivenAudio, port: string): unknown {
    if ('ref' in audio) {
      const held = this.#held.get(audio.ref)!, whole = audio.skip === 0 && audio.frames === held.frames && audio.position === held.position
      return whole ? held.clone() : held.slice(audio.skip, audio.skip + audio.frames)
    }
    const { shape, bytes } = audio
    const media = { kind: 'audio', rate: shape.rate, channels: shape.channels, format: shape.format, layout: shape.layout } as const
    const { data } = unpackPacket(this.#arena, [{
      media, data: null, position: shape.position, duration: shape.frames, metadata: {}, audio: { bytes, frames: shape.frames },
    }], `${this.call.ctx.node.id}.${port}`, { ledger: this.#ledger, ...this.#holder })
    return data
  }

  get #ledger(): CopyLedger { return this.call.memory?.copies ?? this.#arena.copies }
  get #holder(): { readonly holder?: Holder } {
    const { memory, ctx } = this.call
    return memory === undefined ? {} : { holder: memory.holder(ctx.node.id) }
  }
  #post(request: ScriptRequest, transfer: ArrayBuffer[] = []): void { this.#thread.post(request, transfer) }
}

function shapeOf(audio: AudioBuffer): AudioPlace['shape'] {
  const { rate, channels, frames, format, layout, speakers, position } = audio
  return { rate, channels, frames, format, layout, speakers, position }
}

import { commonErrors } from '../../errors/common-errors.js'
import { encodeError, type EncodedError } from '../../errors/codec.js'
import { show } from '../../errors/show.js'
import type { Document } from '../../graph/document/document.js'
import type { NodeContext, NodeDefinition, PacketRecord, ParamValues } from '../../graph/node-definition.js'
import { blocker } from '../../media/blocker.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { ArenaAudio } from '../../memory/audio-buffer.js'
import { RECORD_KIND, RECORD_THREAD, WINDOW } from '../../memory/layout.js'
import { logIn, threadNotes, type Note } from '../../memory/recorder.js'
import { isShared } from '../../memory/views.js'
import { SAMPLE_BYTES } from '../../media/convert-samples.js'
import { DTYPE_BYTES } from '../../media/dtype.js'
import { scheduleErrors } from '../../schedule/errors.js'
import { asRecord } from '../../schedule/batch/check-packet.js'
import { callCode } from '../../schedule/batch/node-code.js'
import { expandable, nodeRandom } from '../../schedule/batch/node-context.js'
import { ownFault } from '../../schedule/node-failure.js'
import { NodeInstances, type InstanceLease } from '../../schedule/node-instances.js'
import { audioPacket, isPacket, sharePacket } from '../../schedule/packet-data.js'
import { noteScript } from './note-script.js'
import { placed, unplaced } from './placed.js'
import type {
  AudioPlace, DrivenValues, GivenAudio, ScriptAsk, ScriptBoot, ScriptLink, ScriptPacket, ScriptReply, ScriptRequest,
} from './protocol.js'
import { ScriptAudio } from './script-audio.js'
import { ScriptStream } from './script-stream.js'
import { requireSame } from './web-code.js'

/** What a thread's host gives; tests give their own (MW-78). */
export interface ScriptEnvironment {
  readonly importModule: (url: string) => Promise<Readonly<Record<string, unknown>>>
  /** URL of a module with that text, and how to let go of it. */
  readonly moduleOf: (text: string) => { readonly url: string; readonly revoke: () => void }
  readonly epochMs: () => number
  readonly every: (ms: number, call: () => void) => () => void
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A sign of life comes at least this often while a job's code waits, ms (MW-45). */
const BEAT_MS = 250
/** `ctx.beat()` says no more than this, ms. */
const LEAST_BEAT_MS = 50

/** A node's functions as its module gives them. */
type Code = Pick<NodeDefinition, 'process' | 'pull' | 'init' | 'flush' | 'reset' | 'dispose'>
/** Names that hosts have in some scopes: never a node's to use. */
const NOT_GLOBAL = new Set(['require', 'module', 'exports', '__filename', '__dirname'])

/** Runs nodes' code on this thread for an engine. It never blocks: it waits for messages only. */
export class ScriptServer {
  readonly env: ScriptEnvironment
  readonly instances = new NodeInstances()
  readonly memory: ArrayBufferLike | undefined
  readonly #port: MessagePort
  readonly #originMs: number
  readonly #note: Note | undefined
  readonly #codes = new Map<number, NodeDefinition>()
  readonly #jobs = new Map<number, ScriptRun>()
  #stopBeat: (() => void) | undefined
  #beaten = 0

  constructor({ port, memory, clockOriginMs, log, ordinal }: ScriptBoot, env: ScriptEnvironment) {
    this.env = env
    this.#port = port
    this.#originMs = clockOriginMs
    const shared = memory !== undefined && isShared(memory.buffer)
    this.memory = shared ? memory.buffer : undefined
    const flights = shared ? { u32: new Uint32Array(memory.buffer), base: WINDOW.ARENA } : log && logIn(log)
    this.#note = flights && threadNotes(flights, () => this.nowUs(), RECORD_THREAD.SCRIPT, ordinal)
    this.#note?.(RECORD_KIND.BOOT, -1, ordinal)
    port.onmessage = ({ data }: MessageEvent<ScriptRequest>) => { this.#receive(data) }
    this.#note?.(RECORD_KIND.END_BOOT, -1, ordinal)
    this.say({ kind: 'ready', shared })
  }

  say(reply: ScriptReply, transfer: ArrayBuffer[] = []): void {
    if (this.#note !== undefined) noteScript(this.#note, reply)
    this.#port.postMessage(reply, transfer)
  }
  nowUs(): number { return Math.round((this.env.epochMs() - this.#originMs) * 1000) }

  beat(): void {
    const now = this.env.epochMs()
    if (now - this.#beaten < LEAST_BEAT_MS) return
    this.#beaten = now
    this.say({ kind: 'beat' })
  }

  ended(job: number): void {
    this.#jobs.delete(job)
    if (this.#jobs.size > 0) return
    this.#stopBeat?.()
    this.#stopBeat = undefined
  }

  #receive(request: ScriptRequest): void {
    if (this.#note !== undefined) noteScript(this.#note, request)
    switch (request.kind) {
      case 'load': void this.#load(request); return
      case 'drain': void this.instances.close().catch(() => undefined).then(() => { this.say({ kind: 'drained' }) }); return
      case 'open':
        this.#stopBeat ??= this.env.every(BEAT_MS, () => { this.say({ kind: 'beat' }) })
        this.#jobs.set(request.job, new ScriptRun(this, request, this.#codes.get(request.code)!))
        return
      default: this.#jobs.get(request.job)?.receive(request)
    }
  }

  async #load({ code, type, source }: Extract<ScriptRequest, { kind: 'load' }>): Promise<void> {
    try {
      const missing = 'names' in source ? source.names.filter((name) => NOT_GLOBAL.has(name) || !(name in globalThis)) : []
      if (missing.length > 0) { this.say({ kind: 'loaded', code, missing }); return }
      const made = 'text' in source ? this.env.moduleOf(source.text) : { url: source.url, revoke: () => undefined }
      const exported = await this.env.importModule(made.url).finally(made.revoke) as Code & { readonly default?: Code }
      if ('url' in source && source.bytes) await requireSame(source.url, source.bytes)
      const { process, pull, init, flush, reset, dispose } = exported.process === undefined && exported.pull === undefined
        ? exported.default ?? exported
        : exported
      if (typeof process !== 'function' && typeof pull !== 'function') throw new TypeError('the code gives neither process nor pull')
      this.#codes.set(code, { type, process, pull, init, flush, reset, dispose } as NodeDefinition)
      this.say({ kind: 'loaded', code })
    } catch (error) { this.say({ kind: 'loaded', code, error: encodeError(error) }) }
  }
}

type Opened = Extract<ScriptRequest, { kind: 'open' }>

/** `undefined` is thrown as such: JSON has no word for it. */
function encoded(error: unknown): EncodedError { return { ...encodeError(error), ...(error === undefined && { value: undefined }) } }

/** One delivery of a node on this thread. */
class ScriptRun {
  readonly #server: ScriptServer
  readonly #open: Opened
  readonly #code: NodeDefinition
  readonly #abort = new AbortController()
  readonly #asks = new Map<number, {
    readonly resolve: (answer: Extract<ScriptRequest, { kind: 'answer' }>) => void
    readonly reject: (error: unknown) => void
  }>()
  readonly #audio: ScriptAudio
  readonly #released: number[] = []
  /** Of what giving audio out has copied, what the engine knows. */
  #counted = 0
  readonly #needs = new Map<string, Promise<unknown>>()
  /** Lazy inputs that the engine does not know of yet. */
  readonly #declined: string[] = []
  #asked = 0
  #iterator: AsyncIterator<PacketRecord> | undefined
  #lease: InstanceLease | undefined
  #over = false
  /** The code gives one record. */
  #single = false
  #last: Promise<void> = Promise.resolve()
  /** The engine's own errors that the code was told of: numbers of the asks. */
  readonly #told = new WeakMap<object, number>()

  constructor(server: ScriptServer, open: Opened, code: NodeDefinition) {
    this.#server = server
    this.#open = open
    this.#code = code
    this.#audio = new ScriptAudio(server.memory, (ref) => { this.#give(ref) })
  }

  receive(request: Exclude<ScriptRequest, { kind: 'load' | 'drain' | 'open' }>): void {
    switch (request.kind) {
      case 'next': this.#driven(request.driven); this.#then(() => this.#next()); return
      case 'leave': this.#then(() => this.#end(true)); return
      case 'abort': this.#abort.abort(Object.assign(new Error(request.reason), { name: 'AbortError', code: request.code })); return
      case 'answer': this.#answer(request)
    }
  }

  #then(work: () => Promise<void>): void { this.#last = this.#last.then(work).catch((error: unknown) => this.#end(true, { error })) }

  async #next(): Promise<void> {
    if (this.#over) return
    this.#iterator ??= await this.#start()
    const { done, value } = await this.#iterator.next()
    if (done === true) { await this.#end(false); return }
    const transfer: ArrayBuffer[] = []
    const record = Object.fromEntries(Object.entries(asRecord(value, this.#open.node.id))
      .map(([port, packet]) => [port, this.#pack(packet, transfer)]))
    // What the engine held for it is where it goes.
    if (this.#server.memory === undefined) this.#release()
    try {
      this.#server.say({
        kind: 'record', job: this.#open.job, record, copied: this.#audio.copied - this.#counted, ...(this.#single && { last: true }),
      }, transfer)
    } catch (error) { throw unsendable(record, this.#open.node, error) }
    this.#counted = this.#audio.copied
    if (this.#single) await this.#end(false)
  }

  async #start(): Promise<AsyncIterator<PacketRecord>> {
    const { params, node } = this.#open, ctx = this.#context(undefined)
    this.#lease = await this.#server.instances.take(this.#code, params as ParamValues, node.id, ctx)
    const own = this.#context(this.#lease.instance)
    const result: unknown =
      callCode(this.#code, Object.fromEntries(this.#open.inputs.map(([port, links]) => [port, this.#streams(links)])), params, own)
    if (Symbol.asyncIterator in asRecord(result, node.id)) return (result as AsyncIterable<PacketRecord>)[Symbol.asyncIterator]()
    this.#single = true
    return { next: async () => ({ done: false, value: await (result as Promise<PacketRecord>) }) }
  }

  /** Ends once: the code's own end first (`finally` of a generator), then its instance, then the word to the engine. */
  async #end(early: boolean, fault?: { readonly error: unknown }): Promise<void> {
    if (this.#over) return
    this.#over = true
    if (early) await Promise.resolve(this.#iterator?.return?.()).catch((error: unknown) => { fault ??= { error } })
    await this.#lease?.release(!early && !this.#abort.signal.aborted).catch((error: unknown) => { fault ??= { error } })
    this.#server.ended(this.#open.job)
    const asked = fault && this.#told.get(ownFault(fault.error) as object)
    this.#server.say({
      kind: 'ended', job: this.#open.job, ...(fault && { error: encoded(fault.error) }), ...(asked !== undefined && { asked }),
    })
  }

  #pack(packet: Packet, transfer: ArrayBuffer[]): ScriptPacket<GivenAudio> {
    if (typeof packet !== 'object' || packet === null || Array.isArray(packet)) return packet
    const { audio: _audio, list: _list, ...rest } = packet as ScriptPacket<GivenAudio>
    return { ...rest, ...placed(packet.data, (audio) => this.#audio.give(audio, transfer)) }
  }

  #unpack(packet: ScriptPacket<AudioPlace>): Packet {
    const { audio: _audio, list: _list, ...rest } = packet
    return { ...rest, data: unplaced(packet, (place) => this.#audio.open(place)) }
  }

  /** What the engine runs for the node; its packets are the node's. */
  async #run(want: ScriptAsk, transfer?: ArrayBuffer[]): Promise<PacketRecord> {
    const { packets = {} } = await this.#ask(want, transfer)
    return Object.fromEntries(Object.entries(packets).map(([port, packet]) => [port, this.#unpack(packet)]))
  }

  #callOp(op: string, inputs: Readonly<Record<string, unknown>>, params: ParamValues): Promise<PacketRecord> {
    const transfer: ArrayBuffer[] = []
    return this.#run({ op, params, inputs: Object.entries(inputs).map(([port, given]) => {
      const packet = given instanceof ArenaAudio ? audioPacket(given) : given
      // The node keeps what it gives: references cross.
      return isPacket(packet) ? [port, this.#pack(sharePacket(packet), transfer), undefined] : [port, undefined, packet]
    }) }, transfer)
  }

  #ask(want: ScriptAsk, transfer: ArrayBuffer[] = []): Promise<Extract<ScriptRequest, { kind: 'answer' }>> {
    if (this.#over) return Promise.reject(this.#abort.signal.reason ?? new Error('the node has ended'))
    const ask = ++this.#asked
    // What was let go of may be what there is room in.
    this.#release()
    this.#server.say({ kind: 'ask', job: this.#open.job, ask, want, declined: this.#declined.splice(0) }, transfer)
    return new Promise((resolve, reject) => { this.#asks.set(ask, { resolve, reject }) })
  }

  #answer(answer: Extract<ScriptRequest, { kind: 'answer' }>): void {
    const waiting = this.#asks.get(answer.ask)
    this.#asks.delete(answer.ask)
    this.#driven(answer.driven)
    if (answer.error === undefined) { waiting?.resolve(answer); return }
    const error = Object.assign(new Error(answer.error.message), { name: answer.error.name })
    this.#told.set(error, answer.ask)
    waiting?.reject(error)
  }

  /** Batches what is let go of in one turn. */
  #give(ref: number): void {
    if (ref < 0 || this.#over) return
    if (this.#released.push(ref) > 1) return
    queueMicrotask(() => { this.#release() })
  }

  #release(): void {
    if (this.#released.length > 0) this.#server.say({ kind: 'release', job: this.#open.job, refs: this.#released.splice(0) })
  }

  /** Params that edges drive have other values now. */
  #driven(values: DrivenValues | undefined): void { if (values !== undefined) Object.assign(this.#open.params, values) }

  #streams(links: ScriptLink | readonly ScriptLink[]): PacketStream | readonly PacketStream[] {
    const stream = ({ link, media }: ScriptLink): PacketStream => new ScriptStream(media, async (whole) => {
      const { packet } = await this.#ask(whole ? { whole: link } : { take: link })
      return packet && this.#unpack(packet)
    }, () => { this.#server.say({ kind: 'quit', job: this.#open.job, link }) })
    return 'link' in links ? stream(links) : links.map(stream)
  }

  #need(port: string): Promise<unknown> {
    let asked = this.#needs.get(port)
    if (asked === undefined) {
      this.#needs.set(port, asked = this.#ask({ need: port }).then(({ links }) => links && this.#streams(links)))
      asked.catch(() => undefined)
    }
    return asked
  }

  #context(instance: unknown): NodeContext {
    const { job, node, attempt, delivery, random } = this.#open
    const { signal } = this.#abort, server = this.#server, local = server.memory === undefined
    const document = async (): Promise<Document> => (await this.#ask({ document: true })).document as Document
    return {
      // Not among what a clone of `node` takes along.
      signal, node: Object.defineProperty({ ...node }, 'document', { value: document }), attempt, delivery, instance,
      rng: nodeRandom(random),
      progress: (done, total) => { server.say({ kind: 'progress', job, done, total }) },
      log: (level, text, details) => { server.say({ kind: 'log', job, level, text, details }) },
      warn: (diagnostic) => { server.say({ kind: 'warn', job, diagnostic }) },
      nowUs: () => server.nowUs(),
      clock: { nowUs: () => server.nowUs(), nowMs: () => Math.floor(server.env.epochMs()), sleep: (ms) => server.env.sleep(ms, signal) },
      beat: () => { server.beat() },
      need: <T>(port: string) => this.#need(port) as Promise<T>,
      decline: (port) => {
        for (const name of this.#needs.keys()) {
          if (name === port || name.startsWith(`${port}.`) || port.startsWith(`${name}.`)) this.#needs.delete(name)
        }
        if (this.#declined.push(port) > 1) return
        queueMicrotask(() => { if (this.#declined.length > 0) server.say({ kind: 'decline', job, ports: this.#declined.splice(0) }) })
      },
      blocker,
      preview: ({ media, data }) => { server.say({ kind: 'preview', job, media, data }) },
      callOp: (type, inputs = {}, params = {}) => this.#callOp(type, inputs, params),
      expand: async (graph) =>
        'millrace' in expandable(graph, node.id) ? this.#run({ graph }) : Promise.reject(onEngine('ctx.expand with a graph')),
      allocAudio: async (spec) => {
        signal.throwIfAborted()
        const given = (await this.#ask({ audio: { ...spec } })).audio!, { shape } = given
        return this.#audio.open(
          local ? { shape, bytes: new ArrayBuffer(shape.frames * shape.channels * SAMPLE_BYTES[shape.format]) } : given,
          'ref' in given ? given.ref : undefined,
        )
      },
      alloc: async (count, dtype) => {
        signal.throwIfAborted()
        // The engine says what may be had, wherever it lies.
        const given = (await this.#ask({ bytes: count, dtype })).audio!, bytes = count * (dtype === undefined ? 1 : DTYPE_BYTES[dtype])
        const place: AudioPlace = local ? { shape: BYTES_SHAPE(bytes), bytes: new ArrayBuffer(bytes) } : given
        const held = this.#audio.open(place, 'ref' in given ? given.ref : undefined)
        const buffer = 'bytes' in place ? place.bytes : server.memory!
        return { bytes, view: (type) => new type(buffer, held.address, bytes / type.BYTES_PER_ELEMENT), release: () => { held.close() } }
      },
    }
  }
}

/** Raw bytes as one channel of u8. */
export const BYTES_SHAPE = (bytes: number): AudioPlace['shape'] => ({
  rate: 1, channels: 1, frames: bytes, format: 'u8', layout: 'planar', speakers: 'mono', position: 0,
})

/** Which field of which packet cannot be cloned. */
function unsendable(record: Readonly<Record<string, object>>, { id, type }: Opened['node'], cause: unknown): unknown {
  for (const [port, packet] of Object.entries(record)) {
    for (const [field, value] of Object.entries({ ...packet, audio: null, list: null })) {
      try {
        structuredClone(value)
      } catch {
        return scheduleErrors.OUTPUT_INVALID({
          port: `${id}.${port}`, field, expected: 'what can be sent to another thread', got: show(value),
        }, { cause, nodeId: id, nodeType: type, port })
      }
    }
  }
  return cause
}

/** What cannot cross. */
function onEngine(feature: string): Error {
  return commonErrors.UNSUPPORTED({
    feature, runtime: 'a thread of its own',
    alternative: 'Give a document (toDocument): functions do not cross.',
  })
}

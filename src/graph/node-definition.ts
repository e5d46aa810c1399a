import type { Diagnostic } from '../errors/diagnostic.js'
import type { AudioBuffer } from '../media/audio-buffer.js'
import type { Dtype } from '../media/dtype.js'
import type { Media, MediaConstraint } from '../media/media-type.js'
import type { Packet, PacketStream } from '../media/packet.js'
import type { Document } from './document/document.js'
import type { Graph } from './graph.js'
import type { Outputs } from './graph-from.js'
import type { Reference } from './reference.js'

/** Param types of spec graph.md section 3. */
export type ParamType = 'number' | 'integer' | 'boolean' | 'string' | 'enum' | 'seed' | 'vector' | 'color' | 'file' | 'json' | 'array'
  | 'object'
/** How a param may change: every frame, every block, or by re-creating the node's state. */
export type ParamRate = 'sample' | 'block' | 'init'

/** Declaration of one param: type, unit, range, default, presentation. */
export interface ParamDeclaration {
  readonly type: ParamType
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  readonly exclusiveMin?: number
  readonly exclusiveMax?: number
  readonly step?: number
  readonly default?: unknown
  readonly values?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: ParamDeclaration
  readonly required?: boolean
  readonly curve?: 'lin' | 'log' | 'exp' | 'db'
  readonly label?: string
  readonly doc: string
  readonly widget?: string
  /** Not hashed. */
  readonly cosmetic?: boolean
  readonly secret?: boolean
  /** The value says how much of a host the node wants (threads, bytes of a model): an indicator for its place, after `requires` (GR-47). */
  readonly size?: 'cores' | 'memoryBytes'
  readonly alias?: readonly string[]
  readonly rate?: ParamRate
  /** May be driven by an edge. */
  readonly input?: boolean
  /** May be given alone in place of the params object: `wavFile('talk.wav')`. */
  readonly main?: boolean
}
/** Params of a node by name, in order of declaration. */
export type ParamTable = Readonly<Record<string, ParamDeclaration>>

/** Declaration of an input port; order of declaration = slot index. */
export interface InputDeclaration {
  readonly media: MediaConstraint
  readonly optional?: boolean
  readonly multi?: boolean
  /** What only such inputs want is computed when `ctx.need` asks for it (GR-29). Not for kernels. */
  readonly lazy?: boolean
  /**
   * Takes a list whole, as one packet whose `data` is an array of items; else the node is called once
   * per item and gives lists. Not for kernels.
   */
  readonly list?: boolean
  /** Takes packets whose media differ from the first one's, and looks at each; else such a packet is `MEDIA_CHANGED`. Not for kernels. */
  readonly changes?: boolean
  readonly doc?: string
}

/** Values of params as a node's functions see them: defaults filled in. */
export type ParamValues = Readonly<Record<string, unknown>>
/** Negotiated media of every connected port, by name; a `multi` input's links are `name.0`, `name.1`, … */
export type PortMedia = Readonly<Record<string, Media>>

/**
 * How many frames one call may produce on an output (KE-09): `same` = as many as the input; `passThrough` = the first input's own bits;
 * a function gives the most frames one call of `frames` input frames (flush: 0 with the node's held frames) may produce, or `passThrough`
 * when these params make it so (a detector that filters only on request).
 */
export type OutputFrames = 'same' | 'passThrough' | ((frames: number, params: ParamValues, media: PortMedia) => number | 'passThrough')

/**
 * True when the output is the first input's own bits under these params: the plan aliases the buffer
 * and the kernel sees the port unconnected.
 */
export function passesThrough(output: OutputDeclaration, params: ParamValues, media: PortMedia): boolean {
  return output.frames === 'passThrough' || output.view?.(params, media) !== undefined
    || (typeof output.frames === 'function' && output.frames(0, params, media) === 'passThrough')
}

/** Channels of a planar stream: `first` and the next ones, `downwards` the ones before it. */
export interface ChannelView { readonly first: number; readonly downwards?: boolean }

/** Declaration of an output port. `frames` and `metadata` belong to kernel nodes. */
export interface OutputDeclaration {
  readonly media: MediaConstraint
  /** Gives a list: packets whose `data` is an array of items, each as `media` says. Not for kernels. */
  readonly list?: boolean
  readonly doc?: string
  readonly frames?: OutputFrames
  /**
   * The output is some channels of the first input, where they stand: no code runs for it and no sample moves.
   * Undefined: not for these params and media.
   */
  readonly view?: (params: ParamValues, media: PortMedia) => ChannelView | undefined
  /**
   * Fields in the metadata of every packet of this output, known before the run: what its media do not
   * say (samples per decision of a detector).
   */
  readonly metadata?: (params: ParamValues, media: PortMedia) => Readonly<Record<string, unknown>>
}

/**
 * The compiled code of a node (spec kernels.md). `module`: `core` or an AssemblyScript or user
 * module; `export`: the name before `_process`.
 */
export interface KernelDeclaration {
  readonly module: string
  readonly export: string
  readonly flush?: boolean
  readonly shared?: boolean
  /**
   * Compiled tiers that the kernel is made for; default both. In an engine of another tier the node runs in the first of these that the
   * host has, else by its reference; `tier` of a node may name none but these and `js`.
   */
  readonly tiers?: readonly ('wasm-threads' | 'wasm')[]
  readonly statuses?: Readonly<Record<number, string>>
  /** Pairs [input, output] that may share one buffer. */
  readonly inPlace?: readonly (readonly [number, number])[]
  /** Builds assets (taps, tables) from params; index order is the kernel's. */
  readonly assets?: (params: ParamValues, media: PortMedia) => readonly KernelAsset[]
  /**
   * Values of the param slots (Init +24) when they are not simply the declared numeric params in order
   * (number, integer, enum index, boolean, seed; others −1). All f64.
   */
  readonly slots?: (params: ParamValues, media: PortMedia) => readonly number[]
  /**
   * Values of the control records when they are not simply the params with rate `sample` or `block` in order
   * (mix: param by param, input by input). f32.
   */
  readonly controls?: (params: ParamValues, media: PortMedia) => readonly number[]
}
/** A value too large for a param slot, as the kernel finds it in memory. */
export interface KernelAsset {
  readonly dtype: 'f32' | 'f64' | 'u8' | 'i32'
  readonly data: Float32Array | Float64Array | Uint8Array | Int32Array
}

/** Random numbers of a node (EX-77): a pure function of run seed, node and position, never of time or thread. */
export interface NodeRandom {
  /** The next number, 0 (included) to 1 (excluded). */
  next(): number
  /** The number at a position of a stream, without moving. */
  at(n: number, stream?: number): number
}
/** The engine's time. */
export interface NodeClock {
  nowUs(): number
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Ends early when the node is told to stop. */
  sleep(ms: number): Promise<void>
}
/** Memory that a node asked for: its own until `release`, at the latest until the node ends. */
export interface NodeBlock {
  readonly bytes: number
  view<T extends ArrayBufferView>(
    type: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
  ): T
  release(): void
}

/** What a node's own code may use; grows with later issues (GR-28). */
export interface NodeContext {
  readonly signal: AbortSignal
  progress(done: number, total?: number): void
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string, details?: Readonly<Record<string, unknown>>): void
  /** Warnings of this node for `RunResult.diagnostics`. */
  warn(diagnostic: Diagnostic): void
  /** Monotonic µs of the engine's clock. */
  nowUs(): number
  /** Audio in the arena, given to the packet's receiver. Waits while the arena has no room for another chunk. */
  allocAudio(spec: {
    readonly rate: number
    readonly channels: number
    readonly frames: number
    readonly format?: 'f32' | 'i16' | 'i32' | 'u8'
    readonly layout?: 'planar' | 'interleaved'
  }): Promise<AudioBuffer>
  /** Bytes in the arena, or elements of `dtype`; cleared. */
  alloc(bytes: number, dtype?: Dtype): Promise<NodeBlock>
  readonly rng: NodeRandom
  readonly clock: NodeClock
  /** Says that the node lives: call it in loops longer than `hangMs` that never wait. */
  beat(): void
  /** How often the node's code was called for this run, failures included, from 1. */
  readonly attempt: number
  /** How often it was given to a thread for this attempt, from 1. */
  readonly delivery: number
  /** `document`: the graph that runs, as it was given, in its JSON form. */
  readonly node: { readonly id: string; readonly type: string; readonly runId: string; readonly document?: () => Promise<Document> }
  /** What the definition's `init` made; undefined without one. */
  readonly instance: unknown
  /** Shows something of what is under way to the engine's `onEvent`, as event `node.preview`. Plain data; audio is not taken. */
  preview(media: Pick<Packet, 'media' | 'data'>): void
  /**
   * Runs one node of the registry on inputs by port (packets, audio, or plain values, which count as json) and gives its outputs, owned by
   * the caller. What runs counts as part of this run.
   */
  callOp(type: string, inputs?: Readonly<Record<string, unknown>>, params?: ParamValues): Promise<PacketRecord>
  /**
   * Runs a graph in place of this node (GR-30) and gives its outputs by name, owned by the caller: mostly what the node returns. Its nodes
   * are reported as `outer/inner`; they have this run's seed. At most `limits.expandedNodes` are added to a run: `LIMIT_EXCEEDED`. On a
   * thread of its own a node gives a document; a graph, which holds functions, is `UNSUPPORTED` there.
   */
  expand(graph: Graph | Outputs | Document): Promise<PacketRecord>
  /**
   * Asks for a lazy input, by port: what it wants starts, once, whoever asks. Gives what other inputs are, a stream (a list of them for a
   * `multi` port, undefined for one that is not linked), once its first packet is there or it has ended; asked again, the same promise.
   * `port.n` asks for the nth link of a `multi` port alone. Rejects with `DEPENDENCY_FAILED` when what was asked for fails, with the reason
   * when the run is stopped, with `INVALID_ARGUMENT` for a port that is not lazy.
   */
  need<T extends PacketStream | readonly PacketStream[] | undefined = PacketStream>(port: string): Promise<T>
  /**
   * Says that the node does not read a lazy input for now (`port`, or `port.n`), so that it holds up nobody: packets of a writer that goes
   * on for others are dropped there (counted in the edge's metrics), a writer that serves nobody else waits, what has not started rests. A
   * value that is a single packet is kept. `need` asks for it again and gives the stream from its next packet on: positions say where that
   * is. Inputs that are neither asked for nor declined are kept whole, however long they are. Throws `INVALID_ARGUMENT` for a port that is
   * not lazy (on a thread of its own that is logged). No effect in a node that is called item by item.
   */
  decline(port: string): void
  /** What a node gives in place of a packet to stop what depends on that output: see `blocker`. */
  readonly blocker: Packet
}

/**
 * What a plan knows of an input before the run; `frames` and `bytes`: of all that will come, at most, where that is known
 * (audio of a file, not what a node will make).
 */
export interface InputEstimate { readonly media?: Media; readonly frames?: number; readonly bytes?: number }
/** A number from 0, or what makes one of the node's inputs (by port; the links of a `multi` port `name.0`, `name.1`, …) and params. */
export type Estimate = number | ((inputs: Readonly<Record<string, InputEstimate>>, params: ParamValues) => number)

/** Inputs of a node written in TypeScript, by port: a list of streams at a `multi` port, undefined where an optional one is not linked. */
export type NodeInputs = Readonly<Record<string, PacketStream | readonly PacketStream[] | undefined>>
/** Outputs of a TypeScript node: port name → packet. */
export type PacketRecord = Readonly<Record<string, Packet>>
/** Fields a node fills in; the driver adds streamId, seq and arrival. */
export interface ProbeResult {
  readonly media: PortMedia
  /** Total frames of the stream when known. */
  readonly frames?: number
  /** What tells this content from another (an etag), for the hash; null: nothing does, so that it is never taken from a cache. */
  readonly fingerprint?: Uint8Array | null
}

/** What `summary` sees at a segment's border: every output as typed views, and how many frames the first input had. */
export interface SummaryViews { readonly inputFrames: number; readonly outputs: Readonly<Record<string, readonly ArrayLike<number>[]>> }

/** Everything about a node type (spec graph.md section 3). */
export interface NodeDefinition<V extends ParamValues = ParamValues, In = NodeInputs> {
  readonly type: string
  readonly version: string
  readonly title: string
  readonly doc: string
  readonly family: string
  readonly tags?: readonly string[]
  readonly aliases?: readonly string[]
  readonly status?: 'stable' | 'experimental' | 'deprecated'
  readonly replacedBy?: string
  readonly references?: readonly string[]
  readonly params: ParamTable
  /**
   * Takes params that are not declared, of any JSON value, as they are given: `PARAM_UNKNOWN` is a warning then. They are hashed;
   * no edge and no run-time input drives them.
   */
  readonly additionalParams?: boolean
  readonly inputs: Readonly<Record<string, InputDeclaration>>
  readonly outputs: Readonly<Record<string, OutputDeclaration>>
  /** Output taken when the node itself is wired; needed only with several outputs. */
  readonly main?: string
  readonly kernel?: KernelDeclaration
  readonly reference?: Reference
  /** Node without kernel: a promise of whole outputs, or an async generator of packets. */
  readonly process?: (inputs: In, params: V, ctx: NodeContext) =>
    Promise<PacketRecord> | AsyncIterable<PacketRecord>
  /**
   * Makes what an instance of a TypeScript node keeps between runs (a model, a connection); handed
   * to `process` and `pull` as `ctx.instance`.
   */
  readonly init?: (params: V, ctx: Pick<NodeContext, 'signal' | 'log'>) => unknown
  /**
   * What a node with `process` gives after its input has ended: called once, when `process` has come to its end by itself, with the same
   * context and instance (of lists: once per call). Its records follow those of `process`. Not called after a failure or a cancel, nor when
   * nobody reads the outputs any more.
   */
  readonly flush?: (params: V, ctx: NodeContext) => Promise<PacketRecord | void> | AsyncIterable<PacketRecord>
  /** Brings an instance back to the state right after `init`; with it, idle instances of equal params are used again by later runs. */
  readonly reset?: (instance: never) => void | Promise<void>
  /** Gives back what `init` took. Called exactly once per `init`, also after errors and cancels. */
  readonly dispose?: (instance: never) => void | Promise<void>
  /** Source: an async generator of packets, read only as fast as they are taken. */
  readonly pull?: (params: V, ctx: NodeContext) => AsyncIterable<PacketRecord>
  /**
   * Where `process` or `pull` runs. `engine` (default): on the engine's thread, where a hang cannot be ended. `worker`: on a thread of its
   * own kind, watched; `init`, `flush`, `reset`, `dispose` too. Its code is {@link codeURL}, else the source text of these functions, which
   * may then use their arguments and globals only.
   */
  readonly thread?: 'engine' | 'worker'
  /**
   * Module that exports `process` or `pull`, and `init`, `flush`, `reset`, `dispose` as needed: what a worker imports
   * in place of this definition's functions.
   */
  readonly codeURL?: string | URL
  /** True when `pull` gives one packet that is known whole before the run (audio in memory): its readers can be scheduled as tasks. */
  readonly whole?: (params: V) => boolean
  /** Media of discovered ports before the run; reads at most 64 KiB. */
  readonly probe?: (params: V, ctx: Pick<NodeContext, 'signal'>) => Promise<ProbeResult>
  readonly validate?: (params: V, media: PortMedia) => readonly Diagnostic[]
  readonly deterministic?: 'yes' | 'seeded' | 'no'
  readonly parity?: 'exact' | { readonly peak: number; readonly rms: number }
  /**
   * Keeps something from packet to packet: told in the node's page. Batch runs call a failed node again from the start, with a new
   * instance, so that this is no matter to them.
   */
  readonly stateful?: boolean
  readonly idempotent?: boolean
  readonly effects?: 'none' | 'read' | 'write'
  /** Frames by which content stands later than its input. */
  readonly latencyFrames?: number | ((params: V, media: PortMedia) => number)
  readonly tailFrames?: number | ((params: V, media: PortMedia) => number)
  /** Input frames kept back before output appears. */
  readonly holdFrames?: number | ((params: V, media: PortMedia) => number)
  /** Metadata of the packet at the segment's border, per output port. */
  readonly summary?: (views: SummaryViews, params: V, media: PortMedia) => Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The node changes nothing for these params and media: the plan removes it (equal rates in a resampler). */
  readonly identity?: (params: V, media: PortMedia) => boolean
  /** One line for the printed plan: how it will run for these params and media. */
  readonly planNote?: (params: V, media: PortMedia) => string | undefined
  /** Nanoseconds per input frame and channel: first estimate, replaced by history. */
  readonly costNs?: number
  /**
   * µs that one run of the node takes of its thread: what is planned with until there is history. Default
   * of nodes written in TypeScript: 100 000.
   */
  readonly costUs?: Estimate
  /**
   * Bytes of the arena that one run of a node written in TypeScript holds of its own at most, beside packets that it was given and gives.
   * What is declared has to be free (`RESOURCE_EXHAUSTED`); else what its type was measured to hold is planned with, at first 1.5 times the
   * bytes of its inputs.
   */
  readonly memoryBytes?: Estimate
  readonly requires?: Readonly<Record<string, unknown>>
  readonly pin?: 'main' | 'master'
  readonly limiters?: readonly string[]
  readonly hangMs?: number
  /** Packets may be joined for one call; for drivers that do that. Batch runs do not ask. */
  readonly batchable?: boolean
  readonly fingerprint?: (params: V) => Uint8Array | null | Promise<Uint8Array | null>
  readonly converter?: {
    readonly lossless: boolean | ((from: Media, to: Media) => boolean)
    readonly cost: number
    readonly params: (from: Media, to: Media) => ParamValues | null
  }
  /**
   * How params of older versions become those of the next step's version, at last of this one. A document whose node names an older version
   * (`version: '^1.0.0'`) is taken through them when it is read; `from` is the oldest version that a step is for. `renames` (old name → new
   * one) is for params and inputs that mean what they meant: edges, run-time inputs, `skipIf` and `media` follow it. Then `params`, a plain
   * function, gets a copy under the new names, never defaults: another unit, a param less. What an edge or a run-time input brings it
   * cannot change: leave such a param out of `renames`, and those links are refused.
   */
  readonly migrations?: readonly {
    readonly from: string
    readonly renames?: Readonly<Record<string, string>>
    readonly params?: (old: ParamValues) => ParamValues
  }[]
  /** An example: gets the factory, gives named outputs. `conformance` looks at its graph. */
  readonly example?: (self: never) => unknown
}

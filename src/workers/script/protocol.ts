import type { EncodedError } from '../../errors/codec.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import type { AudioShape } from '../../memory/audio-buffer.js'
import type { Dtype } from '../../media/dtype.js'
import type { Media } from '../../media/media-type.js'

/**
 * What the engine and a thread for nodes written in TypeScript say to each other, on a port of its own. One thread carries several jobs:
 * they only wait for each other where their code does not wait. No thread of this kind runs kernels, so it never blocks (MW-37).
 */

/** First message to a thread that has said hello: makes it a script thread. */
export interface ScriptBoot {
  readonly millrace: 'script'
  readonly port: MessagePort
  /** Shared mode: audio crosses by handle. */
  readonly memory?: WebAssembly.Memory
  /** Where it writes its entries of the flight recorder, if it can and that is not in the memory (MW-06). */
  readonly log?: ArrayBufferLike
  readonly ordinal: number
  readonly clockOriginMs: number
}

/**
 * Where a node's functions come from. `names`: what the text uses beside its own names; the thread refuses those that its globals lack.
 * `bytes`: what stood at a web address when it was hashed.
 */
export type ScriptSource =
  | { readonly url: string; readonly bytes?: Uint8Array }
  | { readonly text: string; readonly names: readonly string[] }

/** Audio on its way: a reference to arena memory that the engine holds for the job, or samples in a buffer that is transferred. */
export type AudioPlace =
  | {
    readonly shape: AudioShape
    readonly ref: number
    readonly handle: number
    /** Bytes from the block's start. */
    readonly offset: number
    readonly strideBytes: number
    /** Nobody else reads it. */
    readonly sole: boolean
  }
  | { readonly shape: AudioShape; readonly bytes: ArrayBuffer }
/** Audio that a node gives out: some frames of a reference, or a buffer. */
export type GivenAudio =
  | { readonly ref: number; readonly skip: number; readonly frames: number; readonly position: number }
  | { readonly shape: AudioShape; readonly bytes: ArrayBuffer }

/** A packet on its way. Data that is no audio is cloned. */
export interface ScriptPacket<A> {
  readonly media: Media
  readonly data: unknown
  readonly audio?: A
  /** Of a list of audio, its items; null where an item is no audio. */
  readonly list?: readonly (A | null)[]
  readonly position: number
  readonly duration: number
  readonly streamId: string
  readonly seq: number
  readonly arrivalUs: number
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What a node asks of the engine while it runs. */
export type ScriptAsk =
  | { readonly take: string }
  | { readonly whole: string }
  | { readonly need: string }
  | {
    readonly op: string
    readonly inputs: readonly (readonly [port: string, packet: ScriptPacket<GivenAudio> | undefined, value: unknown])[]
    readonly params: Readonly<Record<string, unknown>>
  }
  | { readonly graph: unknown }
  | { readonly document: true }
  | { readonly audio: { readonly rate: number; readonly channels: number; readonly frames: number } }
  | { readonly bytes: number; readonly dtype: Dtype | undefined }

/** Engine → thread. */
export type ScriptRequest =
  | { readonly kind: 'load'; readonly code: number; readonly type: string; readonly source: ScriptSource }
  | {
    readonly kind: 'open'
    readonly job: number
    readonly code: number
    readonly params: Readonly<Record<string, unknown>>
    readonly node: { readonly id: string; readonly type: string; readonly runId: string }
    readonly attempt: number; readonly delivery: number; readonly random: readonly [number, number]
    /** Links by port: one, or the list of a `multi` input. */
    readonly inputs: readonly (readonly [port: string, links: ScriptLink | readonly ScriptLink[]])[]
  }
  | { readonly kind: 'next'; readonly job: number; readonly driven?: DrivenValues }
  | { readonly kind: 'leave'; readonly job: number }
  | { readonly kind: 'abort'; readonly job: number; readonly reason: string; readonly code: string }
  | {
    readonly kind: 'answer'
    readonly job: number
    readonly ask: number
    readonly packet?: ScriptPacket<AudioPlace>
    readonly audio?: AudioPlace
    readonly links?: ScriptLink | readonly ScriptLink[]
    readonly driven?: DrivenValues
    readonly packets?: Readonly<Record<string, ScriptPacket<AudioPlace>>>
    readonly document?: unknown
    readonly error?: { readonly name: string; readonly message: string }
  }
  | { readonly kind: 'drain' }
/** What edges make of params from now on. */
export type DrivenValues = Readonly<Record<string, unknown>>
export interface ScriptLink { readonly link: string; readonly media: Media }

/** Thread → engine. Every one of them is a sign of life. */
export type ScriptReply =
  | { readonly kind: 'ready'; readonly shared: boolean }
  | { readonly kind: 'loaded'; readonly code: number; readonly missing?: readonly string[]; readonly error?: EncodedError }
  | {
    readonly kind: 'record'
    readonly job: number
    readonly record: Readonly<Record<string, ScriptPacket<GivenAudio>>>
    /** Bytes copied on the way out. */
    readonly copied: number
    /** The code has given its one record: `ended` follows unasked. */
    readonly last?: true
  }
  /**
   * The node's code came to its end and its instance was given back. `asked`: the error is an answer of the
   * engine's, which it knows by that number.
   */
  | { readonly kind: 'ended'; readonly job: number; readonly error?: EncodedError; readonly asked?: number }
  | {
    readonly kind: 'ask'
    readonly job: number
    readonly ask: number
    readonly want: ScriptAsk
    /** Lazy inputs declined just before: at once with what is asked for, or a writer would run past both. */
    readonly declined: readonly string[]
  }
  | { readonly kind: 'quit'; readonly job: number; readonly link: string }
  | { readonly kind: 'decline'; readonly job: number; readonly ports: readonly string[] }
  | { readonly kind: 'release'; readonly job: number; readonly refs: readonly number[] }
  | { readonly kind: 'progress'; readonly job: number; readonly done: number; readonly total: number | undefined }
  | {
    readonly kind: 'log'
    readonly job: number
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly text: string
    readonly details: Readonly<Record<string, unknown>> | undefined
  }
  | { readonly kind: 'preview'; readonly job: number; readonly media: Media; readonly data: unknown }
  | { readonly kind: 'warn'; readonly job: number; readonly diagnostic: Diagnostic }
  | { readonly kind: 'beat' }
  | { readonly kind: 'drained' }

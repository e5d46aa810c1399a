import type { Dtype } from './dtype.js'

/** What flows along an edge (DESIGN section 1). */
export type MediaKind = 'audio' | 'video' | 'tensor' | 'tokens' | 'text' | 'events' | 'json' | 'bytes'
/** Element type of audio samples. Between kernels of a segment always `f32` planar. */
export type SampleFormat = 'f32' | 'i16' | 'i32' | 'u8'
/** `planar`: one run of samples per channel; `interleaved`: one run of frames. */
export type SampleLayout = 'planar' | 'interleaved'

/** Negotiated audio: `rate` 1–768 000 Hz, `channels` 1–64. */
export interface AudioMedia {
  readonly kind: 'audio'
  readonly rate: number
  readonly channels: number
  readonly format: SampleFormat
  readonly layout: SampleLayout
}
/** Negotiated tensor: `shape` entries are lengths, names or null (open). */
export interface TensorMedia {
  readonly kind: 'tensor'
  readonly dtype: Dtype
  readonly shape: readonly (number | string | null)[]
  readonly tag?: string
}
/** Negotiated events: `schema` names their record, `timebase` their clock in Hz. */
export interface EventsMedia { readonly kind: 'events'; readonly schema: string; readonly timebase: number }
export interface TextMedia { readonly kind: 'text'; readonly language?: string }
export interface TokensMedia { readonly kind: 'tokens'; readonly vocab: number; readonly codebooks: number }
export interface JsonMedia { readonly kind: 'json'; readonly schema?: string }
export interface BytesMedia { readonly kind: 'bytes'; readonly mime?: string; readonly maxBytes?: number }
export interface VideoMedia {
  readonly kind: 'video'
  readonly width: number
  readonly height: number
  readonly format: string
  /** Frames per second. A ratio is the double next to it (30000/1001 = 29.97002997002997), which JSON keeps: equal ratios are equal. */
  readonly fps: number
  readonly still: boolean
  readonly matrix?: VideoMatrix
  readonly range?: VideoRange
}
/** How the samples of a frame stand for colours. */
export type VideoMatrix = 'bt601' | 'bt709' | 'bt2020' | 'rgb'
/** `limited`: black and white are 16 and 235 of 8 bits. */
export type VideoRange = 'full' | 'limited'
/** What an edge carries once negotiation is done. */
export type Media = AudioMedia | TensorMedia | EventsMedia | TextMedia | TokensMedia | JsonMedia | BytesMedia | VideoMedia

/** The same field of another port of the node. */
export interface SameAs { readonly sameAs: string }
/** A number between `min` and `max`, both included, on the grid `min + n·step`. */
export interface Range { readonly min?: number; readonly max?: number; readonly step?: number }
/** Taken from the node's params (and the already known media of its inputs) when the graph is solved. */
export type FromParams<T> = (params: Readonly<Record<string, unknown>>, inputs: Readonly<Record<string, Media>>) => T | undefined
/** What a port allows for one field: one value, a set, a range, another port's value, a function of params; absent = anything. */
export type FieldConstraint<T> = T | readonly T[] | Range | SameAs | FromParams<T>

interface Named<K extends MediaKind> {
  readonly kind: K
  /** All fields as at another port of the node. */
  readonly like?: string
  /** Filled by the first packet (behaviour `discovered`). */
  readonly discovered?: boolean
}
/** What a port allows of one kind of media; absent fields allow anything. */
export interface AudioConstraint extends Named<'audio'> {
  readonly rate?: FieldConstraint<number>; readonly channels?: FieldConstraint<number>
  readonly format?: FieldConstraint<SampleFormat>; readonly layout?: FieldConstraint<SampleLayout>
}
/** As {@link AudioConstraint}, for the other kinds. */
export interface TensorConstraint extends Named<'tensor'> {
  readonly dtype?: FieldConstraint<Dtype>
  readonly shape?: readonly (number | string | null)[]
  readonly tag?: FieldConstraint<string>
}
export interface EventsConstraint extends Named<'events'> {
  readonly schema?: FieldConstraint<string>
  readonly timebase?: FieldConstraint<number>
}
export interface TextConstraint extends Named<'text'> { readonly language?: FieldConstraint<string> }
export interface TokensConstraint extends Named<'tokens'> {
  readonly vocab?: FieldConstraint<number>
  readonly codebooks?: FieldConstraint<number>
}
export interface JsonConstraint extends Named<'json'> { readonly schema?: FieldConstraint<string> }
export interface BytesConstraint extends Named<'bytes'> {
  readonly mime?: FieldConstraint<string>
  readonly maxBytes?: FieldConstraint<number>
}
export interface VideoConstraint extends Named<'video'> {
  readonly width?: FieldConstraint<number>
  readonly height?: FieldConstraint<number>
  readonly format?: FieldConstraint<string>
  readonly fps?: FieldConstraint<number>
  readonly still?: FieldConstraint<boolean>
  readonly matrix?: FieldConstraint<VideoMatrix>
  readonly range?: FieldConstraint<VideoRange>
}
/** Any media at all. */
export interface AnyConstraint { readonly kind: 'any' }
/** A type variable: all ports of the node with the same name must resolve to the same media. */
export interface MatchConstraint { readonly kind: 'match'; readonly name: string }
/** One of several constraints. */
export interface OneOfConstraint<C extends readonly SimpleConstraint[] = readonly SimpleConstraint[]> {
  readonly kind: 'oneOf'
  readonly options: C
}
/** A constraint of one kind of media. */
export type SimpleConstraint = AudioConstraint | TensorConstraint | EventsConstraint | TextConstraint | TokensConstraint | JsonConstraint
  | BytesConstraint | VideoConstraint
/** What a port accepts or gives. */
export type MediaConstraint = SimpleConstraint | AnyConstraint | MatchConstraint | OneOfConstraint

/** Audio at a port; like its sisters a constraint by kind: `audio({ rate: 16_000 })`. */
/* @__NO_SIDE_EFFECTS__ */ export function audio(fields: Omit<AudioConstraint, 'kind'> = {}): AudioConstraint {
  return { kind: 'audio', ...fields }
}
/** A tensor: `tensor({ dtype: 'f32', shape: [null, 128] })`. */
/* @__NO_SIDE_EFFECTS__ */ export function tensor(fields: Omit<TensorConstraint, 'kind'> = {}): TensorConstraint {
  return { kind: 'tensor', ...fields }
}
/** Events: `events({ schema: 'note' })`. */
/* @__NO_SIDE_EFFECTS__ */ export function events(fields: Omit<EventsConstraint, 'kind'> = {}): EventsConstraint {
  return { kind: 'events', ...fields }
}
/** Text. */
/* @__NO_SIDE_EFFECTS__ */ export function text(fields: Omit<TextConstraint, 'kind'> = {}): TextConstraint {
  return { kind: 'text', ...fields }
}
/** Tokens of a vocabulary. */
/* @__NO_SIDE_EFFECTS__ */ export function tokens(fields: Omit<TokensConstraint, 'kind'> = {}): TokensConstraint {
  return { kind: 'tokens', ...fields }
}
/** JSON values. */
/* @__NO_SIDE_EFFECTS__ */ export function json(fields: Omit<JsonConstraint, 'kind'> = {}): JsonConstraint {
  return { kind: 'json', ...fields }
}
/** Bytes. */
/* @__NO_SIDE_EFFECTS__ */ export function bytes(fields: Omit<BytesConstraint, 'kind'> = {}): BytesConstraint {
  return { kind: 'bytes', ...fields }
}
/** Frames of video. */
/* @__NO_SIDE_EFFECTS__ */ export function video(fields: Omit<VideoConstraint, 'kind'> = {}): VideoConstraint {
  return { kind: 'video', ...fields }
}
/** Whatever media there is. */
/* @__NO_SIDE_EFFECTS__ */ export function anyMedia(): AnyConstraint { return { kind: 'any' } }
/** The same media at every port that names `name`. */
/* @__NO_SIDE_EFFECTS__ */ export function match(name: string): MatchConstraint { return { kind: 'match', name } }
/** One of several constraints. */
/* @__NO_SIDE_EFFECTS__ */ export function oneOf<const C extends readonly SimpleConstraint[]>(...options: C): OneOfConstraint<C> {
  return { kind: 'oneOf', options }
}
/** For a field: as at another port of the node. */
/* @__NO_SIDE_EFFECTS__ */ export function sameAs(port: string): SameAs { return { sameAs: port } }

/** Media kinds that a constraint admits; drives the compile-time check of a wire. `any` and type variables admit all. */
export type KindOf<C> = C extends { readonly kind: infer K }
  ? (K extends MediaKind ? K : C extends OneOfConstraint<infer O> ? KindOf<O[number]> : MediaKind)
  : never

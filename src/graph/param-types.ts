import type { AudioBuffer } from '../media/audio-buffer.js'
import type { ParamDeclaration, ParamTable } from './node-definition.js'
import type { OutputRef } from './output-ref.js'

/**
 * What a `file` param takes: a path or address, the bytes themselves, or a stream of them, which is read once. Structural,
 * because this folder knows no browser types.
 */
export type FileValue = string | Uint8Array | ArrayBuffer | UrlLike | BlobLike | ByteStreamLike
/** A `URL` object. */
export interface UrlLike { readonly href: string; readonly protocol: string; toString(): string }
/** A `Blob` or `File`. */
export interface BlobLike { readonly size: number; readonly type: string; arrayBuffer(): Promise<ArrayBuffer> }
/** A `ReadableStream` of bytes, or any async iterable of them (a Node stream, a generator). */
export type ByteStreamLike =
  | AsyncIterable<Uint8Array>
  | { getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> } }
/** Whole number below 2⁶⁴: a number up to 2⁵³ − 1, a bigint, or decimal digits. */
export type SeedValue = number | bigint | string

/** TypeScript type of each param type that does not depend on the rest of its declaration. */
interface ValueTypes {
  readonly number: number
  readonly integer: number
  readonly boolean: boolean
  readonly string: string
  readonly enum: string
  readonly seed: SeedValue
  readonly vector: readonly number[]
  readonly color: string | readonly number[]
  readonly file: FileValue
  readonly json: unknown
  readonly array: readonly unknown[]
  readonly object: Readonly<Record<string, unknown>>
}

/** The values a param accepts: an enum's are those it lists, an array's follow its `items`, the rest follow the type alone. */
export type ParamValueOf<P extends ParamDeclaration> =
  P extends { readonly type: 'enum'; readonly values: readonly (infer V extends string)[] } ? V
    : P extends { readonly type: 'array'; readonly items: infer I extends ParamDeclaration } ? readonly ParamValueOf<I>[]
      : ValueTypes[P['type']]

/** Outputs that may drive a param of a kernel: a value per frame. */
type ControlOutput = OutputRef<'audio'>
/** Outputs that may drive a param of a node written in TypeScript, by the param's type: values, packet by packet. */
type ValueOutput<P extends ParamDeclaration> = OutputRef<'json'>
  | (P['type'] extends 'file' ? OutputRef<'text'> | OutputRef<'bytes'>
    : P['type'] extends 'json' | 'array' ? OutputRef<'text'> | OutputRef<'events'>
    : P['type'] extends 'string' | 'enum' | 'color' ? OutputRef<'text'>
    : never)

/** A param that edges may drive takes an output in place of a value. */
type GivenParam<P extends ParamDeclaration, K extends boolean> =
  P extends { readonly input: true } ? ParamValueOf<P> | (K extends true ? ControlOutput : ValueOutput<P>) : ParamValueOf<P>

/** Names of the params that must be given. */
export type RequiredNames<T extends ParamTable> = { [K in keyof T]: T[K] extends { readonly required: true } ? K : never }[keyof T]

/** Params that may be left out. */
type OptionalParams<T extends ParamTable, Kernel extends boolean> =
  { readonly [K in keyof T as K extends RequiredNames<T> ? never : K]?: GivenParam<T[K], Kernel> }

/**
 * The params object of a node call: declared names only, optional unless `required`. A table without params takes only an empty object.
 * `Kernel`: the node has one. Without a required param there is nothing to intersect with: an empty object type beside the optional names
 * would take numbers, outputs and lists, for TypeScript refuses them (weak types) only without it.
 */
export type ParamsOf<T extends ParamTable, Kernel extends boolean = boolean> = [keyof T] extends [never] ? Readonly<Record<string, never>>
  : [RequiredNames<T>] extends [never] ? OptionalParams<T, Kernel>
    : OptionalParams<T, Kernel> & { readonly [K in RequiredNames<T>]: GivenParam<T[K], Kernel> }

/** The declaration marked `main`, if any: its value may be given in place of the params object. */
type MainDeclaration<T extends ParamTable> = { [K in keyof T]: T[K] extends { readonly main: true } ? T[K] : never }[keyof T]

/** Values of a main param that cannot be mistaken for a params object: free JSON is limited to what is no plain object. */
type Unmistakable<V> = unknown extends V ? string | number | boolean | ArrayBufferView | readonly unknown[] | AudioBuffer : V

/** What may be given alone in place of the params object; `never` without a main param. */
export type MainValueOf<T extends ParamTable> =
  [MainDeclaration<T>] extends [never] ? never : Unmistakable<ParamValueOf<MainDeclaration<T>>>

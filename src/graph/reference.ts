import type { Media } from '../media/media-type.js'

/** Typed array of any dtype that ports carry; events are 8 words per record in an Int32Array view of 32-byte records. */
export type PortArray = Float32Array | Float64Array | Int32Array | Int16Array | Uint8Array | Int8Array | Uint32Array

/** What a reference knows of a port at init. */
export interface PortInfo {
  readonly name: string
  readonly connected: boolean
  readonly channels: number
  readonly width: number
  readonly rate: number
  readonly media?: Media
}
/** A port during a call. Inputs: `channels[c]` holds `frames · width` elements. Outputs: as long as their room. */
export interface PortView {
  readonly connected: boolean
  readonly frames: number
  /** Set by the reference on outputs other than the first. */
  done: number
  readonly ended: boolean
  readonly channels: readonly PortArray[]
}
/** What a reference gets at init: the Init block in words. */
export interface ReferenceInit {
  readonly params: Readonly<Record<string, unknown>>
  readonly rate: number
  readonly maxFrames: number
  readonly inputs: readonly PortInfo[]
  readonly outputs: readonly PortInfo[]
  readonly seed: bigint
  readonly assets: readonly PortArray[]
}
/** What a reference gets at each call: the Io block in words. */
export interface ReferenceIo {
  readonly frames: number
  readonly position: number
  readonly last: boolean
  readonly inputs: readonly PortView[]
  readonly outputs: readonly PortView[]
  /** Value of a param at a frame of this call (AU-03). */
  control(name: string): (frame: number) => number
  /** Does an edge drive it? Its values are then in the param's own unit. */
  driven(name: string): boolean
  readonly count: { nonfinite: number; clipped: number }
}

/**
 * A node in plain TypeScript: specification, oracle and `js` tier (spec kernels.md section 6). Same status rules as kernels. `process`
 * returns frames on output 0. State is a plain object of numbers and typed arrays: `structuredClone` is the snapshot.
 */
export interface Reference {
  init(c: ReferenceInit): object
  process(state: never, io: ReferenceIo): number
  flush?(state: never, io: ReferenceIo): number
  reset(state: never): void
}

import type { MediaKind } from '../media/media-type.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'
import type { NodeSettings } from './node-settings.js'

/** Key of the facts in an {@link OutputRef}; registered, so that two copies of the library understand each other. */
const OUTPUT: unique symbol = Symbol.for('millrace.output') as never
/** Key of the call in a {@link NodeHandle}. */
const CALL: unique symbol = Symbol.for('millrace.call') as never
declare const KINDS: unique symbol

/** `mute` removes the node and skips its dependents, `bypass` forwards its input (GR-08). */
export type NodeMode = 'run' | 'bypass' | 'mute'

/** One link of a call: which output feeds which input port, or which param. */
export interface CallLink {
  readonly to: string
  readonly from: OutputFacts
  /** Rank among the links of a `multi` input. */
  readonly order?: number
}
/** A node as it was called: plain data, not yet part of any graph. Never changed after the call. */
export interface NodeCall {
  readonly definition: NodeDefinition
  readonly params: ParamValues
  readonly links: readonly CallLink[]
  readonly settings: NodeSettings
}
/** What an output refers to. */
export interface OutputFacts {
  readonly call: NodeCall
  readonly port: string
  /** Comes round a loop by this much later; the call is known once the loop is closed. */
  readonly delayFrames?: number
}

/**
 * One output of a called node, to be given as input to another. `K`: the media kinds that it may carry. It stands in the type as a record
 * with a key per kind, so that an input accepts every output that shares a kind with it.
 */
export interface OutputRef<K extends MediaKind = MediaKind> {
  readonly [OUTPUT]: OutputFacts
  readonly [KINDS]: { readonly [P in K]: true }
}
/** Any output, whatever it carries. */
export interface AnyOutput { readonly [OUTPUT]: OutputFacts }
/** Any called node, also one without a main output. */
export interface AnyHandle { readonly [CALL]: NodeCall }

/** Facts of an output, or undefined for any other value. */
export function outputFacts(value: unknown): OutputFacts | undefined {
  return typeof value === 'object' && value !== null ? (value as Partial<AnyOutput>)[OUTPUT] : undefined
}

/** The call behind a handle, or undefined for any other value. */
export function callOf(value: unknown): NodeCall | undefined {
  return typeof value === 'object' && value !== null ? (value as Partial<AnyHandle>)[CALL] : undefined
}

/** Makes a reference to one output. */
export function makeOutput(call: NodeCall, port: string): OutputRef {
  return Object.freeze({ [OUTPUT]: Object.freeze({ call, port }) }) as OutputRef   // the kinds exist in the type only
}

/** Makes a reference to what an output was `delayFrames` frames ago; `target` tells which one, when asked. */
export function lateOutput(delayFrames: number, target: () => OutputFacts): OutputRef<'audio'> {
  const facts: OutputFacts = { delayFrames, get call() { return target().call }, get port() { return target().port } }
  return Object.freeze({ [OUTPUT]: Object.freeze(facts) }) as OutputRef<'audio'>
}

/** Makes the result of a call: an output per port, and the main output's facts when there is one. */
export function makeHandle(call: NodeCall, main: string | undefined): AnyHandle {
  const handle: Record<PropertyKey, unknown> = {}
  for (const port of Object.keys(call.definition.outputs)) {
    Object.defineProperty(handle, port, { value: makeOutput(call, port), enumerable: true })
  }
  Object.defineProperty(handle, CALL, { value: call })
  if (main !== undefined) Object.defineProperty(handle, OUTPUT, { value: Object.freeze({ call, port: main }) })
  return Object.freeze(handle) as unknown as AnyHandle
}

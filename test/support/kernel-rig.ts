/** Runs one node's kernel or reference over given samples in given chunks: what the tests of the nodes share. */
import type { NodeDefinition, ParamValues, PortMedia } from '../../src/graph/node-definition.js'
import type { PortArray } from '../../src/graph/reference.js'
import { resolveParams } from '../../src/graph/params.js'
import { compileModules } from '../../src/kernels/compile.js'
import { KernelInstance, type ControlCourse, type KernelCounters } from '../../src/kernels/kernel-instance.js'
import { describeKernel, frameBytes, type KernelSpec, type PortSpec } from '../../src/kernels/kernel-spec.js'
import { controlNames, referenceCode } from '../../src/kernels/reference-code.js'
import { instantiateRuntime, type KernelRuntime } from '../../src/kernels/runtime.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import type { AudioConstraint, AudioMedia, Media, MediaConstraint } from '../../src/media/media-type.js'

/** A memory with all built-in modules on it. */
export interface KernelHost { readonly arena: Arena; readonly runtime: KernelRuntime }

/** A private memory, so that the same tests run where pages are not isolated. */
export async function kernelHost(megabytes = 64): Promise<KernelHost> {
  const arena = createArena({ bytes: megabytes * 2 ** 20, shared: false, wasm: true })
  return { arena, runtime: instantiateRuntime(await compileModules({ shared: false }), arena.memory!) }
}

export type RigTier = 'wasm' | 'js'
/** One input: planar channels, or one interleaved array for media of that layout. */
export type RigInput = readonly PortArray[]
export interface RigOptions {
  readonly params?: Readonly<Record<string, unknown>>
  /** Media of the inputs by link name (`in`, or `in.0` …). */
  readonly media: Readonly<Record<string, AudioMedia>>
  readonly maxFrames?: number
  /** Outputs that are read; default all. */
  readonly outputs?: readonly string[]
}
export interface RunOptions {
  /** Lengths of the calls, repeated; default everything at once. */
  readonly chunks?: readonly number[]
  /** Elements between the aligned start of every buffer and its first sample. */
  readonly offset?: number
  readonly position?: number
  readonly controls?: (index: number, start: number) => number | ControlCourse
  readonly flush?: boolean
  /** Called after every call. */
  readonly after?: (instance: KernelInstance) => void
  /** First frame from which an input is flagged silent. */
  readonly silent?: readonly boolean[]
}
/** Channels by output name; a port's array holds its frames · width elements. `results`: what each call returned. */
export interface RunResult {
  readonly outputs: Readonly<Record<string, readonly PortArray[]>>
  readonly counters: KernelCounters
  readonly results: readonly number[]
  readonly quiet: readonly boolean[]
}

export class KernelRig {
  readonly spec: KernelSpec
  readonly media: PortMedia
  readonly params: ParamValues
  readonly instance: KernelInstance
  readonly #definition: NodeDefinition
  readonly #host: KernelHost

  constructor(host: KernelHost, definition: NodeDefinition, tier: RigTier, o: RigOptions) {
    const { values, diagnostics } = resolveParams(definition, o.params ?? {})
    if (diagnostics.length > 0) throw new Error(diagnostics[0]!.message)
    this.#definition = definition
    this.#host = host
    this.params = values
    this.media = { ...o.media, ...outputMedia(definition, values, o.media) }
    const inputs = Object.keys(o.media)
    this.spec = describeKernel(definition, {
      nodeId: 'test', params: values, media: this.media, inputs, connectedOutputs: new Set(o.outputs ?? Object.keys(definition.outputs)),
      maxFrames: o.maxFrames ?? 65_536,
    })
    const code = tier === 'wasm'
      ? host.runtime.kernel(definition.kernel!.module, definition.kernel!.export)
      : referenceCode(this.spec, {
        reference: definition.reference!, params: values, media: this.media, controls: controlNames(definition, this.spec),
      }, host.arena)
    this.instance = new KernelInstance(code, this.spec, host.arena)
  }

  run(inputs: readonly RigInput[], o: RunOptions = {}): RunResult {
    const frames = Math.max(0, ...inputs.map((input, i) => input[0]!.length / this.spec.inputs[i]!.width))
    const chunks = o.chunks ?? [Math.max(1, frames)]
    const parts: PortArray[][][] = this.spec.outputs.map((port) => Array.from({ length: port.channels }, () => []))
    const results: number[] = [], quiet: boolean[] = []
    let position = o.position ?? 0
    for (let from = 0, call = 0; from < frames; call++) {
      const now = Math.min(chunks[call % chunks.length]!, frames - from)
      this.#call(inputs, from, now, o, parts, () => {
        for (let index = 0; index < this.spec.controls.length && o.controls !== undefined; index++) {
          this.instance.setControl(index, o.controls(index, from))
        }
        return this.instance.process(now, position)
      }, results, quiet)
      from += now
      position += now
    }
    for (let more = o.flush !== false && this.spec.flush; more;) {
      more = this.#call(inputs, frames, 0, o, parts, () => this.instance.flush(position), results, quiet) > 0
    }
    const outputs = Object.fromEntries(this.spec.outputs.map((port, n) => [port.name, parts[n]!.map((list) => join(list, port))]))
    return { outputs, counters: this.instance.counters(), results, quiet }
  }

  close(): void { this.instance.close() }

  #call(
    inputs: readonly RigInput[], from: number, now: number, o: RunOptions, parts: PortArray[][][], run: () => number, results: number[],
    quiet: boolean[],
  ): number {
    const { arena } = this.#host, own: number[] = [], bounds: (() => void)[] = []
    this.spec.inputs.forEach((port, n) => {
      const has = Math.max(0, Math.min(now, inputs[n]![0]!.length / port.width - from)), place = this.#place(port, has, o.offset ?? 0, own)
      inputs[n]!.forEach((channel, c) => viewAt(arena, port, place.data + c * place.stride, has)
        .set(channel.subarray(from * port.width, (from + has) * port.width)))
      this.instance.setInput(n, { ...place, frames: has, ended: has < now || now === 0, silent: o.silent?.[n] === true })
    })
    this.spec.outputs.forEach((port, n) => {
      if (!port.connected) return
      const room = this.#room(port.name, now), place = this.#place(port, room, o.offset ?? 0, own), bytes = room * frameBytes(port)
      for (let c = 0; c < port.channels; c++) {
        const start = place.data + c * place.stride
        arena.u8.fill(0xa5, start, start + bytes + 16)
        bounds.push(() => {
          for (let at = start + bytes; at < start + bytes + 16; at++) {
            if (arena.u8[at] !== 0xa5) throw new Error(`${port.name}: wrote beyond its room`)
          }
        })
      }
      this.instance.setOutput(n, { ...place, frames: room })
    })
    const result = run()
    results.push(result)
    if (result < 0) throw new Error(`status ${result}`)
    bounds.forEach((check) => check())
    let produced = result
    this.spec.outputs.forEach((port, n) => {
      if (!port.connected) return
      const frames = this.instance.done(n), at = this.instance.outputPort(n) >>> 2
      produced += n === 0 ? 0 : frames
      for (let c = 0; c < port.channels; c++) {
        parts[n]![c]!.push(viewAt(arena, port, arena.u32[at + 3]! + c * arena.u32[at + 4]!, frames).slice())
      }
      quiet.push(this.instance.silent(n))
    })
    own.forEach((address) => arena.free(address))
    o.after?.(this.instance)
    return produced
  }

  /** Room that the node declares for one call. */
  #room(name: string, frames: number): number {
    const rule = this.#definition.outputs[name]!.frames ?? 'same'
    const most = typeof rule === 'function' ? rule(frames, this.params, this.media) : frames
    return most === 'passThrough' ? frames : most
  }

  #place(port: PortSpec, frames: number, offset: number, own: number[]): { data: number; stride: number } {
    const element = frameBytes(port) / port.width, start = offset * element
    const stride = Math.ceil((frames * frameBytes(port) + 16) / element) * element
    const block = this.#host.arena.allocate(Math.max(64, start + stride * port.channels + 64))
    own.push(block)
    return { data: block + start, stride }
  }
}

/** View of `frames` frames of a port at an address. */
function viewAt(arena: Arena, port: PortSpec, address: number, frames: number): PortArray {
  const count = frames * port.width
  switch (port.dtype) {
    case 'f32': return new Float32Array(arena.buffer, address, count)
    case 'i16': return new Int16Array(arena.buffer, address, count)
    case 'i32': case 'event': return new Int32Array(arena.buffer, address, count)
    default: return new Uint8Array(arena.buffer, address, count)
  }
}

function join(list: readonly PortArray[], port: PortSpec): PortArray {
  const make = port.dtype === 'f32' ? Float32Array
    : port.dtype === 'i16' ? Int16Array
    : port.dtype === 'u8' || port.dtype === 'bool' ? Uint8Array
    : Int32Array
  const all = new make(list.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of list) { all.set(part, at); at += part.length }
  return all
}

/** Media of the outputs, as negotiation would find them for nodes whose outputs follow their inputs and params. */
function outputMedia(definition: NodeDefinition, params: ParamValues, inputs: Readonly<Record<string, AudioMedia>>): PortMedia {
  const known: Record<string, Media> = { ...inputs }
  const first = Object.values(inputs)[0]
  if (first !== undefined) known['in'] ??= first
  return Object.fromEntries(Object.entries(definition.outputs).map(([name, { media }]) => [name, resolve(media, params, known)]))
}
function resolve(constraint: MediaConstraint, params: ParamValues, inputs: Readonly<Record<string, Media>>): Media {
  const from = inputs['in'] as AudioMedia
  if (constraint.kind === 'audio' && constraint.like !== undefined) return from
  const fields = Object.fromEntries(Object.entries(constraint).map(([name, value]) =>
    [name, typeof value === 'function' ? value(params, inputs) : isSameAs(value) ? from[name as keyof AudioMedia] : value]))
  return (constraint.kind === 'audio'
    ? { rate: from.rate, channels: from.channels, format: 'f32', layout: 'planar', ...fields as Partial<AudioConstraint> }
    : fields) as Media
}
function isSameAs(value: unknown): boolean { return typeof value === 'object' && value !== null && 'sameAs' in value }

/** Bytes of an array: NaN bits compare too. */
export function bytesOf(x: PortArray): Uint8Array { return new Uint8Array(x.buffer, x.byteOffset, x.byteLength) }

/** Throws at the first element where two arrays differ in bits (`numbers`: as numbers, any NaN equal, −0 and +0 different). */
export function expectSame(got: PortArray, expected: PortArray, what = '', numbers = false): void {
  if (got.length !== expected.length) throw new Error(`${what}: expected ${expected.length} elements, got ${got.length}`)
  const a = numbers ? got : bytesOf(got), b = numbers ? expected : bytesOf(expected)
  for (let n = 0; n < a.length; n++) {
    if (!Object.is(a[n], b[n])) throw new Error(`${what}: ${numbers ? 'element' : 'byte'} ${n}: expected ${b[n]}, got ${a[n]}`)
  }
}

/** Seeded numbers from 0 to 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

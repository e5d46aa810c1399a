import {
  passesThrough, type KernelAsset, type NodeDefinition, type ParamDeclaration, type ParamValues, type PortMedia,
} from '../graph/node-definition.js'
import { DTYPE_BYTES, type Dtype } from '../media/dtype.js'
import type { Media, MediaKind } from '../media/media-type.js'

/**
 * Geometry of one port in memory. `width`: elements per frame and channel; interleaved audio is one
 * channel of width n; an event is 8 words.
 */
export interface PortSpec {
  readonly name: string
  readonly connected: boolean
  readonly channels: number
  readonly width: number
  readonly dtype: Dtype
  readonly kind: MediaKind
  readonly framesPerSecond: number
}

/** All that a thread needs to make one kernel instance: plain data, cloneable to a worker. Written by {@link describeKernel}. */
export interface KernelSpec {
  readonly nodeId: string
  readonly type: string
  readonly module: string
  readonly export: string
  readonly flush: boolean
  readonly shared: boolean
  /** Rate of the first stream port, Hz; 0 without one. */
  readonly rate: number
  /** Most frames that one call may get. */
  readonly maxFrames: number
  readonly seed: bigint
  /** Init +28: one f64 per declared param. */
  readonly slots: readonly number[]
  readonly assets: readonly KernelAsset[]
  /** Io +1C: one f32 per control. */
  readonly controls: readonly number[]
  readonly inputs: readonly PortSpec[]
  readonly outputs: readonly PortSpec[]
  /** Names of the kernel's own statuses, −16…−255. */
  readonly statuses?: Readonly<Record<number, string>>
}

/** Bytes of one frame of one channel. */
export function frameBytes(port: Pick<PortSpec, 'dtype' | 'width'>): number {
  return port.dtype === 'event' ? DTYPE_BYTES.event : DTYPE_BYTES[port.dtype] * port.width
}

/** Geometry of a port that carries `media`. */
export function portSpec(name: string, media: Media | undefined, connected: boolean): PortSpec {
  if (media === undefined) return port(name, false, 'audio', 'f32', 1, 1, 0)
  switch (media.kind) {
    case 'audio': return media.layout === 'planar'
      ? port(name, connected, 'audio', media.format, media.channels, 1, media.rate)
      : port(name, connected, 'audio', media.format, 1, media.channels, media.rate)
    case 'events': return port(name, connected, 'events', 'event', 1, 8, media.timebase)
    case 'tensor': return port(name, connected, 'tensor', media.dtype, 1, widthOf(media.shape), 0)
    default: return port(name, connected, media.kind, 'u8', 1, 1, 0)
  }
}

/** All ports have one shape: plans make thousands of them. */
function port(
  name: string, connected: boolean, kind: PortSpec['kind'], dtype: PortSpec['dtype'], channels: number, width: number,
  framesPerSecond: number,
): PortSpec {
  return { name, connected, kind, dtype, channels, width, framesPerSecond }
}

/** Elements per frame: the product of the fixed lengths; the open first entry is the stream itself. */
function widthOf(shape: readonly (number | string | null)[]): number {
  return shape.reduce<number>((product, length) => typeof length === 'number' ? product * length : product, 1)
}

/**
 * What describeKernel needs to know beside the definition. `inputs`: link names in slot order (`name`, or `name.0` … for a `multi` input).
 */
export interface DescribeOptions {
  readonly nodeId: string
  readonly params: ParamValues
  readonly media: PortMedia
  readonly inputs: readonly string[]
  /** Outputs that something reads; others are unconnected. */
  readonly connectedOutputs: ReadonlySet<string>
  readonly maxFrames: number
  readonly seed?: bigint
}

/** Turns a definition with resolved params and negotiated media into plain instance data. */
export function describeKernel(definition: NodeDefinition, o: DescribeOptions): KernelSpec {
  const kernel = definition.kernel
  const inputs = o.inputs.map((name) => portSpec(name, o.media[name], o.media[name] !== undefined))
  const outputs = Object.entries(definition.outputs).map(([name, output]) =>
    portSpec(name, o.media[name], o.connectedOutputs.has(name) && !passesThrough(output, o.params, o.media)))
  return {
    nodeId: o.nodeId, type: definition.type, module: kernel?.module ?? '', export: kernel?.export ?? '', flush: kernel?.flush ?? false,
    shared: kernel?.shared ?? false, rate: [...inputs, ...outputs].find((port) => port.framesPerSecond > 0)?.framesPerSecond ?? 0,
    maxFrames: o.maxFrames, seed: o.seed ?? 0n,
    slots: kernel?.slots?.(o.params, o.media) ?? Object.entries(definition.params).map(([name, param]) => slotOf(param, o.params[name])),
    assets: kernel?.assets?.(o.params, o.media) ?? [],
    controls: controlValues(definition, o.params, o.media),
    inputs, outputs, ...(kernel?.statuses && { statuses: kernel.statuses }),
  }
}

/** Values of a node's control records for these params. */
export function controlValues(definition: NodeDefinition, params: ParamValues, media: PortMedia): readonly number[] {
  return definition.kernel?.controls?.(params, media) ?? Object.entries(definition.params)
    .filter(([, param]) => param.rate === 'sample' || param.rate === 'block').map(([name, param]) => slotOf(param, params[name]))
}

/** One f64 for a scalar param; absent numbers are NaN, values kept in assets −1. */
function slotOf(param: ParamDeclaration, value: unknown): number {
  switch (param.type) {
    case 'number': case 'integer': return typeof value === 'number' ? value : Number.NaN
    case 'boolean': return value === true ? 1 : 0
    case 'enum': return param.values?.indexOf(String(value)) ?? -1
    case 'seed': return seedBits(value)
    default: return -1
  }
}

/** A seed's 8 raw bytes, carried as the f64 with the same bits. */
function seedBits(value: unknown): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' ? value : 0), true)
  return view.getFloat64(0, true)
}

import { compileModules } from '../../src/kernels/compile.js'
import type { CompiledModules } from '../../src/kernels/compiled-modules.js'
import { KernelInstance } from '../../src/kernels/kernel-instance.js'
import { describeKernel, type KernelSpec } from '../../src/kernels/kernel-spec.js'
import { controlNames, referenceCode } from '../../src/kernels/reference-code.js'
import { instantiateRuntime, type KernelRuntime } from '../../src/kernels/runtime.js'
import type { NodeDefinition, ParamValues } from '../../src/graph/node-definition.js'
import type { AudioMedia, Media } from '../../src/media/media-type.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import type { Address } from '../../src/memory/memory-host.js'

/** An arena with the built-in modules over it. */
export interface Bench { readonly arena: Arena; readonly runtime: KernelRuntime; readonly compiled: CompiledModules }

/** True where shared memory can be made. */
export const hasShared = typeof SharedArrayBuffer !== 'undefined'

export async function openBench(shared: boolean, options: { bytes?: number } = {}): Promise<Bench> {
  const compiled = await compileModules({ shared })
  const arena = createArena({ bytes: options.bytes ?? 16 * 2 ** 20, shared, wasm: true })
  return { arena, runtime: instantiateRuntime(compiled, arena.memory!), compiled }
}

export function openPlain(): Arena { return createArena({ bytes: 16 * 2 ** 20, shared: false, wasm: false }) }

export const planar = (channels: number, rate = 48_000): AudioMedia => ({ kind: 'audio', rate, channels, format: 'f32', layout: 'planar' })

/** Instance data of a node whose ports all carry `media`. */
export function specOf(
  definition: NodeDefinition,
  o: {
    params: ParamValues
    media: Readonly<Record<string, Media>>
    inputs?: readonly string[]
    maxFrames?: number
    connected?: readonly string[]
  },
): KernelSpec {
  return describeKernel(definition, {
    nodeId: 'node', params: o.params, media: o.media, inputs: o.inputs ?? Object.keys(definition.inputs), maxFrames: o.maxFrames ?? 4_096,
    connectedOutputs: new Set(o.connected ?? Object.keys(definition.outputs)),
  })
}

/** Compiled code of a node on a bench, or its reference on any arena. */
export function compiledInstance(bench: Bench, spec: KernelSpec): KernelInstance {
  return new KernelInstance(bench.runtime.kernel(spec.module, spec.export), spec, bench.arena)
}
export function referenceInstance(definition: NodeDefinition, params: ParamValues, spec: KernelSpec, arena: Arena): KernelInstance {
  return new KernelInstance(
    referenceCode(spec, { reference: definition.reference!, params, controls: controlNames(definition, spec) }, arena),
    spec, arena,
  )
}

/** Room for `frames` f32 frames of some channels. */
export function floats(
  arena: Arena, channels: number, frames: number,
): { readonly at: Address; readonly stride: number; readonly channel: (c: number) => Float32Array } {
  const stride = Math.ceil(frames * 4 / 64) * 64, at = arena.allocate(Math.max(64, stride * channels))
  return { at, stride, channel: (c) => new Float32Array(arena.buffer, at + c * stride, frames) }
}

/** Deterministic noise in −1…1. */
export function noise(seed: number): () => number {
  let s = seed >>> 0
  return () => {
    s = Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
    const t = Math.imul(s ^ (s >>> 12), 0x297a2d39)
    return ((t ^ (t >>> 15)) >>> 0) / 2 ** 31 - 1
  }
}

/** One kernel over blocks of a shared arena, called as a segment calls it. */
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { resolveParams } from '../../src/graph/params.js'
import { compileModules } from '../../src/kernels/compile.js'
import { KernelInstance } from '../../src/kernels/kernel-instance.js'
import { describeKernel, frameBytes } from '../../src/kernels/kernel-spec.js'
import { instantiateRuntime, type KernelRuntime } from '../../src/kernels/runtime.js'
import type { Media } from '../../src/media/media-type.js'
import { createArena, type Arena } from '../../src/memory/arena.js'

export interface BenchHost { readonly arena: Arena; readonly runtime: KernelRuntime; readonly memory: WebAssembly.Memory }

/** An engine's memory and modules without the engine. */
export async function benchHost(megabytes = 128): Promise<BenchHost> {
  const arena = createArena({ bytes: megabytes * 2 ** 20, shared: true, wasm: true })
  return { arena, runtime: instantiateRuntime(await compileModules({ shared: true }), arena.memory!), memory: arena.memory! }
}

/** A prepared kernel: addresses of every port's first sample, and `run`. */
export interface PreparedKernel {
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly strides: readonly number[]
  readonly run: () => number
  readonly instance: KernelInstance
}

/**
 * Prepares a node's kernel for calls of `frames` frames on its own blocks. `media`: of every port or link.
 * `silent`: the inputs are zero and flagged so.
 */
export function prepareKernel(
  { arena, runtime }: BenchHost, definition: NodeDefinition, media: Readonly<Record<string, Media>>, frames: number,
  o: { params?: Record<string, unknown>; outputs?: readonly string[]; silent?: boolean } = {},
): PreparedKernel {
  const links = Object.keys(media).filter((name) => Object.keys(definition.inputs)
    .some((input) => name === input || name.startsWith(`${input}.`)))
  const spec = describeKernel(definition, {
    nodeId: 'bench', params: resolveParams(definition, o.params ?? {}).values, media, inputs: links,
    connectedOutputs: new Set(o.outputs ?? Object.keys(definition.outputs)), maxFrames: frames,
  })
  const instance = new KernelInstance(runtime.kernel(spec.module, spec.export), spec, arena)
  const place = (port: typeof spec.inputs[number]): { data: number; stride: number; frames: number } => {
    const stride = Math.ceil(frames * frameBytes(port) / 64) * 64
    return { data: arena.allocate(stride * port.channels), stride, frames }
  }
  const inputs = spec.inputs.map(place), outputs = spec.outputs.map((port) => port.connected ? place(port) : null)
  outputs.forEach((port, n) => { if (port !== null) instance.setOutput(n, port) })
  inputs.forEach((port, n) => instance.setInput(n, { ...port, silent: o.silent === true }))
  return {
    instance, inputs: inputs.map((port) => port.data), outputs: outputs.map((port) => port?.data ?? 0),
    strides: [...inputs, ...outputs].map((port) => port?.stride ?? 0),
    run: () => instance.process(frames),
  }
}

/** Fills f32 samples with noise of ±`level`. */
export function fillNoise(arena: Arena, address: number, samples: number, level = 0.9): Float32Array {
  const x = new Float32Array(arena.buffer, address, samples)
  for (let n = 0, state = 1; n < samples; n++) { state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0; x[n] = state / 2 ** 31 * level }
  return x
}

import type { PortArray, PortInfo, PortView, Reference, ReferenceIo } from '../graph/reference.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../graph/node-definition.js'
import type { Dtype } from '../media/dtype.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { CONTROL, INIT, IO, IO_FLAG, PORT, PORT_FLAG, STATE, STATUS, TAG } from './contract.js'
import type { KernelCode } from './kernel-code.js'
import type { KernelSpec, PortSpec } from './kernel-spec.js'
import { word } from './interpreter-words.js'

/** A reference with what its `init` reads. `controls`: names of the control records in order. */
export interface ReferenceParts {
  readonly reference: Reference
  readonly params: ParamValues
  readonly media?: PortMedia
  readonly controls: readonly string[]
}

/**
 * Names of a node's control records: its params with rate `sample` or `block` in order; one of type `array` has a record per link of the
 * `multi` input: `name.0`, `name.1`, …
 */
export function controlNames(definition: Pick<NodeDefinition, 'params'>, spec: Pick<KernelSpec, 'controls'>): readonly string[] {
  const driven = Object.entries(definition.params).filter(([, param]) => param.rate === 'sample' || param.rate === 'block')
  const lists = driven.filter(([, param]) => param.type === 'array').length
  const each = (spec.controls.length - driven.length + lists) / Math.max(1, lists)
  return driven.flatMap(([name, param]) => param.type === 'array' ? Array.from({ length: each }, (_, link) => `${name}.${link}`) : [name])
}

/**
 * A node's reference behind the functions of a kernel, on the same descriptors: so the interpreter, direct calls and the conformance suite
 * run it like compiled code (KE-13, `js` tier). The state block holds only the header, which is counted here (tag `JSRF`, KE-08); the
 * reference's own state is an object per address.
 */
export function referenceCode(spec: KernelSpec, parts: ReferenceParts, host: MemoryHost): KernelCode {
  const { reference } = parts, states = new Map<Address, object>()
  const call = (state: Address, io: Address, run: (own: never, io: ReferenceIo) => number): number => {
    const own = states.get(state)
    if (own === undefined) return STATUS.BAD_STATE
    host.u32[(state + STATE.CALLS) >>> 2]!++
    const view = readIo(spec, parts, host, io)
    const result = run(own as never, view)
    if (result < 0) return result
    const ports = word(host.u32, io + IO.PORTS) + spec.inputs.length * PORT.BYTES
    view.outputs.forEach((output, n) => { host.u32[(ports + n * PORT.BYTES + PORT.DONE) >>> 2] = n === 0 ? result : output.done })
    host.u32[(state + STATE.NONFINITE) >>> 2]! += view.count.nonfinite
    host.u32[(state + STATE.CLIPPED) >>> 2]! += view.count.clipped
    return result
  }
  const flush = reference.flush?.bind(reference)
  return {
    size(init) {
      host.u32[(init + INIT.SCRATCH_BYTES) >>> 2] = 0
      host.u32[(init + INIT.SHARED_BYTES) >>> 2] = 0
      return STATE.BYTES
    },
    init(state) {
      host.u32[(state + STATE.TAG) >>> 2] = TAG.JSRF
      states.set(state, reference.init({
        params: parts.params, rate: spec.rate, maxFrames: spec.maxFrames, inputs: spec.inputs.map(portInfo),
        outputs: spec.outputs.map(portInfo), seed: spec.seed,
        assets: spec.assets.map((asset) => asset.data),
      }))
      return 0
    },
    process: (state, io) => call(state, io, (own, view) => reference.process(own, view)),
    ...(flush && { flush: (state: Address, io: Address) => call(state, io, (own, view) => flush(own, view)) }),
    reset(state) {
      const own = states.get(state)
      if (own === undefined) return STATUS.BAD_STATE
      reference.reset(own as never)
      return 0
    },
    snapshot(state) { return structuredClone(states.get(state) ?? {}) },
    restore(state, snapshot) { states.set(state, structuredClone(snapshot)) },
    drop(state) { states.delete(state) },
    move(from, to) {
      const own = states.get(from)
      if (own !== undefined) states.set(to, own)
      states.delete(from)
    },
  }

  function portInfo(port: PortSpec): PortInfo {
    const media = parts.media?.[port.name]
    return {
      name: port.name, connected: port.connected, channels: port.channels, width: port.width, rate: port.framesPerSecond,
      ...(media && { media }),
    }
  }
}

/** The Io block as the reference sees it. */
function readIo(spec: KernelSpec, parts: ReferenceParts, host: MemoryHost, io: Address): ReferenceIo {
  const { u32 } = host, ports = word(u32, io + IO.PORTS), frames = word(u32, io + IO.FRAMES)
  const views = [...spec.inputs, ...spec.outputs].map((port, n) => readPort(port, host, ports + n * PORT.BYTES))
  return {
    frames, position: word(u32, io + IO.POSITION_U64) + word(u32, io + IO.POSITION_U64 + 4) * 2 ** 32,
    last: (word(u32, io + IO.FLAGS) & IO_FLAG.LAST) !== 0, inputs: views.slice(0, spec.inputs.length),
    outputs: views.slice(spec.inputs.length),
    control: (name) => controlOf(host, word(u32, io + IO.CONTROLS) + controlIndex(parts.controls, name) * CONTROL.BYTES),
    driven: (name) =>
      word(host.u32, word(host.u32, io + IO.CONTROLS) + controlIndex(parts.controls, name) * CONTROL.BYTES + CONTROL.DRIVEN) !== 0,
    count: { nonfinite: 0, clipped: 0 },
  }
}

/** Index of a control; `name.0` is also found as `name` where each param has one. */
function controlIndex(names: readonly string[], name: string): number {
  const index = names.indexOf(name), found = index < 0 && name.endsWith('.0') ? names.indexOf(name.slice(0, -2)) : index
  if (found < 0) throw new TypeError(`Control ${name}: expected one of ${names.join(', ')}, got none of that name.`)
  return found
}

function readPort(port: PortSpec, host: MemoryHost, at: Address): PortView {
  const flags = host.u16[(at + PORT.FLAGS_U16) >>> 1]!, connected = (flags & PORT_FLAG.CONNECTED) !== 0
  const frames = connected ? word(host.u32, at + PORT.FRAMES) : 0
  const data = word(host.u32, at + PORT.DATA), stride = word(host.u32, at + PORT.STRIDE)
  const channels: PortArray[] = []
  if (connected) for (let c = 0; c < port.channels; c++) {
    channels.push(portArray(host.buffer, port.dtype, (data + c * stride) >>> 0, frames * port.width))
  }
  return { connected, frames, done: 0, ended: (flags & PORT_FLAG.ENDED) !== 0, channels }
}

/** View of `count` elements; events are 8 words each; 16-bit floats and i64 are their raw bits. */
function portArray(buffer: ArrayBufferLike, dtype: Dtype, address: Address, count: number): PortArray {
  switch (dtype) {
    case 'f32': return new Float32Array(buffer, address, count)
    case 'f64': return new Float64Array(buffer, address, count)
    case 'i32': case 'event': return new Int32Array(buffer, address, count)
    case 'i64': return new Int32Array(buffer, address, count * 2)
    case 'i16': case 'f16': case 'bf16': return new Int16Array(buffer, address, count)
    case 'i8': return new Int8Array(buffer, address, count)
    default: return new Uint8Array(buffer, address, count)
  }
}

/** Value of a control at a frame of the call (spec kernels.md section 2): the same f64 operations as the compiled views. */
function controlOf(host: MemoryHost, at: Address): (frame: number) => number {
  const from = host.f32[(at + CONTROL.FROM_F32) >>> 2]!, to = host.f32[(at + CONTROL.TO_F32) >>> 2]!
  const begin = host.i32[(at + CONTROL.BEGIN_I32) >>> 2]!
  const length = word(host.u32, at + CONTROL.LENGTH), stream = word(host.u32, at + CONTROL.STREAM)
  return (frame) => {
    if (stream !== 0) return host.f32[(stream >>> 2) + frame]!
    if (length === 0) return to
    const t = frame - begin
    return t <= 0 ? from : t >= length ? to : Math.fround(from + (to - from) * (t / length))
  }
}

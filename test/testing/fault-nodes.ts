/** A sound node, and nodes with one planted fault each: proof that the conformance suite finds what it is for (KE-27). */
import { KnownTables } from '../../src/testing/known-tables.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import type { PortView, Reference, ReferenceIo } from '../../src/graph/reference.js'
import { defineNode } from '../../src/graph/define-node.js'
import { INIT, PORT, PORT_FLAG, STATE, STATUS, TAG } from '../../src/kernels/contract.js'
import type { KernelCode } from '../../src/kernels/kernel-code.js'
import type { KernelSpec } from '../../src/kernels/kernel-spec.js'
import { referenceCode } from '../../src/kernels/reference-code.js'
import { DTYPE_ID } from '../../src/media/dtype.js'
import { audio } from '../../src/media/media-type.js'
import { GuardedMemory, type CheckName, type ConformanceHost } from '../../src/testing/index.js'

type Process = (state: EchoState, io: ReferenceIo) => number
interface EchoState { readonly last: Float64Array; left: number }

const TAIL = 1

/** y[n] = x[n] + x[n − 1] ÷ 2, and the half of the last sample as tail. */
export const echo: Reference = {
  init: ({ inputs }): EchoState => ({ last: new Float64Array(inputs[0]!.channels), left: TAIL }),
  process: (s: EchoState, io) => each(io, (x, y, c) => {
    for (let n = 0; n < io.frames; n++) {
      const value = x[n]!
      y[n] = value + s.last[c]! / 2
      s.last[c] = value
    }
  }),
  flush(s: EchoState, io) {
    const out = io.outputs[0]!, frames = Math.min(s.left, out.connected ? out.frames : s.left)
    if (frames > 0) out.channels.forEach((y, c) => { y.fill(0, 0, frames)[0] = s.last[c]! / 2 })
    s.left -= frames
    return frames
  },
  reset(s: EchoState) { s.last.fill(0); s.left = TAIL },
}

/** Every channel of input 0 to output 0; refuses too little room. */
function each(io: ReferenceIo, run: (x: PortView['channels'][number], y: PortView['channels'][number], channel: number) => void): number {
  const from = io.inputs[0]!, to = io.outputs[0]!
  if (!to.connected) {
    // What nothing reads is still computed: the state goes on.
    from.channels.forEach((x, c) => run(x, x.slice(), c))
    return io.frames
  }
  if (to.frames < io.frames) return STATUS.NO_ROOM
  from.channels.forEach((x, c) => run(x, to.channels[c]!, c))
  return io.frames
}

/** A definition around a reference. `inPlace` and kernel faults need a kernel declaration. */
export function node(reference: Reference, more: Partial<NodeDefinition> = {}): NodeDefinition {
  return defineNode({
    type: 'test::node', version: '1.0.0', title: 'Test', doc: 'For tests.', family: 'test', params: {},
    inputs: { in: { media: audio() } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
    tailFrames: TAIL, deterministic: 'yes', parity: 'exact', reference, ...more,
  } as NodeDefinition).definition
}

/** y = x + a·y: a recursive node of `tail` frames that keeps the rules on NaN and on very small numbers, or not. */
function recursive(a: number, tail: number, keepsRules: { readonly nan: boolean; readonly small: boolean }): NodeDefinition {
  interface State { readonly y: Float64Array; left: number }
  const step = (s: State, c: number, x: number, absolute: number): number => {
    const input = keepsRules.nan && !Number.isFinite(x) ? 0 : x
    let y = input + a * s.y[c]!
    if (keepsRules.small && absolute % 16 === 15 && Math.abs(y) < 1e-20) y = 0
    s.y[c] = y
    return y
  }
  return node({
    init: ({ inputs }): State => ({ y: new Float64Array(inputs[0]!.channels), left: tail }),
    process: (s: State, io) => each(io, (x, y, c) => { for (let n = 0; n < io.frames; n++) y[n] = step(s, c, x[n]!, io.position + n) }),
    flush(s: State, io) {
      const out = io.outputs[0]!, frames = Math.min(s.left, out.connected ? out.frames : s.left)
      s.y.forEach((_, c) => { for (let n = 0; n < frames; n++) {
        const y = step(s, c, 0, tail - s.left + n)
        if (out.connected) out.channels[c]![n] = y
      } })
      s.left -= frames
      return frames
    },
    reset(s: State) { s.y.fill(0); s.left = tail },
  }, { tailFrames: tail })
}

/** The echo with another way to process. */
const processing = (process: Process, more: Partial<NodeDefinition> = {}): NodeDefinition =>
  node({ ...echo, process: process as Reference['process'] }, more)
const memoryless = (sample: (x: number) => number): NodeDefinition => node({
  init: () => ({}), reset: () => {},
  process: (_: object, io) => each(io, (x, y) => { for (let n = 0; n < io.frames; n++) y[n] = sample(x[n]!) }),
}, { tailFrames: 0 })

/** As {@link memoryless}, told the frame in its stream, the frame in its call, and the channel. */
const memorylessAt = (sample: (x: number, absolute: number, frame: number, channel: number) => number): NodeDefinition => node({
  init: () => ({}), reset: () => {},
  process: (_: object, io) => each(io, (x, y, c) => { for (let n = 0; n < io.frames; n++) y[n] = sample(x[n]!, io.position + n, n, c) }),
}, { tailFrames: 0 })

let hidden = 0

/** Nodes whose reference is at fault, and the check that must say so. */
export const REFERENCE_FAULTS: readonly (readonly [string, CheckName, () => NodeDefinition])[] = [
  ['forgets its state at every call', 'chunking', () => processing((s, io) => { s.last.fill(0); return echo.process(s as never, io) })],
  ['makes the last sample louder when told that it is the last', 'chunking', () => processing((s, io) => {
    const frames = echo.process(s as never, io)
    if (io.last && io.outputs[0]!.connected) for (const y of io.outputs[0]!.channels) if (frames > 0) y[frames - 1]! *= 2
    return frames
  })],
  ['takes data to begin at 16 bytes', 'offsets', () => processing((s, io) => {
    const inputs = io.inputs.map((port) =>
      ({ ...port, channels: port.channels.map((x) => new Float32Array(x.buffer as ArrayBuffer, x.byteOffset & ~15, x.length)) }))
    return echo.process(s as never, { ...io, inputs })
  })],
  ['keeps a sample outside its state', 'snapshot', () => node({
    init: () => { hidden = 0; return {} }, reset: () => { hidden = 0 },
    process: (_: object, io) => {
      // One for all channels: the first has it.
      const result = each(io, (x, y, c) => {
        for (let n = 0; n < io.frames; n++) y[n] = x[n]! + (c === 0 ? (n > 0 ? x[n - 1]! : hidden) / 2 : 0)
      })
      if (result > 0) hidden = io.inputs[0]!.channels[0]![io.frames - 1]!
      return result
    },
  }, { tailFrames: 0 })],
  ['does not clear its state on reset', 'reset', () => node({ ...echo, reset: () => {} })],
  ['never ends its flush', 'flush',
    () => node({ ...echo, flush: (_: EchoState, io) => { io.outputs[0]!.channels.forEach((y) => { y[0] = 0 }); return 1 } })],
  ['drops what does not fit in flush', 'flush', () => node({
    ...echo,
    flush(s: EchoState, io) {
      const out = io.outputs[0]!, frames = s.left === 0 ? 0 : Math.min(3, out.connected ? out.frames : 3)
      out.channels.forEach((y, c) => { for (let n = 0; n < frames; n++) y[n] = s.last[c]! / 2 ** (n + 1) })
      s.left = 0
      return frames
    },
  }, { tailFrames: 3 })],
  ['has a tail one frame longer than declared', 'tail', () => node(echo, { tailFrames: 0 })],
  ['still sounds after its declared tail', 'tail', () => processing(function (this: void, s, io) {
    return each(io, (x, y, c) => {
      for (let n = 0; n < io.frames; n++) { y[n] = x[n]! + 0.9 * s.last[c]!; s.last[c] = Number.isFinite(y[n]!) ? y[n]! : 0 }
    })
  })],
  ['comes later than declared', 'latency', () => node({
    ...echo, process: (s: EchoState, io) =>
      each(io, (x, y, c) => { for (let n = 0; n < io.frames; n++) { const value = x[n]!; y[n] = s.last[c]!; s.last[c] = value } }),
  })],
  [
    'declares latency that it does not have', 'latency',
    () => node({ ...echo, init: (c) => ({ ...echo.init(c), left: 1 + TAIL }), reset(s: EchoState) { s.last.fill(0); s.left = 1 + TAIL } }, {
      latencyFrames: 1,
    }),
  ],
  ['lets NaN into its feedback for ever', 'nan', () => recursive(0.9, 200, { nan: false, small: true })],
  ['fades among ever smaller numbers', 'denormals', () => recursive(0.9, 200, { nan: true, small: false })],
  [
    'gives one frame less in odd calls', 'frames',
    () =>
      processing((s, io) => { const frames = echo.process(s as never, io); return frames > 2 && frames % 2 === 1 ? frames - 1 : frames }),
  ],
  ['declares too little room', 'frames',
    () => node({ ...echo }, { outputs: { out: { media: audio({ like: 'in' }), frames: (n) => Math.max(0, n - 1) } } })],
  ['writes one frame behind its room', 'canaries', () => processing((s, io) => {
    const frames = echo.process(s as never, io), y = io.outputs[0]!.channels[0]
    if (y && frames === y.length) new Float32Array(y.buffer as ArrayBuffer, y.byteOffset, y.length + 1)[y.length] = 0.25
    return frames
  })],
  [
    'writes its input', 'canaries',
    () => processing((
      s, io,
    ) => { const frames = echo.process(s as never, io); if (frames > 5) io.inputs[0]!.channels[0]![5] = 0; return frames }),
  ],
  ['takes too little room for enough', 'no-room', () => processing((s, io) => {
    io.inputs[0]!.channels.forEach((x, c) => {
      const y = io.outputs[0]!.channels[c]
      for (let n = 0; n < io.frames; n++) { if (y && n < y.length) y[n] = x[n]! + s.last[c]! / 2; s.last[c] = x[n]! }
    })
    return io.frames
  })],
  ['counts nothing when nothing reads it', 'unconnected',
    () => processing((s, io) => { const frames = echo.process(s as never, io); return io.outputs[0]!.connected ? frames : 0 })],
  ['is NaN at silence', 'silence', () => memoryless((x) => x * x / x)],
  ['is infinite at a step', 'step', () => memoryless((x) => x === 0.5 ? Infinity : x)],
  ['is NaN at an impulse', 'impulse', () => memoryless((x) => x === Math.fround(0.9) ? Number.NaN : x)],
  ['is infinite at full scale', 'full-scale', () => memoryless((x) => Math.abs(x) === 1 ? Infinity : x)],
  ['reads a control once a call', 'controls', () => node({
    init: () => ({}), reset: () => {},
    process: (_: object, io) =>
      each(io, (x, y) => { const gain = io.control('gain')(0); for (let n = 0; n < io.frames; n++) y[n] = Math.fround(x[n]! * gain) }),
  }, { tailFrames: 0, params: { gain: { type: 'number', min: 0, max: 4, default: 1, rate: 'sample', doc: 'Gain.' } } })],
  // The four stay unseen in short calls of few channels near a stream's start.
  ['is silent behind frame 2 048 of a call', 'chunking', () => memorylessAt((x, _, n) => n < 2_048 ? x : 0)],
  ['shows after 4 000 frames that its reset does nothing', 'reset', () => node({
    init: () => ({ seen: 0 }), reset: () => {},
    process: (s: { seen: number }, io) => {
      const frames = each(io, (x, y) => { for (let n = 0; n < io.frames; n++) y[n] = s.seen + n < 4_000 ? x[n]! : x[n]! / 2 })
      s.seen += Math.max(0, frames)
      return frames
    },
  }, { tailFrames: 0 })],
  ['leaves channels from 6 on silent', 'media', () => memorylessAt((x, _, __, c) => c < 6 ? x : 0)],
  ['falls silent after a million frames', 'position', () => memorylessAt((x, absolute) => absolute < 1e6 ? x : 0)],
  ['counts positions in 32 bits', 'position', () => memorylessAt((x, absolute) => absolute === absolute >>> 0 ? x : -x)],
  ['forgets channels above two', 'media', () => processing((s, io) => { s.last.fill(0, 2); return echo.process(s as never, io) })],
  ['returns a status', 'status', () => processing(() => STATUS.BAD_DATA)],
  ['throws at init', 'starts', () => node({ ...echo, init: () => { throw new Error('no') } })],
]

/** What a fault of a kernel sees: the code of a good one, the memory, and a counter that the host shows as allocations. */
interface KernelFault {
  readonly code: KernelCode
  readonly memory: GuardedMemory
  readonly allocate: () => void
  readonly spec: KernelSpec
}

/** Definition of the kernel that {@link kernelHost} runs. Its reference is the good one. */
export const kernelNode = (more: Partial<NodeDefinition> = {}): NodeDefinition =>
  node(echo, { kernel: { module: 'test', export: 'echo', flush: true, inPlace: [[0, 0]] }, ...more })

/** A host whose "compiled" kernel is the echo, changed by `fault`. */
export function kernelHost(fault: (f: KernelFault) => KernelCode = ({ code }) => code): ConformanceHost {
  const memory = new GuardedMemory({ shared: false, wasm: false })
  let allocations = 0
  return {
    tier: 'wasm', memory, tables: new KnownTables(memory), compiled: true, allocations: () => allocations,
    code: (spec, parts) =>
      fault({ code: checked(referenceCode(spec, parts, memory), memory), memory, spec, allocate: () => { allocations++ } }),
  }
}

/** The reference's code with what a compiled kernel does beside: checks of Init, its own tag. */
function checked(code: KernelCode, memory: GuardedMemory): KernelCode {
  const good = (init: number): number => {
    const word = (field: number): number => memory.u32[(init + field) >>> 2]!
    if (word(INIT.VERSION) !== 1 || word(INIT.MAX_FRAMES) === 0 || word(INIT.MAX_FRAMES) > 2 ** 28) return STATUS.BAD_PARAM
    if (word(INIT.INPUTS) !== 1 || word(INIT.OUTPUTS) !== 1) return STATUS.BAD_MEDIA
    for (const port of [word(INIT.PORTS), word(INIT.PORTS) + PORT.BYTES]) {
      if ((memory.u16[(port + PORT.FLAGS_U16) >>> 1]! & PORT_FLAG.CONNECTED) === 0) {
        if (port === word(INIT.PORTS)) return STATUS.BAD_MEDIA
        continue
      }
      const channels = memory.u32[(port + PORT.CHANNELS) >>> 2]!, rate = memory.f64[(port + PORT.FPS_F64) >>> 3]!
      const fits = channels >= 1 && channels <= 64 && memory.u32[(port + PORT.WIDTH) >>> 2] === 1
        && memory.u8[port + PORT.DTYPE_U8] === DTYPE_ID.f32
      if (!fits || !(rate >= 1 && rate <= 768_000)) return STATUS.BAD_MEDIA
    }
    return 0
  }
  return {
    ...code,
    size: (init) => { const status = good(init); return status < 0 ? status : code.size(init) },
    init: (state, init) => {
      const status = good(init)
      if (status < 0) return status
      const result = code.init(state, init)
      memory.u32[(state + STATE.TAG) >>> 2] = TAG.ASCR
      return result
    },
  }
}

/** Faults of compiled code, and the check that must say so. */
export const KERNEL_FAULTS: readonly (readonly [string, CheckName, (f: KernelFault) => KernelCode])[] = [
  ['keeps its state where it was made', 'moved-state', ({ code }) => { const { move: _, ...rest } = code; return rest }],
  ['is one unit off in the last place', 'parity', ({ code, memory, spec }) => ({
    ...code,
    process: (state, io) => {
      const frames = code.process(state, io)
      const port = memory.u32[(io + 0x18) >>> 2]! + spec.inputs.length * PORT.BYTES, data = memory.u32[(port + PORT.DATA) >>> 2]!
      const position = memory.u32[(io + 8) >>> 2]!
      // Frame 150 of the stream, however the calls fall.
      if (frames > 0 && data !== 0 && position <= 150 && position + frames > 150 && memory.f32[(data >>> 2) + 150 - position]! !== 0) {
        memory.u32[(data >>> 2) + 150 - position]! ^= 1
      }
      return frames
    },
  })],
  ['says that it is settled and counts on', 'silence', ({ code, memory, spec }) => ({
    ...code,
    process: (state, io) => {
      const frames = code.process(state, io), input = memory.u32[(io + 0x18) >>> 2]!, port = input + spec.inputs.length * PORT.BYTES
      if ((memory.u16[(input + PORT.FLAGS_U16) >>> 1]! & PORT_FLAG.SILENT) === 0) return frames
      const data = memory.u32[(port + PORT.DATA) >>> 2]! >>> 2
      if (frames <= 0 || !memory.f32.subarray(data, data + frames).every((value) => value === 0)) return frames
      memory.u16[(port + PORT.FLAGS_U16) >>> 1]! |= PORT_FLAG.SILENT | PORT_FLAG.SETTLED
      memory.u8[state + 31]!++
      return frames
    },
  })],
  ['traps at 0 channels', 'bad-init', ({ code, memory }) => ({
    ...code,
    size: (init) => {
      if (memory.u32[(memory.u32[(init + INIT.PORTS) >>> 2]! + PORT.CHANNELS) >>> 2] === 0) throw new RangeError('unreachable')
      return code.size(init)
    },
  })],
  ['takes 65 channels', 'bad-init', ({ code, memory }) => {
    const lenient = (init: number, call: () => number): number => {
      const at = (memory.u32[(init + INIT.PORTS) >>> 2]! + PORT.CHANNELS) >>> 2, channels = memory.u32[at]!
      if (channels !== 65) return call()
      memory.u32[at] = 1
      const result = call()
      memory.u32[at] = channels
      return result
    }
    return {
      ...code,
      size: (init) => lenient(init, () => code.size(init)),
      init: (state, init) => lenient(init, () => code.init(state, init)),
    }
  }],
  ['writes before its state', 'canaries',
    ({ code, memory }) => ({ ...code, process: (state, io) => { memory.u8[state - 8] = 1; return code.process(state, io) } })],
  ['writes a control', 'canaries',
    ({ code, memory }) => ({ ...code, process: (state, io) => { memory.u32[(io + 0x3c) >>> 2]!++; return code.process(state, io) } })],
  ['calls itself silent while it sounds', 'silence', ({ code, memory, spec }) => ({
    ...code,
    process: (state, io) => {
      const frames = code.process(state, io)
      memory.u16[(memory.u32[(io + 0x18) >>> 2]! + spec.inputs.length * PORT.BYTES + PORT.FLAGS_U16) >>> 1]! |= PORT_FLAG.SILENT
      return frames
    },
  })],
  [
    'counts its calls twice', 'counters',
    ({ code, memory }) =>
      ({ ...code, process: (state, io) => { memory.u32[(state + STATE.CALLS) >>> 2]!++; return code.process(state, io) } }),
  ],
  [
    'bears the tag of a reference', 'counters',
    ({ code, memory }) => ({
      ...code,
      init: (state, init) => { const result = code.init(state, init); memory.u32[(state + STATE.TAG) >>> 2] = TAG.JSRF; return result },
    }),
  ],
  ['allocates', 'allocation',
    ({ code, allocate }) => ({ ...code, process: (state, io) => { allocate(); return code.process(state, io) } })],
  [
    'traps on empty calls', 'chunking',
    ({ code, memory }) => ({
      ...code,
      process: (state, io) => { if (memory.u32[io >>> 2] === 0) throw new RangeError('divide by zero'); return code.process(state, io) },
    }),
  ],
]

/** The echo reading its input again after it has written its output: wrong where both are one buffer. */
export const rereading: Reference = {
  ...echo,
  process: (s: EchoState, io) => each(io, (x, y, c) => {
    const last = x[io.frames - 1]
    for (let n = 0; n < io.frames; n++) y[n] = x[n]! + (n > 0 ? x[n - 1]! : s.last[c]!) / 2
    if (last !== undefined) s.last[c] = last
  }),
}

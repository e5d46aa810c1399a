import { BUFFER, BUFFER_FLAG } from '../src/kernels/contract.js'
import { Interpreter } from '../src/kernels/interpreter.js'
import { describeKernel } from '../src/kernels/kernel-spec.js'
import { referenceCode } from '../src/kernels/reference-code.js'
import { KernelInstance } from '../src/kernels/kernel-instance.js'
import { processEntry } from '../src/kernels/runtime.js'
import { gain } from '../src/nodes/audio/gain.js'
import type { AudioMedia } from '../src/media/media-type.js'
import { buildProgram } from '../src/schedule/program.js'
import type { SegmentBuffer, SegmentPlan } from '../src/schedule/segment-plan.js'
import { createEngine } from '../src/index.js'
import { bench } from './support/bench.js'
import { benchHost, fillNoise, prepareKernel, type BenchHost } from './support/kernel-bench.js'

const mono: AudioMedia = { kind: 'audio', rate: 48_000, channels: 1, format: 'f32', layout: 'planar' }
const stereo: AudioMedia = { ...mono, channels: 2 }
const nanoseconds = (ms: number, count = 1): string => (ms * 1e6 / count).toFixed(1)

/**
 * Question: what does crossing into a kernel cost? Hypothesis: under 100 ns by the typed instance, under 1 µs by `openNode`
 * (KE-17): lost in the work from 4 096 frames on.
 */
export const crossing = bench('kernels/crossing', async (b) => {
  const host = await benchHost(64), engine = await createEngine({ workers: 0 })
  for (const frames of [128, 4_096]) {
    const kernel = prepareKernel(host, gain.definition, { in: stereo, out: stereo }, frames, { params: { gainDb: -3 } })
    for (let c = 0; c < 2; c++) fillNoise(host.arena, kernel.inputs[0]! + c * kernel.strides[0]!, frames)
    const { process } = kernel.instance.code, { state, io } = kernel.instance
    kernel.run()
    const node = engine.openNode(gain, { gainDb: -3 }, stereo), input = engine.audio.alloc({ rate: 48_000, channels: 2, frames })
    const x = Float32Array.from({ length: frames }, (_, n) => Math.sin(n)), y = new Float32Array(frames), g = Math.fround(10 ** (-3 / 20))
    const row = await b.compare(`gain, ${frames} frames stereo`, {
      'KernelInstance.process': () => kernel.run(),
      'the export itself': () => process(state, io),
      'openNode': () => node.process(input),
      'TypeScript loop': () => { for (let c = 0; c < 2; c++) for (let n = 0; n < frames; n++) y[n] = x[n]! * g },
    }, { unit: { name: 'samples', count: 2 * frames } })
    const [ours, raw, open] = row.variants.map((v) => v.p50Ms)
    b.note(
      `${frames} frames: instance + ${nanoseconds(ours! - raw!)} ns, openNode + ${nanoseconds(open! - raw!)} ns over the export (bar 1000)`,
    )
    node.close()
  }
  await engine.close()
})

/** A chain of `steps` gains over blocks of `frames` frames, written as a program. */
function chain(
  host: BenchHost, steps: number, frames: number, silent = false,
): { run(): number; twin(): number; calls: readonly (() => number)[]; places: readonly (readonly [number, number])[] } {
  const { arena, runtime } = host
  const buffer = (kind: SegmentBuffer['kind'], n: number): SegmentBuffer => (
    {
      kind, value: `v${n}`, media: mono, channels: 1, frameBytes: 4, capacity: frames, offset: n * Math.max(64, frames * 4),
      readers: kind === 'output' ? [] : [n], skip: 0, live: [0, 0],
    })
  const spec = describeKernel(gain.definition, {
    nodeId: 'gain', params: { gainDb: -0.1, invert: false }, media: { in: mono, out: mono }, inputs: ['in'],
    connectedOutputs: new Set(['out']), maxFrames: frames,
  })
  const plan: SegmentPlan = {
    index: 0, tier: 'wasm-threads', feed: 'chunks', headFrames: frames, workBytes: (steps + 1) * Math.max(64, frames * 4),
    nodes: Array.from({ length: steps }, (_, n) => ({ spec, node: n, inputs: [n], outputs: [n + 1], latencyFrames: 0 })),
    buffers: Array.from({ length: steps + 1 }, (_, n) => buffer(n === 0 ? 'input' : n === steps ? 'output' : 'internal', n)),
  }
  runtime.register(0, 'level', 'gain')
  const code = runtime.kernel('level', 'gain')
  const program = buildProgram(arena, plan, { shared: undefined, code: () => ({ code, process: processEntry(0), flush: 0 }) })
  const { u32 } = arena, from = program.buffer(0) >>> 2, to = program.buffer(steps) >>> 2
  for (const at of [from, to]) {
    u32[at + BUFFER.BASE / 4] = arena.allocate(Math.max(64, frames * 4))
    u32[at + BUFFER.STRIDE / 4] = Math.max(64, frames * 4)
    u32[at + BUFFER.CAPACITY / 4] = frames
  }
  u32[from + BUFFER.FILLED / 4] = frames
  if (silent) u32[from + BUFFER.FLAGS / 4]! |= BUFFER_FLAG.SILENT
  else fillNoise(arena, u32[from + BUFFER.BASE / 4]!, frames)
  const again = (): void => { program.setOffset(0, 0, 0); u32[to + BUFFER.FILLED / 4] = 0 }
  const twin = new Interpreter(arena, arena.base, runtime.call)
  const kernels = Array.from({ length: steps }, () =>
    prepareKernel(host, gain.definition, { in: mono, out: mono }, frames, { params: { gainDb: -0.1 } }))
  return {
    run: () => { again(); return runtime.core.segment_run(program.address, 0) },
    twin: () => { again(); return twin.run(program.address, 0) },
    calls: kernels.map((kernel) => () => kernel.run()),
    places: kernels.map((kernel) => { kernel.run(); return [kernel.instance.state, kernel.instance.io] as const }),
  }
}

/**
 * Question: what does a step of a segment cost over the kernel's own time? Hypothesis: ≤ 8 ns (KE-12), where a loop in JavaScript pays the
 * crossing each time. The kernel's own time is taken from its export called from JavaScript, which contains one crossing itself: 64
 * instances in turn, as the segment has them.
 */
export const interpreter = bench('kernels/interpreter', async (b) => {
  const host = await benchHost(64), STEPS = 64
  for (const frames of [1, 128]) {
    const { run, twin, calls, places } = chain(host, STEPS, frames), { process } = host.runtime.kernel('level', 'gain')
    const states = places.map(([state]) => state), ios = places.map(([, io]) => io)
    const row = await b.compare(`${STEPS} gains, ${frames} frames`, {
      'segment_run': run,
      'exports called from JavaScript': () => {
        let sum = 0
        for (let n = 0; n < STEPS; n++) sum += process(states[n]!, ios[n]!)
        return sum
      },
      'instances called from JavaScript': () => { let sum = 0; for (const call of calls) sum += call(); return sum },
      'TypeScript twin': twin,
    }, { unit: { name: 'steps', count: STEPS } })
    const [ours, bare] = row.variants
    b.note(`${frames} frames: a step ${nanoseconds(ours!.p50Ms, STEPS)} ns (least ${nanoseconds(ours!.minMs, STEPS)}); over the bare export ${nanoseconds(ours!.p50Ms - bare!.p50Ms, STEPS)} ns (least ${nanoseconds(ours!.minMs - bare!.minMs, STEPS)}; bar 8)`)
  }
  const spec = describeKernel(gain.definition, {
    nodeId: 'gain', params: { gainDb: -3, invert: false }, media: { in: mono, out: mono }, inputs: ['in'],
    connectedOutputs: new Set(['out']), maxFrames: 128,
  })
  const reference = new KernelInstance(
    referenceCode(spec, { reference: gain.definition.reference!, params: { gainDb: -3, invert: false }, controls: ['gainDb'] }, host.arena),
    spec, host.arena,
  )
  const stride = 512, x = host.arena.allocate(stride), y = host.arena.allocate(stride)
  await b.compare('the same node as reference, 128 frames', {
    reference: () => {
      reference.setInput(0, { data: x, frames: 128, stride })
      reference.setOutput(0, { data: y, frames: 128, stride })
      return reference.process(128)
    },
  })
})

/**
 * Question: what does a chain of kernels cost on silence? Hypothesis: ≤ 0.1 of its cost on noise (KE-07): no kernel is called,
 * and only what leaves the segment is written.
 */
export const silence = bench('kernels/silence', async (b) => {
  const host = await benchHost(64), STEPS = 16
  for (const frames of [128, 1_024, 4_096]) {
    const noise = chain(host, STEPS, frames), quiet = chain(host, STEPS, frames, true)
    const row = await b.compare(`${STEPS} gains, ${frames} frames`, { silence: quiet.run, noise: noise.run }, {
      unit: { name: 'steps', count: STEPS },
    })
    const [ours, loud] = row.variants
    b.note(`${frames} frames: ${(ours!.p50Ms / loud!.p50Ms).toFixed(3)} of its cost on noise (bar 0.1), ${nanoseconds(ours!.p50Ms, STEPS)} ns a step`)
  }
})

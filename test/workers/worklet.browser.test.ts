/** One segment inside a real AudioWorklet, offline, isolated or not: the samples are the kernel's, and no frame is missing. */
import { expect, test } from 'vitest'
import code from 'inline-worker:../../src/workers/worklet-entry.ts'
import { createEngine } from '../../src/engine/create-engine.js'
import { decodeError, type EncodedError } from '../../src/errors/codec.js'
import { resolveParams } from '../../src/graph/params.js'
import { compileModules } from '../../src/kernels/compile.js'
import { describeKernel } from '../../src/kernels/kernel-spec.js'
import type { AudioMedia } from '../../src/media/media-type.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { audioBuffer } from '../../src/nodes/io/audio-buffer.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import { WORKER_PROTOCOL } from '../../src/workers/protocol.js'
import type { QuantumOptions } from '../../src/workers/segment-quantum.js'

const RATE = 48_000
const FRAMES = 4_800
const media: AudioMedia = { kind: 'audio', rate: RATE, channels: 1, format: 'f32', layout: 'planar' }

/** A segment of two gains, one behind the other: external input, internal buffer, external output. */
function twoGains(first: number, second: number): SegmentPlan {
  const spec = (nodeId: string, gainDb: number) => describeKernel(gain.definition, {
    nodeId, params: resolveParams(gain.definition, { gainDb }).values, media: { in: media, out: media }, inputs: ['in'],
    connectedOutputs: new Set(['out']), maxFrames: 4_096,
  })
  const base = { media, channels: 1, frameBytes: 4, skip: 0 } as const
  return {
    index: 0, tier: 'wasm', feed: 'chunks', headFrames: 4_096, workBytes: 4_096 * 4,
    nodes: [
      { spec: spec('a', first), node: 0, inputs: [0], outputs: [1], latencyFrames: 0 },
      { spec: spec('b', second), node: 1, inputs: [1], outputs: [2], latencyFrames: 0 },
    ],
    buffers: [
      { ...base, kind: 'input', value: 'x.out', capacity: 4_096, offset: 0, readers: [0], live: [0, 0] },
      { ...base, kind: 'internal', value: 'a.out', capacity: 4_096, offset: 0, readers: [1], live: [0, 1] },
      { ...base, kind: 'output', value: 'b.out', capacity: 4_096, offset: 0, readers: [], live: [1, 1] },
    ],
  }
}

/** Renders `input` through the processor; resolves to the samples and to what the processor said. */
async function render(
  options: QuantumOptions, input: Float32Array<ArrayBuffer>,
): Promise<{ samples: Float32Array; said: { kind: string; error?: EncodedError } }> {
  const context = new OfflineAudioContext(1, FRAMES, RATE), url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
  await context.audioWorklet.addModule(url)
  URL.revokeObjectURL(url)
  const node = new AudioWorkletNode(context, 'millrace-segment', {
    numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1], processorOptions: options,
  })
  const said = new Promise<{ kind: string; error?: EncodedError }>((resolve) => { node.port.onmessage = ({ data }) => { resolve(data) } })
  const source = new AudioBufferSourceNode(context, { buffer: new AudioBuffer({ length: FRAMES, sampleRate: RATE }) })
  source.buffer!.copyToChannel(input, 0)
  source.connect(node).connect(context.destination)
  source.start()
  const rendered = await context.startRendering()
  return { samples: rendered.getChannelData(0), said: await said }
}

const kernels = [{ id: 0, module: 'level', name: 'gain' }]

/** The same two gains as a batch run of an engine. */
async function batch(first: number, second: number, input: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const engine = await createEngine({ workers: 0 })
  try {
    const { outputs } = await engine.run({
      out: gain(gain(audioBuffer({ data: [input], rate: RATE }), { gainDb: first }), { gainDb: second }),
    })
    return Float32Array.from(outputs.out.data.channel(0))
  } finally { await engine.close() }
}

test('two gains per quantum: every sample as the arithmetic says, and bit for bit as in a batch run', async () => {
  const input = Float32Array.from({ length: FRAMES }, (_, n) => Math.sin(n * 0.05) * 0.9)
  const { modules } = await compileModules({ shared: false })
  const { samples, said } =
    await render({ protocol: WORKER_PROTOCOL, modules, kernels, plan: twoGains(-20, 20), holdFrames: 0, arenaBytes: 16 * 2 ** 20 }, input)
  expect(said).toEqual({ kind: 'ready' })
  const down = Math.fround(0.1), up = Math.fround(10)
  const expected = input.map((x) => Math.fround(Math.fround(x * down) * up))
  let worst = 0
  for (let n = 0; n < FRAMES; n++) worst = Math.max(worst, Math.abs(samples[n]! - expected[n]!))
  // The gains are 10^(dB/20) by the shared approximation, rounded to f32: at most one step of it from these two.
  expect(worst).toBeLessThan(3e-7)
  expect(samples.some((x) => Math.abs(x) > 0.8)).toBe(true)
  expect(samples).toEqual(await batch(-20, 20, input))
})

test('a processor that cannot start says why and plays silence', async () => {
  const { modules } = await compileModules({ shared: false })
  const { samples, said } = await render({
    protocol: WORKER_PROTOCOL + 1, modules, kernels, plan: twoGains(0, 0), holdFrames: 0, arenaBytes: 16 * 2 ** 20,
  }, new Float32Array(FRAMES).fill(0.5))
  expect(said).toMatchObject({ kind: 'failed' })
  expect(decodeError(said.error!)).toMatchObject({ code: 'PROTOCOL_MISMATCH' })
  expect(samples.every((x) => x === 0)).toBe(true)
})

/**
 * A segment quantum by quantum, without an audio context: any size of quantum, silence only at the start,
 * then every sample of the batch run (KE-16).
 */
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { createEngine, feedback, type WorkletInput } from '../../src/index.js'
import type { AnyOutput } from '../../src/graph/output-ref.js'
import { audioBuffer, gain, mix, resample } from '../../src/nodes/index.js'
import { SegmentQuantum, type QuantumOptions } from '../../src/workers/segment-quantum.js'

type Build = (input: WorkletInput) => AnyOutput
const RATE = 48_000
const engine = await createEngine({ workers: 0 })
afterAll(() => engine.close())
afterEach(() => { vi.unstubAllGlobals() })

/** What `openWorklet` hands to the processor. */
async function optionsOf(build: Build, rate: number): Promise<QuantumOptions> {
  let own: QuantumOptions | undefined
  vi.stubGlobal('AudioWorkletNode', class {
    port = {}
    constructor(_: unknown, __: string, options: { processorOptions: QuantumOptions }) { own = structuredClone(options.processorOptions) }
  })
  await engine.openWorklet({ sampleRate: rate, audioWorklet: { addModule: () => Promise.resolve() } }, build)
  return own!
}

const by = (quality: 'medium' | 'high', ...rates: number[]): Build => (input) =>
  rates.reduce<WorkletInput>((at, rate) => resample(at, { rate, quality }) as never, input)
const frames = Number(process.env['MILLRACE_QUANTUM_FRAMES'] ?? 24_000)

test.each<[string, Build, number?]>([
  ...[8_000, 16_000, 22_050, 32_000, 44_100, 96_000].flatMap((rate) => (['medium', 'high'] as const)
    .map((quality) => [`${rate} Hz and back, ${quality}`, by(quality, rate, RATE)] as [string, Build])),
  ['from 44 100 Hz by 48 000', by('high', 48_000, 44_100), 44_100],
  ['a chain of two', by('high', 8_000, 44_100, 16_000, RATE)],
  ['the input beside a late path', (input) => mix([input, by('high', 16_000, RATE)(input) as never])],
  ['three paths of unequal delay',
    (input) => mix([gain(input, { gainDb: -3 }), by('high', 44_100, RATE)(input) as never, by('high', 8_000, RATE)(input) as never])],
  ['joins one behind the other', (input) => {
    const first = mix([input, by('high', 16_000, RATE)(input) as never])
    return mix([input, by('medium', 8_000, RATE)(first as never) as never])
  }],
  [
    'a late path and feedback',
    (input) => gain(feedback({ delayFrames: 200 }, (late) => mix([by('high', 16_000, RATE)(input) as never, gain(late, { gainDb: -3 })])), {
      gainDb: -1,
    }),
  ],
])('%s', async (_, build, rate = RATE) => {
  const options = await optionsOf(build, rate), wave = Float32Array.from({ length: frames }, (__, n) => 0.2 + 0.1 * Math.sin(n * n * 1e-6))
  using result = await engine.run({ out: build(audioBuffer({ data: [wave], rate })) })
  const want = (result.outputs.out as unknown as { data: { channel(c: number): Float32Array } }).data.channel(0)
  expect(options.holdFrames).toBeLessThan(0.2 * rate)
  for (const quantum of [64, 128, 256, 1_000]) {
    const segment = new SegmentQuantum(options), got = new Float32Array(frames - frames % quantum)
    for (let n = 0; n < got.length; n += quantum) {
      expect(segment.run([wave.subarray(n, n + quantum)], [got.subarray(n, n + quantum)])).toBe(true)
    }
    expect([quantum, segment.missed]).toEqual([quantum, Math.ceil(options.holdFrames / quantum) * quantum])
    expect([quantum, got.findIndex((x, n) => x !== (n < segment.missed ? 0 : want[n - segment.missed]!))]).toEqual([quantum, -1])
  }
})

test('a quantum for which there is no room ends the segment', async () => {
  const segment = new SegmentQuantum(await optionsOf((input) => gain(input, { gainDb: -1 }), RATE))
  const output = new Float32Array(5_000).fill(1)
  expect(segment.run([new Float32Array(5_000)], [output])).toBe(false)
  expect(segment.failure).toMatchObject({ code: 'IPC_ERROR', message: expect.stringContaining('no room for 5000 frames') })
  expect(output.every((x) => x === 0)).toBe(true)
})

/**
 * `engine.openWorklet` in real audio contexts, isolated and not: samples bit for bit as in a batch run, faults as coded
 * errors, nothing replaced (PK-03, PK-54 to PK-56).
 */
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { audio, createEngine, defineNode, type Engine, type WorkletInput } from '../../src/index.js'
import { audioBuffer, channels, gain, merge, mix, resample, toPcm16, vad } from '../../src/nodes/index.js'
import { render, type Build } from '../support/render-worklet.js'

const RATE = 48_000
const FRAMES = 12_800
const noise = (seed: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: FRAMES }, (_, n) =>
  0.8 * Math.sin(n * n * 1e-5 * seed))
const engines: Engine[] = []
const engine = async (options = {}): Promise<Engine> => {
  const made = await createEngine({ workers: 0, ...options })
  engines.push(made)
  return made
}
afterEach(async () => { for (const one of engines.splice(0)) await one.close() })

const offline = (channelCount = 1, more = {}): OfflineAudioContext =>
  new OfflineAudioContext({ numberOfChannels: channelCount, length: FRAMES, sampleRate: RATE, ...more })

async function batch(own: Engine, build: Build, planes: readonly Float32Array[]): Promise<Float32Array[]> {
  using result = await own.run({ out: build(audioBuffer({ data: [...planes], rate: RATE })) })
  const { data } = result.outputs.out as unknown as { data: { channels: number; channel(c: number): Float32Array } }
  return Array.from({ length: data.channels }, (_, c) => Float32Array.from(data.channel(c)))
}

describe('samples', () => {
  test.each(['auto', 'wasm'])('two gains, tier %s: every sample of the batch run', async (tier) => {
    const own = await engine({ tier }), build: Build = (input) => gain(gain(input, { gainDb: -7 }), { gainDb: 3 })
    if (tier === 'auto') expect(own.stats().mode.tier).toBe(inject('isolated') ? 'wasm-threads' : 'wasm')
    expect(await render(own, build, [noise(1)], offline())).toEqual(await batch(own, build, [noise(1)]))
  })

  test('a node that names wasm runs in a worklet of any engine', async () => {
    const named = gain.with({ tier: 'wasm' }), build: Build = (input) => named(input, { gainDb: -7 })
    for (const tier of ['auto', 'js']) {
      expect(await render(await engine({ tier }), build, [noise(1)], offline())).toEqual(await batch(await engine(), build, [noise(1)]))
    }
  })

  test('channels: two in, one out', async () => {
    const own = await engine(), build: Build = (input) => channels(input, { to: 1, mode: 'mean' })
    expect(await render(own, build, [noise(1), noise(2)], offline())).toEqual(await batch(own, build, [noise(1), noise(2)]))
  })

  const by = (...rates: number[]): Build => (input) => rates.reduce<WorkletInput>((at, rate) => resample(at, { rate }) as never, input)
  test.each<[string, Build, number]>([
    ['by 16 000 Hz', by(16_000, RATE), 128],
    ['by 8 000 Hz', by(8_000, RATE), 128],
    ['by 44 100 Hz', by(44_100, RATE), 128],
    ['by 8 000 and 16 000 Hz and back', by(8_000, RATE, 16_000, RATE), 128],
    ['by 8 000 Hz, 256 frames', by(8_000, RATE), 256],
    ['by 44 100 Hz, 256 frames', by(44_100, RATE), 256],
    ['the input beside a late path', (input) => mix([input, by(16_000, RATE)(input) as never]), 128],
    ['a gain of the input beside two late paths',
      (input) => mix([gain(input, { gainDb: -3 }), by(16_000, RATE)(input) as never, by(8_000, RATE)(input) as never]), 256],
  ])('%s: whole quanta of silence first, then the batch run without a gap', async (_, build, renderSizeHint) => {
    const own = await engine(), wave = noise(1).map((x) => x * 0.2 + 0.5),
      [got] = await render(own, build, [wave], offline(1, { renderSizeHint })), [want] = await batch(own, build, [wave])
    const late = got!.findIndex((x) => x !== 0), begin = Math.floor(late / 128) * 128
    expect(late).toBeGreaterThan(0)
    expect(begin).toBeLessThan(FRAMES / 2)
    expect(late - begin).toBe(want!.findIndex((x) => x !== 0))
    expect(got!.findIndex((x, n) => n >= begin && x !== want![n - begin])).toBe(-1)
  })

  test('a quantum of 256 frames where the host offers it: the same samples', async () => {
    const own = await engine(), build: Build = (input) => gain(input, { gainDb: -7 })
    expect(await render(own, build, [noise(1)], offline(1, { renderSizeHint: 256 }))).toEqual(await batch(own, build, [noise(1)]))
  })

  test('a host that posts no compiled modules gets their bytes', async () => {
    const own = await engine(), build: Build = (input) => gain(input, { gainDb: -7 }), seen: boolean[] = [], Real = AudioWorkletNode
    vi.stubGlobal('AudioWorkletNode', class extends Real {
      constructor(context: BaseAudioContext, name: string, options: AudioWorkletNodeOptions) {
        const compiled = (options.processorOptions as { modules: { module: unknown }[] }).modules
          .some(({ module }) => module instanceof WebAssembly.Module)
        seen.push(compiled)
        if (compiled) throw new DOMException('no modules here', 'DataCloneError')
        super(context, name, options)
      }
    })
    try {
      expect(await render(own, build, [noise(1)], offline())).toEqual(await batch(own, build, [noise(1)]))
    } finally {
      vi.unstubAllGlobals()
    }
    expect(seen).toEqual([true, false])
  })

  test('live', async () => {
    const own = await engine()
    const context = new AudioContext({ sampleRate: RATE })
    const segment = await own.openWorklet(context, (input) => gain(input, { gainDb: -6 }))
    const source = new ConstantSourceNode(context, { offset: 0.5 })
    const meter = new AnalyserNode(context, { fftSize: 32 })
    const heard = new Float32Array(32)
    source.connect(segment.node).connect(meter).connect(context.destination)
    source.start()
    await context.resume()
    await segment.ready
    await expect.poll(() => { meter.getFloatTimeDomainData(heard); return heard[31] }).toBeCloseTo(0.5 * 10 ** (-6 / 20), 4)
    segment.close()
    await segment.ended
    await context.close()
  })
})

const slow = defineNode({
  type: 'test::slow', version: '1.0.0', title: 'Slow', doc: 'In TypeScript.', family: 'test', params: {},
  inputs: { in: { media: audio() } }, outputs: { out: { media: audio({ like: 'in' }) } },
  process: () => Promise.reject(new Error('not here')),
})

describe('faults', () => {
  const plain: Build = (input) => gain(input, { gainDb: -7 })

  test('a throw inside the processor becomes DRIVER_ERROR', async () => {
    const own = await engine(), context = offline()
    // The class without its guards: `process` throws in the first quantum.
    const url = URL.createObjectURL(new Blob(["registerProcessor('millrace-segment', class extends AudioWorkletProcessor { constructor() { super(); this.port.postMessage({ kind: 'ready' }) } process() { throw new Error('injected') } })"], { type: 'text/javascript' }))
    const other = await engine({ workletURL: url }), segment = await other.openWorklet(context, plain)
    ;(segment.node as AudioWorkletNode).connect(context.destination)
    await context.startRendering()
    await expect(segment.ended).rejects
      .toMatchObject({ code: 'DRIVER_ERROR', kind: 'execution', message: expect.stringMatching(/^Driver worklet: .+/) })
    URL.revokeObjectURL(url)
    // One context has one copy: another is refused, not ignored.
    await expect(own.addWorklet(context)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('workletURL') })
  })

  test('a processor that cannot start: DRIVER_ERROR with its own error as the cause', async () => {
    const own = await engine(), Real = AudioWorkletNode
    vi.stubGlobal('AudioWorkletNode', class extends Real {
      constructor(context: BaseAudioContext, name: string, options: AudioWorkletNodeOptions) {
        super(context, name, { ...options, processorOptions: { ...options.processorOptions as object, protocol: -1 } })
      }
    })
    const segment = await own.openWorklet(offline(), plain).finally(() => { vi.unstubAllGlobals() })
    const failure = { code: 'DRIVER_ERROR', message: expect.stringContaining('expected protocol'), cause: { code: 'PROTOCOL_MISMATCH' } }
    await expect(segment.ready).rejects.toMatchObject(failure)
    await expect(segment.ended).rejects.toMatchObject(failure)
    await expect(own.openWorklet(offline(), plain, { arenaBytes: 1 })).rejects
      .toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('arenaBytes') })
  })

  test('a node that the host refuses: DRIVER_ERROR with what it said', async () => {
    const own = await engine()
    vi.stubGlobal('AudioWorkletNode', class { constructor() { throw new DOMException('not today', 'NotSupportedError') } })
    await expect(own.openWorklet(offline(), plain).finally(() => { vi.unstubAllGlobals() })).rejects
      .toMatchObject({ code: 'DRIVER_ERROR', message: expect.stringContaining('not today') })
  })

  test('a workletURL that leads nowhere fails, and is not replaced', async () => {
    const own = await engine({ workletURL: '/absent/worklet.js' }), context = offline()
    await expect(own.openWorklet(context, plain)).rejects
      .toMatchObject({ code: 'NETWORK', message: expect.stringContaining('/absent/worklet.js') })
    expect(() => new AudioWorkletNode(context, 'millrace-segment')).toThrow()
    // The next try is a try.
    await expect(own.addWorklet(context)).rejects.toMatchObject({ code: 'NETWORK' })
    await expect((await engine()).addWorklet(context)).resolves.toBeUndefined()
  })

  test('once per context, however many engines', async () => {
    const context = offline(), spy = vi.spyOn(context.audioWorklet, 'addModule'), own = await engine()
    await Promise.all([own.addWorklet(context), own.addWorklet(context), (await engine()).addWorklet(context)])
    expect(spy).toHaveBeenCalledTimes(1)
  })

  test.each<[string, Build, RegExp]>([
    ['another rate', (input) => resample(input, { rate: 16_000 }), /48000 Hz.*16000/],
    ['another format', (input) => toPcm16(input), /planar f32/],
    ['no audio', (input) => vad(input).segments, /planar f32/],
    ['nothing', (input) => input, /nothing that changes it/],
    ['a node that hands its input on', (input) => vad(input).audio, /nothing that changes it/],
    ['more channels than a worklet has', (input) => merge(Array.from({ length: 33 }, (_, n) => gain(input, { gainDb: -n }))),
      /got 33 channels/],
    ['a node in TypeScript', (input) => gain(slow(input) as never, { gainDb: -1 }), /node slow-1 \(test::slow\), which is no kernel/],
    ['two sources', (input) => mix([input, audioBuffer({ data: [noise(1)], rate: RATE })], {}), /several streams/],
  ])('%s is refused', async (_, build, text) => {
    await expect((await engine()).openWorklet(offline(), build)).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(text) })
  })

  test('what is no context, no function, no kernel tier, no open engine', async () => {
    const own = await engine()
    await expect(own.addWorklet({} as never)).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('OfflineAudioContext') })
    await expect(own.addWorklet({ sampleRate: 1 } as never)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(own.openWorklet(offline(), 5 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    for (const channels of [0, 33, 64]) {
      await expect(own.openWorklet(offline(), plain, { channels })).rejects
        .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('1…32') })
    }
    await expect(own.openWorklet(offline(), plain, null as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect((await engine({ tier: 'js' })).openWorklet(offline(), plain)).rejects.toMatchObject({ code: 'TIER_UNAVAILABLE' })
    // A named tier never falls back, and the memory of a worklet is its own.
    for (const tier of ['js', 'wasm-threads'] as const) {
      await expect(own.openWorklet(offline(), (input) => gain.with({ tier })(input))).rejects
        .toMatchObject({ code: 'TIER_UNAVAILABLE', message: expect.stringContaining(`tier ${tier} needs`) })
    }
    await own.close()
    await expect(own.addWorklet(offline())).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

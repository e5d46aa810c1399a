import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, type Graph, type RunOptions, type RunResult } from '../../src/index.js'
import { importDocument } from '../../src/graph-tools.js'
import * as nodes from '../../src/nodes/index.js'
import { encodeTestWav } from '../support/wav-of.js'
import { hasSharedData, sharedData } from '../support/shared-data.js'
import { speechLike } from '../support/speech-like.js'

const FOLDER = resolve('examples/pipelines'), FORMS = ['seed.json', 'v1.json', 'millrace.json'] as const
const TIERS = ['wasm-threads', 'wasm', 'js'] as const
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const shared = await hasSharedData('speech/speech-24k.wav')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-pipelines-'))
  writeFileSync(join(folder, 'input.wav'), encodeTestWav(speechLike({ rate: 48_000, seconds: 3 }), 48_000))
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

/** A pipeline of the examples, reading and writing in the test's folder. `change`: other files, other tiers. */
function load(name: string, form: string, change: (id: string, type: string) => Record<string, unknown> = () => ({})): Graph {
  const { document, report } = importDocument(readFileSync(join(FOLDER, name, form), 'utf8'), { registry })
  expect(report.missing).toEqual([])
  const graph = fromDocument(document, registry)
  return { ...graph, nodes: graph.nodes.map((node) => {
    const params = node.type === 'io::wav-file' ? { ...node.params, path: join(folder, 'input.wav') } : node.params
    const { tier, ...more } = change(node.id, node.type), { chunk_frames, ...kept } = params
    return {
      ...node,
      params: { ...kept, ...(chunk_frames === undefined ? {} : { chunkFrames: chunk_frames }), ...more },
      ...(tier === undefined ? {} : { tier: tier as never }),
    }
  }) }
}

/** What a run gave, as plain data. */
function plain(result: Pick<RunResult, 'outputs'>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(result.outputs).map(([name, packet]) => {
    const { data } = packet as { data: unknown }, audio = data as { toArray?(): ArrayLike<number>; close?(): void }
    if (typeof audio?.toArray !== 'function') return [name, data]
    const samples = [...Array.from(audio.toArray())]
    audio.close!()
    return [name, samples]
  }))
}

async function runIn(
  tier: typeof TIERS[number] | 'auto', graph: Graph, options: RunOptions = {},
): Promise<{ values: Record<string, unknown>; result: RunResult }> {
  await using engine = await createEngine({ tier, registry })
  const result = await engine.run(graph, options)
  return { values: plain(result), result }
}

const NAMES = readdirSync(FOLDER).filter((name) => /^\d\d-/.test(name)).sort()

describe('the eleven pipelines (GR-62)', () => {
  test('there are eleven, each in three forms', () => {
    expect(NAMES).toHaveLength(11)
    for (const name of NAMES) expect(readdirSync(join(FOLDER, name)).sort()).toEqual([...FORMS].sort())
  })

  test('1 basic: items unchanged and in order, in every form and tier', async () => {
    for (const form of FORMS) for (const tier of TIERS) {
      expect((await runIn(tier, load('01-basic', form))).values).toEqual({ 'sink.items': ['a', 'b', 3, { four: 4 }, null] })
    }
  })

  test('2 calculator: values, and the coded error of the instance that divides by zero', async () => {
    for (const form of FORMS) {
      const { values, result } = await runIn('auto', load('02-calculator', form), { onError: 'continue' })
      expect(values).toEqual({ 'results.items': [3, 3.5, 4, 4.5, 5] })
      expect(result.status).toBe('partialfailure')
      expect(result.error).toMatchObject({
        nodeId: 'broken', code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('math::divide, item 0: expected a divisor other than 0, got 0') as string,
      })
    }
  })

  test('3 tier comparison: equal outputs, the tier in the metrics', async () => {
    const seen = []
    for (const form of FORMS) for (const tier of TIERS) {
      const { values, result } = await runIn(tier, load('03-tier-comparison', form))
      expect(result.metrics.nodes.find(({ id }) => id === 'gain')!.tier).toBe(tier)
      seen.push(JSON.stringify([values['results.items'], bytesOf(values, 'write')]))
    }
    expect(new Set(seen).size).toBe(1)
  })

  test('4 async streaming: order kept, backpressure counted', async () => {
    for (const form of FORMS) {
      const { values, result } = await runIn('auto', load('04-async-streaming', form))
      expect(values).toEqual({ 'sink.items': [1, 4, 9, 16, 25, 36, 49, 64] })
      const edge = result.metrics.edges.find(({ from }) => from.startsWith('source'))!
      expect(edge.items).toBe(8)
      expect(edge.depthMax).toBeLessThanOrEqual(16)
    }
    // A source without delays before a slow reader: the buffer takes three, then the source is held back.
    const slow = load('04-async-streaming', 'millrace.json', (id) =>
      id === 'source' ? { delayMs: 0, items: Array.from({ length: 200 }, (_, i) => i) } : {})
    const { result } = await runIn('auto', slow)
    expect(result.metrics.edges.find(({ from }) => from.startsWith('source'))!.blockedUs).toBeGreaterThan(0)
  })

  // On a host without WebAssembly: test/examples/no-wasm.node.test.ts.
  test('5 fallback: the named tier in engines of every tier, auto as the engine is', async () => {
    for (const form of FORMS) {
      const ran = await Promise.all(TIERS.map(async (tier) => {
        const { result, values } = await runIn(tier, load('05-fallback', form))
        expect(result.metrics.nodes.find(({ id }) => id === 'gain')!.tier).toBe('wasm-threads')
        return keyOf(values)
      }))
      expect(new Set(ran).size).toBe(1)
      expect((await runIn('js', load('05-fallback', form, (id) => id === 'gain' ? { tier: 'auto' } : {}))).result.metrics.nodes
        .find(({ id }) => id === 'gain')!.tier).toBe('js')
    }
  })

  test('6 node comparison: kernel and reference side by side differ by exactly 0, in engines of every tier', async () => {
    for (const form of FORMS) for (const tier of TIERS) {
      const { values, result } = await runIn(tier, load('06-node-comparison', form))
      expect(values['difference.out']).toEqual({ peak: 0, rms: 0, frames: 144_000, firstFrame: null })
      const tiers = Object.fromEntries(result.metrics.nodes.map(({ id, tier }) => [id, tier]))
      expect([tiers['compiled'], tiers['reference']]).toEqual(['wasm-threads', 'js'])
    }
  })

  test('7 voice activity: equal decisions in every form and tier', async () => {
    const seen = new Set<string>()
    for (const form of FORMS) for (const tier of TIERS) {
      const { values } = await runIn(tier, load('07-voice-activity', form))
      expect((values['vad.segments'] as unknown[]).length).toBeGreaterThan(2)
      seen.add(JSON.stringify((values['vad.segments'] as { from: number; to: number }[]).map(({ from, to }) => [from, to])))
    }
    expect(seen.size).toBe(1)
  })

  // Published with the shared data: an energy detector, 30 ms, threshold 0.02, after resampling to 16 kHz.
  test.skipIf(!shared).each([
    ['speech-24k', 93, 141], ['quiet-speech-44k', 32, 142],
  ] as const)('7 voice activity: of %s the listed %i of %i frames, in every form and tier', async (name, speech, total) => {
    const path = join(folder, `${name}.wav`), bits = new Set<string>()
    writeFileSync(path, await sharedData(`speech/${name}.wav`))
    for (const tier of TIERS) {
      await using engine = await createEngine({ tier, registry })
      for (const form of FORMS) {
        using result = await engine.run(load('07-voice-activity', form, (_, type) => type === 'io::wav-file' ? { path } : {}))
        const frames = (result.outputs as unknown as Record<string, { data: Uint8Array; metadata: object }>)['vad.frames']!
        expect(frames.metadata).toMatchObject({ speechFrames: speech, totalFrames: total })
        expect([frames.data.length, frames.data.reduce((sum, bit) => sum + bit, 0)]).toEqual([total, speech])
        bits.add(frames.data.join(''))
      }
    }
    expect(bits.size).toBe(1)
  })

  test('8 realistic media: durations and counts over many files, nothing copied between kernels', async () => {
    const files = Number(process.env['MILLRACE_PIPELINE_FILES'] ?? 12)
    await using engine = await createEngine({ registry })
    for (let i = 0; i < files; i++) {
      const seconds = 0.5 + i * 0.1, path = join(folder, `file-${i}.wav`)
      writeFileSync(path, encodeTestWav(speechLike({ rate: 44_100, seconds, seed: i + 1 }), 44_100, 2))
      const result = await engine.run(load('08-realistic-media', FORMS[i % 3]!, (_, type) => type === 'io::wav-file' ? { path } : {}))
      const file = (result.outputs as Record<string, { data: Uint8Array; metadata: Record<string, unknown> }>)['write.file']!
      expect(file.metadata['frames']).toBe(Math.ceil(Math.round(44_100 * seconds) * 16_000 / 44_100))
      expect(file.data.byteLength).toBe(file.metadata['bytes'])
      expect(result.metrics.edges.filter(({ transport }) => transport === 'address').reduce((sum, edge) => sum + edge.copyBytes, 0)).toBe(0)
      expect(result.metrics.nodes.map(({ status }) => status).every((status) => status === 'success')).toBe(true)
    }
  })

  test('9 real-time chunks: 20 ms packets give the segments of the whole file', async () => {
    const seen = new Set<unknown>()
    for (const form of FORMS) {
      seen.add((await runIn('auto', load('09-real-time-chunks', form))).values['lines.text'])
      seen.add((await runIn(
        'auto',
        load('09-real-time-chunks', form, (_, type) => type === 'io::wav-file' ? { chunkFrames: 65_536 } : {}),
      )).values['lines.text'])
    }
    expect(seen.size).toBe(1)
    expect(String([...seen][0]).split('\n').length).toBeGreaterThan(4)
  })

  // 1, 3 and 7 compare tiers above, 5 names its tier, 10 waits.
  test.each([
    '02-calculator', '04-async-streaming', '06-node-comparison', '08-realistic-media', '09-real-time-chunks', '11-full-audio',
  ])('%s: equal outputs in every form and tier', async (name) => {
    const seen = new Map<'compiled' | 'js', Record<string, unknown>>()
    for (const tier of TIERS) {
      await using engine = await createEngine({ tier, registry })
      for (const form of FORMS) {
        const graph = load(name, form)
        const kernels =
          new Set(graph.nodes.flatMap(({ id, definition, tier: own }) => definition?.kernel !== undefined && own === undefined ? [id] : []))
        const result = await engine.run(graph, { onError: 'continue' })
        expect(result.status).toBe(name === '02-calculator' ? 'partialfailure' : 'success')
        // A node that would do nothing is left out (mono of mono).
        expect(new Set(result.metrics.nodes.filter(({ id }) => kernels.has(id)).map((node) => node.tier)))
          .toEqual(new Set(kernels.size === 0 ? [] : [tier]))
        const values = plain(result), first = seen.get(tier === 'js' ? 'js' : 'compiled')
        if (first === undefined) seen.set(tier === 'js' ? 'js' : 'compiled', values)
        else expect(Object.keys(values).filter((one) => keyOf(values[one]) !== keyOf(first[one])), `${form} in ${tier}`).toEqual([])
      }
    }
    const compiled = seen.get('compiled')!
    expect(Object.keys(compiled)).not.toEqual([])
    if (seen.has('js')) expectNear(seen.get('js'), compiled, name)
  })

  test('10 speech features: waits for its node, and says for which', () => {
    for (const form of FORMS) {
      const { report } = importDocument(readFileSync(join(FOLDER, '10-speech-features', form), 'utf8'), { registry })
      expect(report.missing.map(({ type }) => type)).toEqual([form === 'millrace.json' ? 'audio::mel' : 'MelSpectrogramNode'])
    }
  })

  test('11 full audio: the file has equal bytes for every chunking, worker count and compiled tier; js is within one step', async () => {
    const files = new Map<string, Uint8Array>()
    for (const form of FORMS) files.set(form, bytesOf((await runIn('auto', load('11-full-audio', form))).values, 'write'))
    for (const chunkFrames of [777, 4_096, 48_000]) {
      files.set(`chunks of ${chunkFrames}`, bytesOf(
        (await runIn('auto', load('11-full-audio', 'millrace.json', (_, type) => type === 'io::wav-file' ? { chunkFrames } : {}))).values,
        'write',
      ))
    }
    for (const workers of [0, 1, 2]) {
      await using engine = await createEngine({ registry, workers })
      files.set(`${workers} workers`, bytesOf(plain(await engine.run(load('11-full-audio', 'millrace.json'))), 'write'))
    }
    files.set('wasm', bytesOf((await runIn('wasm', load('11-full-audio', 'millrace.json'))).values, 'write'))
    const first = files.get('millrace.json')!
    expect(first.byteLength).toBeGreaterThan(10_000)
    for (const [name, bytes] of files) expect(Buffer.compare(bytes, first), name).toBe(0)
    const js = bytesOf((await runIn('js', load('11-full-audio', 'millrace.json'))).values, 'write')
    expect(js.byteLength).toBe(first.byteLength)
    const [a, b] = [first, js].map((bytes) => new Int16Array(bytes.slice(44).buffer)) as [Int16Array, Int16Array]
    expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThanOrEqual(1)
  })
})

/** A value as text to compare: bytes whole, the rest as JSON. */
function keyOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value)
}

/** `js` against the compiled tiers: numbers as near as resampling promises (1e-6), 16-bit files to one step, everything else equal. */
function expectNear(js: unknown, compiled: unknown, at: string): void {
  if (typeof js === 'number' && typeof compiled === 'number') { expect(Math.abs(js - compiled), at).toBeLessThanOrEqual(1e-6); return }
  if (js instanceof Uint8Array && compiled instanceof Uint8Array && at.endsWith('write.file')) {
    expect(js.byteLength, at).toBe(compiled.byteLength)
    const [a, b] = [js, compiled].map((bytes) => new Int16Array(bytes.slice(44).buffer)) as [Int16Array, Int16Array]
    expect(a.findIndex((x, i) => Math.abs(x - b[i]!) > 1), at).toBe(-1)
    return
  }
  if (typeof js !== 'object' || typeof compiled !== 'object' || js === null || compiled === null || js instanceof Uint8Array) {
    expect(js, at).toEqual(compiled)
    return
  }
  const [a, b] = [js, compiled] as [Record<string, unknown>, Record<string, unknown>]
  expect(Object.keys(a), at).toEqual(Object.keys(b))
  // One expectation for a long list of samples.
  if (Array.isArray(a) && a.length > 1_000 && a.every((x) => typeof x === 'number')) {
    expect(a.findIndex((x, i) => !(Math.abs((x as number) - (b as unknown as number[])[i]!) <= 1e-6)), at).toBe(-1)
  } else {
    for (const key of Object.keys(a)) expectNear(a[key], b[key], `${at}/${key}`)
  }
}

/** The written file's bytes. */
function bytesOf(values: Record<string, unknown>, node: string): Uint8Array {
  const bytes = values[`${node}.file`]
  expect(bytes).toBeInstanceOf(Uint8Array)
  return bytes as Uint8Array
}

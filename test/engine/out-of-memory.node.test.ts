/**
 * A thread's heap is full (`ERR_WORKER_OUT_OF_MEMORY`, MW-46, MW-52), seen through engines: in a thread that executes kernels and in one
 * for a node written in TypeScript. What it did is delivered again and the run gives its result, or fails with the code after the last
 * delivery; the process lives, and the next run finds its threads.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleWorker } from '../../scripts/inline.mjs'
import { createEngine, isMillraceError, json, type AudioBuffer, type Engine, type RunFailure } from '../../src/index.js'
import { audioBuffer, resample, toPcm16 } from '../../src/nodes/index.js'
import { speechLike } from '../support/speech-like.js'
import { loose, type Loose } from '../workers/script/script-nodes.js'

const SAMPLES = speechLike({ rate: 16_000, seconds: 2 }), LIMITS = { maxOldGenerationSizeMb: 16 }
let folder: string, meals: string, workerURL: string
/** A thread that takes a meal, a file, fills its heap. */
const eater = (): string => `const eat = () => {
  const fs = process.getBuiltinModule('node:fs')
  for (const meal of fs.readdirSync(${JSON.stringify(meals)})) {
    try { fs.unlinkSync(${JSON.stringify(meals)} + '/' + meal) } catch { continue }
    const keep = []
    for (;;) keep.push(new Array(1e5).fill({}))
  }
}\n`
const serve = (count: number): void => { for (let n = 0; n < count; n++) writeFileSync(join(meals, String(n)), '') }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-memory-'))
  meals = join(folder, 'meals')
  process.getBuiltinModule('node:fs').mkdirSync(meals)
  workerURL = join(folder, 'worker.mjs')
  // Between two passes over kernels.
  writeFileSync(workerURL, `${eater()}const { Instance } = WebAssembly
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports), { segment_run } = instance.exports
  return segment_run === undefined ? instance : { exports: { ...instance.exports, segment_run(program, thread) { eat(); return segment_run(program, thread) } } }
}\n${(await bundleWorker(resolve(import.meta.dirname, '../../src/workers/worker-entry.ts'))).code}`)
}, 60_000)
beforeEach(() => { for (const left of readdirSync(meals)) rmSync(join(meals, left)) })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const failureOf = async (run: Promise<unknown>): Promise<RunFailure> => {
  try { await run } catch (error) {
    if (isMillraceError(error)) return error as RunFailure
    throw error
  }
  throw new Error('expected a failure, got a result')
}
/** Hash of the samples. */
const pcm = async (engine: Engine): Promise<string> => {
  using result =
    await engine.run({ pcm: toPcm16(resample(audioBuffer({ data: [SAMPLES], rate: 16_000 }), { rate: 44_100 })) }, { blockFrames: 2_048 })
  return createHash('sha256').update((result.outputs.pcm.data as AudioBuffer).toArray() as Int16Array).digest('hex')
}

describe.each(['wasm-threads', 'wasm'] as const)('%s', (tier) => {
  const losses: string[] = []
  const open = (): Promise<Engine> => {
    losses.length = 0
    return createEngine({
      tier, workers: 2, arenaBytes: 2 ** 25, workerURL, resourceLimits: LIMITS, warmSpares: 0, logger: () => undefined,
      onEvent: (event) => { if (event.type === 'worker.lost') losses.push(String(event.payload['reason'])) },
    })
  }
  let right: string
  beforeAll(async () => {
    await using engine = await createEngine({ tier, workers: 0 })
    right = await pcm(engine)
  }, 60_000)

  test('a thread that executes kernels: its task is delivered again, the run gives the same samples', async () => {
    await using engine = await open()
    expect(await pcm(engine)).toBe(right)
    const used = engine.stats().arena.usedBytes
    serve(1)
    expect(await pcm(engine)).toBe(right)
    expect(losses).toEqual(['out of memory'])
    expect(readdirSync(meals)).toEqual([])
    // All threads of the pool again, and what the lost one had leased is back.
    expect(await pcm(engine)).toBe(right)
    expect(engine.stats().workers.lost).toBe(1)
    expect(engine.stats().arena.usedBytes).toBeLessThanOrEqual(used + 69_632)
  }, 30_000)

  test('again at every delivery: WORKER_LOST names the node and says why; the next run is sound', async () => {
    await using engine = await open()
    serve(400)
    expect(await failureOf(pcm(engine))).toMatchObject({
      code: 'WORKER_LOST', retryable: false,
      details: { delivery: 4, deliveries: 4, reason: expect.stringContaining('out of memory') as string },
    })
    expect(new Set(losses)).toEqual(new Set(['out of memory']))
    for (const left of readdirSync(meals)) rmSync(join(meals, left))
    expect(await pcm(engine)).toBe(right)
  }, 60_000)

  test('a node in TypeScript: once, and its next delivery gives the result', async () => {
    await using engine = await open()
    const text = `${eater()}export const process = async () => { eat(); return { out: { media: { kind: 'json' }, data: 42, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } } }`.replace(
      'process.getBuiltinModule', 'globalThis.process.getBuiltinModule',
    )
    const node: Loose = loose({
      type: 'test::eater', version: '1.0.0', title: 'E', doc: 'E.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: json() } }, thread: 'worker', codeURL: `data:text/javascript,${encodeURIComponent(text)}`,
    })
    serve(1)
    const { outputs, metrics } = await engine.run({ out: node() })
    expect(outputs['out']!.data).toBe(42)
    expect(metrics.nodes).toMatchObject([{ deliveries: 2 }])
    expect(engine.parts.scripts!.stats()).toMatchObject({ lost: 1, busy: 0 })
    expect(existsSync(join(meals, '0'))).toBe(false)
  }, 30_000)

  test('a limit that leaves no room to start: WORKER_SPAWN, and other engines start', async () => {
    const engine = await createEngine({
      tier, workers: 1, arenaBytes: 2 ** 25,
      resourceLimits: { maxOldGenerationSizeMb: 3, maxYoungGenerationSizeMb: 1 },
      logger: () => undefined,
    })
    expect(await failureOf(pcm(engine))).toMatchObject({ code: expect.stringMatching(/^WORKER_(SPAWN|LOST)$/) as string })
    await engine.close()
    await using sound = await open()
    expect(await pcm(sound)).toBe(right)
  }, 60_000)
})

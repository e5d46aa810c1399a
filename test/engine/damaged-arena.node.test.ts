/**
 * Damage of an arena's fixed part that may leave header and magic whole (MW-02): random words are written over while the engine idles and
 * while it runs. Nothing hangs, nothing crashes the process, what fails fails with a code, and another engine of the process goes on.
 * MILLRACE_DAMAGES: how many engines are damaged.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type AudioBuffer, type Engine } from '../../src/index.js'
import { audioBuffer, gain, resample, toPcm16, vad } from '../../src/nodes/index.js'
import { ARENA, RUN, SLOT } from '../../src/memory/layout.js'
import { speechLike } from '../support/speech-like.js'

const DAMAGES = Number(process.env['MILLRACE_DAMAGES'] ?? 10), SEED = Number(process.env['MILLRACE_SEED'] ?? 1)
/** Longer than any wait of the engine that ends by itself: a sleep of 1 s, a hang of 3 s, 3 deliveries. */
const LIMIT_MS = 20_000
const SAMPLES = speechLike({ rate: 16_000, seconds: 4 }), CHUNK = 2_048, CHUNKS = Math.ceil(SAMPLES.length / CHUNK)
/** What happens before the nth chunk of a run. */
let strike = (_chunk: number): void => undefined
/** The samples, chunk by chunk, while threads work on those before. */
const fed = defineNode({
  type: 'test::fed', version: '1.0.0', title: 'Fed', doc: 'Samples.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  async *pull(_params, ctx) {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      strike(chunk)
      const position = chunk * CHUNK
      const samples = SAMPLES.subarray(position, position + CHUNK)
      const data = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: samples.length })
      data.channel(0).set(samples)
      yield {
        out: {
          media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
          data, position, duration: samples.length, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        } as never,
      }
    }
  },
})
/** Words that are in use: header, the first slots, guards and events, the first runs, the engine's thread. */
const HOT = [
  [0, ARENA.SLOTS], [ARENA.SLOTS, ARENA.SLOTS + 3 * SLOT.BYTES], [ARENA.GUARD, ARENA.RUNS], [ARENA.RUNS, ARENA.RUNS + 4 * RUN.BYTES],
  [ARENA.THREADS, ARENA.THREADS + 16],
] as const

function random(seed: number): () => number {
  let state = seed * 2_654_435_761 >>> 0
  return () => {
    state = Math.imul(state ^ state >>> 15, state | 1)
    state ^= state + Math.imul(state ^ state >>> 7, state | 61)
    return ((state ^ state >>> 14) >>> 0) / 2 ** 32
  }
}
const outputs = (chunked: boolean) => {
  const speech = chunked ? fed() : audioBuffer({ data: [SAMPLES], rate: 16_000 })
  return { pcm: toPcm16(resample(gain(speech, { gainDb: -3 }), { rate: 44_100 })), frames: vad(speech).frames }
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
async function within<T>(what: string, work: Promise<T>, how = (): string => ''): Promise<T> {
  const stop = new AbortController()
  try {
    return await Promise.race([
      work,
      sleep(LIMIT_MS).then(() => { if (!stop.signal.aborted) throw new Error(`hangs: ${what} ${how()}`); return undefined as never }),
    ])
  } finally { stop.abort() }
}
const pcmOf = async (engine: Engine, chunked = false): Promise<Int16Array> => {
  using result = await engine.run(outputs(chunked))
  return (result.outputs.pcm.data as AudioBuffer).toArray() as Int16Array
}

/** One to three words, or one of all that are in use. Gives what it wrote, for messages. */
function damage({ parts: { arena: { u32, base } } }: Engine, next: () => number): string {
  const text: string[] = []
  for (let n = 1 + Math.floor(next() * 3); n > 0; n--) {
    const [from, to] = next() < 0.2 ? [0, ARENA.DATA] : HOT[Math.floor(next() * HOT.length)]!
    const at = from + 4 * Math.floor(next() * (to - from) / 4)
    const index = (base + at) >>> 2, kind = Math.floor(next() * 4)
    const value = kind === 0 ? 0 : kind === 1 ? 0xffffffff : kind === 2 ? u32[index]! ^ 1 << Math.floor(next() * 32) : next() * 2 ** 32
    text.push(`0x${at.toString(16)}: 0x${u32[index]!.toString(16)} → 0x${(value >>> 0).toString(16)}`)
    u32[index] = value
  }
  return text.join(', ')
}

let other: Engine
/** What a sound engine of a tier gives. */
const right = new Map<string, Int16Array>()
beforeAll(async () => {
  other = await createEngine({ tier: 'wasm-threads', workers: 1, arenaBytes: 2 ** 24, logger: () => undefined })
  for (const tier of ['wasm-threads', 'wasm', 'js'] as const) {
    await using sound = await createEngine({ tier, workers: 0, logger: () => undefined })
    right.set(tier, await pcmOf(sound))
  }
}, 60_000)
afterAll(() => other.close())

describe('random words of the fixed part are written over', () => {
  test.each([
    ['while it idles', 'wasm-threads'], ['while it runs', 'wasm-threads'], ['while it idles', 'wasm'], ['while it runs', 'wasm'],
    ['while it idles', 'js'],
  ] as const)('%s (%s)', async (when, tier) => {
    const seen = { under: 0, noticed: 0, failed: 0, sound: 0, wrong: 0 }, other_ = other
    // Whatever nobody handles would end the process.
    const loose: unknown[] = [], hear = (error: unknown): void => { loose.push(error) }
    process.on('unhandledRejection', hear)
    const count = Math.ceil(DAMAGES / { 'wasm-threads': 1, wasm: 5, js: 10 }[tier])
    for (let i = 0; i < count; i++) {
      const next = random(SEED * 1_000 + i), said: string[] = []
      const engine = await createEngine({
        tier, workers: tier === 'js' ? 0 : 2, arenaBytes: 2 ** 25,
        logger: (_level, text, details) => { said.push(`${text} ${JSON.stringify(details)}`) },
      })
      let what = ''
      if (when === 'while it idles') {
        await pcmOf(engine)
        what = damage(engine, next)
      }
      // In the middle, or a little later than a chunk.
      const at = Math.floor(next() * CHUNKS), later = next() < 0.5
      strike = (chunk) => {
        if (when !== 'while it runs' || chunk !== at) return
        seen.under++
        if (later) void Promise.resolve().then(() => { what = damage(engine, next) })
        else what = damage(engine, next)
      }
      const run = pcmOf(engine, when === 'while it runs').then((pcm): unknown => pcm, (error: unknown) => error)
      const result = await within(`run of engine ${i}`, run, () => what)
      if (result instanceof Error && !isMillraceError(result)) throw new Error(`engine ${i}, ${what}: no code`, { cause: result })
      const noticed = isMillraceError(result) && result.code === 'ARENA_CORRUPT' || said.some((text) => text.includes('ARENA_CORRUPT'))
      seen[noticed ? 'noticed' : isMillraceError(result) ? 'failed' : same(tier, result as Int16Array) ? 'sound' : 'wrong']++
      await within(`close of engine ${i}`, engine.close(), () => what)
      expect(engine.stats().workers.count).toBe(0)
    }
    process.off('unhandledRejection', hear)
    expect(loose).toEqual([])
    expect(same('wasm-threads', await within('the other engine', pcmOf(other_)))).toBe(true)
    console.info(`${when} (${tier}): of ${count} engines (${seen.under} hit in a run) ${seen.noticed} noticed it, ${seen.failed} failed with another code, ${seen.sound} gave the right result, ${seen.wrong} a wrong one`)
    // What is damaged between two runs is the same every time.
    expect(seen.under).toBe(when === 'while it runs' ? count : 0)
    if (when === 'while it idles' && tier === 'wasm-threads') expect(seen.noticed).toBeGreaterThanOrEqual(count / 3)
  }, 60_000 + DAMAGES * LIMIT_MS)
})

function same(what: string, pcm: Int16Array): boolean {
  const good = right.get(what)!
  return pcm.length === good.length && pcm.every((sample, i) => sample === good[i])
}

/** Runs of random graphs while their workers are ended at random instants (MW-34, MW-47): outputs bit for bit, kernels' counters as without an end, nothing left. */
import { createHash } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type AnyHandle, type AudioBuffer, type Engine, type RunResult } from '../../src/index.js'
import { audioBuffer, channels, gain, mix, resample, vad } from '../../src/nodes/index.js'
import { ARENA, RUN } from '../../src/memory/layout.js'

const KILLS = Number(process.env['MILLRACE_KILLS'] ?? 16), GRAPHS = 6, MIB = 2 ** 20
/** Spans of new threads' stacks stay with the core's allocator for the next thread (PK-26). */
const SPAN = 69_632

const threads: Worker[] = []
const host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = Real })

function noise(seed: number): () => number {
  let state = seed >>> 0
  return () => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return state / 2 ** 32 }
}
const random = noise(Number(process.env['MILLRACE_SEED'] ?? 5)), below = (n: number): number => Math.floor(random() * n)
const samples = (frames: number, seed: number): Float32Array => Float32Array.from({ length: frames }, (_, n) => Math.sin(n * (0.01 + seed / 50)) * 0.4 + Math.sin(n * n * 1e-7) * 0.2)

/** The samples in pieces of 5 000: what reads them is fed chunk by chunk, and every chunk is a delivery of its own. */
const chunked = (data: Float32Array): ReturnType<typeof gain> => defineNode({
  type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Samples in pieces.', family: 'test', params: {}, inputs: {}, outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  pull: async function* (_params, ctx) {
    for (let position = 0; position < data.length; position += 5_000) {
      const piece = data.subarray(position, position + 5_000), buffer = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: piece.length })
      buffer.makeMut().channel(0).set(piece)
      yield { out: { media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }, data: buffer, position, duration: piece.length, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    }
  },
})() as never

/** A graph of gains, mixes, resamplers and detectors over two sources, the last three are outputs. */
function drawGraph(source: (data: Float32Array) => ReturnType<typeof gain>): () => Record<string, AnyHandle> {
  const sources = [0, 1].map((seed) => samples(40_000 + below(60_000), seed)), drawn = Array.from({ length: 2 + below(6) }, (_, i) => ({ kind: below(5), reads: [below(i + 2), below(i + 2)], value: below(12) - 6 }))
  return () => {
    const handles: ReturnType<typeof gain>[] = sources.map(source)
    for (const { kind, reads: [a, b], value } of drawn) {
      const [x, y] = [handles[a!]!, handles[b!]!]
      handles.push((kind === 0 || x === y ? gain(x, { gainDb: value }) : kind === 1 ? mix([x, y]) : kind === 2 ? resample(resample(x, { rate: 22_050 }), { rate: 16_000 }) : kind === 3 ? channels(x, { to: 1, mode: 'mean' }) : vad(x).audio) as never)
    }
    return Object.fromEntries(handles.slice(2).slice(-3).map((handle, i) => [`n${i}`, handle as AnyHandle]))
  }
}

/** Digest of all samples: comparing them one by one takes longer than computing them. */
function bits(data: AudioBuffer): string {
  const hash = createHash('sha256')
  for (let c = 0; c < data.channels; c++) hash.update(data.channel(c).slice())
  return `${data.channels} x ${data.frames}: ${hash.digest('hex')}`
}

/** Outputs' digests, and what each kernel counted. */
async function outcome(engine: Engine, graph: () => Record<string, AnyHandle>): Promise<unknown> {
  let ran: RunResult | undefined
  while (ran === undefined) {
    // All threads may be ended while they start: then the run has not begun.
    try { ran = await engine.run(graph() as never) as RunResult } catch (error) { if (!isMillraceError(error) || error.code !== 'WORKER_SPAWN') throw error }
  }
  using result = ran
  const outputs = Object.fromEntries(Object.entries(result.outputs as Record<string, { data: AudioBuffer }>).map(([name, { data }]) => [name, bits(data)]))
  return { outputs, counted: result.metrics.nodes.map(({ id, framesIn, framesOut, kernelCalls }) => ({ id, framesIn, framesOut, kernelCalls })) }
}

const whole = (data: Float32Array): ReturnType<typeof gain> => audioBuffer({ data: [data], rate: 16_000 }) as never

describe.each([['whole values', whole], ['chunks', chunked]])('%s', (_name, source) => {
  test(`${KILLS} ends in random graphs`, async () => {
    await using engine = await createEngine({ tier: 'wasm-threads', workers: 2, arenaBytes: 256 * MIB, respawns: Number.POSITIVE_INFINITY, logger: () => undefined })
    const graphs = Array.from({ length: GRAPHS }, () => drawGraph(source)), expected: unknown[] = []
    for (const graph of graphs) expected.push(await outcome(engine, graph))
    const { arena } = engine.parts, used = engine.stats().arena.usedBytes
    let kills = 0
    while (kills < KILLS) {
      const which = below(GRAPHS), both = [which, below(GRAPHS)], runs = both.map((n) => outcome(engine, graphs[n]!))
      for (let k = 0; k < 2; k++) {
        await new Promise((resolve) => { setTimeout(resolve, below(12)) })
        const alive = threads.filter(({ threadId }) => threadId > 0)
        if (alive.length === 0) continue
        kills++
        await alive[below(alive.length)]!.terminate()
      }
      expect(await Promise.all(runs)).toEqual(both.map((n) => expected[n]))
    }
    const { workers } = engine.stats()
    expect(workers.lost).toBeGreaterThan(KILLS / 4)
    expect((engine.stats().arena.usedBytes - used) % SPAN).toBe(0)
    expect(Array.from({ length: RUN.COUNT }, (_, run) => arena.u32[(arena.base + ARENA.RUNS + run * RUN.BYTES) >>> 2])).toEqual(new Array(RUN.COUNT).fill(0))
    console.log(`${kills} ends, ${workers.lost} of working threads, ${workers.respawns} replaced`)
  }, 1_200_000)
})

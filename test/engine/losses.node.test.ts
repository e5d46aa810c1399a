/**
 * Losses with real threads, shared and private memory (MW-46, MW-47, MW-49, MW-50): coded errors, nothing hangs, the next run
 * finds its workers, the arena is as before.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  audio, createEngine, defineNode, isMillraceError, type AudioBuffer, type Engine, type MillraceError, type RunFailure,
} from '../../src/index.js'
import { audioBuffer, gain, mix, resample, toPcm16, vad } from '../../src/nodes/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { craftModule } from '../kernels/craft-module.js'
import { speechLike } from '../support/speech-like.js'

/** Spans of new threads' stacks stay with the core's allocator for the next thread (PK-26). */
const SPAN = 69_632
const MIB = 2 ** 20, SAMPLES = speechLike({ rate: 16_000, seconds: 4 })
const EXPORTS = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process']
/** Bodies of `process`. The fifth exported function, counted from 0, is `process` itself. */
const FATAL = {
  unreachable: [0x00],
  'memory access out of bounds': [0x41, 0x7c, 0x28, 0x02, 0x00, 0x1a],
  'divide by zero': [0x41, 0x01, 0x41, 0x00, 0x6d, 0x1a],
  'call stack': [0x20, 0x00, 0x20, 0x01, 0x10, 0x05, 0x1a],
} as const
/** How often a thread is ended at some moment of a run. */
const ROUNDS = 6
const STUCK = [0x03, 0x40, 0x0c, 0x00, 0x0b]

const speech = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [SAMPLES], rate: 16_000 })
const crafted = (body: readonly number[]): Uint8Array => craftModule({ exports: EXPORTS, body, layout: layoutHash() })
const wobble = (module: string): ((input: unknown) => never) => defineNode({
  type: 'test::wobble', version: '1.0.0', title: 'Wobble', doc: 'Misbehaves.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module, export: 'wobble' }, hangMs: 300, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never
const failureOf = async (run: Promise<unknown>): Promise<RunFailure> => {
  const error: unknown = await run.then(() => undefined, (e: unknown) => e)
  if (!isMillraceError(error)) throw error ?? new Error('expected a failure, got a result')
  return error as RunFailure
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
const until = async (reached: () => boolean): Promise<void> => { while (!reached()) await sleep(1) }
const untilBusy = (engine: Engine): Promise<void> => until(() => engine.stats().workers.busy > 0)

/** Every thread that is started while this file runs, newest last. */
const threads: Worker[] = []
const host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, RealWorker = host.Worker
host.Worker = class extends RealWorker {
  constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) }
}
const files = mkdtempSync(join(tmpdir(), 'millrace-losses-'))
afterAll(() => { host.Worker = RealWorker; rmSync(files, { recursive: true, force: true }) })

describe.each(['wasm-threads', 'wasm'] as const)('%s', (tier) => {
  let engine: Engine, used: number
  const outputs = { pcm: toPcm16(resample(gain(speech(), { gainDb: -3 }), { rate: 44_100 })), frames: vad(speech()).frames }
  /** What a sound run gives, as plain values. */
  const good = async (on = engine): Promise<readonly unknown[]> => {
    using result = await on.run(outputs)
    return [(result.outputs.pcm.data as AudioBuffer).toArray(), result.outputs.frames.data]
  }
  beforeEach(async () => {
    threads.length = 0
    engine = await createEngine({
      tier, workers: 2, arenaBytes: 32 * MIB,
      kernels: {
        stuck: crafted(STUCK),
        ...Object.fromEntries(Object.entries(FATAL).map(([name, body]) => [name.replaceAll(' ', '-'), crafted(body)])),
      },
    })
    await good()
    used = engine.stats().arena.usedBytes
  })
  afterEach(async () => {
    expect((engine.stats().arena.usedBytes - used) % SPAN).toBe(0)
    expect(engine.stats()).toMatchObject({ runs: 0, workers: { busy: 0 } })
    await engine.close()
  })

  test.each(Object.keys(FATAL))('a kernel that dies of %s is KERNEL_TRAP naming node and reason; other runs go on', async (reason) => {
    const before = await good(), other = good()
    const failure = await failureOf(engine.run({ out: wobble(reason.replaceAll(' ', '-'))(speech()) } as never))
    expect(failure).toMatchObject({
      code: 'KERNEL_TRAP', nodeId: 'wobble-1', nodeType: 'test::wobble', details: { reason: expect.stringContaining(reason) },
      cause: expect.any(Error),
    })
    // The other run either had another thread, or lost the one that trapped: its task is delivered again (ADR 0014).
    expect(await other).toEqual(before)
    expect(await good()).toEqual(before)
    expect(engine.stats().workers).toMatchObject({ count: 2 })
  })

  test('a kernel that never returns: its run fails with WORKER_LOST after three more deliveries, each found by its silence', async () => {
    const before = await good(), run = failureOf(engine.run({ out: wobble('stuck')(speech()) } as never))
    await untilBusy(engine)
    await Promise.all(threads.map((thread) => thread.terminate()))
    expect(await run).toMatchObject({
      code: 'WORKER_LOST', retryable: false, nodeId: 'wobble-1',
      details: { delivery: 4, deliveries: 4, reason: expect.stringContaining('hang') }, cause: { code: 'HEARTBEAT_LOST' } })
    const { records } = (await run).details as unknown as { records?: readonly { kind: string }[] }
    expect(records?.slice(-2).map(({ kind }) => kind)).toEqual(['kernel', 'lost'])
    expect(await good()).toEqual(before)
    expect(engine.stats().workers).toMatchObject({ count: 2 })
  })

  test('threads that are ended at any moment: the run gives its result, the next one its result', async () => {
    const before = await good(), seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const run = good().then((value) => { expect(value).toEqual(before); return 'done' }, (error: MillraceError) => error.code)
      for (let turn = 0; turn < round % 4; turn++) await new Promise((resolve) => { setImmediate(resolve) })
      const alive = threads.filter(({ threadId }) => threadId > 0)
      await alive[round % alive.length]!.terminate()
      seen.add(await run)
      expect(await good()).toEqual(before)
    }
    expect([...seen]).toEqual(['done'])
    // A spare is nobody's loss.
    expect(engine.stats().workers.lost).toBeLessThanOrEqual(ROUNDS)
    await until(() => engine.stats().workers.count === 2)
  }, 120_000)

  test('cancel of one of two runs leaves the other untouched', async () => {
    const before = await good(), stop = new AbortController()
    const endless = defineNode({
      type: 'test::endless', version: '1.0.0', title: 'Endless', doc: 'Never ends.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      pull: async function* (_params, ctx) {
        for (let position = 0; ; position += 1_024) {
          const data = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: 1_024 })
          yield {
            out: {
              media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
              data, position, duration: 1_024, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
            },
          }
          if (position === 51_200) stop.abort('enough')
        }
      },
    })
    const [cut, whole] = [failureOf(engine.run({ frames: vad(gain(endless())).frames }, { signal: stop.signal })), good()]
    expect(await cut).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('enough') })
    expect(await whole).toEqual(before)
    expect(engine.stats().workers).toMatchObject({ count: 2, lost: 0 })
  })

  test('50 runs at once on one engine give what one gives', async () => {
    const alone = async (): Promise<unknown> => {
      using result = await engine.run({ out: mix([gain(short(), { gainDb: -6 }), short()]) })
      return (result.outputs.out.data as AudioBuffer).toArray()
    }
    const short = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [SAMPLES.subarray(0, 4_000)], rate: 16_000 })
    const one = await alone()
    for (const many of await Promise.all(Array.from({ length: 50 }, alone))) expect(many).toEqual(one)
  })

  test('close during a run rejects it with CLOSED, and is done when threads are gone', async () => {
    const run = failureOf(engine.run({ out: wobble('stuck')(speech()) } as never))
    await untilBusy(engine)
    const started = [...threads]
    await Promise.all([engine.close(), engine.close()])
    expect(await run).toMatchObject({ code: 'CLOSED' })
    // An ended thread has no id any more.
    expect(started.length).toBeGreaterThanOrEqual(2)
    expect(started.filter(({ threadId }) => threadId !== -1)).toEqual([])
    engine = await createEngine({ tier, workers: 0 })
    used = engine.stats().arena.usedBytes
  })

  test('two engines side by side do not touch each other; audio of one is refused by the other', async () => {
    await using second = await createEngine({ tier, workers: 1, arenaBytes: 32 * MIB })
    const [a, b] = await Promise.all([good(), good(second)])
    expect(a).toEqual(b)
    const theirs = second.audio.alloc({ rate: 16_000, channels: 1, frames: 1_000 }), before = second.stats().arena.usedBytes
    expect(await failureOf(engine.run({ out: gain(audioBuffer({ data: theirs } as never) as never) } as never)))
      .toMatchObject({ code: 'INVALID_HANDLE', nodeId: 'audio-buffer-1', details: { reason: 'arena' } })
    const direct = engine.openNode(gain, {}, { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' })
    expect(() => direct.process(theirs)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error)
    direct.close()
    expect(second.stats().arena.usedBytes).toBe(before)
    theirs.close()
    await second.close()
    expect(await good()).toEqual(a)
  })
})

test('in steady state a run in shared memory posts nothing', async () => {
  await using engine = await createEngine({ tier: 'wasm-threads', workers: 2 })
  const run = async (): Promise<void> => { (await engine.run({ out: toPcm16(resample(speech(), { rate: 24_000 })) })).close() }
  await run()
  const { messages } = engine.stats().workers
  for (let i = 0; i < 5; i++) await run()
  expect(engine.stats().workers.messages).toBe(messages)
  expect(messages).toBeGreaterThan(0)
})

describe('workers that do not start', () => {
  const file = (name: string, code: string): string => { const path = join(files, name); writeFileSync(path, code); return path }
  test.each([
    ['a file that is not there', () => join(files, 'none.mjs'), /did not start.*(Cannot find|exit|error)/i],
    ['code that throws', () => file('throws.mjs', "throw new Error('not today')"), /not today/],
    ['code that ends', () => file('ends.mjs', 'process.exit(3)'), /exit code 3/],
    ['code that says nothing', () => file('mute.mjs', 'setInterval(() => {}, 1000)'), /no answer/],
    ['code of another version', () => file('old.mjs', "import { parentPort } from 'node:worker_threads'\nparentPort.postMessage({ millrace: 'hello', protocol: 999 })\nsetInterval(() => {}, 1000)"), /expected protocol 1, got 999/],
  ] as const)('%s', async (_name, url, message) => {
    await using engine = await createEngine({ workers: 2, workerURL: url(), startTimeoutMs: 1_500 })
    const used = engine.stats().arena.usedBytes
    for (let i = 0; i < 2; i++) {
      const failure = await failureOf(engine.run({ out: toPcm16(speech()) }))
      expect(failure.code).toMatch(/^WORKER_SPAWN$|^PROTOCOL_MISMATCH$/)
      expect(failure.message).toMatch(message)
      expect(engine.stats()).toMatchObject({ workers: { count: 0, busy: 0 }, arena: { usedBytes: used } })
    }
  })
})

describe('memory that the host refuses', () => {
  const RealMemory = WebAssembly.Memory
  /** A host that gives at most so many bytes. */
  const most = (bytes: number): void => {
    WebAssembly.Memory = class extends RealMemory {
      constructor(words: WebAssembly.MemoryDescriptor) {
        if (words.initial * 65_536 > bytes) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
        super(words)
      }
    }
  }
  afterEach(() => { WebAssembly.Memory = RealMemory })

  test.each(['wasm-threads', 'wasm'] as const)('the default is halved with a warning, and runs (%s)', async (tier) => {
    const logger = vi.fn()
    most(32 * MIB)
    await using engine = await createEngine({ tier, workers: 0, logger })
    expect(logger.mock.calls)
      .toEqual([['warn', expect.stringContaining('refused 67108864 bytes and gave 33554432'), { askedBytes: 64 * MIB, bytes: 32 * MIB }]])
    expect(engine.stats().arena.capacityBytes).toBeLessThanOrEqual(32 * MIB)
    using result = await engine.run({ out: toPcm16(speech()) })
    expect(result.outputs.out.data).toMatchObject({ frames: SAMPLES.length })
  })

  test('a size that was named, and a host that gives nothing, are SHARED_MEMORY', async () => {
    most(32 * MIB)
    await expect(createEngine({ tier: 'wasm-threads', arenaBytes: 64 * MIB })).rejects
      .toMatchObject({ code: 'SHARED_MEMORY', details: { bytes: 64 * MIB } })
    most(0)
    await expect(createEngine({ tier: 'wasm' })).rejects
      .toMatchObject({ code: 'SHARED_MEMORY', details: { bytes: 16 * MIB }, hint: expect.stringContaining('Smaller arenaBytes') })
  })
})

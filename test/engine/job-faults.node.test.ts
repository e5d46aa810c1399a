/**
 * Random jobs of which some fail (MW-13): code that throws, gives what is no output or ends its thread, kernels that trap, cancels, and
 * threads ended from outside while the others go on. Each job ends as its fault says, the sound ones with their values; after every few
 * jobs all bytes and entries are back.
 */
import { afterAll, expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, isMillraceError, type AnyHandle, type AudioBuffer, type Packet, type PacketStream, type RunFailure,
  type RunResult,
} from '../../src/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'
import { WORKER_LEASE_BYTES } from '../../src/workers/pool-mail.js'
import { craftModule } from '../kernels/craft-module.js'
import { drawFrom } from '../soak/random-run.js'

const JOBS = Number(process.env['MILLRACE_FAULT_JOBS'] ?? 64), SEED = Number(process.env['MILLRACE_SEED'] ?? 3), AT_ONCE = 8, WORKERS = 2
/** A thread's stack, which stays with the core's allocator for the next one (PK-26), and blocks of a worker's slot. */
const SPAN = 69_632, BLOCKS_OF_WORKER = 3

type Sound = ReturnType<typeof gain>
const media = audio({ format: 'f32', layout: 'planar' })
const base = {
  version: '1.0.0', title: 'Test', doc: 'Halves.', family: 'test', inputs: { in: { media } },
  outputs: { out: { media: audio({ like: 'in' }) } },
} as const
const params = { fault: { type: 'string', default: '', doc: 'What goes wrong.' } } as const
/**
 * Halves samples in audio of its own, and holds more than it gives; what goes wrong does so while it
 * holds that. Its text runs on threads too.
 */
async function halve(
  inputs: Readonly<Record<string, unknown>>, { fault }: Readonly<Record<string, unknown>>,
  ctx: { allocAudio(spec: object): Promise<AudioBuffer> },
): Promise<Record<string, Packet>> {
  const packet = await (inputs['in'] as PacketStream<AudioBuffer>).whole(), { rate, channels, frames } = packet.data
  const data = await ctx.allocAudio({ rate, channels, frames }), more = await ctx.allocAudio({ rate, channels, frames: 64 })
  for (let n = 0; n < frames; n++) data.channel(0)[n] = packet.data.channel(0)[n]! / 2
  if (fault === 'throw') throw new Error('on purpose')
  if (fault === 'exit') process.exit(3)
  if (fault === 'port') return { nowhere: { ...packet, data } }
  if (fault === 'media') return { out: { ...packet, media: { kind: 'text' }, data } as never }
  if (fault === 'array') return { out: { ...packet, data: new Float32Array(frames) } }
  more.close()
  return { out: { ...packet, data } }
}
const here = defineNode({
  ...base, params, type: 'test::halve', process: halve,
} as never) as never as (input: AnyHandle, params: object) => Sound
const there = defineNode({ ...base, params, type: 'test::halve-there', thread: 'worker', process: halve } as never) as never as typeof here
const trap = defineNode({
  ...base, type: 'test::trap', params: {}, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'trap', export: 'bad' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state: unknown, io: { frames: number }) => io.frames, reset: () => undefined },
} as never) as never as (input: AnyHandle) => Sound

/** The code that each fault ends its run with. */
const CODES = {
  throw: 'NODE_FAILED', exit: 'WORKER_LOST', port: 'OUTPUT_INVALID', media: 'OUTPUT_INVALID', array: 'OUTPUT_INVALID', trap: 'KERNEL_TRAP',
  cancel: 'CANCELLED',
} as const
const FAULTS = Object.keys(CODES) as (keyof typeof CODES)[]

const threads = new Set<{ terminate(): unknown }>()
interface Host { Worker: new (...words: never[]) => { terminate(): unknown; on(event: 'exit', listener: () => void): void } }
const host = process.getBuiltinModule('node:worker_threads') as unknown as Host, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: never[]) {
    super(...words)
    threads.add(this)
    this.on('exit', () => { threads.delete(this) })
  }
}
afterAll(() => { host.Worker = Real })

test.each(['wasm-threads', 'wasm'] as const)(`${JOBS} jobs, %s`, { timeout: 60_000 + JOBS * 500 }, async (tier) => {
  const draw = drawFrom(SEED), seen: Record<string, number> = {}, count = (what: string): void => { seen[what] = (seen[what] ?? 0) + 1 }
  await using engine = await createEngine({
    tier, workers: WORKERS, arenaBytes: 64 * 2 ** 20, respawns: Number.POSITIVE_INFINITY, warmSpares: 0, logger: () => undefined,
    kernels: {
      trap: craftModule({
        exports: ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process'],
        body: [0x00], layout: layoutHash(),
      }),
    },
  })
  /** A few nodes one behind the other or joined; what goes wrong goes wrong in one of them, and others may read it. */
  const job = async (): Promise<void> => {
    const frames = 100 + draw(4_000), drawn = draw(4) === 0 ? FAULTS[draw(FAULTS.length)] : undefined,
      fault = drawn === 'exit' && draw(12) > 0 ? 'throw' : drawn, at = draw(3), stop = new AbortController()
    const made: {
      handle: Sound
      level: number
    }[] = [{ handle: audioBuffer({ data: [new Float32Array(frames).fill(0.5)], rate: 16_000 }) as never, level: 0.5 }]
    for (let n = 0; n < 3; n++) {
      const a = made[draw(made.length)]!, b = made[draw(made.length)]!
      const bad = n === at && fault !== undefined && fault !== 'cancel'
      const kind = draw(4)
      if (bad) made.push({
        handle: fault === 'trap' ? trap(a.handle) : fault === 'exit' || kind < 2 ? there(a.handle, { fault }) : here(a.handle, { fault }),
        level: 0,
      })
      else if (kind === 0) made.push({ handle: gain(a.handle, { gainDb: -6 }) as never, level: a.level * 10 ** (-6 / 20) })
      else if (kind === 1 && a !== b) made.push({ handle: mix([a.handle, b.handle] as never) as never, level: a.level + b.level })
      else made.push({ handle: (draw(3) === 0 ? there : here)(a.handle, {}), level: a.level / 2 })
    }
    const outputs = Object.fromEntries(made.slice(1).map(({ handle }, n) => [`n${n}`, handle]))
    if (fault === 'cancel') setTimeout(() => { stop.abort('on purpose') }, draw(8))
    try {
      using result = await engine.run(outputs as never, { signal: stop.signal }) as RunResult
      if (fault !== undefined && fault !== 'cancel') throw new Error(`a job with '${fault}' ended well`)
      for (const [n, { level }] of made.slice(1).entries()) {
        const { data } = (result.outputs as Record<string, { data: AudioBuffer }>)[`n${n}`]!, samples = data.channel(0)
        expect([data.frames, samples[0], samples[frames - 1]]).toEqual([frames, expect.closeTo(level, 4), expect.closeTo(level, 4)])
      }
      count(fault === undefined ? 'sound' : 'cancelled too late')
    } catch (error) {
      // All threads may be ended while they start, and one job's as often as it is delivered.
      if (!isMillraceError(error) || !(error.code === 'WORKER_SPAWN' || error.code === (fault && CODES[fault])
        || (fault !== undefined && error.code === 'WORKER_LOST'))) {
        throw error
        // What was finished before it.

      }(error as Partial<RunFailure>).result?.close()
      count(`${fault ?? 'sound'}: ${error.code}`)
    }
  }
  let rounds = 0
  const round = (): Promise<unknown> => Promise.all([...Array.from({ length: AT_ONCE }, job), disturb()])
  const disturb = async (): Promise<void> => {
    if (rounds++ % 5 > 0) return
    await new Promise((resolve) => { setTimeout(resolve, draw(15)) })
    const alive = [...threads]
    if (alive.length === 0) return
    count('threads ended')
    await alive[draw(alive.length)]!.terminate()
  }
  ;(await engine.run({
    out: gain(there(audioBuffer({ data: [new Float32Array(10)], rate: 16_000 }) as never, {})),
  } as never))[Symbol.dispose]()
  const { usedBytes: used, blocks } = engine.stats().arena
  /** Bytes and entries beyond those at the start; those of a worker that is lost while nothing runs come back with the next run. */
  const left = (): readonly [bytes: number, entries: number] => {
    const { arena, workers } = engine.stats()
    if (tier === 'wasm') return [arena.usedBytes - used, arena.blocks - blocks]
    const missing = WORKERS - (workers.count - workers.scripts.count)
    const bytes = arena.usedBytes + missing * WORKER_LEASE_BYTES - used
    const spans = Math.max(0, Math.floor(bytes / SPAN))
    return [bytes - spans * SPAN, arena.blocks + missing * BLOCKS_OF_WORKER - spans - blocks]
  }
  for (let jobs = 0; jobs < JOBS; jobs += AT_ONCE) {
    await round()
    await expect.poll(left, { timeout: 10_000, interval: 2 }).toEqual([0, 0])
  }
  // What may have stayed for as many threads as there are at once, not for all that ever were.
  expect(engine.stats().arena.usedBytes - used).toBeLessThan(4 * SPAN)
  expect(Object.keys(seen)).toEqual(expect.arrayContaining(['sound', 'threads ended']))
  console.log(`${JOBS} jobs, ${Object.entries(seen).map(([what, times]) => `${what} ${times}`).join(', ')}`)
})

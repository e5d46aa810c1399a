/**
 * Memories of nodes' own tiers: counted in the run's peak (EX-67), given up when they are not what they were (MW-02), never left behind.
 */
import { afterEach, expect, test, vi } from 'vitest'
import { audio, createEngine, defineNode, type Engine } from '../../src/index.js'
import { builtinModuleBytes } from '../../src/kernels/builtin-modules.js'
import { ArenaAudio } from '../../src/memory/audio-buffer.js'
import { ARENA, ARENA_FLAG, WINDOW } from '../../src/memory/layout.js'
import { audioBuffer, gain, toPcm16 } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'

const RATE = 16_000, SAMPLES = Float32Array.from({ length: 3 * RATE }, (_, n) => Math.sin(n / 20) / 2), louder = gain as Loose
const engines: Engine[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})
const open = async (options: Parameters<typeof createEngine>[0] = {}): Promise<Engine> => {
  const engine = await createEngine({ arenaBytes: 2 ** 24, workers: 0, tier: 'js', ...options })
  engines.push(engine)
  return engine
}
const pcm = (source: Loose): Loose => ({ out: (toPcm16 as Loose)(louder.with({ tier: 'wasm' }).named('g')(source, { gainDb: 3 })) })
/** One packet of audio, then nothing until the run ends. */
const waits = defineNode({
  type: 'test::waits', version: '1.0.0', title: 'Waits', doc: 'Waits.', family: 'test', inputs: {}, params: {},
  outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }) } },
  async *pull(_params, ctx) {
    const data = await ctx.allocAudio({ rate: RATE, channels: 1, frames: 1_000 })
    yield {
      out: {
        streamId: '', seq: 0,
        media: { kind: 'audio', rate: RATE, channels: 1, format: 'f32', layout: 'planar' },
        data, position: 0, duration: 1_000, metadata: {},
      } as never,
    }
    await new Promise((_, reject) => { ctx.signal.addEventListener('abort', () => { reject(ctx.signal.reason as Error) }) })
  },
}) as Loose

/** Memories that the host gives, in order. */
function memories(): WebAssembly.Memory[] {
  const Memory = WebAssembly.Memory, made: WebAssembly.Memory[] = []
  vi.spyOn(WebAssembly, 'Memory')
    .mockImplementation(function (what: WebAssembly.MemoryDescriptor) { made.push(new Memory(what)); return made.at(-1)! } as never)
  return made
}
const word = ({ buffer }: WebAssembly.Memory, at: number): Uint32Array => new Uint32Array(buffer, WINDOW.ARENA + at, 1)
const closed = (memory: WebAssembly.Memory): boolean => (word(memory, ARENA.FLAGS)[0]! & ARENA_FLAG.CLOSED) !== 0

test('the run\'s peak is what both memories hold of it at a time', async () => {
  const engine = await open()
  const target = pcm(audioBuffer({ data: [SAMPLES], rate: RATE }))
  const used = (): number => engine.stats().arena.usedBytes + engine.stats().guests.reduce((sum, { arena }) => sum + arena.usedBytes, 0)
  // Tables stay, and are nobody's.
  ;(await engine.run(target)).close()
  const before = used(), real = ArenaAudio.prototype.copyTo
  let most = 0
  vi.spyOn(ArenaAudio.prototype, 'copyTo').mockImplementation(function (this: ArenaAudio, ...given) {
    const copy = real.apply(this, given)
    most = Math.max(most, used() - before)
    return copy
  })
  using result = await engine.run(target)
  const { peakMemoryBytes, nodes, arena } = result.metrics
  expect(most).toBeGreaterThan(2 * 4 * SAMPLES.length)
  expect(peakMemoryBytes).toBeGreaterThanOrEqual(most)
  expect(peakMemoryBytes).toBeGreaterThanOrEqual(Math.max(...nodes.map(({ memoryPeakBytes }) => memoryPeakBytes)))
  expect(peakMemoryBytes).toBeLessThanOrEqual(engine.stats().arena.peakBytes + engine.stats().guests[0]!.arena.peakBytes)
  expect(arena.allocs).toBeGreaterThanOrEqual(arena.frees)
})

test('a memory that is given up is closed when its last segment is; the time that it took stays counted', async () => {
  const engine = await open(), made = memories(), { inline } = engine.parts
  const target = pcm(audioBuffer({ data: [SAMPLES], rate: RATE }))
  const stop = new AbortController()
  ;(await engine.run(target)).close()
  const waiting = engine.run(pcm(waits()), { signal: stop.signal }), idle = engine.stats().guests[0]!.arena.usedBytes
  await vi.waitFor(() => { expect(engine.stats().guests[0]!.arena.usedBytes).toBeGreaterThan(idle) })
  const busy = inline.busyUs
  expect([busy > 0, made.length]).toEqual([true, 1])
  word(made[0]!, 0)[0]! ^= 1
  await expect(engine.run(target)).rejects.toMatchObject({ code: 'ARENA_CORRUPT' })
  expect([inline.busyUs >= busy, closed(made[0]!), engine.stats().guests]).toEqual([true, false, []])
  // Another takes its place while a segment is still in the first one.
  ;(await engine.run(target)).close()
  const later = inline.busyUs
  expect([later > busy, made.length, closed(made[0]!)]).toEqual([true, 2, false])
  stop.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  expect([inline.busyUs >= later, closed(made[0]!), closed(made[1]!)]).toEqual([true, true, false])
  // With no segment in it: at once.
  word(made[1]!, 0)[0]! ^= 1
  await expect(engine.run(target)).rejects.toMatchObject({ code: 'ARENA_CORRUPT' })
  expect([inline.busyUs >= later, closed(made[1]!)]).toEqual([true, true])
  await engine.close()
  expect(inline.busyUs).toBeGreaterThanOrEqual(later)
})

test('an engine that closes while a memory is made leaves none behind', async () => {
  let give = (_bytes: Uint8Array): void => undefined
  const engine = await open({ wasm: new Promise<Uint8Array>((resolve) => { give = resolve }) as never })
  const made = memories(), { inline } = engine.parts
  const opened = inline.open({ guest: true, tier: 'wasm' } as never, new Map(), {} as never)
  opened.catch(() => undefined)
  await engine.close()
  give(await builtinModuleBytes('core') as Uint8Array)
  await expect(opened).rejects.toMatchObject({ code: 'CLOSED' })
  expect([made, engine.stats().guests]).toEqual([[], []])
})

/** Random runs with faults for a given time (`npm run soak`): threads ended at any moment, runs cancelled, kernels that trap or never return. Ends with the first thing that is not right. */
import type { Worker } from 'node:worker_threads'
import { audio, createEngine, defineNode, isMillraceError, type AnyHandle } from '../../src/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { WORKER_LEASE_BYTES } from '../../src/workers/pool-mail.js'
import { craftModule } from '../kernels/craft-module.js'
import { drawFrom, drawGraph, outcome, type Audio } from './random-run.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process'], MIB = 2 ** 20, SPAN = 69_632, GRAPHS = 12, WORKERS = 3
const crafted = (body: readonly number[]): Uint8Array => craftModule({ exports: EXPORTS, body, layout: layoutHash() })
const bad = (module: string): ((input: Audio) => AnyHandle) => defineNode({
  type: `test::${module}`, version: '1.0.0', title: module, doc: 'Misbehaves.', family: 'test', params: {}, hangMs: 300,
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module, export: 'bad' }, parity: 'exact', reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never

/** Blocks that a worker's slot holds: its scratch span and two rings. */
const BLOCKS_OF_WORKER = 3

/** What a soak did. Times in ms. */
export interface SoakReport {
  readonly minutes: number
  readonly seed: number
  readonly runs: number
  readonly ends: number
  readonly faults: Readonly<Record<string, number>>
  readonly lost: number
  readonly respawns: number
  readonly rssMiB: readonly [start: number, end: number]
  readonly slowestRunMs: number
}

/** Runs for `minutes`. Throws when a run's outputs or counters differ from those without faults, when an error has another code than its fault, or when memory does not come back. */
export async function soak(minutes: number, seed: number, say: (line: string) => void): Promise<SoakReport> {
  const threads: Worker[] = [], host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, Real = host.Worker
  host.Worker = class extends Real { constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) } }
  const draw = drawFrom(seed), faults: Record<string, number> = {}, until = performance.now() + minutes * 60_000
  const engine = await createEngine({
    tier: 'wasm-threads', workers: WORKERS, arenaBytes: 192 * MIB, respawns: Number.POSITIVE_INFINITY, logger: () => undefined, kernels: { stuck: crafted([0x03, 0x40, 0x0c, 0x00, 0x0b]), trap: crafted([0x00]) },
  })
  const graphs = Array.from({ length: GRAPHS }, () => drawGraph(draw)), expected: string[] = []
  for (const graph of graphs) expected.push(await outcome(engine, graph))
  const { usedBytes: used, blocks } = engine.stats().arena, rss = process.memoryUsage().rss
  // The engine lets go of idle threads, also of one that is being ended here.
  const awake = setInterval(() => undefined, 1_000)
  let runs = 0, ends = 0, slowestRunMs = 0, said = performance.now()
  const count = (what: string): void => { faults[what] = (faults[what] ?? 0) + 1 }
  const sound = async (): Promise<void> => {
    const which = draw(GRAPHS), from = performance.now()
    try {
      if (await outcome(engine, graphs[which]!) !== expected[which]) throw new Error(`graph ${which}: other outputs or counters than without faults (seed ${seed}, run ${runs})`)
    } catch (error) {
      // All threads were ended while they started: the run had not begun.
      if (!isMillraceError(error) || error.code !== 'WORKER_SPAWN') throw error
      count('no thread')
    }
    slowestRunMs = Math.max(slowestRunMs, performance.now() - from)
  }
  const failing = async (fault: 'trap' | 'stuck' | 'cancel'): Promise<void> => {
    const stop = new AbortController(), graph = graphs[draw(GRAPHS)]!
    if (fault === 'cancel') setTimeout(() => { stop.abort('soak') }, draw(20))
    try {
      await outcome(engine, fault === 'cancel' ? graph : () => ({ out: bad(fault)(Object.values(graph())[0] as never) }), { signal: stop.signal })
      count(`${fault}: too late`)
    } catch (error) {
      const codes = { trap: ['KERNEL_TRAP', 'WORKER_SPAWN'], stuck: ['WORKER_LOST', 'WORKER_SPAWN'], cancel: ['CANCELLED', 'WORKER_SPAWN'] }[fault]
      if (!isMillraceError(error) || !codes.includes(error.code)) throw error
      count(`${fault}: ${error.code}`)
    }
  }
  const disturb = async (): Promise<void> => {
    for (let k = draw(3); k > 0; k--) {
      await new Promise((resolve) => { setTimeout(resolve, draw(15)) })
      const alive = threads.filter(({ threadId }) => threadId > 0)
      if (alive.length > 0) { ends++; await alive[draw(alive.length)]!.terminate() }
    }
    if (threads.length > 1_000) threads.splice(0, threads.length, ...threads.filter(({ threadId }) => threadId > 0))
  }
  // A thread that is lost while nothing runs is replaced by the next run: its scratch span is back until then.
  const backToStart = (): boolean => {
    const { arena, workers } = engine.stats(), missing = WORKERS - workers.count, spans = (arena.usedBytes + missing * WORKER_LEASE_BYTES - used) / SPAN
    return Number.isInteger(spans) && arena.blocks + missing * BLOCKS_OF_WORKER - spans === blocks
  }
  while (performance.now() < until) {
    const dice = draw(60)
    await Promise.all([sound(), sound(), disturb(), dice === 0 ? failing('stuck') : dice < 6 ? failing('trap') : dice < 12 ? failing('cancel') : undefined])
    runs += dice < 12 ? 3 : 2
    // What was lost last is on its way out.
    for (let looks = 0; !backToStart() && looks < 300; looks++) await new Promise((resolve) => { setTimeout(resolve, 10) })
    if (!backToStart()) throw new Error(`arena: ${engine.stats().arena.usedBytes} bytes in ${engine.stats().arena.blocks} blocks used, ${used} in ${blocks} at the start (seed ${seed}, run ${runs})`)
    if (performance.now() - said > 30_000) { said = performance.now(); say(`${runs} runs, ${ends} ends, ${JSON.stringify(faults)}`) }
  }
  const { lost, respawns } = engine.stats().workers, grown = engine.stats().arena.usedBytes - used
  // A span for each thread that ever was beside the first ones: they are used again.
  if (grown > 8 * SPAN) throw new Error(`arena: ${grown} bytes more than at the start`)
  await engine.close()
  clearInterval(awake)
  host.Worker = Real
  return { minutes, seed, runs, ends, faults, lost, respawns, rssMiB: [Math.round(rss / MIB), Math.round(process.memoryUsage().rss / MIB)], slowestRunMs: Math.round(slowestRunMs) }
}

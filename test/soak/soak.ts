/**
 * Random runs with faults for a given time (`npm run soak`): threads ended at any moment, runs cancelled, kernels that trap or never
 * return, scripts that throw or end their thread. Ends with the first thing that is not right.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Worker } from 'node:worker_threads'
import { audio, createEngine, defineNode, isMillraceError, json, type AnyHandle, type Engine } from '../../src/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { WORKER_LEASE_BYTES } from '../../src/workers/pool-mail.js'
import { craftModule } from '../kernels/craft-module.js'
import { chunked, drawFrom, drawGraph, outcome, type Audio, type Draw } from './random-run.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process']
const MIB = 2 ** 20, SPAN = 69_632, GRAPHS = 12, WORKERS = 3, ARENA_MIB = 192
const crafted = (body: readonly number[]): Uint8Array => craftModule({ exports: EXPORTS, body, layout: layoutHash() })
const kernel = (module: string): ((input: Audio) => AnyHandle) => defineNode({
  type: `test::${module}`, version: '1.0.0', title: module, doc: 'Misbehaves.', family: 'test', params: {}, hangMs: 300,
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module, export: 'bad' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never
const scripted = {
  version: '1.0.0', doc: 'Misbehaves.', family: 'test', params: {}, inputs: {}, outputs: { out: { media: json() } }, thread: 'worker',
} as const
const throws =
  defineNode({ ...scripted, type: 'test::throws', title: 'Throws', process: () => Promise.reject(new Error('thrown by the soak')) })
const exits = defineNode({ ...scripted, type: 'test::exits', title: 'Exits', process: () => process.exit(3) })
/** What goes wrong by itself, of an input or none. */
const BAD: Readonly<Record<string, (input: Audio) => AnyHandle>> = {
  trap: kernel('trap'), stuck: kernel('stuck'), throw: () => throws() as AnyHandle, exit: () => exits() as AnyHandle,
}
/** Which code each fault ends with. All threads may be ended while they start, too. */
const CODES = { trap: 'KERNEL_TRAP', stuck: 'WORKER_LOST', throw: 'NODE_FAILED', exit: 'WORKER_LOST', cancel: 'CANCELLED' }
type Fault = keyof typeof CODES

/** Blocks that a worker's slot holds: its scratch span and two rings. */
const BLOCKS_OF_WORKER = 3
/** What the engine's heap may gain in a soak, MiB, and with each thread that ends, KiB: code that the host compiles, its lists. */
const HEAP_MIB = 4, HEAP_KIB_OF_END = 2

/** How threads share, as a soak names it. */
export type SoakMode = 'shared' | 'transfer'
/** What one engine went through. `slowestRunMs`: of the runs that must come right. */
export interface SoakCounts { runs: number; faults: Record<string, number>; lost: number; respawns: number; slowestRunMs: number }
/**
 * Memory after a collection. On Linux `threads`: all of the process, `arenasMiB`: touched pages of the engines'
 * and the workers' arenas, part of `rssMiB`.
 */
export interface SoakMemory {
  readonly minute: number
  readonly rssMiB: number
  readonly arenasMiB: number
  readonly heapMiB: number
  readonly externalMiB: number
  readonly threads: number
  readonly ends: number
}
/** What a soak did. Times in ms. `ends`: threads that the soak itself has ended. */
export interface SoakReport {
  readonly minutes: number
  readonly seed: number
  readonly ends: number
  readonly modes: Readonly<Partial<Record<SoakMode, SoakCounts>>>
  readonly memory: readonly SoakMemory[]
}

/** An engine with random graphs, half of them fed by chunks, and what they give without faults. */
class Rig {
  readonly counts: SoakCounts = { runs: 0, faults: {}, lost: 0, respawns: 0, slowestRunMs: 0 }
  readonly #graphs: (() => Record<string, AnyHandle>)[]
  readonly #expected: string[] = []
  readonly #used: number
  readonly #blocks: number
  private constructor(
    readonly mode: SoakMode, readonly engine: Engine, graphs: (() => Record<string, AnyHandle>)[], expected: string[],
    readonly seed: number,
  ) {
    this.#graphs = graphs
    this.#expected = expected
    const { usedBytes, blocks } = engine.stats().arena
    this.#used = usedBytes
    this.#blocks = blocks
  }

  static async open(mode: SoakMode, draw: Draw, seed: number): Promise<Rig> {
    const engine = await createEngine({
      tier: mode === 'shared' ? 'wasm-threads' : 'wasm', workers: WORKERS, arenaBytes: ARENA_MIB * MIB, respawns: Number.POSITIVE_INFINITY,
      logger: () => undefined,
      kernels: { stuck: crafted([0x03, 0x40, 0x0c, 0x00, 0x0b]), trap: crafted([0x00]) },
    })
    const graphs = Array.from({ length: GRAPHS }, (_, n) => drawGraph(draw, n % 2 === 0 ? undefined : chunked)), expected: string[] = []
    for (const graph of graphs) expected.push(await outcome(engine, graph))
    return new Rig(mode, engine, graphs, expected, seed)
  }

  /** A run that must come right. */
  async sound(draw: Draw): Promise<void> {
    const which = draw(GRAPHS), from = performance.now()
    try {
      this.counts.runs++
      if (await outcome(this.engine, this.#graphs[which]!) !== this.#expected[which]) {
        throw new Error(
          `${this.mode}, graph ${which}: other outputs or counters than without faults (seed ${this.seed}, run ${this.counts.runs})`,
        )
      }
    } catch (error) {
      // All threads were ended while they started: the run had not begun.
      if (!isMillraceError(error) || error.code !== 'WORKER_SPAWN') throw error
      this.#count('no thread')
    }
    this.counts.slowestRunMs = Math.max(this.counts.slowestRunMs, Math.round(performance.now() - from))
  }

  /** A run that must fail, with the code of its fault. */
  async failing(fault: Fault, draw: Draw): Promise<void> {
    const stop = new AbortController(), graph = this.#graphs[draw(GRAPHS)]!
    if (fault === 'cancel') setTimeout(() => { stop.abort('soak') }, draw(20))
    try {
      this.counts.runs++
      if (fault === 'cancel') await outcome(this.engine, graph, { signal: stop.signal })
      else (await this.engine.run({ out: BAD[fault]!(Object.values(graph())[0] as never) }))[Symbol.dispose]()
      this.#count(`${fault}: too late`)
      if (fault !== 'cancel') throw new Error(`${this.mode}: a run with '${fault}' ended well (seed ${this.seed}, run ${this.counts.runs})`)
    } catch (error) {
      // A thread of its run may be ended as often as it is delivered.
      if (!isMillraceError(error) || ![CODES[fault], 'WORKER_SPAWN', ...(fault === 'throw' ? ['WORKER_LOST'] : [])].includes(error.code)) {
        throw error
      }
      this.#count(`${fault}: ${error.code}`)
    }
  }

  /**
   * All bytes and blocks are back, once what was lost last is gone. A thread that is lost while nothing runs is replaced by the next run:
   * its scratch span and rings are back until then.
   */
  async settle(): Promise<void> {
    for (let looks = 0; !this.#isBack() && looks < 300; looks++) await new Promise((resolve) => { setTimeout(resolve, 10) })
    const { arena, workers } = this.engine.stats()
    if (!this.#isBack()) throw new Error(`${this.mode}, arena: ${arena.usedBytes} bytes in ${arena.blocks} blocks used, ${this.#used} in ${this.#blocks} at the start (seed ${this.seed}, run ${this.counts.runs})`)
    // A span for each thread that ever was beside the first ones: they are used again.
    if (arena.usedBytes - this.#used > 8 * SPAN) {
      throw new Error(`${this.mode}, arena: ${arena.usedBytes - this.#used} bytes more than at the start`)
    }
    Object.assign(this.counts, { lost: workers.lost, respawns: workers.respawns })
  }

  #isBack(): boolean {
    const { arena, workers } = this.engine.stats()
    if (this.mode === 'transfer') return arena.usedBytes === this.#used && arena.blocks === this.#blocks
    const missing = WORKERS - (workers.count - workers.scripts.count)
    const spans = (arena.usedBytes + missing * WORKER_LEASE_BYTES - this.#used) / SPAN
    return Number.isInteger(spans) && arena.blocks + missing * BLOCKS_OF_WORKER - spans === this.#blocks
  }
  #count(what: string): void { this.counts.faults[what] = (this.counts.faults[what] ?? 0) + 1 }
}

/**
 * Runs for `minutes`, in rounds that take the modes in turn. Throws when a run's outputs or counters differ from those without faults, when
 * an error has another code than its fault, when the arena's memory does not come back, or when the engine's heap grows with the threads
 * that end.
 */
export async function soak(minutes: number, seed: number, modes: readonly SoakMode[], say: (line: string) => void): Promise<SoakReport> {
  const threads = new Set<Worker>(), host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, Real = host.Worker
  host.Worker = class extends Real {
    constructor(...words: ConstructorParameters<typeof Worker>) {
      super(...words)
      threads.add(this)
      this.once('exit', () => { threads.delete(this) })
    }
  }
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { readdirSync } = process.getBuiltinModule('node:fs')
  const linux = process.platform === 'linux'
  const draw = drawFrom(seed), rigs: Rig[] = [], memory: SoakMemory[] = []
  for (const mode of modes) rigs.push(await Rig.open(mode, draw, seed))
  // The engine lets go of idle threads, also of one that is being ended here.
  const awake = setInterval(() => undefined, 1_000), begun = performance.now(), sampleMs = Math.min(60_000, minutes * 6_000)
  let ends = 0, next = begun + sampleMs
  const look = (): void => {
    gc()
    gc()
    const { rss, external } = process.memoryUsage(), { used_heap_size: heap } = getHeapStatistics()
    const tenth = (n: number): number => Math.round(n * 10) / 10
    memory.push({
      minute: tenth((performance.now() - begun) / 60_000), rssMiB: tenth(rss / MIB), arenasMiB: linux ? tenth(arenasMiB()) : 0,
      heapMiB: tenth(heap / MIB), externalMiB: tenth(external / MIB), ends,
      threads: linux ? readdirSync('/proc/self/task').length : threads.size,
    })
    say(`${rigs.map(({ mode, counts }) => `${mode}: ${counts.runs} runs, ${JSON.stringify(counts.faults)}`).join('; ')}; ${JSON.stringify(memory.at(-1))}`)
  }
  const disturb = async (): Promise<void> => {
    for (let k = draw(3); k > 0; k--) {
      await new Promise((resolve) => { setTimeout(resolve, draw(15)) })
      const alive = [...threads].filter(({ threadId }) => threadId > 0)
      if (alive.length > 0) { ends++; await alive[draw(alive.length)]!.terminate() }
    }
  }
  for (let round = 0; performance.now() - begun < minutes * 60_000; round++) {
    const rig = rigs[round % rigs.length]!, dice = draw(60)
    const fault = dice === 0 ? 'stuck' : dice === 1 ? 'exit' : dice < 4 ? 'throw' : dice < 8 ? 'trap' : dice < 12 ? 'cancel' : undefined
    await Promise.all([rig.sound(draw), rig.sound(draw), disturb(), fault && rig.failing(fault, draw)])
    await rig.settle()
    if (performance.now() > next) { look(); next += sampleMs }
  }
  look()
  // The first looks see code that is compiled yet.
  const warm = memory[Math.min(2, memory.length - 1)]!, last = memory.at(-1)!
  if (last.heapMiB - warm.heapMiB > HEAP_MIB + (last.ends - warm.ends) * HEAP_KIB_OF_END / 1_024) {
    throw new Error(`heap: ${warm.heapMiB} MiB after ${warm.ends} ends, ${last.heapMiB} MiB after ${last.ends} (seed ${seed})`)
  }
  for (const { engine } of rigs) await engine.close()
  clearInterval(awake)
  host.Worker = Real
  return { minutes, seed, ends, modes: Object.fromEntries(rigs.map(({ mode, counts }) => [mode, counts])), memory }
}

/** Touched pages of mappings as large as an arena, in MiB. */
function arenasMiB(): number {
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const of = (text: string, field: string): number => Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1_024
  return readFileSync('/proc/self/smaps', 'utf8')
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .reduce((sum, mapping) => Math.abs(of(mapping, 'Size') - ARENA_MIB) < 1 ? sum + of(mapping, 'Rss') : sum, 0)
}

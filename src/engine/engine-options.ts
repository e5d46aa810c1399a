import { commonErrors } from '../errors/common-errors.js'
import type { EventListener } from '../observe/events.js'
import type { LogSink } from '../schedule/batch/services.js'
import { resolveLimits, type Limits } from '../graph/limits.js'
import { parseTier, tagOf, type TierChoice } from '../graph/tiers.js'
import type { NodeLimits } from '../workers/spawn-node.js'
import type { WasmSource } from '../kernels/wasm-source.js'

/** Options of {@link createEngine} (spec packaging.md, memory-and-workers.md). */
export interface EngineOptions {
  /** Bytes of the arena, 16 MiB–4 GiB; default 64 MiB. Never grown. */
  readonly arenaBytes?: number
  /** `auto`: as many as there are cores (at most 16), started when a plan is worth it; 0: everything on this thread; n: always n. */
  readonly workers?: 'auto' | number
  /** Shared memory: `auto` where the host allows it; true: or fail; false: move blocks by transfer. */
  readonly shared?: 'auto' | boolean
  /**
   * How kernels run whose nodes do not say it themselves; default `MILLRACE_TIER`, else the best that the
   * host offers. A named tier never falls back.
   */
  readonly tier?: TierChoice
  /** File of the worker's code, for a strict content security policy. Used or failed, never replaced. */
  readonly workerURL?: string | URL
  /** File of the worklet's code, likewise. */
  readonly workletURL?: string | URL
  /** The compiled core, or modules by name, in place of the inlined copies. Used or failed, never replaced. */
  readonly wasm?: WasmSource | Readonly<Record<string, WasmSource | undefined>>
  /** Modules of users' kernels, by the name that their nodes give. They share the engine's memory: trusted code only. */
  readonly kernels?: Readonly<Record<string, WasmSource>>
  /** Limit of a worker's start, ms; default 5 000. */
  readonly startTimeoutMs?: number
  /** Permits of limiters that nodes name in `limiters`; there are `cpu` (as many as workers), `gpu` 4 and `io` 64. */
  readonly limiters?: Readonly<Record<string, number>>
  /**
   * Tags that only the first n workers have: kernels whose `requires.tags` name one run there and nowhere else (GR-41), as many at once as
   * there are such workers. At most 6 tags.
   */
  readonly workerTags?: Readonly<Record<string, number>>
  /**
   * How long a busy thread, of kernels or of nodes written in TypeScript, may go without a heartbeat before it counts as hung, ms; default
   * 3 000. A node's own `hangMs` outranks it.
   */
  readonly hangMs?: number
  /** Threads that wait, booted, to take a lost one's place; default 1. They boot while runs are under way. */
  readonly warmSpares?: number
  /** Threads replaced within 60 s after which runs fail with the cause; default 10. */
  readonly respawns?: number
  /** Limits of Node's threads, for code that is not trusted. */
  readonly resourceLimits?: NodeLimits
  readonly logger?: LogSink
  /** Told of changes of memory pressure and of workers that start, are lost, come back. */
  readonly onEvent?: EventListener
  /** Clear memory when it is freed. */
  readonly zeroOnFree?: boolean
  /**
   * Finds stray writes: canaries around every block, a pattern in freed ones, segments run step by step on this thread and checked after
   * each step, so that `ARENA_CORRUPT` names the kernel. Slow.
   */
  readonly debugMemory?: boolean
  /**
   * Files up to this many bytes enter a graph's hashes by their bytes, larger ones by size, place and times; default 8 MiB, `Infinity`: all
   * by their bytes. A file is read again only after a change.
   */
  readonly hashFileBytes?: number
  /** Bounds on graphs; see `parseDocument`. Above the hard limits: `CONFIG_INVALID`. */
  readonly limits?: Partial<Limits>
}

/** Options with everything filled in. */
export interface FilledOptions {
  readonly arenaBytes: number | undefined
  readonly workers: 'auto' | number
  readonly shared: 'auto' | boolean
  readonly tier: TierChoice | undefined
  readonly environmentTier: TierChoice | undefined
  readonly fallback: boolean
  readonly workerURL: string | URL | undefined
  readonly workletURL: string | URL | undefined
  readonly wasm: EngineOptions['wasm']
  readonly kernels: Readonly<Record<string, WasmSource>>
  readonly startTimeoutMs: number
  readonly limiters: Readonly<Record<string, number>>
  readonly workerTags: Readonly<Record<string, number>>
  readonly pool: { readonly hangMs: number; readonly warmSpares: number; readonly respawns: number }
  readonly resourceLimits: NodeLimits | undefined
  readonly logger: LogSink
  readonly onEvent: EventListener | undefined
  readonly zeroOnFree: boolean
  readonly debugMemory: boolean
  readonly hashFileBytes: number
  readonly limits: Limits
}

/** Bytes of a file that are hashed in the time of a screen's frame. */
const HASH_FILE_BYTES = 8 * 1_048_576
/** Most tags in `workerTags`: bits that are left for them. */
const MOST_WORKER_TAGS = 6

/** What is not looked into: its type. */
const TYPES = [
  ['limiters', 'object'], ['workerTags', 'object'], ['kernels', 'object'], ['resourceLimits', 'object'], ['limits', 'object'],
  ['logger', 'function'], ['onEvent', 'function'], ['hangMs', 'number'], ['respawns', 'number'], ['zeroOnFree', 'boolean'],
  ['debugMemory', 'boolean'],
] as const

/**
 * Checks options and the environment (`MILLRACE_TIER`, `MILLRACE_FALLBACK`). Throws `CONFIG_INVALID` naming key, source, expected and got.
 */
export function fillOptions(o: EngineOptions, environment: Readonly<Record<string, string | undefined>>): FilledOptions {
  const {
    workers = 'auto', shared = 'auto', startTimeoutMs = 5_000, hangMs = 3_000, warmSpares = 1, respawns = 10,
    hashFileBytes = HASH_FILE_BYTES,
  } = o
  if (workers !== 'auto' && !(Number.isInteger(workers) && workers >= 0 && workers <= 256)) {
    throw invalid('workers', 'option', "'auto' or 0…256", workers)
  }
  if (shared !== 'auto' && typeof shared !== 'boolean') throw invalid('shared', 'option', "'auto', true or false", shared)
  if (!(Number.isFinite(startTimeoutMs) && startTimeoutMs > 0)) throw invalid('startTimeoutMs', 'option', 'ms above 0', startTimeoutMs)
  for (const [key, kind] of TYPES) if (o[key] !== undefined && (typeof o[key] !== kind || o[key] === null)) {
    throw invalid(key, 'option', kind === 'object' ? 'an object' : `a ${kind}`, o[key])
  }
  for (const [name, mb] of Object.entries(o.resourceLimits ?? {})) {
    if (mb !== undefined && !(typeof mb === 'number' && mb > 0)) throw invalid(`resourceLimits.${name}`, 'option', 'MiB above 0', mb)
  }
  for (const [name, permits] of Object.entries(o.limiters ?? {})) if (!(Number.isInteger(permits) && permits >= 1)) {
    throw invalid(`limiters.${name}`, 'option', 'a whole number of permits from 1', permits)
  }
  const tags = Object.entries(o.workerTags ?? {})
  for (const [name, count] of tags) {
    if (!(Number.isInteger(count) && count >= 1)) throw invalid(`workerTags.${name}`, 'option', 'a whole number of workers from 1', count)
  }
  if (tags.length > MOST_WORKER_TAGS) throw invalid('workerTags', 'option', `at most ${MOST_WORKER_TAGS} tags`, tags.length)
  if (!(hangMs > 0)) throw invalid('hangMs', 'option', 'ms above 0', hangMs)
  if (!(Number.isInteger(warmSpares) && warmSpares >= 0 && warmSpares <= 16)) throw invalid('warmSpares', 'option', '0…16', warmSpares)
  if (!(typeof hashFileBytes === 'number' && hashFileBytes >= 0)) throw invalid('hashFileBytes', 'option', 'bytes from 0', hashFileBytes)
  if (!(respawns >= 0)) throw invalid('respawns', 'option', 'a number from 0', respawns)
  return {
    pool: { hangMs, warmSpares, respawns }, resourceLimits: o.resourceLimits,
    arenaBytes: o.arenaBytes, workers, shared, tier: tierFrom(o.tier, 'option'),
    environmentTier: tierFrom(environment['MILLRACE_TIER'] || undefined, 'MILLRACE_TIER'),
    fallback: environment['MILLRACE_FALLBACK'] !== 'false', workerURL: o.workerURL, workletURL: o.workletURL, wasm: o.wasm,
    kernels: o.kernels ?? {}, startTimeoutMs, limiters: { gpu: 4, io: 64, ...o.limiters },
    workerTags: Object.fromEntries(tags.map(([name, count]) => [tagOf(name), count])),
    logger: o.logger ?? defaultLogger, onEvent: o.onEvent, zeroOnFree: o.zeroOnFree ?? false, debugMemory: o.debugMemory ?? false,
    hashFileBytes, limits: resolveLimits(o.limits),
  }
}

function tierFrom(value: unknown, source: string): TierChoice | undefined {
  if (value === undefined) return undefined
  const tier = parseTier(value)
  if (tier === undefined) throw invalid('tier', source, "'auto', 'wasm-threads', 'wasm', 'js' or a list of tiers", value)
  return tier
}

function invalid(key: string, source: string, expected: string, got: unknown): Error {
  return commonErrors.CONFIG_INVALID({ key, source, expected, got: typeof got === 'string' ? got : JSON.stringify(got) ?? String(got) })
}

/** Warnings and errors go to the console, the rest nowhere. */
const defaultLogger: LogSink = (level, text, details) => {
  // Without facts there is nothing to show after the text.
  if (level === 'warn' || level === 'error') {
    console[level](`millrace: ${text}`, ...(details && Object.keys(details).length > 0 ? [details] : []))
  }
}

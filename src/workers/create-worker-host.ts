import type { MillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import type { HostFacts } from '../kernels/host-facts.js'
import type { KernelSpec } from '../kernels/kernel-spec.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import type { Clock } from '../schedule/clock.js'
import type { BuildProgram } from '../schedule/inline-executor.js'
import type { SegmentExecutor } from '../schedule/open-segment.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { FactBits } from './facts.js'
import { FallbackExecutor } from './fallback-executor.js'
import type { ModeChoice } from './mode.js'
import { WorkerPool, type LostWorker, type PoolOptions } from './pool.js'
import type { KernelBinding } from './protocol.js'
import { SharedExecutor } from './shared-executor.js'
import { BufferPool } from './buffer-pool.js'
import { browserSpawner } from './spawn-browser.js'
import { nodeSpawner, type NodeLimits } from './spawn-node.js'
import type { WorkerSource } from './spawn.js'
import { TransferExecutor } from './transfer-executor.js'
import { workerCode } from './worker-code.js'
import type { WorkerHost } from './worker-host.js'

/** What an engine's workers are made of. */
export interface WorkerHostParts {
  readonly facts: HostFacts
  readonly arena: Arena
  readonly runtime: KernelRuntime
  readonly compiled: CompiledModules
  readonly mode: ModeChoice
  /** The modules for private memory: given where a worker's answer may turn shared mode into transfer. */
  readonly compilePrivate: (() => Promise<CompiledModules>) | undefined
  /** What is thrown where it may not; default `SHARED_MEMORY`. */
  readonly refused?: PoolOptions['refused']
  /** Most workers; 0 never gets here. */
  readonly size: number
  readonly workerURL: string | URL | undefined
  readonly startTimeoutMs: number
  readonly clock: Clock
  readonly build: BuildProgram
  /** Number of a kernel, the same on every thread. */
  readonly idOf: (module: string, name: string) => number
  /** Tags that only so many workers have. */
  readonly workerTags?: Readonly<Record<string, number>>
  /** What the engine's user wants otherwise than the pool's defaults. */
  readonly pool?: Pick<PoolOptions, 'warmSpares' | 'respawns' | 'hangMs'>
  /** Limits of Node's threads (MW-52). */
  readonly resourceLimits?: NodeLimits | undefined
  readonly onStarted?: PoolOptions['onStarted']
  readonly onLog?: PoolOptions['onLog']
  /** A worker is lost. */
  readonly onLost?: (lost: LostWorker) => void
  /** The arena is corrupt, or workers crash again and again. */
  readonly onBroken?: (error: MillraceError) => void
}

/** The workers of an engine: a pool that starts lazily, and the executor that fits its memory. */
export function createWorkerHost(parts: WorkerHostParts): WorkerHost {
  const { facts, arena, runtime, compiled, compilePrivate, mode, size, startTimeoutMs, clock, build, idOf } = parts
  let source: WorkerSource = { url: parts.workerURL ?? '' }
  // A kernel that no module has fails when its segment is opened; workers must not hear of it.
  const known = ({ module, export: name }: KernelSpec): boolean => {
    try { return runtime.kernel(module, name) !== undefined } catch { return false }
  }
  const kernels = (plans: readonly SegmentPlan[]): KernelBinding[] => plans.flatMap((plan) => plan.nodes.map(({ spec }) => spec)
    .filter(known)
    .map((spec) => ({ id: idOf(spec.module, spec.export), module: spec.module, name: spec.export })))
  const bits = new FactBits(compiled.modules.map(({ name }) => name), parts.workerTags, size)
  const pool: WorkerPool = new WorkerPool({
    facts: (place, modules) => bits.ofWorker(place, modules),
    arena, runtime, mode, mayTransfer: compilePrivate !== undefined, ...(parts.refused && { refused: parts.refused }),
    spawn: (name) => (facts.node ? nodeSpawner(source, parts.resourceLimits) : browserSpawner(source))(name), size, startTimeoutMs, clock,
    // Asked for before threads of that kind are spawned: their code comes along.
    async compiled(kind) {
      if (parts.workerURL === undefined) source = { code: await workerCode(kind) }
      return kind === compiled.shared || compilePrivate === undefined ? compiled : compilePrivate()
    },
    clockOriginMs: clock.nowMs() - clock.nowUs() / 1000, ownBytes: arena.buffer.byteLength,
    hangMsOf: (state): number | undefined => shared.hangMsOf(state), nodesOf: (state): string | undefined => shared.nodesOf(state),
    onLost(lost) {
      shared.lost(lost)
      transfer.look()
      parts.onLost?.(lost)
    },
    onRecovered: (lost) => { shared.recovered(lost) },
    onBroken(error) {
      shared.broken(error)
      parts.onBroken?.(error)
    },
    onStarted(...words) {
      transfer.look()
      parts.onStarted?.(...words)
    },
    ...(parts.onLog && { onLog: parts.onLog }),
    ...parts.pool,
  })
  const shared: SharedExecutor = new SharedExecutor({ pool, arena, core: runtime.core, clock, workers: size, build, kernels, facts: bits })
  const transfer: TransferExecutor =
    new TransferExecutor({ pool, arena, clock, buffers: new BufferPool(), workers: size, kernels, facts: bits })
  const executor: SegmentExecutor = mode.mode === 'transfer' ? transfer
    : compilePrivate === undefined ? shared
    : new FallbackExecutor(pool, shared, transfer)
  return {
    available: true, executor,
    stats: () => pool.stats(), drain: (ms) => pool.drain(ms),
    mode: () => pool.mode,
    close: () => pool.close(),
  }
}

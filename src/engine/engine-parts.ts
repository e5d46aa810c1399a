import type { Diagnostic } from '../errors/diagnostic.js'
import type { Registry } from '../graph/registry.js'
import type { Tier } from '../graph/tiers.js'
import type { GraphPasses } from '../graph/passes.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import type { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Arena } from '../memory/arena.js'
import type { AudioApi } from '../memory/audio-api.js'
import type { ScriptHost } from '../schedule/batch/script-host.js'
import type { Clock } from '../schedule/clock.js'
import type { Limiters } from '../schedule/policy/limiters.js'
import type { HostFacts } from '../kernels/host-facts.js'
import type { GuestExecutor } from '../workers/guest-executor.js'
import type { WorkerHost } from '../workers/worker-host.js'
import type { ModeFacts } from './engine-stats.js'
import type { HashFacts } from './hash-facts.js'
import type { FilledOptions } from './engine-options.js'
import type { EventStream } from '../observe/events.js'

/** What an engine is made of; put together by `createEngine`. */
export interface EngineParts {
  readonly options: FilledOptions
  readonly facts: HostFacts
  readonly registry: Registry
  readonly tier: Tier
  /** In place of `wasm-threads`, once a worker has not got the shared memory; undefined: nothing may take its place. */
  readonly lesser: Tier | undefined
  readonly mode: ModeFacts
  readonly arena: Arena
  readonly audio: AudioApi
  readonly runtime: KernelRuntime | undefined
  /** Order and hashes of graphs. */
  readonly passes: GraphPasses
  /** What hashes take from outside a graph. */
  readonly hashFacts: HashFacts
  readonly shared: SharedBlocks
  readonly clock: Clock
  /** Segments on the engine's own thread, of any tier. */
  readonly inline: GuestExecutor
  readonly workers: WorkerHost
  /** Threads for nodes written in TypeScript. */
  readonly scripts: ScriptHost | undefined
  readonly limiters: Limiters
  readonly warnings: readonly Diagnostic[]
  readonly events: EventStream
  /** Ends what its host tells of itself. */
  readonly unlisten: () => void
}

import { commonErrors } from '../errors/common-errors.js'
import type { Diagnostic } from '../errors/diagnostic.js'
import { graphErrors } from '../graph/errors.js'
import { createRegistry, type Registry } from '../graph/registry.js'
import { chooseTier, type Tier } from '../graph/tiers.js'
import { compileModules, sourcesOf } from '../kernels/compile.js'
import { plainPasses } from '../graph/passes.js'
import { corePasses } from '../kernels/graph-passes.js'
import { hostFacts, type HostFacts } from '../kernels/host-facts.js'
import { instantiateRuntime, THREAD_SPAN_BYTES, type KernelRuntime } from '../kernels/runtime.js'
import { SharedBlocks } from '../kernels/shared-blocks.js'
import { createArena, type Arena } from '../memory/arena.js'
import { LeakWatch } from '../memory/leak-watch.js'
import { EventStream } from '../observe/events.js'
import { createAudioApi } from '../memory/audio-api.js'
import { channels } from '../nodes/audio/channels.js'
import { convert } from '../nodes/audio/convert.js'
import { resample } from '../nodes/audio/resample.js'
import { InlineExecutor } from '../schedule/inline-executor.js'
import { Limiters } from '../schedule/policy/limiters.js'
import { GuestExecutor, type GuestOptions } from '../workers/guest-executor.js'
import { lazyScriptHost, lazyWorkerHost, noWorkers } from '../workers/lazy-hosts.js'
import { chooseMode } from '../workers/mode.js'
import { segmentBuilder } from './build-segment.js'
import type { CreateEngineOptions } from './create-engine.js'
import { Engine } from './engine.js'
import type { ModeFacts } from './engine-stats.js'
import { fillOptions, type FilledOptions } from './engine-options.js'
import { HashFacts } from './hash-facts.js'
import { hostClockOf } from './host-clock.js'
import { KernelIds } from './kernel-ids.js'

/**
 * What `createEngine` does once its code is there: probes the host, chooses the tier, makes the arena, compiles the modules. A file of its
 * own because it brings in everything that runs graphs, which a page that only builds and checks them never loads.
 */
export async function startEngine(options: CreateEngineOptions): Promise<Engine> {
  const filled = fillOptions(options, environment()), facts = hostFacts()
  const { tier, mode, warnings } = choose(filled, facts), lesser = lesserTier(filled, facts)
  const memory: GuestOptions['memory'] = {
    bytes: filled.arenaBytes, zeroOnFree: filled.zeroOnFree, debug: filled.debugMemory,
    onWarning: (text, details) => { filled.logger('warn', text, { ...details }) },
  }
  const arena = createArena({ ...memory, shared: tier === 'wasm-threads', wasm: tier !== 'js', compacts: true })
  const modules = { wasm: filled.wasm, kernels: filled.kernels }
  const hostClock = hostClockOf(arena), ids = new KernelIds(), shared = new SharedBlocks(arena)
  arena.leaks = new LeakWatch((text, details) => { filled.logger('warn', text, details) }, filled.debugMemory)
  arena.store.onFull = () => { shared.trim() }
  const compiled = tier === 'js' ? undefined : await compileModules({ shared: tier === 'wasm-threads', ...modules })
  const runtime = compiled && instantiate(compiled, arena)
  arena.ringCore = runtime?.core
  // Guards name a kernel by looking after each step, on this thread.
  const size = filled.debugMemory ? 0 : filled.workers === 'auto' ? Math.min(facts.cores, 16) : filled.workers
  const build = segmentBuilder(arena, runtime, ids, shared), idOf = (module: string, name: string): number => ids.of(module, name)
  const threads = size > 0 && facts.worker
  const events = new EventStream(filled.onEvent, () => hostClock.nowMs())
  const told = (thread: object, after: unknown): void => {
    events.emit(after === undefined ? 'worker.started' : 'worker.respawned', { ...thread, ...(after !== undefined && { after }) })
  }
  const hashFacts = new HashFacts({ ...sourcesOf(filled.wasm), ...filled.kernels }, compiled, filled.hashFileBytes, () => hostClock.nowMs())
  const engine: Engine = new Engine({
    limiters: new Limiters({ cpu: Math.max(1, size), ...filled.limiters }),
    scripts: threads ? lazyScriptHost({
      facts, arena,
      codeMark: (definition) => hashFacts.codeMark(definition),
      codeBytes: (definition) => hashFacts.codeBytes(definition),
      onCodeChanged: (definition) => { hashFacts.forget(definition) },
      workerURL: filled.workerURL, size, startTimeoutMs: filled.startTimeoutMs, resourceLimits: filled.resourceLimits,
      respawns: filled.pool.respawns, clock: hostClock,
      onStarted: (worker, after) => { told({ worker }, after) },
      onLost: (text, details) => {
        events.emit('worker.lost', details)
        filled.logger('warn', text, details)
      },
    }) : undefined,
    options: filled, facts, tier, lesser, mode, arena, audio: createAudioApi(arena), runtime,
    passes: compiled === undefined ? plainPasses : corePasses(compiled),
    hashFacts, shared, clock: hostClock, warnings, events,
    registry: withConverters(options.registry),
    inline: new GuestExecutor({ arena, inline: new InlineExecutor(arena, hostClock, build), clock: hostClock, modules, memory, idOf }),
    workers: runtime === undefined || compiled === undefined || size === 0 || !facts.worker ? noWorkers() : lazyWorkerHost({
      facts, arena, runtime, compiled, mode: { mode: tier === 'wasm-threads' ? 'shared' : 'transfer', reason: mode.why }, size,
      compilePrivate: lesser === undefined ? undefined : () => compileModules({ shared: false, ...modules }),
      ...(filled.shared === 'auto' && {
        refused: (reason: string) => graphErrors.TIER_UNAVAILABLE({ node: 'engine', wanted: tier, missing: [`shared memory (${reason})`] }),
      }),
      workerURL: filled.workerURL, startTimeoutMs: filled.startTimeoutMs, clock: hostClock, build, idOf,
      pool: filled.pool, resourceLimits: filled.resourceLimits, workerTags: filled.workerTags,
      onStarted: (worker, slot, after) => { told({ worker, slot }, after) },
      onLog: filled.logger,
      onLost({ error, worker, slot, reason, detail }) {
        const facts = { worker, slot, reason, detail, error: error.code }
        events.emit('worker.lost', facts)
        filled.logger('warn', 'worker.lost', facts)
      },
      onBroken(error) {
        // Its runs fail with the error first; nothing in a corrupt arena can be trusted after them (MW-02).
        if (error.code === 'ARENA_CORRUPT') void hostClock.yield().then(() => engine.close()).catch(() => undefined)
        filled.logger('error', error.message, { code: error.code })
      },
    }),
    // Last: nothing after it may throw.
    unlisten: closeWithPage(() => held.deref()),
  })
  const held = new WeakRef(engine)
  return engine
}

type OnPage = (type: 'pagehide', listener: (event: { readonly persisted?: boolean }) => void) => void

/**
 * A page that goes for good takes its engine's threads along, in order (MW-51). One that only sleeps
 * keeps them. Gives how to hear of it no more.
 */
function closeWithPage(engine: () => Engine | undefined): () => void {
  const page = globalThis as { readonly document?: unknown; readonly addEventListener?: OnPage; readonly removeEventListener?: OnPage }
  if (page.document === undefined || typeof page.addEventListener !== 'function') return () => undefined
  const listener = ({ persisted }: { readonly persisted?: boolean }): void => { if (persisted !== true) void engine()?.close() }
  page.addEventListener('pagehide', listener)
  return () => { page.removeEventListener?.('pagehide', listener) }
}

/**
 * What an engine's own nodes run in once a worker has not got the shared memory (MW-55): what `auto` or a list goes on to. Undefined:
 * nothing, a named tier never falls back (GR-44).
 */
function lesserTier(o: FilledOptions, facts: HostFacts): Tier | undefined {
  return o.shared === 'auto' ? chooseTier({
    option: o.tier, environment: o.environmentTier, facts: { ...facts, sab: false }, fallback: o.fallback,
  }).tier ?? undefined : undefined
}

/** Users' registry over the converters that negotiation inserts. */
function withConverters(registry: Registry | undefined): Registry {
  const converters = [convert, channels, resample]
  if (registry === undefined) return createRegistry(...converters)
  return registry.extend(...converters.filter((node) => !registry.has(node.definition.type)))
}

function instantiate(compiled: Parameters<typeof instantiateRuntime>[0], arena: Arena): KernelRuntime {
  const runtime = instantiateRuntime(compiled, arena.memory!)
  runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
  return runtime
}

interface Chosen { readonly tier: Tier; readonly mode: ModeFacts; readonly warnings: readonly Diagnostic[] }

/** Tier and mode together: shared memory is what tells `wasm-threads` from `wasm`. */
function choose(o: FilledOptions, facts: HostFacts): Chosen {
  const wish = chooseMode(o.shared, {
    nodeLike: facts.node, isolated: facts.isolated, sharedArrayBuffer: typeof SharedArrayBuffer !== 'undefined',
  }, o.arenaBytes ?? 0)
  const seen = wish.mode === 'shared' ? facts : { ...facts, sab: false }
  const answer = chooseTier({ option: o.tier, environment: o.environmentTier, facts: seen, fallback: o.fallback && o.shared !== true })
  if (o.shared === true && answer.tier !== null && answer.tier !== 'wasm-threads') {
    throw commonErrors.CONFIG_INVALID({
      key: 'shared', source: 'option', expected: `false or 'auto' with tier ${answer.tier}`, got: 'true',
    })
  }
  if (answer.tier === null) {
    throw graphErrors.TIER_UNAVAILABLE({
      node: 'engine', wanted: answer.wanted,
      missing: answer.missing.map((fact) => reasonOf(fact, facts, wish.mode === 'shared' ? undefined : wish.reason)),
    })
  }
  const fell = answer.fellBack !== undefined && o.shared === 'auto'
  const warnings = fell ? [graphErrors.TIER_FALLBACK.diagnostic({
    node: 'engine', what: `auto uses ${answer.tier} because ${answer.fellBack!.wanted} needs ${answer.fellBack!.missing.map((fact) => reasonOf(fact, facts, wish.mode === 'shared' ? undefined : wish.reason)).join('; ')}`,
    todo: 'Send the isolation headers, or name the tier you want.' })] : []
  return {
    tier: answer.tier, warnings,
    mode: { tier: answer.tier, mode: answer.tier === 'js' ? 'single' : answer.tier === 'wasm' ? 'transfer' : 'shared', why: answer.why },
  }
}

/** A missing fact with the host's reason for it. */
function reasonOf(fact: string, facts: HostFacts, modeReason: string | undefined): string {
  const name = fact === 'shared memory' ? 'sab' : fact === 'WebAssembly' ? 'wasm' : fact === 'SIMD' ? 'simd' : 'worker'
  const reason = (name === 'sab' ? modeReason : undefined) ?? facts.reasons.find((r) => r.fact === name)?.reason
  return reason === undefined ? fact : `${fact} (${reason})`
}

/** Environment variables where the host has them. */
function environment(): Readonly<Record<string, string | undefined>> {
  const p = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process
  return typeof p?.env === 'object' ? p.env : {}
}

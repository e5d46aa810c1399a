import { commonErrors } from '../../errors/common-errors.js'
import { decodeError } from '../../errors/codec.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import type { HostFacts } from '../../kernels/host-facts.js'
import type { NodeDefinition, PacketRecord } from '../../graph/node-definition.js'
import type { Arena } from '../../memory/arena.js'
import { RECORD_KIND, RECORD_THREAD } from '../../memory/layout.js'
import { readRecords, record, type FlightRecord } from '../../memory/recorder.js'
import type { ScriptCall, ScriptHost, ScriptStats } from '../../schedule/batch/script-host.js'
import type { Clock } from '../../schedule/clock.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../../schedule/policy/redelivery.js'
import { workerErrors } from '../errors.js'
import { RECORDS_TOLD } from '../lost-job.js'
import { onAbort, unlessAborted } from '../../schedule/on-abort.js'
import { browserSpawner } from '../spawn-browser.js'
import { nodeSpawner, type NodeLimits } from '../spawn-node.js'
import { RespawnBudget } from '../respawn-budget.js'
import type { EndReason, SpawnWorker } from '../spawn.js'
import { scriptCode } from '../worker-code.js'
import { ScriptJob } from './script-job.js'
import { scriptSource } from './script-source.js'
import { ScriptThread } from './script-thread.js'
import type { ScriptSource } from './protocol.js'
import { CODE_CHANGED } from './web-code.js'

/** What script threads are made of. */
export interface ScriptHostParts {
  readonly facts: Pick<HostFacts, 'node'>
  readonly arena: Arena
  readonly workerURL: string | URL | undefined
  /** Most threads; more jobs than that share them. */
  readonly size: number
  readonly startTimeoutMs: number
  readonly clock: Clock
  /** Replacements within 60 s after which no thread starts; default 10 (MW-48). */
  readonly respawns?: number
  /** A thread is in use. `after`: the lost one that it stands in for. */
  readonly onStarted?: (worker: string, after: string | undefined) => void
  /** A thread that had started is gone. */
  readonly onLost: (text: string, details: Readonly<Record<string, unknown>>) => void
  /** Limits of Node's threads: the code that runs there is not ours (MW-52). */
  readonly resourceLimits?: NodeLimits | undefined
  /** Text that tells the bytes at a type's `codeURL` from those before; undefined: nobody knows. */
  readonly codeMark?: (definition: NodeDefinition) => string | undefined
  /** Those bytes, of a web address: threads compare. */
  readonly codeBytes?: (definition: NodeDefinition) => Uint8Array | undefined
  /** A thread found others there. */
  readonly onCodeChanged?: (definition: NodeDefinition) => void
  /** In place of the host's own threads. */
  readonly spawn?: SpawnWorker
}

/** How often threads are looked at, and how late that may be before it is this thread that was away, ms (MW-45). */
const SCAN_MS = 250, LATE_MS = 1_000
/** How long code may go on after it was told to stop (EX-52), and a thread that gives back its instances, ms. */
const GRACE_MS = 2_000
/** From this delivery on a job has a thread of its own: only one of those that went down together did it. */
const ALONE_FROM = 3

/**
 * An engine's threads for nodes written in TypeScript: started when first needed, watched while they
 * have jobs, replaced when they are lost.
 */
export function createScriptHost(parts: ScriptHostParts): ScriptHost { return new Scripts(parts) }

/** A thread that is gone, as the error says it that nobody is started after. */
interface ScriptLoss { readonly worker: string; readonly reason: string; readonly node: string; readonly cause: MillraceError | undefined }

interface CodeEntry { readonly id: number; readonly type: string; readonly source: ScriptSource; readonly definition: NodeDefinition }

class Scripts implements ScriptHost {
  readonly #p: ScriptHostParts
  readonly #threads: ScriptThread[] = []
  /** By type, and by what stood at its `codeURL`: a replaced file is other code (GR-31). */
  readonly #codes = new Map<NodeDefinition, Map<string | undefined, CodeEntry>>()
  #codeCount = 0
  readonly #starting = new Map<ScriptThread, Promise<void>>()
  readonly #leaving = new Set<Promise<void>>()
  readonly #budget: RespawnBudget<ScriptLoss>
  /** Lost ones for whom nobody stands in yet. */
  readonly #vacant: string[] = []
  #ordinals = 0
  #jobs = 0
  #lost = 0
  #respawns = 0
  #watching = false
  #spawnThread: SpawnWorker | undefined
  #closed = false

  constructor(parts: ScriptHostParts) {
    this.#p = parts
    this.#budget = new RespawnBudget(parts.respawns ?? 10)
  }

  async prepare(definitions: readonly NodeDefinition[], signal: AbortSignal): Promise<void> {
    await this.#ready()
    for (const definition of definitions) await this.#bring(this.#codeOf(definition), signal)
  }

  /** Loading gives nothing out: whose thread ends meanwhile is loaded again, as often as a node is delivered again. */
  async #bring(code: CodeEntry, signal: AbortSignal): Promise<void> {
    for (let delivery = 1; ; delivery++) {
      signal.throwIfAborted()
      const thread = this.#threads.find(({ alone }) => !alone) ?? this.#make()
      // Nothing else keeps a Node process alive now.
      thread.hold(1)
      try {
        await unlessAborted(this.#starting.get(thread), signal)
        await unlessAborted(this.#load(thread, code), signal)
        return
      } catch (error) {
        if (!(error instanceof Lost)) throw error
        if (delivery > MOST_REDELIVERIES) {
          throw workerErrors.WORKER_LOST({
            worker: `script ${thread.ordinal}`, reason: error.reason, node: `the code of ${code.type}`, delivery, deliveries: delivery,
            records: error.records,
          }, { cause: error.cause, nodeType: code.type, retryable: false })
        }
        await this.#p.clock.sleep(redeliveryDelayMs(delivery), signal)
      } finally { thread.hold(-1) }
    }
  }

  async *run(call: ScriptCall): AsyncGenerator<PacketRecord> {
    const { signal } = call.ctx, code = this.#codeOf(call.definition)
    signal.throwIfAborted()
    await this.#ready()
    const thread = await this.#pick(signal, call.ctx.delivery >= ALONE_FROM)
    const number = ++this.#jobs, job = new ScriptJob(number, call, thread, this.#p.arena), settled = new AbortController()
    let stopping = false
    const stop = (why = 'the code did not stop when told to', late?: () => void): void => {
      if (stopping) return
      stopping = true
      void this.#p.clock.sleep(GRACE_MS, settled.signal).then(() => {
        if (settled.signal.aborted) return
        late?.()
        this.#lose(thread, 'terminated', why)
      })
    }
    const cancel = (): void => { job.abort(); stop() }
    let deaf = (): void => undefined
    try {
      await unlessAborted(this.#load(thread, code), signal)
      if (thread.jobs.size === 0) thread.heardUs = this.#p.clock.nowUs()
      thread.jobs.set(number, job)
      this.#watch()
      job.open(code.id)
      if (signal.aborted) cancel(); else deaf = onAbort(signal, cancel)
      for (let record = await job.next(); record !== undefined; record = await job.next()) {
        if (job.last) {
          call.onLast?.()
          // What is left is its instance's reset or dispose: the run has what it wants, and waits no longer than for code that was stopped.
          const { node: { id } } = call.ctx
          stop('its instance did not end', () => {
            call.ctx.warn(workerErrors.HEARTBEAT_LOST.diagnostic({ worker: `script ${thread.ordinal}`, ms: GRACE_MS, node: id }, {
              severity: 'warning', node: id,
            }))
          })
        }
        yield record
      }
    } catch (error) {
      throw this.#placed(error, call, thread)
    } finally {
      if (!job.over && !thread.ended && thread.jobs.has(number)) {
        stop()
        await job.leave().catch(() => undefined)
      }
      settled.abort()
      deaf()
      thread.jobs.delete(number)
      this.#leave(thread)
      job.close()
    }
  }

  stats(): ScriptStats {
    return {
      count: this.#threads.length,
      busy: this.#threads.filter((thread) => thread.jobs.size > 0).length,
      lost: this.#lost, respawns: this.#respawns,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#starting.values())
    const leaving = [...this.#leaving]
    await Promise.all(this.#threads.splice(0).map(async (thread) => {
      // Nothing runs any more that has not had its grace time: code that is still there will not let the thread drain.
      if (thread.jobs.size === 0) await thread.drain(GRACE_MS, this.#p.clock)
      await thread.stop(commonErrors.CLOSED({ thing: 'Thread', id: String(thread.ordinal), event: 'call' }))
    }).concat(leaving))
  }

  #codeOf(definition: NodeDefinition): CodeEntry {
    let codes = this.#codes.get(definition)
    if (codes === undefined) this.#codes.set(definition, codes = new Map())
    const mark = this.#p.codeMark?.(definition)
    let code = codes.get(mark)
    if (code === undefined) {
      const source = scriptSource(definition, this.#p.facts.node, mark), bytes = this.#p.codeBytes?.(definition)
      codes.set(mark, code = {
        id: ++this.#codeCount, type: definition.type, source: 'url' in source && bytes ? { ...source, bytes } : source, definition,
      })
    }
    return code
  }

  async #load(thread: ScriptThread, { id, type, source, definition }: CodeEntry): Promise<void> {
    const { missing, error } = await this.#patiently(thread, type, thread.load(id, { type, source }))
    if (missing !== undefined) {
      throw commonErrors.INVALID_ARGUMENT({
        function: `Node type ${type}`, expected: "functions that use their arguments and globals only (thread: 'worker')",
        got: `free variable${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`,
        hint: 'Pass values as params, import inside the function, or give codeURL.' })
    }
    if (error === undefined) return
    const cause = decodeError(error)
    if (cause.name === CODE_CHANGED) this.#p.onCodeChanged?.(definition)
    if ('text' in source && cause.name === 'SyntaxError') {
      throw commonErrors.INVALID_ARGUMENT({
        function: `Node type ${type}`, expected: 'functions whose text is a module of its own', got: cause.message,
      }, { cause })
    }
    throw commonErrors.NETWORK({
      host: `Code of node type ${type}`, reason: `did not load (${cause.message})`,
      hint: 'url' in source ? 'Check codeURL, and that script-src allows it.' : 'Content security policy? Give codeURL.',
    }, { cause })
  }

  /** Code that is being loaded has no job yet and is not watched: a module that loops, or waits for ever, costs its thread. */
  async #patiently<T>(thread: ScriptThread, type: string, loading: Promise<T>): Promise<T> {
    const { clock, startTimeoutMs } = this.#p, settled = new AbortController()
    let late = false
    if (thread.jobs.size === 0) thread.heardUs = clock.nowUs()
    void (async () => {
      for (;;) {
        await clock.sleep(startTimeoutMs, settled.signal)
        if (settled.signal.aborted) return
        // Jobs of others there say that it lives.
        if (clock.nowUs() - thread.heardUs < startTimeoutMs * 1000) continue
        late = true
        this.#lose(thread, 'hang', `not loaded in ${startTimeoutMs} ms`)
        return
      }
    })()
    try { return await loading } catch (error) {
      if (!late) throw error
      throw commonErrors.NETWORK({
        host: `Code of node type ${type}`, reason: `did not load in ${startTimeoutMs} ms`,
        hint: 'Its module loops, or waits for ever at its top level.',
      }, { cause: error })
    } finally { settled.abort() }
  }

  /**
   * The thread with the fewest jobs, or a new one while there may be more; `alone`: one without jobs, whatever
   * their number. It is held for the caller.
   */
  async #pick(signal: AbortSignal, alone: boolean): Promise<ScriptThread> {
    let [thread] = this.#threads.filter((one) => !one.alone).sort((a, b) => a.expected - b.expected)
    if (thread === undefined || (thread.expected > 0 && (alone || this.#threads.length < this.#p.size))) thread = this.#make()
    thread.alone = alone
    thread.expected++
    thread.hold(1)
    try { await unlessAborted(this.#starting.get(thread), signal) } catch (error) {
      this.#leave(thread)
      throw error
    }
    return thread
  }

  /** A job is no longer there. Threads above the number end. */
  #leave(thread: ScriptThread): void {
    thread.expected--
    thread.hold(-1)
    if (!thread.alone) return
    thread.alone = false
    if (this.#threads.length > this.#p.size && this.#remove(thread)) {
      this.#stop(thread, commonErrors.CLOSED({ thing: 'Thread', id: String(thread.ordinal), event: 'call' }), thread.drain(
        GRACE_MS, this.#p.clock,
      ))
    }
  }

  /** Ends a thread that takes no jobs any more. */
  #stop(thread: ScriptThread, error: unknown, first?: Promise<void>): void {
    const leaving = (first ? first.then(() => thread.stop(error)) : thread.stop(error)).finally(() => { this.#leaving.delete(leaving) })
    this.#leaving.add(leaving)
  }

  #make(): ScriptThread {
    const { clock, startTimeoutMs: timeoutMs, arena } = this.#p, ordinal = ++this.#ordinals
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'Threads', event: 'start' })
    const unpaid = this.#budget.settle(clock.nowUs())
    if (unpaid !== undefined) {
      throw workerErrors.WORKER_LOST({ ...unpaid, delivery: 1, deliveries: 1 }, { cause: unpaid.cause, retryable: false })
    }
    let thread: ScriptThread
    try {
      thread = new ScriptThread(ordinal, this.#spawnThread!, { ended: (one, reason, detail) => { this.#lose(one, reason, detail) } })
    } catch (cause) {
      throw workerErrors.WORKER_SPAWN({
        worker: `script ${ordinal}`, timeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'script',
      }, { cause })
    }
    this.#threads.push(thread)
    const start = thread.start(
      arena.shared ? arena.memory ?? undefined : undefined, arena.flights, clock, clock.nowMs() - clock.nowUs() / 1000, timeoutMs,
    ).then(() => {
      const after = this.#vacant.shift()
      if (after !== undefined) this.#respawns++
      this.#p.onStarted?.(`script ${ordinal}`, after)
    }).catch(async (error: unknown) => {
      this.#remove(thread)
      await thread.stop(error)
      throw error
    }).finally(() => { this.#starting.delete(thread) })
    start.catch(() => undefined)
    this.#starting.set(thread, start)
    return thread
  }

  /** Looks at all threads that have jobs, while there are any. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    const { clock } = this.#p
    void (async () => {
      for (let last = clock.nowUs(); this.#threads.some(({ jobs }) => jobs.size > 0);) {
        await clock.sleep(SCAN_MS)
        const now = clock.nowUs(), late = now - last > (SCAN_MS + LATE_MS) * 1000
        last = now
        for (const thread of [...this.#threads]) {
          if (thread.jobs.size === 0) continue
          if (late) thread.heardUs = now
          const limits = [...thread.jobs.values()].map(({ call }) => call.hangMs > 0 ? call.hangMs : Number.POSITIVE_INFINITY)
          const silentMs = (now - thread.heardUs) / 1000
          if (silentMs > Math.max(...limits)) {
            const node = [...thread.jobs.values()].map(({ call }) => call.ctx.node.id).join(', ')
            this.#lose(thread, 'terminated', `silent for ${Math.round(silentMs)} ms`, workerErrors.HEARTBEAT_LOST({
              worker: `script ${thread.ordinal}`, ms: Math.round(silentMs), node,
            }))
          }
        }
      }
      this.#watching = false
    })()
  }

  #lose(thread: ScriptThread, reason: EndReason, detail: string, cause?: MillraceError): void {
    if (!this.#remove(thread)) return
    const nodes = [...thread.jobs.values()].map(({ call }) => call.ctx.node.id), worker = `script ${thread.ordinal}`
    if (!this.#starting.has(thread)) {
      this.#lost++
      this.#vacant.push(worker)
      this.#budget.owe({ worker, reason: `${reason}: ${detail}`, node: nodes.join(', ') || 'no task', cause }, this.#p.clock.nowUs())
      this.#p.onLost('a thread was lost', { worker, reason, detail, nodes })
    }
    const { arena: { flights }, clock } = this.#p
    record(flights, clock.nowUs(), 0, RECORD_KIND.LOST | RECORD_THREAD.SCRIPT, thread.ordinal, 0, thread.ordinal)
    this.#stop(thread, this.#starting.has(thread)
      ? workerErrors.WORKER_SPAWN({ worker, timeoutMs: this.#p.startTimeoutMs, cause: `${reason}: ${detail}`, step: 'script' })
      : new Lost(`${reason}: ${detail}`, cause, readRecords(flights, RECORDS_TOLD, (one) => one.thread === worker)))
  }

  #remove(thread: ScriptThread): boolean {
    const at = this.#threads.indexOf(thread)
    if (at >= 0) this.#threads.splice(at, 1)
    return at >= 0
  }

  /** What a lost thread means to one of its jobs. */
  #placed(error: unknown, { ctx: { node, attempt, delivery, signal }, deliveries }: ScriptCall, thread: ScriptThread): unknown {
    if (!(error instanceof Lost)) return error
    // Told to stop and ended for not stopping: the reason is what the caller knows.
    if (signal.aborted) return signal.reason
    return workerErrors.WORKER_LOST({
      worker: `script ${thread.ordinal}`, reason: error.reason, node: node.id, delivery, deliveries, records: error.records,
    },
      { cause: error.cause, nodeId: node.id, nodeType: node.type, runId: node.runId, attempt, delivery, retryable: delivery < deliveries })
  }

  /** The threads' own code is loaded with the first of them. */
  async #ready(): Promise<void> {
    const { spawn, workerURL, facts, resourceLimits } = this.#p
    if (this.#spawnThread !== undefined) return
    const source = spawn !== undefined ? { code: '' } : workerURL === undefined ? { code: await scriptCode() } : { url: workerURL }
    this.#spawnThread ??= spawn ?? (facts.node ? nodeSpawner(source, resourceLimits) : browserSpawner(source))
  }
}

/** A thread's end as its calls hear of it. */
class Lost extends Error {
  readonly reason: string
  readonly records: readonly FlightRecord[]
  constructor(reason: string, cause: unknown, records: readonly FlightRecord[]) {
    super(reason, { cause })
    this.reason = reason
    this.records = records
  }
}

/** Jobs on a worker's own memory, seen from the engine, by a clock that the test moves: whose grace it is (MW-50), and what a close does to a segment that is placed again. */
import { describe, expect, test } from 'vitest'
import type { RunScope } from '../../src/schedule/open-segment.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import { PendingCalls } from '../../src/workers/pending.js'
import type { JobRequest } from '../../src/workers/protocol.js'
import { RemoteSegment } from '../../src/workers/remote-segment.js'
import type { RemoteWorker } from '../../src/workers/remote-worker.js'
import type { TransferOptions } from '../../src/workers/transfer-executor.js'

const plan = { index: 0, nodes: [{ spec: { nodeId: 'n', type: 't' } }], buffers: [] } as unknown as SegmentPlan
const ticks = async (): Promise<void> => { for (let n = 0; n < 20; n++) await Promise.resolve() }

/** Engine's side of jobs on one worker; `pass`: lets all that sleep wake up. */
function bench(): { options: TransferOptions; worker: RemoteWorker; posted: JobRequest[]; lost: string[]; pass: () => Promise<void> } {
  const sleeping = new Set<() => void>(), posted: JobRequest[] = [], lost: string[] = []
  const worker = { ordinal: 1, open: 0, beatUs: 0, ended: false, executing: new Set(), pending: new PendingCalls(), post: (request: JobRequest) => { posted.push(request) } }
  const options = {
    workers: 1, pool: { hold: () => () => undefined, ensure: () => Promise.resolve(), lose: (_worker: unknown, _reason: string, detail: string) => { lost.push(detail) } },
    clock: { nowUs: () => 0, sleep: (_ms: number, signal: AbortSignal) => new Promise<void>((resolve) => { sleeping.add(resolve); signal.addEventListener('abort', () => { resolve() }) }) },
  }
  return { options: options as unknown as TransferOptions, worker: worker as unknown as RemoteWorker, posted, lost, pass: async () => { for (const wake of sleeping) wake(); sleeping.clear(); await ticks() } }
}
const scopeOf = (signal: AbortSignal): RunScope => ({ signal, progressed: () => undefined, runId: 'r', startUs: 0 }) as unknown as RunScope

describe('jobs that share a worker', () => {
  test('the grace of a job that waits begins when it runs: the worker of another is not ended for it', async () => {
    const { options, worker, posted, lost, pass } = bench(), stop = new AbortController()
    const [a, b] = [new AbortController(), stop].map(({ signal }, job) => new RemoteSegment(plan, new Map(), { job, scope: scopeOf(signal), worker, options, done: () => undefined })) as [RemoteSegment, RemoteSegment]
    const done = a.advance(), never = b.advance()
    never.catch(() => undefined)
    stop.abort()
    expect(posted.at(-1)).toEqual({ kind: 'job-cancel', job: 1 })
    for (let n = 0; n < 3; n++) await pass()
    expect(lost).toEqual([])
    a.receive({ kind: 'result', job: 0, done: true, hungry: [], outputs: [], collected: [], report: { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 } })
    await done
    // The sleep in which it came to run is not its grace.
    await pass()
    expect(lost).toEqual([])
    await pass()
    expect(lost).toEqual(['did not stop when cancelled'])
  })
})

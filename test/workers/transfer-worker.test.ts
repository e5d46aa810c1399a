/**
 * The worker's half of transfer mode in this thread, over a MessageChannel (MW-78), by a clock that only passes move: how long a cancel
 * waits (MW-58), how often it says that it lives (MW-45), one job at a time (MW-57).
 */
import { afterEach, describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { decodeError } from '../../src/errors/codec.js'
import { resolveParams } from '../../src/graph/params.js'
import { describeKernel } from '../../src/kernels/kernel-spec.js'
import { gain } from '../../src/nodes/index.js'
import { TURN_BYTES } from '../../src/memory/copies.js'
import type { OutputMode } from '../../src/schedule/open-segment.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import type { JobReply, JobRequest, WirePacket, WorkerEvent } from '../../src/workers/protocol.js'
import { JobServer } from '../../src/workers/transfer-worker.js'
import { openBench, planar } from '../kernels/support.js'

const PASS_US = 1_000, HEAD = 1_024, media = planar(1)
/** One gain between an input and an output; a pass takes 1 024 frames and, by the clock, 1 ms. */
const plan: SegmentPlan = {
  index: 0, tier: 'wasm', feed: 'chunks', headFrames: HEAD, workBytes: 0,
  nodes: [{
    spec: describeKernel(gain.definition, {
      nodeId: 'g', params: resolveParams(gain.definition, { gainDb: -6 }).values, media: { in: media, out: media }, inputs: ['in'],
      connectedOutputs: new Set(['out']), maxFrames: HEAD,
    }),
    node: 0, inputs: [0], outputs: [1], latencyFrames: 0,
  }],
  buffers: [
    { kind: 'input', value: 'x.out', media, channels: 1, frameBytes: 4, capacity: HEAD, offset: -1, readers: [0], skip: 0, live: [0, 0] },
    { kind: 'output', value: 'g.out', media, channels: 1, frameBytes: 4, capacity: HEAD, offset: -1, readers: [], skip: 0, live: [0, 0] },
  ],
}
const frames = (count: number, position = 0): WirePacket => ({
  media, data: null, position, duration: count, metadata: {},
  audio: { frames: count, bytes: Float32Array.from({ length: count }, (_, n) => Math.sin(position + n)).buffer },
})

const open: (() => void)[] = []
afterEach(() => { for (const close of open.splice(0)) close() })

/** A server and what it says, with the clock's time of each. `turned`: called whenever it lets the event loop turn. */
async function served(turned: (nowUs: number) => void = () => undefined): Promise<{
  readonly say: (request: JobRequest) => void
  readonly heard: { readonly event: WorkerEvent; readonly atUs: number }[]
  readonly until: (kind: JobReply['kind'], job: number) => Promise<JobReply>
  readonly now: () => number
}> {
  const { arena, runtime } = await openBench(false), { port1, port2 } = new MessageChannel()
  const heard: { event: WorkerEvent; atUs: number }[] = []
  let us = 0
  runtime.register(0, 'level', 'gain')
  port1.onmessage = ({ data }: MessageEvent<WorkerEvent>) => { heard.push({ event: data, atUs: us }) }
  open.push(() => { port1.close(); port2.close() })
  // Looked at after each pass.
  new JobServer(arena, runtime, port2, [{ id: 0, module: 'level', name: 'gain' }], {
    nowUs: () => (us += PASS_US), epochMs: () => us / 1_000,
    turn: async () => { turned(us); for (let n = 0; n < 4; n++) await hostClock.yield() },
  })
  return {
    heard, now: () => us, say: (request) => { port1.postMessage(request) },
    async until(kind, job) {
      for (;;) {
        const found = heard.find(({ event }) => event.kind === kind && 'job' in event && event.job === job)
        if (found !== undefined) return found.event as JobReply
        await hostClock.yield()
      }
    },
  }
}
const opening = (job: number, mode: OutputMode = { mode: 'collect', frames: 450 * HEAD }): JobRequest => ({
  kind: 'job-open', job, plan, outputs: [[1, mode]], runId: 'r', startUs: 0,
})

describe('jobs on a private memory', () => {
  test('MW-58: a cancel that comes while a kernel is busy ends it within one slice of 8 ms and a pass', async () => {
    let cancelledUs = 0
    const s = await served((nowUs) => {
      if (cancelledUs === 0 && nowUs > 40_000) { cancelledUs = nowUs; s.say({ kind: 'job-cancel', job: 1 }) }
    })
    s.say(opening(1))
    // By its clock this takes 200 ms.
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(200 * HEAD) })
    s.say({ kind: 'input-end', job: 1, buffer: 0 })
    s.say({ kind: 'advance', job: 1 })
    const failed = await s.until('job-failed', 1)
    expect(failed.kind === 'job-failed' && decodeError(failed.error).message).toMatch(/abort/i)
    const { atUs } = s.heard.find(({ event }) => event.kind === 'job-failed')!
    expect([cancelledUs > 0, atUs - cancelledUs <= 10 * PASS_US]).toEqual([true, true])
    s.say({ kind: 'job-close', job: 1 })
    await s.until('job-closed', 1)
  })

  test('MW-58: the event loop has its turns also when every chunk takes less than a slice', async () => {
    let turns = 0
    const s = await served(() => { turns++ })
    s.say(opening(1))
    for (let n = 0; n < 30; n++) {
      s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(HEAD, n * HEAD) })
      s.say({ kind: 'advance', job: 1 })
    }
    s.say({ kind: 'job-close', job: 1 })
    await s.until('job-closed', 1)
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  test('MW-58: a cancel is heard while a long value is copied, before any pass', async () => {
    const s = await served(() => { if (s.heard.length === 1) s.say({ kind: 'job-cancel', job: 1 }) })
    s.say(opening(1))
    await s.until('job-opened', 1)
    // Two turns of copying.
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(2 * TURN_BYTES / 4 + 1) })
    s.say({ kind: 'input-end', job: 1, buffer: 0 })
    s.say({ kind: 'advance', job: 1 })
    const failed = await s.until('job-failed', 1)
    expect([failed.kind === 'job-failed' && /abort/i.test(decodeError(failed.error).message), s.now() < 8 * PASS_US]).toEqual([true, true])
    s.say({ kind: 'job-close', job: 1 })
    await s.until('job-closed', 1)
  })

  test('MW-45: what is busy says so every 100 ms, and nothing while it waits', async () => {
    const s = await served()
    s.say(opening(1))
    await s.until('job-opened', 1)
    const before = s.heard.length
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(450 * HEAD) })
    s.say({ kind: 'input-end', job: 1, buffer: 0 })
    s.say({ kind: 'advance', job: 1 })
    await s.until('result', 1)
    const beats = s.heard.slice(before).filter(({ event }) => event.kind === 'beat').map(({ atUs }) => atUs)
    expect(beats.length).toBeGreaterThanOrEqual(4)
    for (const [n, at] of beats.entries()) if (n > 0) expect(at - beats[n - 1]!).toBeLessThan(125_000)
  })

  test('MW-57: the second job waits with its inputs there, in order; nothing of it is executed before the first one is done', async () => {
    const s = await served()
    for (const job of [1, 2]) {
      s.say(opening(job))
      s.say({ kind: 'chunk', job, buffer: 0, packet: frames(60 * HEAD, job) })
      s.say({ kind: 'input-end', job, buffer: 0 })
      s.say({ kind: 'advance', job })
    }
    const [one, two] = [await s.until('result', 1), await s.until('result', 2)]
    if (one.kind !== 'result' || two.kind !== 'result') throw new Error('no results')
    // The clock passes by passes alone: they did not overlap.
    expect(two.report.startUs).toBeGreaterThanOrEqual(one.report.startUs + one.report.busyUs)
    expect([one, two].map(({ done, collected: [first] }) => [done, first!.packet.audio!.frames, first!.packet.position]))
      .toEqual([[true, 60 * HEAD, 1], [true, 60 * HEAD, 2]])
    for (const job of [1, 2]) { s.say({ kind: 'job-close', job }); await s.until('job-closed', job) }
  })

  test('a job that is cancelled while it waits behind another answers at once and is never executed', async () => {
    let cancelled = false
    const s = await served((nowUs) => {
      if (cancelled || nowUs < 40_000) return
      cancelled = true
      s.say({ kind: 'job-cancel', job: 2 })
      s.say({ kind: 'job-close', job: 2 })
    })
    for (const job of [1, 2]) {
      s.say(opening(job))
      s.say({ kind: 'chunk', job, buffer: 0, packet: frames(200 * HEAD) })
      s.say({ kind: 'input-end', job, buffer: 0 })
      s.say({ kind: 'advance', job })
    }
    expect(await s.until('result', 1)).toMatchObject({ done: true })
    await s.until('job-closed', 2)
    expect(s.heard.flatMap(({ event }) =>
      event.kind === 'beat' || event.kind === 'job-opened' ? [] : [[event.kind, 'job' in event && event.job]]))
      .toEqual([['job-failed', 2], ['job-closed', 2], ['result', 1]])
  })

  test('MW-57: what is sent ahead waits until a pass takes it; the pass that was asked for meanwhile follows by itself; past the end nothing is answered', async () => {
    const s = await served(), pieces: OutputMode = { mode: 'emit' }
    const results = (): Extract<JobReply, { kind: 'result' }>[] => s.heard.flatMap(({ event }) => event.kind === 'result' ? [event] : [])
    s.say(opening(1, pieces))
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(3_000) })
    s.say({ kind: 'advance', job: 1, take: [] })
    // In one go, before the first pass has ended.
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(2_000, 3_000), ahead: true })
    s.say({ kind: 'advance', job: 1 })
    while (results().length < 2) await hostClock.yield()
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(1_000, 5_000), ahead: true })
    s.say({ kind: 'advance', job: 1, take: [] })
    while (results().length < 3) await hostClock.yield()
    // Asked by name: taken. Then its end, and two passes more than there are.
    s.say({ kind: 'advance', job: 1, take: [0] })
    s.say({ kind: 'input-end', job: 1, buffer: 0, ahead: true })
    for (let n = 0; n < 3; n++) s.say({ kind: 'advance', job: 1 })
    s.say({ kind: 'job-close', job: 1 })
    await s.until('job-closed', 1)
    const told = results().map(({ done, hungry, outputs, spent }) =>
      [done, hungry, outputs.map(({ packet }) => [packet.position, packet.duration]), spent.length])
    expect(told.slice(0, 4))
      .toEqual([[false, [0], [[0, 3_000]], 1], [false, [0], [[3_000, 2_000]], 1], [false, [0], [], 0], [false, [0], [[5_000, 1_000]], 1]])
    expect(told.slice(4)).toEqual([[true, [], [], 0]])
    expect(results().at(-1)!.report.steps).toMatchObject([{ framesIn: 6_000, framesOut: 6_000 }])
  })

  test('a cancel while one pass runs and one waits: the first fails, the second is never executed and says nothing', async () => {
    let cancelled = false
    const s = await served((nowUs) => {
      if (cancelled || nowUs < 40_000) return
      cancelled = true
      s.say({ kind: 'job-cancel', job: 1 })
    })
    s.say(opening(1))
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(200 * HEAD) })
    s.say({ kind: 'advance', job: 1, take: [] })
    s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(200 * HEAD, 200 * HEAD), ahead: true })
    s.say({ kind: 'advance', job: 1 })
    await s.until('job-failed', 1)
    const at = s.now()
    s.say({ kind: 'job-close', job: 1 })
    await s.until('job-closed', 1)
    expect(s.heard.flatMap(({ event }) => event.kind === 'beat' || event.kind === 'job-opened' ? [] : [event.kind]))
      .toEqual(['job-failed', 'job-closed'])
    // Two hundred passes more would be seen on the clock.
    expect(s.now() - at).toBeLessThan(20 * PASS_US)
  })

  test('a snapshot comes only when it is asked for, and never with the end; another server goes on from it', async () => {
    const s = await served(), t = await served(), pieces: OutputMode = { mode: 'pieces' }
    s.say(opening(1, pieces))
    for (const [n, snapshot] of [false, true].entries()) {
      s.say({ kind: 'chunk', job: 1, buffer: 0, packet: frames(3_000, n * 3_000) })
      s.say({ kind: 'advance', job: 1, snapshot })
    }
    while (s.heard.filter(({ event }) => event.kind === 'result').length < 2) await hostClock.yield()
    const results = s.heard.flatMap(({ event }) => event.kind === 'result' ? [event] : [])
    expect(results.map(({ snapshot, done, hungry }) => [snapshot !== undefined, done, hungry]))
      .toEqual([[false, false, [0]], [true, false, [0]]])
    t.say({ ...opening(7, pieces), from: results[1]!.snapshot! } as JobRequest)
    expect(await t.until('job-opened', 7)).toMatchObject({ hungry: [0] })
    t.say({ kind: 'chunk', job: 7, buffer: 0, packet: frames(3_000, 6_000) })
    t.say({ kind: 'input-end', job: 7, buffer: 0 })
    t.say({ kind: 'advance', job: 7, snapshot: true })
    const last = await t.until('result', 7)
    if (last.kind !== 'result') throw new Error('no result')
    expect([
      last.done, last.snapshot,
      last.outputs.map(({ packet }) => [packet.position, packet.duration]),
      last.collected.map(({ packet }) => [packet.position, packet.duration]),
    ]).toEqual([true, undefined, [[6_000, 3_000]], [[9_000, 0]]])
    expect(last.report.steps).toMatchObject([{ nodeId: 'g', framesIn: 9_000, framesOut: 9_000 }])
  })
})

/**
 * `plan.estCopyBytes` against what runs copy (EX-06, GR-59): what crosses between memories, and
 * outputs that leave in pieces and are joined.
 */
import { expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, json, type AnyHandle, type EngineOptions, type Packet, type PacketStream,
} from '../../src/index.js'
import { gain, listSink, merge, mix, pass, resample, toPcm16, vad } from '../../src/nodes/index.js'

type Loose = (...args: readonly unknown[]) => AnyHandle & Record<string, AnyHandle>
const loose = (node: unknown): Loose => node as Loose
const FRAMES = 300_000, BYTES = 4 * FRAMES, MEDIA = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
const base = { version: '1.0.0', title: 'Test', doc: 'A node of this test.', family: 'test' } as const
/** A stream of known length, in pieces. */
const pieces = loose(defineNode({
  ...base, type: 'test::pieces', inputs: {},
  params: { frames: { type: 'integer', default: FRAMES, doc: 'x' }, told: { type: 'boolean', default: true, doc: 'x' } },
  outputs: { out: { media: audio(MEDIA) } },
  probe: ({ frames, told }) => Promise.resolve({ media: { out: MEDIA }, ...(told === true && { frames: frames as number }) }),
  pull: async function* ({ frames }, ctx) {
    for (let at = 0; at < (frames as number); at += 50_000) {
      const duration = Math.min(50_000, frames as number - at), data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: duration })
      data.channel(0).fill(0.1)
      yield { out: { media: MEDIA, data, position: at, duration, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as Packet }
    }
  },
}))
const counts = loose(defineNode({
  ...base, type: 'test::counts', inputs: { in: { media: audio() } }, params: { whole: { type: 'boolean', default: false, doc: 'x' } },
  outputs: { out: { media: json() } },
  process: async (inputs, { whole }) => {
    let data = 0
    if (whole === true) data = (await (inputs['in'] as PacketStream).whole()).duration
    else for await (const { duration } of inputs['in'] as PacketStream) data += duration
    return { out: { media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  },
}))
const loud = loose(gain)

/** Graph, bytes copied to join its outputs; and how much less a run copies than the plan says: a single piece is not joined. */
const GRAPHS: Readonly<Record<string, readonly [build: () => Record<string, AnyHandle>, joined: number, less?: number]>> = {
  'a kernel\'s output that nobody else reads is written in place': [() => ({ x: loud(pieces()) }), 0],
  'a source\'s own output': [() => ({ x: pieces() }), BYTES],
  'a source\'s output that a kernel reads too': [() => { const x = pieces(); return { x, y: loud(x) } }, BYTES],
  'a kernel\'s output that a node reads packet by packet': [() => { const x = loud(pieces()); return { x, n: counts(x) } }, BYTES],
  'under two names, read by two': [() => { const x = loud(pieces()); return { x, y: x, n: counts(x), m: counts(x) } }, BYTES],
  'two outputs': [() => { const a = loud(pieces()), b = loud(pieces()); return { a, b, n: counts(a), m: counts(b) } }, 2 * BYTES],
  'one of 1 000 frames: a single piece': [() => { const x = loud(pieces({ frames: 1_000 })); return { x, n: counts(x) } }, 4_000, 4_000],
  'nothing is returned': [() => ({ n: counts(loud(pieces())) }), 0],
  'four bytes become two': [() => { const x = loose(toPcm16)(pieces()); return { x, n: counts(x) } }, BYTES / 2],
  'of two sources': [() => { const x = loose(mix)([pieces(), pieces()]); return { x: loud(x), n: counts(x) } }, 0],
}
const TIERS: readonly (readonly [name: string, options: EngineOptions])[] = [
  ['one thread', { workers: 0 }], ['shared', { workers: 1 }], ['private', { workers: 1, shared: false }],
  ['js', { workers: 0, tier: 'js' }],
]

test.each(TIERS)('copies of a run are those of its plan: %s', async (name, options) => {
  await using engine = await createEngine({ arenaBytes: 2 ** 25, logger: () => undefined, ...options })
  for (const [what, [build, joined, less = 0]] of Object.entries(GRAPHS)) {
    const plan = await engine.plan(build())
    const { runId, ...result } = await engine.run(build())
    const rows = engine.stats().edges.filter((row) => row.runId === runId)
    const copied = (reason: 'thread' | 'user' | 'convert'): number => rows.reduce((sum, { copyBytes }) => sum + copyBytes[reason], 0)
    result.close()
    expect(copied('user'), what).toBe(joined - less)
    expect(copied('thread') + copied('user') + copied('convert'), what).toBe(plan.estCopyBytes - less)
    if (name !== 'private') expect(plan.estCopyBytes, what).toBe(joined)
    // Each stands at the value that is joined.
    expect(rows.filter(({ from }) => from === 'join'), what).toEqual([])
  }
})

test.each(TIERS)('at most what the plan says where lengths are bounds: %s', async (_name, options) => {
  await using engine = await createEngine({ arenaBytes: 2 ** 25, logger: () => undefined, ...options })
  for (const build of [
    (): Record<string, AnyHandle> => { const x = loose(resample)(pieces(), { rate: 16_000 }); return { x, n: counts(x) } },
    (): Record<string, AnyHandle> => {
      const { segments, frames } = loose(vad)(pieces())
      return { segments: segments!, frames: frames!, n: loose(listSink)(frames).items! }
    },
    (): Record<string, AnyHandle> => { const x = loose(merge)([pieces(), pieces()]); return { x: loud(x), y: x, n: counts(x) } },
  ]) {
    const plan = await engine.plan(build()), { runId, ...result } = await engine.run(build())
    const copied = engine.stats().edges.filter((row) =>
      row.runId === runId).reduce((sum, { copyBytes }) => sum + copyBytes.thread + copyBytes.user + copyBytes.convert, 0)
    result.close()
    expect(copied).toBeGreaterThan(0)
    expect(copied).toBeLessThanOrEqual(plan.estCopyBytes)
    expect(plan.estCopyBytes / copied).toBeLessThan(1.03)
  }
})

test('a length that nobody tells counts as nothing; a run of it tells what it was', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 25 })
  const graph = (): Record<string, AnyHandle> => ({ x: loud(pieces({ told: false })) })
  const plan = await engine.plan(graph())
  const { runId, ...result } = await engine.run(graph())
  expect([
    plan.estCopyBytes,
    engine.stats().edges.filter((row) => row.runId === runId).reduce((sum, { copyBytes }) => sum + copyBytes.user, 0),
  ]).toEqual([0, BYTES])
  result.close()
})

test('what a node joins for itself is its own, and told of the run', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 25 })
  const graph = (): Record<string, AnyHandle> => ({ n: counts(loud(pieces()), { whole: true }), p: loose(pass)(loud(pieces())) })
  expect((await engine.plan(graph())).estCopyBytes).toBe(0)
  const { runId, ...result } = await engine.run(graph())
  expect(engine.stats().edges.filter((row) => row.runId === runId && row.copyBytes.user > 0).map(({ copyBytes }) => copyBytes.user))
    .toEqual([BYTES, BYTES])
  result.close()
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { audio, createEngine, type AnyHandle, type Engine } from '../../src/index.js'
import { defineNode } from '../../src/graph/define-node.js'
import type { ParamTable } from '../../src/graph/node-definition.js'
import type { Reference } from '../../src/graph/reference.js'
import { audioBuffer } from '../../src/nodes/index.js'
import { compileFixture } from '../kernels/fixtures/compile-fixture.js'
import { randomNumbers } from '../support/kernel-rig.js'

/** Random graphs tried; the whole check of EX-08 is MILLRACE_HB_SEEDS=1000. */
const SEEDS = Number(process.env['MILLRACE_HB_SEEDS'] ?? 60)

const params = {
  clock: { type: 'integer', required: true, rate: 'init', doc: '' },
  log: { type: 'integer', required: true, rate: 'init', doc: '' },
} as const satisfies ParamTable
/** Looks so dear that the planner gives every branch a thread of its own. */
const stamp = defineNode({
  type: 'test::stamp', version: '1.0.0', title: 'Stamp', doc: 'Says when it ran.', family: 'test', params,
  inputs: { in: { media: audio({ channels: 1 }), multi: true } },
  outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } }, kernel: { module: 'mine', export: 'stamp' }, costNs: 1_000_000,
  reference: { init: () => ({}), process: (_: object, io) => io.frames, reset() { /* nothing */ } } satisfies Reference,
})

let engine: Engine
beforeAll(async () => {
  engine = await createEngine({ workers: 4, arenaBytes: 32 * 1_048_576, kernels: { mine: await compileFixture('stamp.ts') } })
}, 60_000)
afterAll(async () => { await engine.close() })

test(`no node starts before all it reads has ended, and what it reads is there: ${SEEDS} random graphs on 4 workers (EX-08)`, async () => {
  const { arena } = engine.parts, clock = arena.allocate(64), x = engine.audio.alloc({ rate: 8_000, channels: 1, frames: 3_000 })
  let crossing = 0, segments = 0
  const workers = new Set<number>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const next = randomNumbers(seed), count = 4 + Math.floor(next() * 20), logs = arena.allocate(count * 8)
    arena.u32[clock >>> 2] = 0
    const source = audioBuffer({ data: x }), reads: number[][] = [], handles: ReturnType<typeof stamp>[] = [], sums: number[] = []
    for (let n = 0; n < count; n++) {
      // Mostly neighbours: wide layers with joins.
      const from = n === 0
        ? []
        : [...new Set(Array.from({ length: 1 + Math.floor(next() * 3) }, () => Math.max(0, n - 1 - Math.floor(next() * 6))))].filter(() =>
          next() < 0.9)
      reads.push(from)
      handles.push(stamp.named(`n${n}`)(from.length === 0 ? [source] : from.map((r) => handles[r]!), { clock, log: logs + n * 8 }))
      sums.push(1 + from.reduce((sum, r) => sum + sums[r]!, 0))
    }
    const target: Record<string, AnyHandle> = Object.fromEntries(handles.map((handle, n) => [`n${n}`, handle]))
    const result = await engine.run(target as never), plan = await engine.plan(target as never)
    const segmentOf = new Map(plan.nodes.map((node) => [node.id, node.segment]))
    const time = (n: number): { first: number; last: number } => ({
      first: arena.u32[(logs + n * 8) >>> 2]!, last: arena.u32[(logs + n * 8 + 4) >>> 2]!,
    })
    for (let n = 0; n < count; n++) {
      expect(time(n).first, `seed ${seed}, n${n} ran`).toBeGreaterThan(0)
      for (const r of reads[n]!) {
        // Inside a segment blocks follow each other; between segments whole values do.
        if (segmentOf.get(`n${n}`) === segmentOf.get(`n${r}`)) {
          expect(time(n).first, `seed ${seed}, n${r} → n${n}`).toBeGreaterThan(time(r).first)
          continue
        }
        crossing++
        expect(time(n).first, `seed ${seed}, n${r} → n${n}`).toBeGreaterThan(time(r).last)
      }
      const data = (result.outputs as unknown as Record<string, { data: { channel(c: number): Float32Array } }>)[`n${n}`]!.data.channel(0)
      expect(data.every((value) => value === sums[n]), `seed ${seed}, n${n} read everything`).toBe(true)
    }
    segments += plan.segments.length
    for (const node of result.metrics.nodes) if (node.kernelCalls > 0) workers.add(node.worker)
    result.close()
    arena.free(logs)
  }
  expect(crossing).toBeGreaterThan(SEEDS * 3)
  expect(segments).toBeGreaterThan(SEEDS * 3)
  expect(workers.size).toBeGreaterThan(2)
  x.close()
  arena.free(clock)
}, 600_000)

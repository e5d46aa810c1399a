/**
 * Segments that move to another memory after every chunk: the same bits and counters as those that stay (KE-02, MW-34).
 * Random segments over every feature of programs.
 */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { compileModules } from '../../src/kernels/compile.js'
import { PASS } from '../../src/kernels/contract.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { SharedBlocks } from '../../src/kernels/shared-blocks.js'
import { createArena } from '../../src/memory/arena.js'
import { createAudioApi } from '../../src/memory/audio-api.js'
import { compiledBuilder } from '../../src/schedule/compiled-builder.js'
import { EngineSegment } from '../../src/schedule/engine-segment.js'
import type { RunScope, StepReport } from '../../src/schedule/open-segment.js'
import { packetOf, releasePacket } from '../../src/schedule/packet-data.js'
import type { SegmentSnapshot } from '../../src/schedule/segment-snapshot.js'
import type { ArenaAudio } from '../../src/memory/audio-buffer.js'
import { compileFixture } from '../kernels/fixtures/compile-fixture.js'
import { randomSegment, type RandomSegment } from '../kernels/random-segment.js'
import { noise } from '../kernels/support.js'

const SEGMENTS = Number(process.env['MILLRACE_SEGMENTS'] ?? 60)
const ids: string[] = []
const idOf = (module: string, name: string): number => {
  const key = `${module}.${name}`, at = ids.indexOf(key)
  return at < 0 ? ids.push(key) - 1 : at
}
const scope: RunScope = {
  runId: 'r', signal: new AbortController().signal, startUs: 0, reference: () => undefined, progressed: () => undefined,
}

/** A memory of its own, in which segments are built; `shift`: bytes that are taken first, so that addresses differ. */
async function home(fixture: Uint8Array, shift: number): Promise<{
  readonly open: (segment: RandomSegment, from?: SegmentSnapshot) => EngineSegment
  readonly audio: ReturnType<typeof createAudioApi>
  readonly blocks: () => number
}> {
  const arena = createArena({ bytes: 2 ** 25, shared: false, wasm: true })
  const runtime = instantiateRuntime(await compileModules({ shared: false, kernels: { mine: fixture } }), arena.memory!)
  if (shift > 0) arena.allocate(shift)
  const build = compiledBuilder(arena, runtime, new SharedBlocks(arena), idOf)
  const audio = createAudioApi(arena)
  return {
    audio, blocks: () => arena.stats().blocks,
    open({ plan, changes = [] }, from) {
      const { program, interpreter } = build(plan, scope)
      const outputs = new Map(plan.buffers.flatMap(({ kind }, b) => kind === 'output' ? [[b, { mode: 'emit' as const }] as const] : []))
      const segment = new EngineSegment(arena, plan, program, outputs, scope, () => {
        let code: number
        do { code = interpreter.run(program.address, 0) } while (code === PASS.MORE)
        return code < 0 ? Promise.reject(program.failed(code)) : Promise.resolve(code)
      })
      if (from === undefined) for (const { step, change } of changes) program.change(step, change)
      else segment.resume(from)
      return segment
    },
  }
}
type Home = Awaited<ReturnType<typeof home>>

interface Outcome {
  readonly frames: readonly number[]
  readonly bits: readonly string[]
  readonly positions: readonly string[]
  readonly steps: readonly StepReport[]
  readonly end: string
}

/** Runs a segment to its end in chunks, in one memory or in turns in several. */
async function run(homes: readonly Home[], segment: RandomSegment, seed: number): Promise<Outcome
  & { readonly moves: number; readonly kept: number }> {
    const next = noise(seed), samples = new Map<number, number[]>(), positions: string[] = [], fed = segment.plan.buffers.map(() => 0)
    let at = 0, moves = 0, kept = 0, now = homes[0]!.open(segment), end = 'done'
    try {
      for (let done = false; !done;) {
        for (const b of now.hungry()) {
          const left = segment.inputFrames[b]! - fed[b]!
          const frames = Math.min(left, 1 + Math.floor((next() + 1) * 400))
          const position = fed[b]! + 1_000
          if (frames <= 0) { now.end(b); continue }
          const { media } = segment.plan.buffers[b]!, audio = homes[at]!.audio.alloc({ rate: 48_000, channels: 2, frames, position })
          for (let c = 0; c < 2; c++) {
            for (let n = 0; n < frames; n++) audio.channel(c)[n] = Math.sin(seed + b * 7 + c * 3 + (fed[b]! + n) * 0.37)
          }
          fed[b]! += frames
          await now.feed(b, packetOf(media, audio, position, frames, { metadata: { [`saw${b}`]: position } }))
        }
        const advanced = await now.advance()
        done = advanced.done
        for (const { buffer, packet } of advanced.outputs) {
          const data = packet.data as ArenaAudio, list = samples.get(buffer) ?? []
          for (let n = 0; n < data.frames; n++) list.push(data.channel(0)[n]!, data.channel(1)[n]!)
          samples.set(buffer, list)
          positions.push(`${buffer} ${packet.position} ${JSON.stringify(packet.metadata)}`)
          releasePacket(packet)
        }
        if (done || homes.length === 1) continue
        const snapshot = structuredClone(now.snapshot())
        await now.close()
        moves++
        kept += snapshot.bytes.length
        at = (at + 1) % homes.length
        now = homes[at]!.open(segment, snapshot)
      }
    } catch (error) {
      if (!isMillraceError(error)) throw error
      end = error.message
    }
    const { steps } = now.report(), lists = [...samples].map(([, list]) => list)
    await now.close()
    return {
      frames: lists.map(({ length }) => length),
      bits: lists.map((list) => createHash('sha256').update(Float32Array.from(list)).digest('hex')),
      positions, steps, end, moves, kept,
    }
  }

test(`${SEGMENTS} random segments that change their memory after every chunk`, async () => {
  const fixture = await compileFixture('stretch.ts'), one = await home(fixture, 0)
  const two = await home(fixture, 70_016), three = await home(fixture, 1_000_064)
  const before = [one, two, three].map(({ blocks }) => blocks())
  let moves = 0, done = 0, filled = 0
  for (let seed = 1; seed <= SEGMENTS; seed++) {
    const draw = noise(seed), segment = randomSegment(() => (draw() + 1) / 2 * 0.999999)
    // An input that nobody reads is no part of a plan.
    if (segment.plan.buffers.some(({ kind, readers }) => kind === 'input' && readers.length === 0)) continue
    const { moves: _none, kept: _nothing, ...expected } = await run([one], segment, seed)
    const { moves: moved, kept, ...got } = await run([two, three], segment, seed)
    expect(got, `seed ${seed}`).toEqual(expected)
    moves += moved
    if (got.end === 'done') done++
    if (got.frames.some((frames) => frames > 1_000) && kept > 0) filled++
  }
  // The generator must reach what it is for.
  expect(moves).toBeGreaterThan(2 * SEGMENTS)
  expect(done).toBeGreaterThan(SEGMENTS / 2)
  expect(filled).toBeGreaterThan(SEGMENTS / 4)
  expect([one, two, three].map(({ blocks }) => blocks())).toEqual(before)
}, 60_000)

/** More segments than there are run records, and less room than an output wants: a run on shared memory ends, and the next one does. */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, type AudioBuffer } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import type { Block } from '../../src/memory/block.js'
import { EngineSegment } from '../../src/schedule/engine-segment.js'
import { shares } from './support.js'

/** Says that it gives few frames and gives as many as it gets. */
const loose = defineNode({
  type: 'test::loose', version: '1.0.0', title: 'Loose', doc: 'Bounds its output wrongly.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } },
  outputs: { out: { media: audio({ like: 'in' }), frames: (frames: number) => Math.min(frames, 4_096) } },
  kernel: { module: 'level', export: 'gain', slots: () => [1, 0], controls: () => [1] }, parity: 'exact',
  reference: { init: () => ({}), process: (_state: unknown, io: { readonly frames: number }) => io.frames, reset: () => undefined },
} as never) as unknown as (input: unknown) => never

if (shares) {
  test('100 segments in one run, twice', async () => {
    await using engine = await createEngine({ tier: 'wasm-threads', workers: 2, arenaBytes: 2 ** 26, logger: () => undefined })
    const outputs = Object.fromEntries(Array.from({ length: 100 }, (_one, i) =>
      [`o${i}`, gain(audioBuffer({ data: [new Float32Array(4_000).fill(i)], rate: 16_000 }))]))
    for (let round = 0; round < 2; round++) {
      using result = await engine.run(outputs)
      expect(Object.values(result.outputs).map(({ data }) => (data as AudioBuffer).toArray()[0]))
        .toEqual(Array.from({ length: 100 }, (_one, i) => i))
    }
    expect(engine.stats()).toMatchObject({ runs: 0, workers: { busy: 0, lost: 0 } })
  })

  test('an arena that is full when an output grows fails its run with ARENA_FULL; the next run is heard', async () => {
    await using engine = await createEngine({ tier: 'wasm-threads', workers: 2, arenaBytes: 2 ** 26, logger: () => undefined })
    const { arena } = engine.parts, held: Block[] = [], { enlarge } = EngineSegment.prototype
    using data = engine.audio.from([Float32Array.from({ length: 2_000_000 }, (_, i) => Math.sin(i / 7))], {
      rate: 16_000, channels: 1, layout: 'planar',
    }, { copy: true })
    EngineSegment.prototype.enlarge = function () {
      if (held.length === 0) for (let bytes = 60_000_000; bytes > 256;) try { held.push(arena.alloc(bytes)) } catch { bytes >>= 1 }
      enlarge.call(this)
    }
    try {
      await expect(engine.run({ out: loose(audioBuffer({ data })) })).rejects.toMatchObject({ code: 'ARENA_FULL' })
      expect(held.length).toBeGreaterThan(0)
    } finally {
      EngineSegment.prototype.enlarge = enlarge
      for (const block of held) block[Symbol.dispose]()
    }
    using result = await engine.run({ out: gain(audioBuffer({ data })) })
    expect(result.outputs.out.data).toMatchObject({ frames: 2_000_000 })
  })
} else test('private memories have no run records', () => { expect(shares).toBe(false) })

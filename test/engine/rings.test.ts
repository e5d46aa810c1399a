import { expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import {
  attachReader, createRing, decodePacket, describeBlock, encodePacket, importDescriptor, memoryViews,
} from '../../src/memory-tools.js'

test('a ring in an engine’s memory: by the core where there is one, and from another thread’s views', async () => {
  await using engine = await createEngine({ arenaBytes: 2 ** 24, workers: 0 })
  const ring = createRing(engine.arena, { frames: 1_024, channels: 2 })
  const audio = engine.audio.alloc({ rate: 48_000, channels: 2, frames: 128 })
  for (const c of [0, 1]) audio.channel(c).fill(c + 1)
  expect(ring.writer.write([audio.channel(0), audio.channel(1)])).toBe(128)
  const there = attachReader(memoryViews(engine.arena.buffer), ring.address), out = [new Float32Array(128), new Float32Array(128)]
  expect([there.readOrSilence(out), out[0]![127], out[1]![0], there.underruns]).toEqual([128, 1, 2, 0])
  ring[Symbol.dispose]()
  audio.close()
})

test('messages and descriptors from the entry', async () => {
  await using engine = await createEngine({ arenaBytes: 2 ** 24, workers: 0 })
  const block = engine.arena.alloc({ dtype: 'f32', shape: [8] }), seen = importDescriptor(engine.arena, describeBlock(engine.arena, block))
  expect(seen.address).toBe(block.address)
  expect(decodePacket(encodePacket({ type: 'progress', body: { done: 1, total: 2 } })))
    .toMatchObject({ type: 'progress', body: { done: 1, total: 2 } })
  seen.release()
  block.release()
})

import { expect, test } from 'vitest'
import code from 'inline-worker:./ring-worklet.ts'
import { createArena } from '../../src/memory/arena.js'
import { createRing } from '../../src/memory/ring/audio-ring.js'

test.skipIf(
  typeof SharedArrayBuffer === 'undefined',
)('a real worklet plays what is in the ring, then silence, and counts the quanta that were short (MW-29)', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true })
  const ring = createRing(arena, { frames: 2_048, channels: 2 })
  const frames = 1_000
  const samples = [0, 1].map((c) => Float32Array.from({ length: frames }, (_, n) => (c === 0 ? 1 : -1) * (n + 1) / 1_024))
  expect(ring.writer.write(samples)).toBe(frames)
  const context = new OfflineAudioContext(2, 2_560, 48_000), url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
  await context.audioWorklet.addModule(url)
  URL.revokeObjectURL(url)
  const node = new AudioWorkletNode(context, 'ring', {
    numberOfInputs: 0, outputChannelCount: [2], processorOptions: { memory: arena.memory, ring: ring.address },
  })
  node.connect(context.destination)
  const played = await context.startRendering()
  for (const c of [0, 1]) {
    const heard = played.getChannelData(c)
    expect(heard.subarray(0, frames)).toEqual(samples[c])
    expect(heard.subarray(frames).every((x) => x === 0)).toBe(true)
  }
  // 2 560 frames are 20 quanta: seven whole ones, one of 104 frames, twelve of none.
  expect([ring.reader.underruns, ring.writer.free]).toEqual([13, 2_048])
})

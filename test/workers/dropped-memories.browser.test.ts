/** Threads of a process share its address space; only the thread that let go of memories can collect them (MW-42, MW-57). */
import { expect, test } from 'vitest'
import { createEngine, type AnyHandle } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

type Loose = (...args: readonly unknown[]) => AnyHandle
const MOST = 2_000

/** Fills the address space with memories that nobody keeps; how many went into it. */
function fill(): number {
  const memories: WebAssembly.Memory[] = []
  try { while (memories.length < MOST) memories.push(new WebAssembly.Memory({ initial: 256, maximum: 256 })) } catch { /* full */ }
  return memories.length
}

test('private workers start although memories that this thread let go of fill the address space', async () => {
  await using engine = await createEngine({ workers: 2, shared: false, logger: () => undefined })
  const data = engine.audio.from(new Float32Array(8_000).fill(0.25), { rate: 8_000, channels: 1 }, { copy: true })
  expect(fill()).toBeLessThan(MOST)
  using result = await engine.run({ out: (gain as unknown as Loose)((audioBuffer as unknown as Loose)({ data }), { gainDb: 0 }) })
  expect((result.outputs['out']!.data as { frames: number }).frames).toBe(8_000)
  expect(engine.stats().workers.count).toBe(2)
})

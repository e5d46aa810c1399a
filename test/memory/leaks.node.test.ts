import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { createAudioApi } from '../../src/memory/audio-api.js'
import { LeakWatch } from '../../src/memory/leak-watch.js'
import { createRing } from '../../src/memory/ring/audio-ring.js'
import { createByteRing } from '../../src/memory/ring/byte-ring.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects until `done`, at most some seconds: the host runs finalizers when it likes. */
async function collect(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) {
    gc()
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

test('audio that nobody closed is given back with a warning that names where it was made; closed audio is not mentioned (MW-16)', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const audio = createAudioApi(arena)
  const warnings: { text: string; details: Readonly<Record<string, unknown>> }[] = []
  arena.leaks = new LeakWatch((text, details) => { warnings.push({ text, details }) }, true)
  const before = arena.stats().usedBytes
  function forgetfulCaller(): void {
    audio.alloc({ rate: 8_000, channels: 1, frames: 100 })
    audio.alloc({ rate: 8_000, channels: 1, frames: 50 }).close()
  }
  forgetfulCaller()
  await collect(() => warnings.length > 0)
  expect(warnings.map(({ text }) => text)).toEqual(['AudioBuffer of 100 frames was collected without close()'])
  expect(String(warnings[0]!.details['createdAt'])).toContain('forgetfulCaller')
  expect(arena.stats().usedBytes).toBe(before)
})

test('bytes whose view was handed out are not given back: the view may still be read', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false }), audio = createAudioApi(arena), warnings: string[] = []
  arena.leaks = new LeakWatch((text) => { warnings.push(text) }, false)
  const samples = ((): Float32Array => audio.alloc({ rate: 8_000, channels: 1, frames: 100 }).channel(0).subarray(0, 10))()
  samples.fill(1)
  const used = arena.stats().usedBytes
  await collect(() => warnings.length > 0)
  expect(warnings).toEqual([
    'AudioBuffer of 100 frames was collected without close(); its bytes stay, because a view of them was given out',
  ])
  expect(arena.stats().usedBytes).toBe(used)
  expect([...samples]).toEqual(Array(10).fill(1))
})

test('blocks that nobody gave up, however they were got, are given back with a warning; others and the engine\'s own are not mentioned (MW-16)', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const warnings: { text: string; details: Readonly<Record<string, unknown>> }[] = []
  arena.leaks = new LeakWatch((text, details) => { warnings.push({ text, details }) }, true)
  const before = arena.stats().usedBytes, kept = arena.alloc({ dtype: 'f32', shape: [64] }), { handle } = kept
  function forgetfulCaller(): void {
    arena.alloc(100_000)
    kept.slice(1, 3)
    kept.clone().retain()
    kept.clone().makeMut()
    arena.open(handle)
    arena.alloc(500).release()
    arena.alloc(600)[Symbol.dispose]()
    const twice = arena.alloc(700)
    twice.retain(); twice.release(); twice.release()
    arena.claim(64)
  }
  forgetfulCaller()
  const own = 64
  // Warned of: the reference that makeMut gives up is not, its copy of 256 bytes is.
  await collect(() => warnings.length >= 5)
  expect(warnings.map(({ text }) => text.replace(' was collected without release()', '')).sort()).toEqual([
    'Block of 100000 bytes', 'Block of 256 bytes', 'Block of 256 bytes', 'Block of 256 bytes', 'Block of 8 bytes'])
  for (const { details } of warnings) expect(String(details['createdAt'])).toContain('forgetfulCaller')
  expect(kept.references).toBe(1)
  kept.release()
  expect(arena.stats().usedBytes - before).toBe(own)
})

test('a block whose view was handed out stays where it is', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false }), warnings: string[] = []
  arena.leaks = new LeakWatch((text) => { warnings.push(text) }, false)
  const bytes = ((): Uint8Array => arena.alloc(100).view(Uint8Array).subarray(0, 10))()
  const used = arena.stats().usedBytes
  await collect(() => warnings.length > 0)
  expect(warnings).toEqual(['Block of 100 bytes was collected without release(); its bytes stay, because a view of them was given out'])
  expect(arena.stats().usedBytes).toBe(used)
  expect(bytes).toHaveLength(10)
})

test('rings that nobody disposed of are freed with a warning once neither they nor an end of them is left; one whose address was given out keeps its bytes (MW-16)', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
  const warnings: { text: string; details: Readonly<Record<string, unknown>> }[] = []
  arena.leaks = new LeakWatch((text, details) => { warnings.push({ text, details }) }, true)
  const before = arena.stats().usedBytes, writer = createRing(arena, { frames: 64 }).writer, kept = arena.stats().usedBytes
  function forgetfulCaller(): void {
    createRing(arena, { frames: 128 }).writer.write(new Float32Array(10))
    createByteRing(arena, 256).writer.push(new Uint8Array(3))
    createRing(arena, { frames: 512 })[Symbol.dispose]()
    createByteRing(arena, 1_024)[Symbol.dispose]()
  }
  forgetfulCaller()
  await collect(() => warnings.length >= 2)
  expect(warnings.map(({ text }) => text).sort())
    .toEqual(['Ring of 128 frames was collected without dispose()', 'Ring of 256 bytes was collected without dispose()'])
  for (const { details } of warnings) expect(String(details['createdAt'])).toContain('forgetfulCaller')
  // The other ring lives through its end.
  expect([arena.stats().usedBytes, writer.write(new Float32Array(100))]).toEqual([kept, 64])
  expect(kept).toBeGreaterThan(before)
  warnings.length = 0
  function elsewhere(): number { return createRing(arena, { frames: 256 }).address + createRing(arena, { frames: 2_048 }).reader.address }
  expect(elsewhere()).toBeGreaterThan(0)
  const used = arena.stats().usedBytes
  await collect(() => warnings.length >= 2)
  expect(warnings.map(({ text }) => text).sort()).toEqual([2_048, 256].map((frames) =>
    `Ring of ${frames} frames was collected without dispose(); its bytes stay, because the address or a view of them was given out`))
  expect([arena.stats().usedBytes, writer.closed]).toEqual([used, false])
})

import { createArena } from '../src/memory/arena.js'
import { createAudioApi } from '../src/memory/audio-api.js'
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../src/memory/half.js'
import { bench } from './support/bench.js'

const CALLS = 1_000

/**
 * Question: what does a block cost? Hypothesis: < 0.3 µs to take and < 0.3 µs to give back, in a steady loop and
 * under random sizes; ArrayBuffers cost more.
 */
export const memoryAlloc = bench('memory/alloc', async (b) => {
  const arena = createArena({ shared: false, wasm: true }), unit = { name: 'take + give', count: CALLS }
  const steady = await b.compare('512 bytes, steady', {
    arena() { for (let i = 0; i < CALLS; i++) arena.free(arena.allocate(512)) },
    'new Float32Array'() { let sum = 0; for (let i = 0; i < CALLS; i++) sum += new Float32Array(128).length; return sum },
  }, { unit })
  b.note(`take or give, steady: ${nanoseconds(steady.variants[0]!.p50Ms)} ns (bar 300)`)
  const live = new Uint32Array(2_048)
  const sizes = Uint32Array.from({ length: 4_096 }, (_, i) => 64 * (1 + (Math.imul(i, 2_654_435_761) >>> 26)))
  let step = 0
  const random = await b.compare('64–4 096 bytes, random, 1 024 blocks live', {
    arena() {
      for (let i = 0; i < 2 * CALLS; i++, step++) {
        const at = Math.imul(step, 40_503) & 2_047
        if (live[at] !== 0) { arena.free(live[at]!); live[at] = 0 } else live[at] = arena.alloc(sizes[step & 4_095]!).address
      }
    },
  }, { unit })
  b.note(`take or give, random: ${nanoseconds(random.variants[0]!.p50Ms)} ns (bar 300)`)
})

/**
 * Question: what does safety cost? Hypothesis: a handle check < 20 ns; borrowing audio that is in the arena < 1 µs, whatever its length.
 */
export const memoryHandles = bench('memory/handles', async (b) => {
  const arena = createArena({ shared: false, wasm: true }), audio = createAudioApi(arena)
  const handles = Array.from({ length: 64 }, () => arena.alloc(64).handle)
  const check = await b.compare('check of a handle', {
    check() { let sum = 0; for (let i = 0; i < CALLS; i++) sum += arena.check(handles[i & 63]!); return sum },
  }, { unit: { name: 'checks', count: CALLS } })
  b.note(`check: ${(check.variants[0]!.p50Ms * 1e6 / CALLS).toFixed(1)} ns (bar 20)`)
  const long = audio.alloc({ rate: 48_000, channels: 1, frames: 4_800_000 }).channel(0), short = long.subarray(0, 480)
  const borrow = await b.compare('borrow and close', {
    '100 s'() { for (let i = 0; i < CALLS; i++) audio.from(long, { rate: 48_000, channels: 1 }).close() },
    '10 ms'() { for (let i = 0; i < CALLS; i++) audio.from(short, { rate: 48_000, channels: 1 }).close() },
  }, { unit: { name: 'buffers', count: CALLS } })
  b.note(`borrow and close: ${nanoseconds(borrow.variants[0]!.p50Ms) * 2} ns (bar 1000)`)
})

/** Question: how fast are half floats without SIMD? Bar of MW-25: 1 GB of f32 per second. */
export const memoryHalf = bench('memory/half', async (b) => {
  const wide = Float32Array.from({ length: 1 << 18 }, (_, i) => Math.sin(i))
  const half = new Uint16Array(1 << 18)
  const unit = { name: 'bytes of f32', count: wide.byteLength }
  await b.compare('262 144 values', {
    'f32 to f16': () => f32ToF16(wide, half), 'f16 to f32': () => f16ToF32(half, wide), 'f32 to bf16': () => f32ToBf16(wide, half),
    'bf16 to f32': () => bf16ToF32(half, wide),
    'f32 to f32 (set)': (() => { const to = new Float32Array(wide.length); return () => to.set(wide) })(),
  }, { unit })
})

/** Question: how long does a full arena stand still while it is compacted? Bar of MW-11: 64 MiB in 30 ms. */
export const memoryCompact = bench('memory/compact', async (b) => {
  for (const blockBytes of [16_384, 262_144]) {
    // Each round: fill, give every eighth block up (so nearly all bytes move), compact. Only the last is timed.
    const arena = createArena({ shared: true, wasm: true, compacts: true }), times: number[] = []
    let moved = 0
    for (let round = 0; round < 20; round++) {
      const blocks = []
      while (arena.largestFreeBytes() > blockBytes * 2) blocks.push(arena.alloc(blockBytes))
      blocks.forEach((block, i) => { if (i % 8 === 0) block.release() })
      const began = performance.now()
      moved = arena.store.compact().movedBytes
      times.push(performance.now() - began)
      for (const block of blocks) block[Symbol.dispose]()
      arena.store.trim()
    }
    times.sort((a, c) => a - c)
    b.note(`${blockBytes} bytes a block: ${(moved / 2 ** 20).toFixed(0)} MiB moved in ${times[10]!.toFixed(1)} ms (median of 20, worst ${times[19]!.toFixed(1)}, bar 30)`)
  }
})

/** Nanoseconds of one of two operations, from the milliseconds of `CALLS` pairs. */
function nanoseconds(pairsMs: number): number { return Math.round(pairsMs * 1e6 / CALLS / 2) }

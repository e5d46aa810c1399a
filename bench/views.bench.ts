/** What it costs to look at bytes and to name them, whatever their number. */
import { createArena } from '../src/memory/arena.js'
import { describeBlock, importDescriptor } from '../src/memory/descriptor.js'
import { bench, verdict } from './support/bench.js'

const GIB = 2 ** 30, VIEWS = 100

/** A collection now; the heap after it, bytes. Node only. */
function heapAfter(): number {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

/**
 * Question: what does a view of 1 GiB cost (MW-18), and a block over a descriptor of as much (MW-22, MW-26)? Hypothesis: what one of 64
 * bytes costs: below 1 ms and 200 µs, and no heap to speak of.
 */
export const views = bench('memory/views', async (b) => {
  const arena = createArena({ bytes: GIB + 2 ** 28, shared: true, wasm: true })
  const large = arena.alloc({ dtype: 'f32', shape: [GIB / 4] })
  const small = arena.alloc({ dtype: 'f32', shape: [16] })
  const viewOnce = (block: typeof large) =>
    (): number => { const one = block.clone(), { length } = one.view(Float32Array); one.release(); return length }
  const view = await b.compare('new reference, its first view, given up', {
    '1 GiB': viewOnce(large), '64 bytes': viewOnce(small),
    'new Float32Array over 1 GiB': () => new Float32Array(arena.buffer, large.address, GIB / 4).length,
  })
  b.note(verdict('view of 1 GiB (MW-18)', 1, view))
  const again = await b.compare('view again', { '1 GiB': () => large.view(Float32Array).length })
  b.note(`the same view again ${(again.variants[0]!.p50Ms * 1e6).toFixed(0)} ns`)
  const from = [describeBlock(arena, large), describeBlock(arena, small)] as const
  const imported = await b.compare('block over a descriptor, given up', {
    '1 GiB': () => { importDescriptor(arena, from[0]).release() },
    '64 bytes': () => { importDescriptor(arena, from[1]).release() },
  })
  b.note(verdict('import of a descriptor of 1 GiB (MW-22)', 0.2, imported))
  if (typeof process !== 'object') return
  const before = heapAfter()
  const kept = Array.from({ length: VIEWS }, () => { const one = large.clone(); return [one, one.view(Float32Array)] as const })
  const bytes = (heapAfter() - before) / VIEWS
  b.note(`heap that a view of 1 GiB holds: ${bytes.toFixed(0)} bytes (bar 1 MiB), ${VIEWS} of them kept; ${kept.every(([, { length }]) => length === GIB / 4) ? 'each shows all of it' : 'SHORT'}`)
  for (const [one] of kept) one.release()
}, ['node'])

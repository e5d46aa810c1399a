/** What several instances of a module over one memory share (MW-61, MW-64). */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { instantiateRuntime, THREAD_SPAN_BYTES } from '../../src/kernels/runtime.js'
import { moduleFacts } from '../../src/kernels/module-facts.js'
import { readSections } from '../../src/kernels/module-reader.js'
import { layoutHash } from '../../src/memory/layout.js'
import { compileFixture } from './fixtures/compile-fixture.js'
import { hasShared, openBench } from './support.js'

describe('MW-64: static data of AssemblyScript modules', () => {
  test.runIf(
    hasShared,
  )('is written again by each instance, over whatever stands there; `let` globals are each instance\'s own', async () => {
    const bytes = await compileFixture('counter.ts'), module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>),
      memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536, shared: true }), words = new Uint32Array(memory.buffer)
    interface Counter { readonly table: () => number; readonly bump: () => number }
    const instance = (): Counter => new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Counter
    const one = instance(), at = one.table() >>> 2
    expect([words[at], words[at + 1], one.bump(), one.bump(), one.bump()]).toEqual([7, 11, 1, 2, 3])
    words[at] = 99
    const two = instance()
    // What a kernel kept there would be gone on all threads; what it kept in a global was never shared.
    expect([two.table(), words[at], words[at + 1], two.bump(), one.bump()]).toEqual([one.table(), 7, 11, 1, 4])
  }, 30_000)

  test.each(['level', 'convert', 'detect'])('%s has none, and no globals: what it knows lies in states', (name) => {
    const bytes = new Uint8Array(readFileSync(resolve(`assembly/build/${name}.wasm`))), facts = moduleFacts(bytes)
    expect([facts.data, facts.computedData]).toEqual([[], 0])
    expect(readSections(bytes).map(({ id }) => id)).not.toContain(GLOBALS)
    expect(readFileSync(resolve(`assembly/kernels/${name}.ts`), 'utf8')).not.toMatch(/^(export )?(let|var) /m)
  })
})

describe('MW-61: static data of the core', () => {
  test('is passive: no instance but the first writes it', () => {
    const { data } = moduleFacts(new Uint8Array(readFileSync(resolve('wasm/pkg/millrace_core.wasm'))))
    expect(data.length).toBeGreaterThan(0)
    expect(data.every(({ start }) => start < 0)).toBe(true)
  })

  test.runIf(
    hasShared,
  )('the leader writes it once: what the core\'s allocator knows outlives later instances, and the layout stays what it was', async () => {
    const { arena, runtime, compiled } = await openBench(true), { core } = runtime
    core.alloc_donate(arena.allocate(2 * THREAD_SPAN_BYTES), 2 * THREAD_SPAN_BYTES)
    const first = core.alloc_used(), counts = core.alloc_count()
    const late = instantiateRuntime(compiled, arena.memory!)
    // Its stack was added to what there was; written again, the list would be empty.
    expect(late.stack.stackAlloc).toBeGreaterThan(0)
    expect(core.alloc_used()).toBeGreaterThan(first)
    expect(core.alloc_count()).toBeGreaterThan(counts)
    expect(late.core.alloc_used()).toBe(core.alloc_used())
    runtime.destroyThread(late.stack)
    expect(core.alloc_used()).toBe(first)
    expect((late.core as unknown as { millrace_layout(): number }).millrace_layout() >>> 0).toBe(layoutHash())
  })
})

/** Number of the section of globals. */
const GLOBALS = 6

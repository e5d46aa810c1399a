/**
 * What is held against damage in an arena's fixed part (MW-02, and the guards of section 1). Here the checks alone; in
 * engines: test/engine/damaged-arena.node.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { MIN_ARENA_BYTES } from '../../src/memory/config.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { ARENA, THREAD, WINDOW } from '../../src/memory/layout.js'

const make = (options: Partial<Parameters<typeof createArena>[0]> = {}): Arena =>
  createArena({ bytes: MIN_ARENA_BYTES, shared: false, wasm: true, ...options })
const caught = (arena: Arena): { code: string; offset: number; got: string } | undefined => {
  try { arena.checkHeader() } catch (error) {
    const { code, details } = error as { code: string; details: { offset: number; got: string } }
    return { code, offset: details.offset, got: details.got }
  }
  return undefined
}
/** Changes a word, looks, and puts it back. */
const changed = (arena: Arena, offset: number, bits: number): ReturnType<typeof caught> => {
  const at = (arena.base + offset) >>> 2, before = arena.u32[at]!
  arena.u32[at] = before ^ bits
  const result = caught(arena)
  arena.u32[at] = before
  return result
}

describe.each([['a WebAssembly memory', true], ['a plain buffer', false]])('%s', (_, wasm) => {
  test('every word of the header but the clock, in any bit: ARENA_CORRUPT with offset and what was found', () => {
    const arena = make({ wasm })
    for (let offset = 0; offset < ARENA.SLOTS; offset += 4) {
      for (const bit of [1, 1 << 31]) {
        const found = changed(arena, offset, bit)
        if (offset === ARENA.CLOCK || offset === ARENA.CLOCK + 4) expect(found).toBeUndefined()
        else expect(found)
          .toEqual({ code: 'ARENA_CORRUPT', offset, got: `0x${((arena.u32[(arena.base + offset) >>> 2]! ^ bit) >>> 0).toString(16)}` })
      }
    }
    expect(caught(arena)).toBeUndefined()
  })

  test('guard line, the rest of the events’ lines, the engine’s thread record: one bit is seen', () => {
    const arena = make({ wasm }), words = { zero: 0, kept: 0 }
    for (let offset: number = ARENA.GUARD; offset < ARENA.RUNS; offset += 4) {
      const event = offset === ARENA.READY_EVENT || offset === ARENA.READY_SLEEPERS || offset === ARENA.HOST_EVENT
        || offset === ARENA.HOST_SLEEPERS
      expect(changed(arena, offset, 4), `0x${offset.toString(16)}`)
        .toEqual(event ? undefined : { code: 'ARENA_CORRUPT', offset, got: '0x4' })
      words[event ? 'kept' : 'zero']++
    }
    expect(words).toEqual({ zero: 44, kept: 4 })
    for (let field = 0; field < THREAD.BYTES; field += 4) {
      expect(changed(arena, ARENA.THREADS + field, 4)?.offset, `thread +${field}`)
        .toBe(field === THREAD.BEAT ? undefined : ARENA.THREADS + field)
    }
  })

  test('reserved bytes are gone through in turn: a word anywhere in them is seen in as many looks', () => {
    const arena = make({ wasm }), end = ARENA.RECORDER_NEXT, looks = Math.ceil((end - 0x8000) / 128)
    for (const offset of [0x8000, 0x9abc, end - 4]) {
      arena.u32[(arena.base + offset) >>> 2] = 9
      let found: ReturnType<typeof caught>
      for (let look = 0; look < looks && found === undefined; look++) found = caught(arena)
      expect(found).toEqual({ code: 'ARENA_CORRUPT', offset, got: '0x9' })
      arena.u32[(arena.base + offset) >>> 2] = 0
    }
    for (let look = 0; look < 2 * looks; look++) expect(caught(arena)).toBeUndefined()
  })

  test('closing marks the arena, which is no damage', () => {
    const arena = make({ wasm })
    arena.close()
    expect(caught(arena)).toBeUndefined()
  })
})

test('the guard below the modules is looked at in debug, where there are modules', () => {
  for (const [debug, wasm] of [[true, true], [false, true], [true, false]] as const) {
    const arena = make({ wasm, debug }), at = WINDOW.GUARD + 0x8004
    const before = arena.u32[at >>> 2]!
    expect(caught(arena)).toBeUndefined()
    arena.u32[at >>> 2] = 0x77
    expect(caught(arena)).toEqual(debug && wasm ? { code: 'ARENA_CORRUPT', offset: at - arena.base, got: '0x77' } : undefined)
    arena.u32[at >>> 2] = before
  }
})

import type { MillraceError } from '../errors/millrace-error.js'
import { memoryErrors } from './errors.js'
import { ARENA, THREAD, WINDOW } from './layout.js'
import type { Address } from './memory-host.js'

const HEADER_WORDS = ARENA.SLOTS / 4
const PAGE_WORDS = 0x10000 / 4
/** Lines that nobody writes, from and to, byte offsets: the guard behind the slots, and what stands beside the two events. */
const STILL = [
  [ARENA.GUARD, ARENA.READY_EVENT], [ARENA.READY_SLEEPERS + 4, ARENA.HOST_EVENT], [ARENA.HOST_SLEEPERS + 4, ARENA.RUNS],
] as const
/** Reserved bytes; so many words of them are looked at by one check. */
const RESERVED = 0x8000, RESERVED_END = ARENA.RECORDER_NEXT, WORDS_A_CHECK = 32

/** Throws `ARENA_CORRUPT` unless the word at byte `offset` from `base` is `expected`. `what`: it, for people. */
export function expectWord(u32: Uint32Array, base: Address, offset: number, expected: number, what: string): void {
  const got = u32[(base + offset) >>> 2]!
  if (got !== expected >>> 0) throw corrupt(`${what} 0x${(expected >>> 0).toString(16)}`, got, offset)
}

/** Throws `ARENA_CORRUPT` when the word at byte `offset` from `base` is greater than `most`. */
export function expectMost(u32: Uint32Array, base: Address, offset: number, most: number, what: string): void {
  const got = u32[(base + offset) >>> 2]!
  if (got > most) throw corrupt(`${what} 0…${most}`, got, offset)
}

/** `ARENA_CORRUPT` with what stands there; `offset` from the arena's start. */
export function corrupt(expected: string, got: number, offset: number): MillraceError {
  return memoryErrors.ARENA_CORRUPT({ expected, got: `0x${(got >>> 0).toString(16)}`, offset })
}

/**
 * Words of an arena's fixed part that only the engine's thread writes, and those that nobody does, held against what they were when the
 * arena was made: header, guards, the engine's own thread record. About 0.1 µs (MW-02); with `guard` (debug) also the 64 KiB below the
 * modules, about 10 µs.
 */
export class ArenaCheck {
  readonly #u32: Uint32Array
  readonly #base: Address
  readonly #guard: boolean
  readonly #header: Uint32Array
  readonly #thread: Uint32Array
  #reserved: number = RESERVED

  constructor(u32: Uint32Array, base: Address, guard: boolean) {
    this.#u32 = u32
    this.#base = base
    this.#guard = guard
    this.#header = u32.slice(base >>> 2, (base >>> 2) + HEADER_WORDS)
    const thread = (base + ARENA.THREADS) >>> 2
    this.#thread = u32.slice(thread, thread + THREAD.BYTES / 4)
    this.#thread[THREAD.CANCEL / 4] = 0
  }

  /** Throws `ARENA_CORRUPT`. `marks`: flags that the engine has set since. */
  check(marks: number): void {
    const u32 = this.#u32, base = this.#base, at = base >>> 2, header = this.#header
    for (let i = 0; i < HEADER_WORDS; i++) {
      const expected = i === ARENA.FLAGS / 4 ? header[i]! | marks : header[i]!
      if (u32[at + i] !== expected && i !== ARENA.CLOCK / 4 && i !== ARENA.CLOCK / 4 + 1) {
        throw corrupt(`${i < 2 ? 'magic' : 'header'} 0x${expected.toString(16)}`, u32[at + i]!, i * 4)
      }
    }
    for (const [from, to] of STILL) this.#zero(at + from / 4, at + to / 4, 'a guard of zeros')
    const own = at + ARENA.THREADS / 4, thread = this.#thread
    for (let i = 0; i < thread.length; i++) if (u32[own + i] !== thread[i] && i !== THREAD.BEAT / 4) {
      throw corrupt(`engine's thread 0x${thread[i]!.toString(16)}`, u32[own + i]!, ARENA.THREADS + i * 4)
    }
    const end = Math.min(this.#reserved + WORDS_A_CHECK * 4, RESERVED_END)
    this.#zero(at + this.#reserved / 4, at + end / 4, 'reserved zeros')
    this.#reserved = end === RESERVED_END ? RESERVED : end
    if (this.#guard) this.#zero(WINDOW.GUARD >>> 2, (WINDOW.GUARD >>> 2) + PAGE_WORDS, 'the guard below the modules, zeros')
  }

  #zero(from: number, to: number, what: string): void {
    const u32 = this.#u32
    for (let at = from; at < to; at++) if (u32[at] !== 0) throw corrupt(what, u32[at]!, at * 4 - this.#base)
  }
}

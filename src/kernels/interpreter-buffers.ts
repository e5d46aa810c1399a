import type { Address, MemoryHost } from '../memory/memory-host.js'
import { BUFFER, BUFFER_FLAG, BUFFER_KIND, NONE, PROGRAM, PROGRAM_FLAG, READER, STEP } from './contract.js'
import { carry, word } from './interpreter-words.js'

/** Where a step and its tables are; one object per call of {@link runStep}. */
export interface Step {
  readonly host: MemoryHost
  readonly u32: Uint32Array
  readonly program: Address
  readonly at: Address
  readonly inputs: number
  readonly outputs: number
  readonly bindings: Address
}
/** Buffer bound to port `index` (inputs, outputs, driven controls), or 0. */
export function bound(s: Step, index: number): Address {
  const number = word(s.u32, s.bindings + index * 4)
  return number === NONE ? 0 : word(s.u32, s.program + PROGRAM.BUFFERS) + number * BUFFER.BYTES
}
/** Address of the frames that the step has taken from the buffer of input `index` (inputs, then driven controls). */
export function offsetAddress(s: Step, from: Address, index: number): Address {
  return word(s.u32, from + BUFFER.OFFSETS) + (word(s.u32, word(s.u32, s.at + STEP.READERS) + index * 4) & READER.NUMBER_MASK) * 4
}
/** Has a buffer this flag? */
export function has(s: Step, buffer: Address, flag: number): boolean { return (word(s.u32, buffer + BUFFER.FLAGS) & flag) !== 0 }
/** Notes what this pass has met. */
export function mark(s: Step, flag: number): void { s.u32[(s.program + PROGRAM.FLAGS) >>> 2]! |= flag }
/** Frames that a buffer can still take. */
export function roomOf(s: Step, buffer: Address): number {
  return word(s.u32, buffer + BUFFER.CAPACITY) - word(s.u32, buffer + BUFFER.FILLED)
}

/** Reads what another segment's output holds by now. */
export function follow(s: Step, to: Address): void {
  const link = word(s.u32, to + BUFFER.LINK)
  if (link !== 0) for (const field of LINKED) s.u32[(to + field) >>> 2] = word(s.u32, link + field)
}
const LINKED = [BUFFER.BASE, BUFFER.STRIDE, BUFFER.FILLED, BUFFER.FLAGS] as const

/** Silence that a buffer was only said to hold stands there from now on. */
export function writeOut(s: Step, buffer: Address): void {
  if (!has(s, buffer, BUFFER_FLAG.UNWRITTEN)) return
  writeSilence(s, buffer, 0, word(s.u32, buffer + BUFFER.FILLED))
  s.u32[(buffer + BUFFER.FLAGS) >>> 2]! &= ~BUFFER_FLAG.UNWRITTEN
}

/** `frames` more have been taken by the reader whose count stands at `at`. */
export function consume(s: Step, from: Address, at: Address, frames: number): void {
  const { u32 } = s, taken = word(u32, at) + frames, filled = word(u32, from + BUFFER.FILLED)
  const inside = word(u32, from + BUFFER.KIND) === BUFFER_KIND.INTERNAL
  if (inside && taken === filled && word(u32, from + BUFFER.READER_COUNT) === 1) {
    // The one reader has taken everything.
    u32[at >>> 2] = 0
    u32[(from + BUFFER.FILLED) >>> 2] = 0
    carry(u32, from + BUFFER.ORIGIN_U64, filled)
    return
  }
  u32[at >>> 2] = taken
  if (inside) mark(s, PROGRAM_FLAG.REST)
}

/** What the reader has not taken, it never will. */
export function skipRest(s: Step, from: Address, at: Address): void {
  const filled = word(s.u32, from + BUFFER.FILLED)
  if (word(s.u32, at) >= filled) return
  s.u32[at >>> 2] = filled
  mark(s, PROGRAM_FLAG.REST | PROGRAM_FLAG.MOVED)
}

/** Zeros in `frames` frames from `first` on. */
export function writeSilence({ host, u32 }: Step, to: Address, first: number, frames: number): void {
  const frame = word(u32, to + BUFFER.FRAME_BYTES)
  for (let channel = 0; channel < word(u32, to + BUFFER.CHANNELS); channel++) {
    const start = word(u32, to + BUFFER.BASE) + channel * word(u32, to + BUFFER.STRIDE) + first * frame
    host.u8.fill(0, start, start + frames * frame)
  }
}

import type { ModuleFacts } from './module-facts.js'
import { MalformedModule, readU32 } from './module-reader.js'

/** What function bodies use beyond the baseline (PK-29), or must never use (MW-62, MW-66). */
export interface CodeFindings {
  readonly memoryGrow: number
  readonly atomicWait: number
  /** First instruction outside the baseline, as `0x06` or `0xfd 0x105`. */
  readonly beyond: string | undefined
}

/**
 * Walks every instruction. Baseline: MVP, sign extension, saturating conversions, bulk memory, reference instructions for tables, SIMD,
 * threads. Tail calls, exceptions, relaxed SIMD, garbage collection are beyond it. About 10 ns a byte.
 */
export function scanCode(bytes: Uint8Array, facts: Pick<ModuleFacts, 'bodies'>): CodeFindings {
  const found = { memoryGrow: 0, atomicWait: 0, beyond: undefined as string | undefined }
  for (const body of facts.bodies) {
    let at = skipLocals(bytes, body.start)
    while (at < body.end && found.beyond === undefined) {
      const opcode = bytes[at]!
      if (opcode === 0x40) found.memoryGrow++
      if (opcode === 0xfe && readU32(bytes, at + 1).value <= 2 && readU32(bytes, at + 1).value >= 1) found.atomicWait++
      const next = afterInstruction(bytes, at)
      if (next < 0) {
        found.beyond = opcode >= 0xfb
          ? `0x${opcode.toString(16)} 0x${readU32(bytes, at + 1).value.toString(16)}`
          : `0x${opcode.toString(16).padStart(2, '0')}`
      }
      at = next
    }
    if (found.beyond !== undefined) break
    if (at !== body.end) throw new MalformedModule(`function body at byte ${body.start}`)
  }
  return found
}

function skipLocals(bytes: Uint8Array, start: number): number {
  const count = readU32(bytes, start)
  let at = count.next
  for (let n = 0; n < count.value; n++) at = readU32(bytes, at).next + 1
  return at
}

/** Where the next instruction starts; −1 for one outside the baseline. */
function afterInstruction(bytes: Uint8Array, at: number): number {
  const opcode = bytes[at]!, rest = at + 1
  if (opcode >= 0x45 && opcode <= 0xc4) return rest
  if (opcode >= 0x28 && opcode <= 0x3e) return memarg(bytes, rest)
  switch (opcode) {
    case 0x00: case 0x01: case 0x05: case 0x0b: case 0x0f: case 0x1a: case 0x1b: case 0xd1: return rest
    case 0x02: case 0x03: case 0x04: return blockType(bytes, rest)
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x25:
    case 0x26:
    case 0xd2: return number(bytes, rest)
    case 0x0e: return numbers(bytes, rest)
    case 0x11: return number(bytes, number(bytes, rest))
    case 0x1c: return readU32(bytes, rest).next + readU32(bytes, rest).value
    case 0x3f: case 0x40: case 0xd0: return rest + 1
    case 0x41: case 0x42: return number(bytes, rest)
    case 0x43: return rest + 4
    case 0x44: return rest + 8
    case 0xfc: return afterMisc(bytes, rest)
    case 0xfd: return afterSimd(bytes, rest)
    case 0xfe: return afterAtomic(bytes, rest)
    default: return -1
  }
}

/** Skips one LEB128 of any length. */
function number(bytes: Uint8Array, at: number): number {
  while (bytes[at]! >= 0x80) at++
  return at + 1
}
function memarg(bytes: Uint8Array, at: number): number { return number(bytes, number(bytes, at)) }
function blockType(bytes: Uint8Array, at: number): number { return number(bytes, at) }
function numbers(bytes: Uint8Array, at: number): number {
  const count = readU32(bytes, at)
  let next = count.next
  for (let n = 0; n <= count.value; n++) next = number(bytes, next)
  return next
}

function afterMisc(bytes: Uint8Array, at: number): number {
  const { value, next } = readU32(bytes, at)
  if (value <= 7) return next
  switch (value) {
    case 8: return number(bytes, next) + 1
    case 9: case 13: case 15: case 16: case 17: return number(bytes, next)
    case 10: return next + 2
    case 11: return next + 1
    case 12: case 14: return number(bytes, number(bytes, next))
    default: return -1
  }
}

function afterSimd(bytes: Uint8Array, at: number): number {
  const { value, next } = readU32(bytes, at)
  if (value <= 11 || value === 92 || value === 93) return memarg(bytes, next)
  if (value === 12 || value === 13) return next + 16
  if (value >= 21 && value <= 34) return next + 1
  if (value >= 84 && value <= 91) return memarg(bytes, next) + 1
  return value <= 0xff ? next : -1
}

function afterAtomic(bytes: Uint8Array, at: number): number {
  const { value, next } = readU32(bytes, at)
  if (value === 3) return next + 1
  return value <= 0x4e ? memarg(bytes, next) : -1
}

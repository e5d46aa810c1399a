import { readSections, readU32 } from './module-reader.js'

/** Bit of a memory's limits that makes it shared. */
const SHARED_BIT = 2

/**
 * One binary serves both kinds of memory (MW-56): a copy of the module whose imported memory is unshared, by clearing bit 1 of its limits
 * flag (`0x03` → `0x01`). Every instruction stays valid; only atomic waits trap. Returns the same bytes when the memory already is
 * unshared.
 */
export function unsharedVariant(bytes: Uint8Array): Uint8Array {
  const flag = memoryFlagOffset(bytes)
  if (flag < 0 || (bytes[flag]! & SHARED_BIT) === 0) return bytes
  const copy = bytes.slice()
  copy[flag]! &= ~SHARED_BIT
  return copy
}

/** Offset of the limits flag of the first imported memory; −1 without one. */
export function memoryFlagOffset(bytes: Uint8Array): number {
  const section = readSections(bytes).find((one) => one.id === 2)
  if (section === undefined) return -1
  let at = section.start
  const count = readU32(bytes, at)
  at = count.next
  for (let n = 0; n < count.value; n++) {
    for (const _ of ['module', 'name']) {
      const length = readU32(bytes, at)
      at = length.next + length.value
    }
    const kind = bytes[at++]
    if (kind === 2) return at
    if (kind === 1) at++
    if (kind === 3) at += 2
    else if (kind === 1) {
      const maximum = (bytes[at]! & 1) !== 0
      at = readU32(bytes, at + 1).next
      if (maximum) at = readU32(bytes, at).next
    } else at = readU32(bytes, at).next
  }
  return -1
}

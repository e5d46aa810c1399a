/** A section of a WebAssembly binary: id and the byte range of its content. */
export interface Section { readonly id: number; readonly start: number; readonly end: number }
/** A number and where the next one starts. */
export interface Read { readonly value: number; readonly next: number }

/** Thrown for bytes that are no module; the loader turns it into `KERNEL_ABI`. */
export class MalformedModule extends Error { override readonly name = 'MalformedModule' }

/** Reads an unsigned LEB128 of at most 32 bits. */
export function readU32(bytes: Uint8Array, at: number): Read {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at }
  }
  throw new MalformedModule(`no number at byte ${at}`)
}

/** Reads a signed LEB128 of at most 32 bits. */
export function readI32(bytes: Uint8Array, at: number): Read {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) break
    value |= (byte & 0x7f) << Math.min(shift, 31)
    if (byte < 0x80) return { value: shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value, next: at }
  }
  throw new MalformedModule(`no number at byte ${at}`)
}

/** The sections in order. Throws MalformedModule. */
export function readSections(bytes: Uint8Array): Section[] {
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d || bytes[4] !== 1) {
    throw new MalformedModule('no WebAssembly header')
  }
  const sections: Section[] = []
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at]!, size = readU32(bytes, at + 1), end = size.next + size.value
    if (end > bytes.length) throw new MalformedModule(`section ${id} ends at ${end} of ${bytes.length} bytes`)
    sections.push({ id, start: size.next, end })
    at = end
  }
  return sections
}

/** Name at `at`: ASCII by contract, other bytes as Latin 1 (no TextDecoder in worklets). */
export function readName(bytes: Uint8Array, at: number): { readonly text: string; readonly next: number } {
  const length = readU32(bytes, at), end = length.next + length.value
  if (end > bytes.length) throw new MalformedModule(`name at byte ${at}`)
  let text = ''
  for (let i = length.next; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return { text, next: end }
}

/** Bytes of `text` in UTF-8, or −1 when it holds a lone surrogate: such a string has no UTF-8 form (spec graph.md section 6). */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes++
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2
    else {
      if (unit > 0xdbff || !isLow(text.charCodeAt(i + 1))) return -1
      bytes += 2 // two units become four bytes
      i++
    }
  }
  return bytes
}

/**
 * Writes `text` at `offset`, where there must be room for three bytes per unit; returns the offset behind it, or −1 when it holds a lone
 * surrogate: such a string has no UTF-8 form (spec graph.md section 6). Written here because graph code uses no platform type,
 * `TextEncoder` included, and must find lone surrogates instead of replacing them.
 */
export function writeUtf8(target: Uint8Array, offset: number, text: string): number {
  let at = offset
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i)
    if (point < 0x80) { target[at++] = point; continue }
    if (point < 0x800) {
      target[at++] = 0xc0 | (point >> 6)
    } else {
      if (point >= 0xd800 && point <= 0xdfff) {
        if (point > 0xdbff || !isLow(text.charCodeAt(i + 1))) return -1
        point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
        target[at++] = 0xf0 | (point >> 18)
        target[at++] = 0x80 | ((point >> 12) & 0x3f)
      } else {
        target[at++] = 0xe0 | (point >> 12)
      }
      target[at++] = 0x80 | ((point >> 6) & 0x3f)
    }
    target[at++] = 0x80 | (point & 0x3f)
  }
  return at
}

/** Order of two strings by their UTF-8 bytes, which is the order of their code points and not of their UTF-16 units. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others: they move behind U+FFFF. */
function rank(unit: number): number { return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit }

function isLow(unit: number): boolean { return unit >= 0xdc00 && unit <= 0xdfff }

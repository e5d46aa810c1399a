/**
 * G.711 in tables (ITU-T G.711, 1988): 8-bit A-law and µ-law to 16-bit linear. Values are the standard's 13 and 14 bits, left-aligned. Pure
 * functions of the code; the tables are built on first use.
 */

let aLaw: Int16Array | undefined
let muLaw: Int16Array | undefined

/** Linear values of the 256 A-law codes. */
export function aLawTable(): Int16Array {
  return aLaw ??= Int16Array.from({ length: 256 }, (_, code) => fromALaw(code))
}

/** Linear values of the 256 µ-law codes. */
export function muLawTable(): Int16Array {
  return muLaw ??= Int16Array.from({ length: 256 }, (_, code) => fromMuLaw(code))
}

/** A-law: even bits inverted, sign 1 = positive, 3 bits of exponent, 4 of mantissa. */
function fromALaw(code: number): number {
  const bits = code ^ 0x55
  const exponent = (bits >> 4) & 7
  const mantissa = (bits & 15) << 4
  const size = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1)
  return bits & 0x80 ? size : -size
}

/** µ-law: all bits inverted, sign 1 = negative, bias 132. */
function fromMuLaw(code: number): number {
  const bits = ~code & 0xff
  const size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84
  return bits & 0x80 ? -size : size
}

import { isInstance } from '../../errors/is-instance.js'
import type { Limits } from '../limits.js'

/** A limit that a text passes. */
export interface Excess { readonly what: string; readonly limit: number; readonly got: number }

/**
 * Nesting and string lengths of JSON text, found before the parser takes memory for them. Linear; on text that is no JSON it may see a
 * string where none is, which costs nothing: then the text is refused for one reason or the other.
 */
export function scanLimits(text: string, limits: Pick<Limits, 'depth' | 'stringLength'>): Excess | undefined {
  let depth = 0, deepest = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22) {
      const end = stringEnd(text, i)
      if (end - i - 1 > limits.stringLength) return { what: 'String', limit: limits.stringLength, got: end - i - 1 }
      i = end
    } else if ((unit | 0x20) === 0x7b) { // [ or {
      if (++depth > deepest) deepest = depth
    } else if ((unit | 0x20) === 0x7d) depth--
  }
  return deepest > limits.depth ? { what: 'Nesting', limit: limits.depth, got: deepest } : undefined
}

/** Index of the quote that ends the string opened at `start`, or the text's end. */
export function stringEnd(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c && end - 1 - slashes > start) slashes++
    if (slashes % 2 === 0) return end
  }
}

/**
 * The first limit that a value in memory passes: bytes of compact JSON at least, nesting (itself counts 1), length of a string or key as it
 * is written. One walk, which ends at the first byte too many: deep, cyclic and shared values are safe, and those that make new parts each
 * time that they are read. What JSON has no form for (bytes, a Blob, a function) counts nothing and is not looked into.
 */
export function excessOf(
  value: unknown,
  {
    bytes: most, depth: deepest = Infinity, string = Infinity,
  }: { readonly bytes: number; readonly depth?: number; readonly string?: number },
): Excess | undefined {
  const work: unknown[] = [value], levels = [1]
  let bytes = 0, excess: Excess | undefined
  const text = (one: string): void => {
    bytes += textBytes(one)
    const got = one.length * 6 <= string ? 0 : one.length > string ? one.length : JSON.stringify(one).length - 2
    if (got > string) excess ??= { what: 'String', limit: string, got }
  }
  while (work.length > 0) {
    const item = work.pop(), level = levels.pop()!
    if (typeof item === 'string') text(item)
    else if (typeof item !== 'object') bytes += typeof item === 'number' || typeof item === 'boolean' ? String(item).length : 0
    else if (item === null) bytes += 4
    else if (Array.isArray(item) || !isInstance(item)) {
      if (level > deepest) return { what: 'Nesting', limit: deepest, got: level }
      const keys = Array.isArray(item) ? undefined : Object.keys(item), count = keys?.length ?? (item as readonly unknown[]).length
      bytes += 1 + Math.max(1, count)
      for (let i = 0; i < count && bytes <= most; i++) {
        if (keys !== undefined) { text(keys[i]!); bytes++ }
        work.push((item as Readonly<Record<string, unknown>>)[keys?.[i] ?? i])
        levels.push(level + 1)
      }
    }
    if (bytes > most) return { what: 'Bytes', limit: most, got: bytes }
    if (excess !== undefined) return excess
  }
  return undefined
}

/** UTF-8 bytes of a value as compact JSON when they are more than `most`, else 0. */
export function jsonBytes(value: unknown, most: number): number { return excessOf(value, { bytes: most })?.got ?? 0 }

/** Bytes of a string with its quotes and escapes. */
function textBytes(text: string): number {
  let bytes = text.length + 2
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22 || unit === 0x5c) bytes++
    else if (unit < 0x20) bytes += unit === 8 || unit === 9 || unit === 10 || unit === 12 || unit === 13 ? 1 : 5
    else if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

/**
 * Keys of all objects in a JSON value, or −1 when it nests more than `most` levels. Recursion no deeper than that; a walk of the
 * value costs a third of a scan of its text.
 */
export function keysWithin(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (most === 0) return -1
  let keys = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inner = typeof value[i] === 'object' ? keysWithin(value[i], most - 1) : 0
      if (inner < 0) return inner
      keys += inner
    }
    return keys
  }
  for (const key in value) {
    const one = (value as Record<string, unknown>)[key]
    keys++
    if (typeof one !== 'object') continue
    const inner = keysWithin(one, most - 1)
    if (inner < 0) return inner
    keys += inner
  }
  return keys
}

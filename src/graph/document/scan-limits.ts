import { isInstance } from '../../errors/is-instance.js'
import type { Limits } from '../limits.js'

/** A limit that a text passes. */
export interface Excess { readonly what: string; readonly limit: number; readonly got: number }

/**
 * Nesting and string lengths of JSON text, found before the parser takes memory for them. Linear; on text that is no JSON it may see a string where
 * none is, which costs nothing: then the text is refused for one reason or the other.
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
 * UTF-8 bytes of a value as compact JSON, at least; stops counting past `most`. Iterative, so deep values are safe, and bounded, so cyclic ones are too. What JSON has no form for
 * (bytes, a Blob, a function) counts nothing.
 */
export function jsonBytes(value: unknown, most: number): number {
  let bytes = 0
  const work: unknown[] = [value]
  while (work.length > 0 && bytes <= most) {
    const item = work.pop()
    if (typeof item === 'string') bytes += textBytes(item)
    else if (Array.isArray(item)) { bytes += 1 + Math.max(1, item.length); for (const entry of item) work.push(entry) }
    else if (typeof item === 'object' && item !== null) {
      if (isInstance(item)) continue
      const keys = Object.keys(item)
      bytes += 1 + Math.max(1, keys.length)
      for (const key of keys) { bytes += textBytes(key) + 1; work.push((item as Record<string, unknown>)[key]) }
    } else if (typeof item !== 'function') bytes += String(item).length
  }
  return bytes
}

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

/** Keys of all objects in a JSON value, or −1 when it nests more than `most` levels. Recursion no deeper than that; a walk of the value costs a third of a scan of its text. */
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

/** Depth of a value in memory, counted no further than `most` + 1; iterative, and a part that stands in many places is walked once a depth. Bytes have none; `plain`: nor has anything else that JSON has no form for. */
export function valueDepth(value: unknown, most: number, plain = false): number {
  let deepest = 0
  const work: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }], seen = new Map<object, number>()
  while (work.length > 0) {
    const { value: item, depth } = work.pop()!
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item) || (plain && !Array.isArray(item) && isInstance(item)) || (seen.get(item) ?? 0) >= depth) continue
    seen.set(item, depth)
    deepest = Math.max(deepest, depth)
    if (deepest > most) return deepest
    for (const entry of Array.isArray(item) ? item : Object.values(item)) if (typeof entry === 'object' && entry !== null) work.push({ value: entry, depth: depth + 1 })
  }
  return deepest
}

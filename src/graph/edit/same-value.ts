/**
 * True for equal JSON values; anything else (bytes, a Blob, a function) equals only itself. Recursion follows the value, whose depth
 * documents limit; a part that stands in many places is compared once.
 */
export function sameValue(a: unknown, b: unknown, met?: Map<object, object>): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  // Two that met before are equal so far as anyone found out: the first difference ends it all.
  if (met?.get(a) === b) return true
  const seen = (met ?? new Map<object, object>()).set(a, b)
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i], seen))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key], seen))
}

/** An object literal, of any realm. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

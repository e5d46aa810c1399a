/** Longest text that {@link show} gives, in characters. */
const LONGEST = 80

/** A value as it stands in a message: JSON-like, at most 80 characters, never throws (hostile getters and cycles included). */
export function show(value: unknown): string {
  const text = plain(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

/** `a`, `b` or `c` for a message. */
export function showList(values: readonly unknown[], none = 'none'): string {
  return values.length === 0 ? none : values.slice(0, 12).map(String).join(', ') + (values.length > 12 ? ', …' : '')
}

function plain(value: unknown): string {
  switch (typeof value) {
    case 'undefined': return 'nothing'
    case 'string': return JSON.stringify(value.length > LONGEST ? value.slice(0, LONGEST) : value)
    case 'bigint': return `${value}n`
    case 'symbol': case 'number': case 'boolean': return String(value)
    case 'function': return 'a function'
    default: return value === null ? 'null' : objectText(value as object)
  }
}

function objectText(value: object): string {
  try {
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`
    if (Array.isArray(value)) return value.length > 8 ? `array of ${value.length}` : (JSON.stringify(value, plainly()) ?? 'array')
    const name = (Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: unknown } } | null)?.constructor?.name
    if (typeof name === 'string' && name !== 'Object' && name !== '') return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
    return Object.keys(value).length > 8
      ? `object with ${Object.keys(value).length} fields`
      : (JSON.stringify(value, plainly()) ?? 'object')
  } catch {
    return Array.isArray(value) ? `array of ${value.length}` : 'an object'
  }
}

/** What JSON has no word for; throws for what is too long to be shown: parts that are shared often have no end. */
function plainly(): (key: string, value: unknown) => unknown {
  let left = 10_000
  return (_key, value) => {
    if (left-- === 0) throw new RangeError()
    return typeof value === 'bigint' ? value.toString() : value
  }
}

import type { Diagnostic } from '../../errors/diagnostic.js'
import { stringEnd } from '../document/scan-limits.js'
import { escapePointer } from '../pointer.js'
import { dialectErrors } from './errors.js'

/**
 * Keys written twice in one object (GR-16): JSON parsers keep the last and hide the rest, which in a map of nodes is a lost node. The
 * text's pairs are counted against the value's `keys`; only when there are more are places looked for.
 */
export function duplicateKeys(text: string, keys: number): Diagnostic[] {
  return countPairs(text) === keys ? [] : findDuplicates(text)
}

/**
 * Pairs of valid JSON, at least: colons behind a quote or a space. Those in strings that look the same
 * count too, which only costs a closer look.
 */
function countPairs(text: string): number {
  let pairs = 0
  for (let i = text.indexOf(':'); i > 0; i = text.indexOf(':', i + 1)) {
    const before = text.charCodeAt(i - 1)
    if (before === 0x22 || before <= 0x20) pairs++
  }
  return pairs
}

/** Copies that are told. */
const MOST = 1_000

/** An object or array that is open at some place of the text. `keys`: where each key of an object stands. */
interface Open { readonly keys?: Map<string, number>; key: string; index: number }

/** Later copies of keys with the places of the first, in text order, at most {@link MOST}. Iterative; the text is valid JSON. */
function findDuplicates(text: string): Diagnostic[] {
  const found: Diagnostic[] = [], open: Open[] = [], lines = linesOf(text)
  for (let i = 0; i < text.length && found.length < MOST; i++) {
    switch (text[i]) {
      case '{': open.push({ keys: new Map(), key: '', index: 0 }); break
      case '[': open.push({ key: '', index: 0 }); break
      case '}': case ']': open.pop(); break
      case ',': open.at(-1)!.index++; break
      case '"': {
        const end = stringEnd(text, i), top = open.at(-1)
        if (top?.keys !== undefined && isKey(text, end + 1)) {
          const key = JSON.parse(text.slice(i, end + 1)) as string, first = top.keys.get(key)
          top.key = key
          if (first === undefined) top.keys.set(key, i)
          else found.push(duplicate(lines, key, open, first, i))
        }
        i = end
      }
    }
  }
  return found
}

/** True when a colon comes next. */
function isKey(text: string, from: number): boolean {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return text[at] === ':'
}

/** Offsets at which lines begin; `\n`, `\r\n` and `\r` end a line. */
function linesOf(text: string): number[] {
  const starts = [0]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x0a || (unit === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) starts.push(i + 1)
  }
  return starts
}

/** One-based line and column of an offset, by bisection. */
function placeOf(lines: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0, high = lines.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (lines[middle]! <= offset) low = middle
    else high = middle
  }
  return { line: low + 1, column: offset - lines[low]! + 1 }
}

function duplicate(lines: readonly number[], key: string, open: readonly Open[], first: number, second: number): Diagnostic {
  const pointer = open.map((one) => `/${one.keys === undefined ? one.index : escapePointer(one.key)}`).join('')
  const a = placeOf(lines, first), b = placeOf(lines, second)
  const place = ({ line, column }: typeof a): string => `line ${line}, column ${column}`
  return dialectErrors.DUPLICATE_ID.diagnostic({ thing: 'Key', id: key, first: place(a), second: place(b) }, {
    pointer, ...b, expected: place(a), got: place(b),
  })
}

/** The first place where text stops being JSON (RFC 8259). Offsets count UTF-16 units. */
export interface SyntaxFault { readonly offset: number; readonly expected: string; readonly found: string }

/** What may come next, as a message says it. */
type State = 'a value' | 'a value or ]' | 'a property name or }' | 'a property name' | ':' | ', or }' | ', or ]' | 'end of text'

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/**
 * Finds the first syntax error, or undefined for valid JSON. Runs only after `JSON.parse` has refused the text, since that gives no
 * dependable position. A loop with its own stack: nesting costs memory, never call depth.
 */
export function findSyntaxFault(text: string): SyntaxFault | undefined {
  const open: ('{' | '[')[] = []
  let state: State = 'a value', at = 0
  for (;;) {
    at = skipSpace(text, at)
    const char = text[at]
    if (char === undefined) return state === 'end of text' ? undefined : fault(text, at, state)
    const afterValue = (): State => open.length === 0 ? 'end of text' : open[open.length - 1] === '{' ? ', or }' : ', or ]'
    if (state === 'a value' || state === 'a value or ]') {
      if (char === ']' && state === 'a value or ]') { open.pop(); at++; state = afterValue() }
      else if (char === '{' || char === '[') { open.push(char); at++; state = char === '{' ? 'a property name or }' : 'a value or ]' }
      else {
        const end = scalarEnd(text, at, state)
        if (typeof end !== 'number') return end
        at = end
        state = afterValue()
      }
    } else if (state === 'a property name' || state === 'a property name or }') {
      if (char === '}' && state === 'a property name or }') { open.pop(); at++; state = afterValue() }
      else if (char !== '"') return fault(text, at, state)
      else {
        const end = stringEnd(text, at)
        if (typeof end !== 'number') return end
        at = end
        state = ':'
      }
    } else if (state === ':' && char === ':') { at++; state = 'a value' }
    else if ((state === ', or }' || state === ', or ]') && char === ',') {
      at++
      state = state === ', or }' ? 'a property name' : 'a value'
    }
    else if ((state === ', or }' && char === '}') || (state === ', or ]' && char === ']')) { open.pop(); at++; state = afterValue() }
    else return fault(text, at, state)
  }
}

/** One-based line and column; `\n`, `\r\n` and `\r` end a line. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1, start = 0
  for (let i = 0; i < offset; i++) {
    const unit = text.charCodeAt(i)
    if (unit !== 0x0a && (unit !== 0x0d || text.charCodeAt(i + 1) === 0x0a)) continue
    line++
    start = i + 1
  }
  return { line, column: offset - start + 1 }
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return at
    at++
  }
}

/** End of a string, number or word that starts at `at`. */
function scalarEnd(text: string, at: number, expected: string): number | SyntaxFault {
  const char = text[at]!
  if (char === '"') return stringEnd(text, at)
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length
  if (char !== '-' && (char < '0' || char > '9')) return fault(text, at, expected)
  NUMBER.lastIndex = at
  const match = NUMBER.exec(text)
  if (match === null) return fault(text, at + 1, 'a digit')
  const end = at + match[0].length, next = text[end] ?? ''
  if (match[0] === '0' || match[0] === '-0') { if (next >= '0' && next <= '9') return fault(text, end, 'a number without leading zeros') }
  if (next === '.') return fault(text, end + 1, 'a digit')
  if (next === 'e' || next === 'E') return fault(text, text[end + 1] === '+' || text[end + 1] === '-' ? end + 2 : end + 1, 'a digit')
  return end
}

function stringEnd(text: string, start: number): number | SyntaxFault {
  for (let i = start + 1; ; i++) {
    const char = text[i]
    if (char === undefined) return fault(text, i, 'the end of the string')
    if (char === '"') return i + 1
    if (char < ' ') return fault(text, i, 'an escaped control character')
    if (char !== '\\') continue
    const escape = text[++i]
    if (escape === undefined || !'"\\/bfnrtu'.includes(escape)) return fault(text, i, 'an escape character')
    if (escape !== 'u') continue
    for (let digit = 1; digit <= 4; digit++) {
      if (!/^[0-9A-Fa-f]$/.test(text[i + digit] ?? '')) return fault(text, i + digit, 'a hexadecimal digit')
    }
    i += 4
  }
}

function fault(text: string, offset: number, expected: string): SyntaxFault {
  const point = text.codePointAt(offset)
  const found = point === undefined ? 'end of text' : point < 0x20 || (point >= 0x7f && point < 0xa0)
    || (point >= 0xd800 && point <= 0xdfff) || point === 0xfeff
    ? `U+${point.toString(16).toUpperCase().padStart(4, '0')}`
    : String.fromCodePoint(point)
  return { offset, expected, found }
}

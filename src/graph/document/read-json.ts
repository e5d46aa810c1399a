import type { Diagnostic } from '../../errors/diagnostic.js'
import { graphErrors } from '../errors.js'
import type { Limits } from '../limits.js'
import { exceeded } from './check-document.js'
import { decodeUtf8 } from './decode-utf8.js'
import { findSyntaxFault, positionOf } from './json-syntax.js'
import { keysWithin, scanLimits } from './scan-limits.js'

/**
 * JSON read from text: the value, the text (for positions), its size in UTF-8 at most, and whether it was
 * found to be good; or what is wrong (stage 1).
 */
export type JsonReading =
  | { readonly value: unknown; readonly text: string; readonly bytes: number; readonly good: boolean }
  | { readonly fault: Diagnostic }

/**
 * Reads JSON from UTF-8 bytes or text, its limits (size, nesting, strings) checked before memory is taken. Never throws. `isGood` may tell
 * that a value keeps to `limits.depth` and that there is nothing to say about it: one walk in place of two.
 */
export function readJson(input: string | Uint8Array, limits: Limits, isGood?: (value: unknown, bytes: number) => boolean): JsonReading {
  if (typeof input !== 'string' && Object.prototype.toString.call(input) !== '[object Uint8Array]') {
    return { fault: syntax('text or a Uint8Array', input === null ? 'null' : typeof input, { line: 1, column: 1 }) }
  }
  const bytes = typeof input === 'string' ? textSize(input, limits.documentBytes) : input.length
  if (bytes > limits.documentBytes) return { fault: exceeded('Document bytes', limits.documentBytes, bytes) }
  const text = typeof input === 'string' ? input.startsWith('\ufeff') ? input.slice(1) : input : decodeUtf8(input)
  if (typeof text !== 'string') {
    return {
      fault: syntax('UTF-8', `byte 0x${(input as Uint8Array)[text.offset]!.toString(16).padStart(2, '0')}`, positionOf(
        text.before, text.before.length,
      )),
    }
  }
  const small = text.length <= SMALL && text.length <= limits.stringLength, early = small ? valueOf(text) : undefined
  const good = early !== undefined && isGood?.(early.value, bytes) === true
  if (!good && (early === undefined || keysWithin(early.value, limits.depth) < 0)) {
    const excess = scanLimits(text, limits)
    if (excess !== undefined) return { fault: exceeded(excess.what, excess.limit, excess.got) }
  }
  const parsed = early ?? valueOf(text)
  if (parsed !== undefined) return { value: parsed.value, text, bytes, good }
  const { offset, expected, found } = findSyntaxFault(text) ?? { offset: 0, expected: 'JSON', found: 'other text' }
  return { fault: syntax(expected, found, positionOf(text, offset)) }
}

/**
 * Characters of text that are parsed before they are measured: such a text takes little memory however it nests, and its
 * value is walked faster than it is scanned.
 */
const SMALL = 262_144

function valueOf(text: string): { readonly value: unknown } | undefined {
  try { return { value: JSON.parse(text) as unknown } } catch { return undefined }
}

/** Bytes of text in UTF-8, at most: a text so short that it cannot pass the limit is not counted. */
function textSize(text: string, limit: number): number {
  if (text.length * 3 <= limit) return text.length * 3
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

function syntax(token: string, found: string, place: { readonly line: number; readonly column: number }): Diagnostic {
  return graphErrors.JSON_SYNTAX.diagnostic({ token, found, ...place }, { expected: token, got: found, ...place })
}

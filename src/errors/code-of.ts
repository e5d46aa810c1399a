import { ERROR_ALIASES } from './error-aliases.js'
import { ERROR_CODES } from './error-codes.js'

/** The library's code for a code or one of its older names (`VE-001`, `CycleError`), or undefined. */
export function codeOf(alias: string): string | undefined {
  if (Object.hasOwn(ERROR_CODES, alias)) return alias
  return Object.keys(ERROR_ALIASES).find((code) => ERROR_ALIASES[code]!.split(' ').includes(alias))
}

/** True for a code of the library's own tables. */
export function isKnownCode(code: string): boolean { return Object.hasOwn(ERROR_CODES, code) }

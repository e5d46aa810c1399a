import { checkJson, hasLoneSurrogate } from './check-text.js'
import type { ParamDeclaration } from './node-definition.js'

/**
 * What is wrong with one value: the constraint's word (spec graph.md section 3), its limit, and where inside an array or object it stands;
 * `at`: the same as steps of a JSON pointer.
 */
export interface ParamProblem {
  readonly constraint: string
  readonly limit: unknown
  readonly got: unknown
  readonly path: string
  readonly at?: readonly string[]
}

type Check = (param: ParamDeclaration, value: unknown, path: string) => ParamProblem | undefined

const CHECKS: Readonly<Record<ParamDeclaration['type'], Check>> = {
  number: (param, value, path) =>
    typeof value === 'number' && Number.isFinite(value) ? bounds(param, value, path) : wrongType('a finite number', value, path),
  integer: (param, value, path) =>
    Number.isSafeInteger(value) ? bounds(param, value as number, path) : wrongType('an integer', value, path),
  boolean: (_param, value, path) => typeof value === 'boolean' ? undefined : wrongType('true or false', value, path),
  string: (param, value, path) => typeof value === 'string' ? textRules(param, value, path) : wrongType('a string', value, path),
  enum: (param, value, path) => typeof value === 'string' && (param.values ?? []).includes(value)
    ? undefined
    : { constraint: 'enum', limit: param.values ?? [], got: value, path },
  seed: (_param, value, path) => isSeed(value) ? undefined : wrongType('a whole number below 2^64', value, path),
  vector: (param, value, path) =>
    isVector(value) ? items(param, { ...param, type: 'number' }, value, path) : wrongType('a list of numbers', value, path),
  color: (_param, value, path) => isColor(value)
    ? undefined
    : { constraint: 'format', limit: '#rgb, #rrggbb, #rrggbbaa or 3 to 4 numbers from 0 to 1', got: value, path },
  file: (param, value, path) => typeof value === 'string' ? textRules({ minLength: 1, ...param }, value, path)
    : isFileLike(value) ? undefined
    : wrongType('a path, address, bytes or stream', value, path),
  json: (_param, value, path) => typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
    ? wrongType('a JSON value', value, path)
    : checkJson(value, path),
  array: (param, value, path) => Array.isArray(value) ? items(param, param.items, value, path) : wrongType('an array', value, path),
  object: (_param, value, path) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? checkJson(value, path) : wrongType('an object', value, path),
}

/** Checks one value against its declaration; undefined = it fits. Reports the first problem only. */
export function checkParam(param: ParamDeclaration, value: unknown, path = ''): ParamProblem | undefined {
  return CHECKS[param.type](param, value, path)
}

function wrongType(limit: string, got: unknown, path: string): ParamProblem { return { constraint: 'type', limit, got, path } }

/** A number against the bounds of its declaration. */
export function bounds({ min, max, exclusiveMin, exclusiveMax }: ParamDeclaration, value: number, path: string): ParamProblem | undefined {
  if (min !== undefined && value < min) return { constraint: 'min', limit: min, got: value, path }
  if (max !== undefined && value > max) return { constraint: 'max', limit: max, got: value, path }
  if (exclusiveMin !== undefined && value <= exclusiveMin) return { constraint: 'exclusiveMin', limit: exclusiveMin, got: value, path }
  if (exclusiveMax !== undefined && value >= exclusiveMax) return { constraint: 'exclusiveMax', limit: exclusiveMax, got: value, path }
  return undefined
}

/** A text against its declaration. Lengths count code points; a lone surrogate has no UTF-8 form, so it can be neither saved nor hashed. */
export function textRules({ minLength, maxLength, pattern }: ParamDeclaration, value: string, path: string): ParamProblem | undefined {
  if (hasLoneSurrogate(value)) return { constraint: 'format', limit: 'well-formed Unicode', got: value, path }
  const length = minLength === undefined && maxLength === undefined ? 0 : codePoints(value)
  if (minLength !== undefined && length < minLength) return { constraint: 'minLength', limit: minLength, got: value, path }
  if (maxLength !== undefined && length > maxLength) return { constraint: 'maxLength', limit: maxLength, got: value, path }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return { constraint: 'pattern', limit: pattern, got: value, path }
  return undefined
}

function items(
  param: ParamDeclaration, item: ParamDeclaration | undefined, value: ArrayLike<unknown>, path: string,
): ParamProblem | undefined {
  if (param.minItems !== undefined && value.length < param.minItems) {
    return { constraint: 'minItems', limit: param.minItems, got: value.length, path }
  }
  if (param.maxItems !== undefined && value.length > param.maxItems) {
    return { constraint: 'maxItems', limit: param.maxItems, got: value.length, path }
  }
  if (item === undefined) return checkJson(value, path)
  for (let i = 0; i < value.length; i++) {
    const problem = checkParam(item, value[i], `${path}[${i}]`)
    if (problem !== undefined) return { ...problem, at: [String(i), ...problem.at ?? []] }
  }
  return undefined
}

function isVector(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
}

/** A whole number of 64 bits. */
export function isSeed(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0
  if (typeof value === 'bigint') return value >= 0n && value < 1n << 64n
  return typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n
}

function isColor(value: unknown): boolean {
  if (typeof value === 'string') return /^#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(value)
  return Array.isArray(value) && (value.length === 3 || value.length === 4) && value.every((x) => typeof x === 'number' && x >= 0 && x <= 1)
}

/** Bytes, a buffer, a URL, a Blob or a stream: by shape, because this folder knows no browser types. */
function isFileLike(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true
  if (isByteStream(value)) return true
  const like = value as { readonly href?: unknown; readonly arrayBuffer?: unknown; readonly size?: unknown }
  return (typeof like.href === 'string' && Object.prototype.toString.call(value) === '[object URL]')
    || (typeof like.arrayBuffer === 'function' && typeof like.size === 'number')
}

/** A web stream or an async iterable: what can be read once only. By shape; what it yields shows when it is read. */
export function isByteStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const like = value as { readonly getReader?: unknown; readonly [Symbol.asyncIterator]?: unknown }
  return typeof like.getReader === 'function' || typeof like[Symbol.asyncIterator] === 'function'
}

/** Length in code points. */
export function codePoints(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++, count++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < text.length) i++
  }
  return count
}

import type { Diagnostic, Suggestion } from '../errors/diagnostic.js'
import { show } from '../errors/show.js'
import { checkParam, type ParamProblem } from './check-param.js'
import { hasLoneSurrogate } from './check-text.js'
import { graphErrors } from './errors.js'
import { nearest } from './nearest.js'
import type { NodeDefinition, ParamDeclaration, ParamTable, ParamValues } from './node-definition.js'
import { rangeText } from './param-range.js'
import { escapePointer } from './pointer.js'

/** Where the params stand, and which of them get their value elsewhere. */
export interface ResolveOptions {
  /** Node id for messages; default the type's id. */
  readonly node?: string
  /** Params driven by an edge or a run-time input: not missing even when `required`. */
  readonly driven?: ReadonlySet<string>
  /** JSON pointer of the params object: `/nodes/3/params`. */
  readonly pointer?: string
}
/** Values with defaults filled in under canonical names; what is wrong is left out of them and reported. */
export interface ResolvedParams { readonly values: ParamValues; readonly diagnostics: readonly Diagnostic[] }

/** Canonical name of every spelling that a table accepts: the name, its aliases, and the snake_case of both. */
export function paramNames(params: ParamTable): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const name of Object.keys(params)) names.set(name, name)
  for (const [name, param] of Object.entries(params)) {
    for (const spelling of [name, ...(param.alias ?? [])].flatMap((word) => [word, snakeCase(word)])) {
      if (!names.has(spelling)) names.set(spelling, name)
    }
  }
  return names
}

interface Known { readonly names: ReadonlyMap<string, string>; readonly entries: readonly (readonly [string, ParamDeclaration])[] }
const tables = new WeakMap<ParamTable, Known>()
/** {@link paramNames} and the entries of a table, computed once. */
function knownOf(params: ParamTable): Known {
  let known = tables.get(params)
  if (known === undefined) tables.set(params, known = { names: paramNames(params), entries: Object.entries(params) })
  return known
}

/** `sampleRate` → `sample_rate`. */
export function snakeCase(word: string): string {
  return word.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
}

/**
 * Checks the given params of a node, maps aliases and fills in defaults. Never throws; hostile keys are unknown params like any other. A
 * type with `additionalParams` gets unknown ones as they are, with a warning.
 * Reports `PARAM_INVALID` (constraint, limit, value, allowed range) and `PARAM_UNKNOWN` (nearest names), in the order given, then what is
 * missing.
 */
export function resolveParams(
  definition: NodeDefinition, given: Readonly<Record<string, unknown>>, o: ResolveOptions = {},
): ResolvedParams {
  const table = definition.params, { names, entries } = knownOf(table), node = o.node ?? definition.type
  const values: Record<string, unknown> = {}, diagnostics: Diagnostic[] = []
  let seen: Map<string, string> | undefined // spellings of what is not a value under its own name
  for (const key of Object.keys(given)) {
    const value = given[key], name = names.get(key)
    if (value === undefined) continue
    if (name === key && !Object.hasOwn(values, name) && seen?.has(name) !== true && checkParam(table[name]!, value) === undefined) {
      values[name] = value
      continue
    }
    const pointer = o.pointer === undefined ? {} : { pointer: `${o.pointer}/${escapePointer(key)}` }
    if (name === undefined) {
      const free = definition.additionalParams === true
      const problem = free ? checkParam(ADDITIONAL, hasLoneSurrogate(key) ? key : value) : undefined
      if (free && problem === undefined) Object.defineProperty(values, key, { value, enumerable: true, writable: true, configurable: true })
      diagnostics.push(problem === undefined
        ? unknownParam(node, key, Object.keys(table), names, { ...pointer, ...(free && { severity: 'warning' }) }, olderHint(definition))
        : invalid(node, key, ADDITIONAL, problem, pointer, key))
      continue
    }
    const param = table[name]!, first = seen?.get(name) ?? (Object.hasOwn(values, name) ? name : undefined)
    const problem: ParamProblem | undefined = first === undefined ? checkParam(param, value)
      : { constraint: 'other', limit: `one spelling, ${first} or ${key}`, got: value, path: '' }
    if (problem !== undefined || name !== key) (seen ??= new Map()).set(name, key)
    if (problem === undefined) values[name] = value
    else diagnostics.push(invalid(node, name, param, problem, pointer, key))
  }
  for (const [name, param] of entries) {
    if (Object.hasOwn(values, name) || seen?.has(name) === true) continue
    if (param.default !== undefined) values[name] = param.default
    else if (param.required === true && o.driven?.has(name) !== true) {
      diagnostics.push(invalid(
        node, name, param,
        { constraint: 'required', limit: undefined, got: undefined, path: '' },
        o.pointer === undefined ? {} : { pointer: o.pointer },
      ))
    }
  }
  return { values, diagnostics }
}

/** What a param is that nobody declared. */
const ADDITIONAL: ParamDeclaration = { type: 'json', doc: '' }

function invalid(
  node: string, name: string, param: ParamDeclaration, problem: ParamProblem, place: { readonly pointer?: string }, key?: string,
): Diagnostic {
  const got = param.secret === true ? '(secret)' : problem.got, suggestions = key === undefined ? [] : mends(node, key, param, problem)
  return graphErrors.PARAM_INVALID.diagnostic(
    { node, param: name + problem.path, constraint: problem.constraint, limit: problem.limit, got, range: rangeText(param) },
    {
      node, port: name, constraint: problem.constraint, expected: problem.limit, got: plain(got), ...place,
      ...(place.pointer !== undefined && problem.at !== undefined
        && { pointer: [place.pointer, ...problem.at.map(escapePointer)].join('/') }),
      ...(suggestions.length > 0 && { suggestions }),
    })
}

/** Values that would do: the bound that was passed, near words of an enum, the default. */
function mends(node: string, param: string, declaration: ParamDeclaration, { constraint, limit, got, path }: ParamProblem): Suggestion[] {
  const values = path !== '' ? []
    : constraint === 'enum' && typeof got === 'string' ? nearest(got, declaration.values ?? [])
    : constraint === 'min' || constraint === 'max' ? [limit]
    : []
  const fits = values.filter((value) => checkParam(declaration, value) === undefined)
    .map((value): Suggestion => ({ title: `Set ${param} to ${show(value)}`, edit: { op: 'set-param', node, param, value } }))
  if (declaration.required === true && constraint !== 'other') return fits
  return [
    ...fits,
    {
      title: declaration.default === undefined || constraint === 'other'
        ? `Remove ${param}`
        : `Use the default, ${show(declaration.default)}`,
      edit: { op: 'remove-param', node, param },
    },
  ]
}

/** A param that a type does not have, with up to three near ones; `spellings`: what may be written, and the param that it is. */
export function unknownParam(
  node: string, key: string, names: readonly string[], spellings: ReadonlyMap<string, string>,
  place: { readonly pointer?: string; readonly severity?: 'warning' },
  older = '',
): Diagnostic {
  // Two spellings of one param are no choice: the nearer one stays.
  const near = nearest(key, [...spellings.keys()])
    .filter((word, i, all) => all.findIndex((other) => spellings.get(other) === spellings.get(word)) === i)
  return graphErrors.PARAM_UNKNOWN.diagnostic({ node, param: key, names, near, older }, {
    node, port: key, constraint: 'additional', expected: names, got: key, ...place,
    suggestions: [
      ...near.map((to): Suggestion => ({ title: `Rename ${key} to ${to}`, edit: { op: 'rename-param', node, param: key, to } })),
      { title: `Remove ${key}`, edit: { op: 'remove-param', node, param: key } },
    ],
  })
}

/** What is said of a name that a type with migrations does not have: a document that names the version it was written for is migrated. */
export function olderHint({ type, migrations = [] }: Pick<NodeDefinition, 'type' | 'migrations'>): string {
  return migrations.length === 0 ? '' : ` Written for an older version of ${type}? Say which in the node's version (${migrations.map(({ from }) => `^${from}`).join(', ')}): it is migrated.`
}

/** Diagnostics cross threads and wires: what is no JSON scalar is told in words. */
function plain(value: unknown): unknown {
  const scalar = value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
    || (typeof value === 'string' && value.length <= 256)
  return scalar ? value : value === undefined ? undefined : show(value)
}

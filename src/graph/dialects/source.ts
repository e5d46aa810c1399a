import { errorOf } from '../../errors/error-of.js'
import { defined } from '../defined.js'
import type { DocumentNode } from '../document/document.js'
import type { Extras } from '../graph.js'
import { LONGEST_NAME } from '../ids.js'
import type { Limits } from '../limits.js'
import type { NodeDefinition } from '../node-definition.js'
import type { Registry } from '../registry.js'
import { checkShape } from '../schema/check-shape.js'
import { fitShape, isObject } from '../schema/fit-shape.js'
import type { ObjectShape, Shape } from '../schema/shape.js'
import type { Report } from './report.js'

/** JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** What an importer is given beside the value. */
export interface ImportContext {
  readonly report: Report
  readonly limits: Limits
  readonly registry?: Registry
  /** Objects of the source that hold integers beyond 2^53, as decimal text. */
  readonly big?: WeakSet<object>
}

/** A node type as it will stand in the document. */
export interface ResolvedType {
  readonly type: string
  readonly definition?: NodeDefinition
  readonly fields: { readonly 'x-type'?: unknown }
}

const TYPE_NAME = /^(?:[A-Za-z0-9_.-]+::[A-Za-z0-9_.-]+|[A-Za-z][A-Za-z0-9_.-]*)$/

/**
 * The type that a foreign name stands for: the canonical id when the registry knows it, else the name itself, made to fit the format of
 * types. A changed name is kept in `x-type`, so that an exporter can give it back.
 */
export function resolveType(c: ImportContext, name: string, pointer: string, family: string): ResolvedType {
  const definition = c.registry?.get(name)
  const type = definition?.type ?? (TYPE_NAME.test(name) && name.length <= LONGEST_NAME
    ? name
    : `${family}::${name.replace(/[^A-Za-z0-9_.-]/g, '_') || '_'}`.slice(0, LONGEST_NAME))
  if (c.registry !== undefined && definition === undefined) c.report.miss(pointer, name, c.registry)
  c.report.rename(pointer, name, type)
  return { type, ...(definition !== undefined && { definition }), fields: type === name ? {} : { 'x-type': { is: type, was: name } } }
}

/**
 * The foreign name of a node's type: the one it was imported with, while its type is still the same;
 * else an alias that fits; else the type itself.
 */
export function foreignType(node: DocumentNode, definition: NodeDefinition | undefined, alias: (name: string) => boolean): string {
  const kept = node['x-type']
  if (isObject(kept) && kept['is'] === node.type && typeof kept['was'] === 'string') return kept['was']
  return definition?.aliases?.find(alias) ?? node.type
}

/**
 * Checks a source against the shape of its dialect. Throws the first misfit as `SCHEMA_INVALID`, all of them in its details; fields that
 * the shape does not know are warnings, unless `open` (the dialect has none that are wrong).
 */
export function demandShape(c: ImportContext, shape: Shape, value: unknown, pointer = '', open = false): void {
  if (fitShape(shape, value) > (open ? 0 : 1)) return
  const diagnostics: ReturnType<typeof collect> = collect(shape, value, pointer)
  const errors = diagnostics.filter((one) => one.severity === 'error')
  if (errors.length > 0) throw errorOf(errors[0]!, errors)
  if (!open) for (const one of diagnostics) c.report.warnings.push(one)
}

function collect(shape: Shape, value: unknown, pointer: string): Report['warnings'] {
  const diagnostics: Report['warnings'] = []
  checkShape(shape, value, pointer, { diagnostics, strict: false })
  return diagnostics
}

/** Fields of an object that its shape does not know, and those named, for an `x-` field of the result; nothing when there are none. */
export function leftovers(shape: ObjectShape, value: Json, named: readonly string[] = []): Extras | undefined {
  const rest = Object.entries(value).filter(([name]) => !Object.hasOwn(shape.fields, name) || named.includes(name))
  return rest.length === 0 ? undefined : Object.fromEntries(rest)
}

/** The object without fields whose value is `undefined`. */
export function present<T extends object>(fields: T): T {
  return defined(fields) as T
}

/** An ISO-8601 time as the document holds it (UTC, milliseconds), or undefined for another text. A time without a zone counts as UTC. */
export function timestamp(text: string): string | undefined {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  const time = new Date(match === null ? Number.NaN : match[1] === undefined ? `${text}Z` : text)
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() > 9_999 || time.getUTCFullYear() < 0 ? undefined : time.toISOString()
}

import type { Diagnostic } from '../../errors/diagnostic.js'
import { graphErrors } from '../errors.js'
import { escapePointer } from '../pointer.js'
import { documentShape } from './document-shape.js'
import { fitShape, isObject } from './fit-shape.js'
import { describeShape, ownShape, type MapShape, type ObjectShape, type Shape } from './shape.js'

/** Collects what a checker finds. `strict` turns unknown fields into errors (GR-03). */
export interface Findings { readonly diagnostics: Diagnostic[]; readonly strict: boolean }

/**
 * Checks a JSON value against a shape and reports every misfit with its pointer; true when it fits (unknown fields do not count). Recursion
 * follows the shape, which nests only through `definitions`, and the caller has bounded the depth of the value.
 */
export function checkShape(shape: Shape, value: unknown, pointer: string, findings: Findings): boolean {
  const fit = fitShape(shape, value)
  if (fit === 2) return true
  switch (shape.kind) {
    case 'document': return checkShape(documentShape, value, pointer, findings)
    case 'object': if (isObject(value)) return checkObject(shape, value, pointer, findings); break
    case 'map': if (isObject(value)) return checkMap(shape, value, pointer, findings); break
    case 'either': {
      const near = nearest(shape.options, value)
      if (near !== undefined) return checkShape(near, value, pointer, findings)
      break
    }
    case 'list':
      if (Array.isArray(value) && value.length >= (shape.min ?? 0) && value.length <= (shape.max ?? Infinity)) {
        return value.map((item, i) => checkShape(shape.items, item, `${pointer}/${i}`, findings)).every(Boolean)
      }
  }
  if (fit === 0) misfit(shape, value, pointer, findings)
  return fit > 0
}

/** The only alternative of the value's own JSON type: its faults say more than the choice as a whole. */
function nearest(options: readonly Shape[], value: unknown): Shape | undefined {
  const near = options.filter((option) => (option.kind === 'list' && Array.isArray(value)) || (option.kind === 'object' && isObject(value)))
  return near.length === 1 ? near[0] : undefined
}

function checkMap(shape: MapShape, value: Readonly<Record<string, unknown>>, pointer: string, findings: Findings): boolean {
  return Object.keys(value).map((key) => {
    const at = `${pointer}/${escapePointer(key)}`, named = shape.keys === undefined || fitShape(shape.keys, key) > 0
    if (!named) misfit({ ...shape.keys!, name: `a name, ${describeShape(shape.keys!)}` }, key, at, findings)
    return checkShape(shape.values, value[key], at, findings) && named
  }).every(Boolean)
}

function checkObject(any: ObjectShape, value: Readonly<Record<string, unknown>>, pointer: string, findings: Findings): boolean {
  const shape = ownShape(any, value)
  let good = true
  for (const [name, field] of Object.entries(shape.fields)) {
    const at = `${pointer}/${name}`
    if (Object.hasOwn(value, name)) good = checkShape(field.shape, value[name], at, findings) && good
    else if (field.required === true) { misfit(field.shape, undefined, at, findings, 'required'); good = false }
  }
  if (good && shape.rule?.holds(value) === false) { misfit(shape, value, pointer, findings); good = false }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(shape.fields, name) || name.startsWith('x-')) continue
    const at = `${pointer}/${escapePointer(name)}`
    findings.diagnostics.push(graphErrors.UNKNOWN_FIELD.diagnostic({ pointer: at }, {
      pointer: at, ...(findings.strict ? { severity: 'error' as const } : {}),
    }))
  }
  return good
}

function misfit(shape: Shape, value: unknown, pointer: string, findings: Findings, constraint = 'type'): void {
  const schema = describeShape(shape)
  const scalar = value === null || typeof value === 'boolean' || typeof value === 'number'
    || (typeof value === 'string' && value.length <= 256)
  findings.diagnostics.push(graphErrors.SCHEMA_INVALID.diagnostic({ pointer, schema, got: value },
    { pointer, constraint, expected: schema, ...(scalar ? { got: value } : {}) }))
}

import { defined } from '../defined.js'
import type { ParamDeclaration } from '../node-definition.js'
import { WELL_FORMED, type JsonSchema } from './json-schema.js'

/** Key under which a param's declaration stands in its schema, for what JSON Schema has no words for: unit, curve, rate, widget. */
export const DECLARATION = 'x-millrace'

const ANY: JsonSchema = { $ref: '#/$defs/json' }, NAMES: JsonSchema = { propertyNames: WELL_FORMED }
/** What schemas of params refer to: any JSON value whose texts can be saved. Goes to the root of the schema that they stand in. */
export const JSON_DEFS: JsonSchema = {
  json: { not: { type: 'string', pattern: '[\\ud800-\\udfff]' }, items: ANY, additionalProperties: ANY, ...NAMES },
}

/**
 * JSON Schema of one param's value as it stands in a document; accepts exactly what `checkParam`
 * accepts of JSON. Refers to {@link JSON_DEFS}.
 */
export function paramSchema(param: ParamDeclaration): JsonSchema {
  return {
    ...valueSchema(param), ...defined({ title: param.label, description: param.doc || undefined, default: param.default }),
    [DECLARATION]: param,
  }
}

/** The declaration back from a schema made by {@link paramSchema}: forms are built from the schema alone (GR-25). */
export function paramFromSchema(schema: JsonSchema): ParamDeclaration | undefined {
  return schema[DECLARATION] as ParamDeclaration | undefined
}

function valueSchema(param: ParamDeclaration): JsonSchema {
  switch (param.type) {
    case 'number': return { type: 'number', ...bounds(param) }
    case 'integer':
      return { allOf: [{ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, bounds(param)] }
    case 'boolean': return { type: 'boolean' }
    case 'string': return { type: 'string', ...lengths(param), ...WELL_FORMED }
    case 'enum': return { enum: param.values ?? [] }
    case 'seed':
      return { anyOf: [{ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, { type: 'string', pattern: seedDigits() }] }
    case 'vector': return { type: 'array', items: { type: 'number', ...bounds(param) }, ...counts(param) }
    case 'color': return { anyOf: [
      { type: 'string', pattern: '^#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$' },
      { type: 'array', items: { type: 'number', minimum: 0, maximum: 1 }, minItems: 3, maxItems: 4 }] }
    case 'file': return { type: 'string', ...lengths({ minLength: 1, ...param }), ...WELL_FORMED }
    case 'json': return ANY
    case 'array': return { type: 'array', items: param.items === undefined ? ANY : paramSchema(param.items), ...counts(param) }
    case 'object': return { type: 'object', additionalProperties: ANY, ...NAMES }
  }
}

function bounds({ min, max, exclusiveMin, exclusiveMax }: ParamDeclaration): JsonSchema {
  return defined({ minimum: min, maximum: max, exclusiveMinimum: exclusiveMin, exclusiveMaximum: exclusiveMax })
}
function lengths({ minLength, maxLength, pattern }: Partial<ParamDeclaration>): JsonSchema {
  return defined({ minLength, maxLength, pattern })
}
function counts({ minItems, maxItems }: ParamDeclaration): JsonSchema { return defined({ minItems, maxItems }) }

/** Decimal digits of at most 2⁶⁴ − 1, in at most 20 places. */
function seedDigits(): string {
  const most = '18446744073709551615'
  const below = [...most].map((digit, i) =>
    digit === '0' ? '' : `${most.slice(0, i)}${digit === '1' ? '0' : `[0-${Number(digit) - 1}]`}\\d{${most.length - 1 - i}}`)
  return `^(?:\\d{1,19}|${below.filter((text) => text !== '').join('|')}|${most})$`
}

import { defined } from '../defined.js'
import { documentShape } from './document-shape.js'
import { describeShape, type NumberShape, type ObjectShape, type Shape, type TextShape } from './shape.js'

/** A JSON Schema of draft 2020-12, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The draft that all generated schemas are written in. */
export const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
/** Strings without lone surrogates: those have no UTF-8 form. Needs the flag u, as the standard says. */
export const WELL_FORMED: JsonSchema = { not: { pattern: '[\\ud800-\\udfff]' } }

/** JSON Schema of a whole document (GR-05): generated from the table that also drives the checker and the writer. */
export function documentSchema(): JsonSchema {
  return { $schema: DIALECT, title: 'Millrace document', $ref: '#/$defs/document', $defs: { document: schemaOf(documentShape) } }
}

/** JSON Schema of one shape; documents nest by `#/$defs/document`. */
export function schemaOf(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case 'text': return textSchema(shape)
    case 'number': return { type: 'number', ...bounds(shape) }
    case 'integer': return { type: 'integer', ...bounds({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, ...shape }) }
    case 'choice': return { enum: shape.values }
    case 'null': return { type: 'null' }
    case 'flag': return { type: 'boolean' }
    case 'any': return shape.object === true ? { type: 'object' } : {}
    case 'list': return { type: 'array', items: schemaOf(shape.items), ...defined({ minItems: shape.min, maxItems: shape.max }) }
    case 'tuple': return {
      type: 'array', description: describeShape(shape), prefixItems: shape.items.map(schemaOf), items: false, minItems: shape.items.length,
    }
    case 'either': return { anyOf: shape.options.map(schemaOf) }
    case 'map': return {
      type: 'object', additionalProperties: schemaOf(shape.values),
      ...defined({ propertyNames: shape.keys && schemaOf(shape.keys) }),
    }
    case 'object': return objectSchema(shape)
    case 'document': return { $ref: '#/$defs/document' }
  }
}

/** Undeclared fields are allowed: they are kept, with a warning (GR-03). */
function objectSchema(shape: ObjectShape): JsonSchema {
  if (shape.kinds !== undefined) return { title: shape.name, anyOf: Object.values(shape.kinds).map(objectSchema) }
  const fields = Object.entries(shape.fields)
  const required = fields.filter(([, field]) => field.required === true).map(([name]) => name)
  return {
    type: 'object', title: shape.name, ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(fields.map(([name, field]) =>
      [name, { ...schemaOf(field.shape), ...defined({ default: field.default }) }])),
  }
}

function textSchema({ min, max, noControl, pattern, name }: TextShape): JsonSchema {
  return {
    type: 'string', ...defined({ description: name, minLength: min, maxLength: max, pattern: pattern && `^(?:${pattern})$` }),
    not: { pattern: noControl === true ? '[\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]' : '[\\ud800-\\udfff]' },
  }
}

function bounds({ min, max }: Pick<NumberShape, 'min' | 'max'>): JsonSchema { return defined({ minimum: min, maximum: max }) }

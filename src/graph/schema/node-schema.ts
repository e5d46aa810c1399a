import type { NodeDefinition, ParamTable } from '../node-definition.js'
import { paramNames } from '../params.js'
import { nodeShape } from './document-shape.js'
import { DIALECT, schemaOf, type JsonSchema } from './json-schema.js'
import { JSON_DEFS, paramFromSchema, paramSchema } from './param-schema.js'

/** JSON Schema of a node of one type as it stands in a document (GR-05): the document's node with this type's ids and params. */
export function nodeSchema(definition: NodeDefinition): JsonSchema {
  const base = schemaOf(nodeShape), properties = base['properties'] as Readonly<Record<string, JsonSchema>>
  const { $defs, ...params } = paramsSchema(definition.params, definition.additionalParams)
  const needed = Object.values(definition.params).some((param) => param.required === true)
  return {
    ...base, $schema: DIALECT, title: definition.title, description: definition.doc,
    required: needed ? ['id', 'type', 'params'] : ['id', 'type'],
    properties: { ...properties, type: { enum: [definition.type, ...(definition.aliases ?? [])] }, params }, $defs,
  }
}

/**
 * Schema of a params object. Other spellings (aliases, snake_case) are accepted as deprecated properties; one param in two spellings is
 * not. `additional`: others are taken too. A required param is demanded here although an edge may drive it: a schema cannot see edges.
 */
export function paramsSchema(table: ParamTable, additional = false): JsonSchema {
  const spellings = new Map<string, string[]>(Object.keys(table).map((name) => [name, []]))
  for (const [spelling, name] of paramNames(table)) spellings.get(name)!.push(spelling)
  const properties: [string, JsonSchema][] = [], rules: JsonSchema[] = []
  for (const [name, words] of spellings) {
    const schema = paramSchema(table[name]!)
    for (const word of words) {
      properties.push([word, word === name ? schema : { ...schema, deprecated: true, description: `Same as ${name}.` }])
    }
    for (let i = 0; i < words.length; i++) for (let j = 0; j < i; j++) rules.push({ not: { required: [words[j], words[i]] } })
    if (table[name]!.required === true) rules.push({ anyOf: words.map((word) => ({ required: [word] })) })
  }
  return {
    type: 'object', properties: Object.fromEntries(properties), additionalProperties: additional && { $ref: '#/$defs/json' },
    ...(rules.length === 0 ? {} : { allOf: rules }), $defs: JSON_DEFS,
  }
}

/** The param table back from a node's schema. */
export function paramsFromSchema(schema: JsonSchema): ParamTable {
  const params = (schema['properties'] as Readonly<Record<string, JsonSchema>> | undefined)?.['params']
  const entries = Object.entries((params?.['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>)
  return Object.fromEntries(entries.flatMap(([name, param]) => {
    const declaration = param['deprecated'] === true ? undefined : paramFromSchema(param)
    return declaration === undefined ? [] : [[name, declaration]]
  }))
}

import type { NodeDefinition, ParamTable } from '../node-definition.js'
import { documentSchema, type JsonSchema } from './json-schema.js'
import { paramsSchema } from './node-schema.js'
import { JSON_DEFS } from './param-schema.js'

/**
 * JSON Schema of documents whose params are known by node type (GR-05): the format, and for every node of a listed type its params. For
 * editors, through `$schema`, which then offers these types; nodes of other types may have any params. Params that must be given are not
 * demanded, since an edge or a run-time input may drive them.
 */
export function typedDocumentSchema(definitions: readonly NodeDefinition[]): JsonSchema {
  const schema = documentSchema(), { document } = schema['$defs'] as { readonly document: JsonSchema }
  const properties = document['properties'] as Readonly<Record<string, JsonSchema>>
  const nodes = properties['nodes']!, node = nodes['items'] as JsonSchema
  const rules = definitions.map(({ type, aliases, params, additionalParams, title, doc }) => ({
    if: { required: ['type'], properties: { type: { enum: [type, ...aliases ?? []] } } },
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    then: { title, description: doc, properties: { params: ofRoot(paramsSchema(withoutRequired(params), additionalParams)) } },
  }))
  const fields = node['properties'] as Readonly<Record<string, JsonSchema>>
  const items = {
    ...node,
    properties: { ...fields, type: { anyOf: [{ enum: definitions.map(({ type }) => type) }, fields['type']] } },
    allOf: rules,
  }
  const typed = { ...document, properties: { ...properties, nodes: { ...nodes, items } } }
  return { ...schema, title: 'Millrace document with the library\'s node types', $defs: { document: typed, ...JSON_DEFS } }
}

/** What the schema refers to stands at the root of the document's. */
function ofRoot({ $defs: _defs, ...schema }: JsonSchema): JsonSchema { return schema }

function withoutRequired(params: ParamTable): ParamTable {
  return Object.fromEntries(Object.entries(params).map(([name, { required: _required, ...param }]) => [name, param]))
}

/**
 * The library's node definitions and what is generated from them, bundled from the sources: JSON Schemas and texts of the node reference.
 */
import { build } from 'esbuild'
import { join } from 'node:path'
import { root } from './say.mjs'

const SOURCE = `
import * as nodes from './src/nodes/index.js'
export { describeConstraint } from './src/graph/negotiate/describe.js'
export { rangeText } from './src/graph/param-range.js'
export { documentSchema } from './src/graph/schema/json-schema.js'
export { nodeSchema } from './src/graph/schema/node-schema.js'
export { typedDocumentSchema } from './src/graph/schema/typed-document-schema.js'
export { metricsSchema } from './src/schedule/metrics-schema.js'
export const factories = Object.entries(nodes).filter(([, node]) => typeof node === 'function' && 'definition' in node)
`

/** All definitions sorted by type, with the names they are exported by, and the functions above. */
export async function loadDefinitions() {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE, resolveDir: root, loader: 'ts' }, bundle: true, write: false, format: 'esm', platform: 'neutral',
    target: 'es2022', logLevel: 'silent', define: { MILLRACE_VERSION: '"0"' },
  })
  const all = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
  const byType = new Map()
  for (const [name, { definition }] of all.factories) if (!byType.has(definition.type)) byType.set(definition.type, { name, definition })
  return { ...all, nodes: [...byType.values()].sort((a, b) => (a.definition.type < b.definition.type ? -1 : 1)) }
}

/** Name of the files about a node type: `audio::gain` → `audio-gain`. */
export const fileName = (type) => type.replace('::', '-')

/** Every JSON Schema that ships in dist/schema, by file name (GR-05). */
export async function schemaFiles() {
  const { nodes, documentSchema, nodeSchema, typedDocumentSchema, metricsSchema } = await loadDefinitions()
  const files = {
    'document.json': documentSchema(),
    'document-with-types.json': typedDocumentSchema(nodes.map(({ definition }) => definition)),
    'metrics.json': metricsSchema,
  }
  for (const { definition } of nodes) files[`${fileName(definition.type)}.json`] = nodeSchema(definition)
  return Object.fromEntries(Object.entries(files).map(([name, schema]) => [name, `${JSON.stringify(schema, null, 2)}\n`]))
}

/** Source file of a node, from the generated index. */
export function sourceOf(index, name) {
  const line = index.split('\n').find((one) => new RegExp(`[{,] ${name}[ ,]`).test(one))
  return join('src/nodes', /from '\.\/([^']+)\.js'/.exec(line)[1]).replaceAll('\\', '/') + '.ts'
}

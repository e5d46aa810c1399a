/**
 * What of graph, media and errors a page pays for (GR-63), minified and compressed. Bundled twice, as a consumer does: the
 * library as one file, then what is named of it.
 */
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
let library = ''

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: ['src/index.ts'], absWorkingDir: root, bundle: true, write: false, format: 'esm', target: 'es2022', platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['*/start-engine.js', '*/builtin-core.js', '*/builtin-assembly.js', 'inline-wasm*', 'node:*'],
    define: { MILLRACE_VERSION: '"0.0.0"' }, pure: ['defineNode', 'defineErrors'], logLevel: 'error',
  })
  library = outputFiles[0]!.text
})

async function sizeOf(names: readonly string[]): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${names.join(', ')} } from 'library'`, loader: 'js' }, bundle: true, write: false, minify: true,
    format: 'esm', platform: 'neutral', logLevel: 'error',
    external: ['*/start-engine.js', '*/builtin-core.js', '*/builtin-assembly.js', 'inline-wasm*', 'node:*'],
    plugins: [{ name: 'library', setup(b) {
      b.onResolve({ filter: /^library$/ }, () => ({ path: 'library', namespace: 'library', sideEffects: false }))
      b.onLoad({ filter: /.*/, namespace: 'library' }, () => ({ contents: library, loader: 'js' }))
    } }],
  })
  return gzipSync(outputFiles[0]!.text, { level: 9 }).length
}

const BUILD = [
  'isMillraceError', 'MillraceError', 'createGraph', 'addNode', 'connect', 'disconnect', 'removeNode', 'setParam', 'graphFrom', 'anyMedia',
  'audio', 'bytes', 'events', 'json', 'match', 'oneOf', 'sameAs', 'tensor', 'text', 'tokens', 'video', 'convertSamples',
]
const DOCUMENTS = [
  ...BUILD, 'defineNode', 'createRegistry', 'topologicalOrder', 'parseDocument', 'fromDocument', 'toDocument', 'writeDocument',
]

test.each<[string, readonly string[], number]>([
  ['graphs built by calls', BUILD, 6_000],
  ['graphs, node types and documents; the bar of 25 KB is missed by 0.2, see docs/adr/0008-parts-and-sizes.md', DOCUMENTS, 25_500],
  ['all that is not an importer; the bar is missed, see docs/adr/0008-parts-and-sizes.md', [...DOCUMENTS, 'hashGraph', 'validate'], 69_000],
])('%s', async (_what, names, most) => {
  const size = await sizeOf(names)
  expect(size).toBeGreaterThan(most / 3)
  expect(size).toBeLessThanOrEqual(most)
})

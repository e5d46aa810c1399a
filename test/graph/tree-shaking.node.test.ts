import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as nodes from '../../src/nodes/index.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const types = Object.values(nodes as Record<string, unknown>).flatMap((value) => {
  const type = (value as { readonly definition?: { readonly type: string } }).definition?.type
  return type === undefined ? [] : [type]
})

test('a bundle of one node does not contain another (GR-24)', async () => {
  const contents = 'import { gain } from "./src/nodes/index.ts"\nimport { createRegistry } from "./src/graph/registry.ts"\nconsole.log(createRegistry(gain).list())'
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' }, bundle: true, write: false, format: 'esm', treeShaking: true, target: 'es2022',
  })
  const text = outputFiles[0]!.text
  expect(types.length).toBeGreaterThan(5)
  expect(types.filter((type) => text.includes(type))).toEqual(['audio::gain'])
})

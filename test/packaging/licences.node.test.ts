/** Packages that end up in dist are permissive and named in NOTICE (PK-06, PK-07). */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { bundleWorker, inlineEsbuild } from '../../scripts/inline.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PERMISSIVE = /^(MIT|Apache-2\.0|ISC|BSD-2-Clause|BSD-3-Clause|0BSD)$/

/** Names of the packages whose files were bundled. */
function packages(inputs: readonly string[]): string[] {
  return [...new Set(inputs.flatMap((path) => {
    const at = path.lastIndexOf('node_modules/')
    if (at < 0) return []
    const parts = path.slice(at + 'node_modules/'.length).split('/')
    return [parts[0]!.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]!]
  }))].sort()
}

test('every bundled package is permissive and in NOTICE', { timeout: 60_000 }, async () => {
  const main = await build({
    entryPoints: ['src/index.ts', 'src/nodes/index.ts', 'src/cli/main.ts'].map((path) => join(root, path)), bundle: true, write: false,
    target: 'es2022', metafile: true, format: 'esm', platform: 'node',
    outdir: join(root, '.cache/licences'), plugins: [inlineEsbuild()], mainFields: ['module', 'main'], logLevel: 'silent',
  })
  const worker = await bundleWorker(join(root, 'src/workers/worker-entry.ts'))
  const names = packages([...Object.keys(main.metafile.inputs), ...worker.inputs])
  const notice = readFileSync(join(root, 'NOTICE'), 'utf8').toLowerCase()
  expect(names).toContain('comlink')
  for (const name of names) {
    const file = resolve(root, 'node_modules', name, 'package.json')
    expect(existsSync(file), name).toBe(true)
    const { license, version } = JSON.parse(readFileSync(file, 'utf8')) as { license: string; version: string }
    expect(license, name).toMatch(PERMISSIVE)
    expect(notice, name).toContain(`${name} ${version}`)
  }
})

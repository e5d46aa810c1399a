/** Whether dist is what the sources would give now; builds it when it is not. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashFile, listFiles, sha256 } from './hash.mjs'
import { root, run, say } from './say.mjs'

const stampFile = join(root, '.cache/dist.stamp')

/** Hash of everything that dist is made from. */
export function sourceStamp() {
  const folders = ['src', 'assembly/kernels', 'assembly/sdk', 'wasm/pkg', 'types'].flatMap((folder) => listFiles(join(root, folder))
    .map((path) => `${folder}/${path}`))
  const files = ['package.json', 'package-lock.json', 'tsup.config.ts', 'tsconfig.json', 'tsconfig.build.json', 'assembly/asconfig.json',
    'scripts/inline.mjs', 'scripts/build.mjs', 'scripts/lib/constants.mjs', 'scripts/lib/entries.mjs', 'scripts/lib/declarations.mjs']
  return sha256([...folders, ...files].map((path) => `${path} ${hashFile(join(root, path))}`).join('\n'))
}

export function distIsCurrent() {
  return existsSync(join(root, 'dist/index.js')) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourceStamp()
}

/** Called by the build when dist is whole. */
export function markBuilt() {
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(stampFile, sourceStamp())
}

/** Builds dist when it is missing or stale. */
export function ensureBuild() {
  if (distIsCurrent()) return
  say('build', 'dist is missing or stale')
  run('build', process.execPath, ['scripts/build.mjs'], { quiet: true, fix: 'Run `npm run build` to see more.' })
}

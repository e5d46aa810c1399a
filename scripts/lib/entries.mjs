/** Entry points of the package: which source file becomes which file of dist. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './say.mjs'

/** One entry per node file that the index exports from, so that a consumer's bundle holds only the nodes that it imports. */
export function nodeEntries() {
  const index = join(root, 'src/nodes/index.ts')
  if (!existsSync(index)) {
    throw new Error('src/nodes/index.ts: expected the generated index, got no file. Run `node scripts/generate-node-index.mjs`.')
  }
  const files = [...readFileSync(index, 'utf8').matchAll(/from '\.\/([^']+)\.js'/g)].map((match) => match[1])
  return Object.fromEntries([...new Set(files)].map((file) => [`nodes/${file}`, `src/nodes/${file}.ts`]))
}

/** Public entries with declarations: name in package.json `exports`, source without extension. */
export const TYPED_ENTRIES = {
  index: 'index', nodes: 'nodes/index', graph: 'graph-tools', memory: 'memory-tools', testing: 'testing/index',
  worker: 'workers/worker-entry',
}

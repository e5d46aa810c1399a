/** `npm test`: sets up what a fresh clone lacks, builds what is stale, runs vitest with the given arguments. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root, run } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const result = spawnSync(process.execPath, [resolve(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
process.exitCode = result.status ?? 1

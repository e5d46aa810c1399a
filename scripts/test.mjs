/**
 * `npm test [-- arguments of vitest]`: sets up what a fresh clone lacks, builds what is stale, runs vitest. Without arguments dist is built too, because the tests
 * of the package read it. With `--coverage` also how much of src they ran, and fails below the bar of vitest.config.ts (PK-63).
 */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root, run } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const args = process.argv.slice(2)
const whole = args.every((argument) => argument === '--coverage')
if (whole) (await import('./lib/fresh.mjs')).ensureBuild()
const result = spawnSync(process.execPath, [resolve(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
  cwd: root, stdio: 'inherit', env: { ...process.env, ...(whole && { MILLRACE_WHOLE_RUN: '1' }) },
})
process.exitCode = result.status ?? 1

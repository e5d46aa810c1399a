/**
 * `npm test [-- arguments of vitest]`: sets up what a fresh clone lacks, builds what is stale, runs vitest. Without arguments dist is built too, because the tests
 * of the package read it. With `--coverage` also how much of src those in Node ran, and fails below the bar of vitest.config.ts (PK-63).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root, run } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const args = process.argv.slice(2)
const whole = args.every((argument) => argument === '--coverage')
if (whole) (await import('./lib/fresh.mjs')).ensureBuild()
/** Runs vitest; a whole run goes project by project, so that two browsers and Node do not wait for each other on a few cores. Coverage is Node's. */
function vitest(words, whole) {
  return spawnSync(process.execPath, [resolve(root, 'node_modules/vitest/vitest.mjs'), 'run', ...words], {
    cwd: root, stdio: 'inherit', env: { ...process.env, ...(whole !== undefined && { MILLRACE_WHOLE_RUN: whole }) },
  }).status ?? 1
}

if (!whole) process.exitCode = vitest(args)
else {
  const { chromiumPath } = await import('./lib/chromium.mjs')
  // Without a Chromium the configuration says so, and has no browser projects.
  const projects = await chromiumPath() === undefined && !process.env.CI ? ['node'] : ['node', 'isolated', 'plain']
  const counts = resolve(root, '.cache/tests.txt'), lines = [], total = [0, 0, 0]
  for (const project of projects) {
    rmSync(counts, { force: true })
    // On two cores vitest takes one process, and many of these tests wait for timers.
    const status = vitest(['--project', project, ...(project === 'node' ? ['--maxWorkers', String(Math.max(2, availableParallelism() - 1)), ...args] : [])], project)
    if (status !== 0) process.exitCode = status
    const told = existsSync(counts) ? readFileSync(counts, 'utf8').trimEnd().split('\n') : [`project ${project}: did not run`, 'tests: 0 passed, 1 failed, 0 skipped']
    told.pop().match(/\d+/g).forEach((n, i) => { total[i] += Number(n) })
    lines.push(...told)
  }
  lines.push(`tests: ${total[0]} passed, ${total[1]} failed, ${total[2]} skipped`)
  writeFileSync(counts, `${lines.join('\n')}\n`)
  console.log(`\n${lines.join('\n')}`)
}

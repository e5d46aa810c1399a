/**
 * `npm test [-- arguments of vitest]`: sets up what a fresh clone lacks, builds what is stale, runs vitest. Without arguments dist is built
 * too, because the tests of the package read it. With `--coverage` also how much of src those in Node ran, and fails below the bar of
 * vitest.config.ts (PK-63).
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root, run } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const args = process.argv.slice(2)
const whole = args.every((argument) => argument === '--coverage')
if (whole) (await import('./lib/fresh.mjs')).ensureBuild()

/** Runs vitest; gives its exit code. With `log`, what it says goes there. */
function vitest(words, more = {}, log) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve(root, 'node_modules/vitest/vitest.mjs'), 'run', ...words], {
      cwd: root, stdio: log === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...more },
    })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => { log.push(text) })
    child.on('exit', (status) => { done(status ?? 1) })
  })
}

if (!whole) process.exitCode = await vitest(args)
else {
  const { chromiumPath } = await import('./lib/chromium.mjs')
  // Without a Chromium the configuration says so, and has no browser projects.
  const browsers = await chromiumPath() === undefined && !process.env.CI ? [] : ['isolated', 'plain']
  const countsOf = (project) => resolve(root, `.cache/tests-${project}.txt`)
  mkdirSync(resolve(root, '.cache'), { recursive: true })
  const one = async (project, words, log) => {
    rmSync(countsOf(project), { force: true })
    const status = await vitest(['--project', project, ...words], { MILLRACE_WHOLE_RUN: project, MILLRACE_COUNTS: countsOf(project) }, log)
    if (status !== 0) process.exitCode = status
  }
  // The browsers one after the other beside Node: most of these tests wait, for timers and threads. On
  // two cores vitest would take one process.
  const said = []
  const beside = (async () => { for (const project of browsers) await one(project, [], said) })()
  await one('node', ['--maxWorkers', String(Math.max(2, availableParallelism() - 1)), ...args])
  await beside
  for (const text of said) process.stdout.write(text)

  const lines = [], total = [0, 0, 0]
  for (const project of ['node', ...browsers]) {
    const told = existsSync(countsOf(project))
      ? readFileSync(countsOf(project), 'utf8').trimEnd().split('\n')
      : [`project ${project}: did not run`, 'tests: 0 passed, 1 failed, 0 skipped']
    told.pop().match(/\d+/g).forEach((n, i) => { total[i] += Number(n) })
    lines.push(...told)
  }
  lines.push(`tests: ${total[0]} passed, ${total[1]} failed, ${total[2]} skipped`)
  writeFileSync(resolve(root, '.cache/tests.txt'), `${lines.join('\n')}\n`)
  console.log(`\n${lines.join('\n')}`)
}

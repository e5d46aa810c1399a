/**
 * `npm run test:dist [-- name …]`: packs the package and runs the same program in every kind of consumer (PK-60). Prints the matrix; fails
 * when one differs, and in CI also when one cannot run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

ensureDependencies()
const { ensureBuild } = await import('./lib/fresh.mjs')
const CONSUMERS = [...(await import('./dist/consumers.mjs')).CONSUMERS, ...(await import('./dist/demo-pages.mjs')).DEMO_PAGES]
const { EXPECTED } = await import('./dist/expected.mjs')
const { closeBrowser, openBrowser } = await import('./dist/pages.mjs')

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !CONSUMERS.some((consumer) => consumer.name === name))
if (unknown.length > 0) {
  fail('test:dist', `Consumer ${unknown.join(', ')}: expected one of ${CONSUMERS.map((consumer) => consumer.name).join(', ')}.`)
}

ensureBuild()
const base = mkdtempSync(join(tmpdir(), 'millrace-dist-'))
const rows = []
try {
  const [packed] =
    JSON.parse(run('pack', 'npm', ['pack', '--json', '--loglevel=error', '--pack-destination', base], { cwd: root, quiet: true }))
  say('pack', `${packed.filename}, ${packed.size} bytes, ${packed.entryCount} files`)
  const have = { browser: await openBrowser(), 'linux-x64': process.platform === 'linux' && process.arch === 'x64' }
  for (const { name, needs, run: consume } of CONSUMERS) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    if (needs !== undefined && !have[needs]) {
      console.warn(`SKIP ${name}: needs ${needs === 'browser' ? 'a Chromium (set MILLRACE_CHROMIUM)' : needs}`)
      rows.push([name, 'skipped', 0, ''])
      continue
    }
    const from = performance.now()
    let text
    let note = ''
    try {
      text = await consume({ base, tarball: join(base, packed.filename), expected: EXPECTED, note: (line) => { note = line } })
    } catch (error) {
      text = `${error.message}${error.stderr ?? ''}`.trim()
    }
    rows.push([name, text === EXPECTED ? 'ok' : 'FAILED', performance.now() - from, text === EXPECTED ? note : text])
    say(name, `${rows.at(-1)[1]} ${text === EXPECTED ? note : text}`)
  }
} finally {
  await closeBrowser()
  rmSync(base, { recursive: true, force: true })
}

console.log(`\nall print ${EXPECTED}`)
for (const [name, state, ms] of rows) console.log(`${name.padEnd(22)} ${state.padEnd(8)} ${(ms / 1000).toFixed(1).padStart(6)} s`)
const failed = rows.filter(([, state]) => state === 'FAILED').length
const skipped = rows.filter(([, state]) => state === 'skipped').length
console.log(`test:dist: ${rows.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`)
if (failed > 0) fail('test:dist', `${failed} consumers differ; their lines above say how.`)
if (skipped > 0 && process.env.CI) fail('test:dist', `${skipped} consumers were skipped, which CI does not accept.`)

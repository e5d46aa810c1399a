/**
 * Engines other than Chromium, when they are installed: Firefox loads the built package in a page, isolated and not, and reports back by a
 * request. It is driven by nothing but its command line. WebKit has no such command line here: it is not tested.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ensureBuild } from '../../scripts/lib/fresh.mjs'
import type { PageServer } from '../support/page-server.js'
import { builtSite, FOUND, type PageOutcome } from './built-site.js'

const firefox = [process.env['MILLRACE_FIREFOX'], '/usr/bin/firefox-esr', '/usr/bin/firefox'].find((path) =>
  path !== undefined && existsSync(path))
if (firefox === undefined) console.warn('\nSKIP Firefox: none installed. Install firefox-esr or set MILLRACE_FIREFOX.\n')

const LIMIT_MS = 60_000
/** Keeps a new profile off the network and off its welcome pages. */
const PREFS = {
  'browser.shell.checkDefaultBrowser': false, 'browser.aboutwelcome.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false, 'app.update.auto': false,
  'extensions.update.enabled': false, 'services.settings.server': 'data:,#', 'browser.startup.homepage': 'about:blank',
}

const page = (options: object): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><script type="module">
import '/program.mjs'
const outcome = await globalThis.run({ options: ${JSON.stringify(options)} })
await fetch('/report/' + encodeURIComponent(JSON.stringify(outcome)))
</script></html>`

/** Opens the page in a Firefox of its own and waits for its report. */
async function visit(server: PageServer): Promise<PageOutcome> {
  const profile = mkdtempSync(join(tmpdir(), 'millrace-firefox-'))
  writeFileSync(join(profile, 'user.js'), Object.entries(PREFS).map(([name, value]) =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`).join('\n'))
  const child = spawn(firefox!, ['--headless', '--no-remote', '--profile', profile, `${server.origin}/`], {
    stdio: 'ignore',
    env: { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
  })
  try {
    for (const end = Date.now() + LIMIT_MS; Date.now() < end;) {
      const report = server.log.find((line) => line.startsWith('404 /report/'))
      if (report !== undefined) return JSON.parse(report.slice('404 /report/'.length)) as PageOutcome
      await new Promise((resolve) => { setTimeout(resolve, 100) })
    }
    throw new Error(`Firefox: expected a report within ${LIMIT_MS} ms, got ${server.log.join(', ')}`)
  } finally {
    child.kill('SIGKILL')
    await new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(undefined); else child.once('exit', resolve)
    })
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

describe.skipIf(firefox === undefined)('Firefox', () => {
  beforeAll(() => { ensureBuild() }, 120_000)

  test.each([
    ['isolated, on this thread', true, {}, 'wasm-threads'], ['isolated, with workers', true, { workers: 2 }, 'wasm-threads'],
    ['not isolated, with workers', false, { workers: 1 }, 'wasm'], ['references', false, { tier: 'js' }, 'js'],
  ] as const)('%s', async (_name, isolated, options, tier) => {
    const server = await builtSite({ isolated, files: { '/': { body: page(options), type: 'text/html' } } })
    try {
      const outcome = await visit(server)
      expect(outcome).toMatchObject({ ok: true, mode: { tier } })
      expect(outcome.outcomes[0]).toMatchObject({ segments: FOUND.segments, frames: FOUND.frames })
    } finally { await server.close() }
  }, 2 * LIMIT_MS)
})

/**
 * The demo as a visitor meets it: built and served below a sub-path, isolated and not; the script-tag page over file://. Both must list the
 * speech that the same chain finds in examples/talk.wav when Node runs it.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { root } from '../lib/say.mjs'
import { serve, withPage } from './pages.mjs'

const execute = promisify(execFile)
const recording = join(root, 'examples/talk.wav')

/** Segments of the shipped recording as Node finds them, as the pages write them. */
async function spoken() {
  const script = `import { createEngine } from ${JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href)}
import { resample, vad, wavFile } from ${JSON.stringify(pathToFileURL(join(root, 'dist/nodes.js')).href)}
const engine = await createEngine()
const { outputs } = await engine.run({ segments: vad(resample(wavFile(${JSON.stringify(recording)}), { rate: 16_000, quality: 'high' })).segments })
console.log(JSON.stringify(outputs.segments.data.map(({ from, to }) => (from / 16_000).toFixed(2) + ' – ' + (to / 16_000).toFixed(2) + ' s')))
await engine.close()`
  const found = JSON.parse((await execute(process.execPath, ['--input-type=module', '-e', script])).stdout)
  if (found.length < 2) throw new Error(`examples/talk.wav: expected several segments, Node found ${found.length}`)
  return found
}

function same(what, got, expected) {
  if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`${what}: expected ${expected.join(', ')}, got ${got.join(', ')}`)
}

async function demoBelowSubPath(c) {
  const expected = await spoken()
  const site = join(c.base, 'demo-site')
  const { build } = await import('vite')
  await build({
    configFile: join(root, 'demo/vite.config.mjs'), logLevel: 'error', build: { outDir: join(site, 'x/y'), emptyOutDir: true },
  })
  for (const isolated of [false, true]) {
    const server = await serve(site, { isolated })
    try {
      const { list, metrics } = await withPage(`${server.origin}/x/y/`, async (page) => {
        await page.click('#sample')
        await page.waitForSelector('#segments li')
        return {
          list: await page.$$eval('#segments li', (items) => items.map((item) => item.textContent.trim())),
          metrics: await page.textContent('#metrics'),
        }
      })
      same(isolated ? 'isolated demo' : 'plain demo', list, expected)
      if (!metrics.includes('audio::resample')) throw new Error('the metrics table has no audio::resample')
    } finally {
      server.close()
    }
  }
  return c.expected
}

async function scriptTagPage(c) {
  const expected = await spoken()
  const site = join(c.base, 'script-tag-page')
  mkdirSync(join(site, 'dist'), { recursive: true })
  cpSync(join(root, 'demo/cdn'), join(site, 'demo/cdn'), { recursive: true })
  cpSync(join(root, 'dist/millrace.global.js'), join(site, 'dist/millrace.global.js'))
  const text = await withPage(pathToFileURL(join(site, 'demo/cdn/index.html')).href, async (page) => {
    await page.setInputFiles('#file', recording)
    await page.waitForFunction(() => /segments in|[A-Z]+_[A-Z]+:|Error/.test(globalThis.document.getElementById('out').textContent))
    return page.textContent('#out')
  })
  same('script-tag page', text.trim().split('\n').slice(1), expected)
  return c.expected
}

/** Entries of the matrix, like those of consumers.mjs. */
export const DEMO_PAGES = [
  { name: 'demo-sub-path', needs: 'browser', run: demoBelowSubPath },
  { name: 'demo-script-tag', needs: 'browser', run: scriptTagPage },
]

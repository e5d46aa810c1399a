/** Serves folders to a real Chromium, isolated or not, and reads what the page's program found. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { ISOLATION_HEADERS, chromiumArgs, chromiumPath } from '../lib/chromium.mjs'
import { fail } from '../lib/say.mjs'

const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json',
  '.map': 'application/json',
}
const PAGE_TIMEOUT_MS = 30_000

/** Static server of `folder`; `cors` lets other origins load from it under `require-corp`. */
export async function serve(folder, { isolated = false, cors = false } = {}) {
  const server = createServer((request, response) => {
    const path = normalize(join(folder, decodeURIComponent(new URL(request.url, 'http://x').pathname)))
    if (isolated) for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value)
    if (cors) response.setHeader('Access-Control-Allow-Origin', '*')
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path
    if (!file.startsWith(normalize(folder)) || !existsSync(file)) {
      response.statusCode = 404
      response.end('not found')
      return
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(response)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

let browser

export async function openBrowser() {
  const executablePath = await chromiumPath()
  if (executablePath === undefined) {
    if (process.env.CI) fail('test:dist', 'Chromium: expected one, got none. Install it or set MILLRACE_CHROMIUM.')
    return false
  }
  const { chromium } = await import('playwright')
  browser = await chromium.launch({ executablePath, args: chromiumArgs() })
  return true
}

export async function closeBrowser() {
  await browser?.close()
}

/** Opens `url` and waits for `globalThis.result`. Rejects with the page's own error. */
export async function resultOf(url) {
  return withPage(url, async (page) => {
    await page.waitForFunction(() => globalThis.result !== undefined, undefined, { timeout: PAGE_TIMEOUT_MS })
    return page.evaluate(() => ({ text: globalThis.result, isolated: globalThis.crossOriginIsolated }))
  })
}

/** Opens `url` in a fresh context and hands the page to `use`. What the page complained about is added to a failure. */
export async function withPage(url, use) {
  const page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(PAGE_TIMEOUT_MS)
  const complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()) })
  try {
    await page.goto(url)
    return await use(page)
  } catch (error) {
    throw new Error(`${error.message.split('\n')[0]} ${complaints.join(' | ')}`, { cause: error })
  } finally {
    await page.context().close()
  }
}

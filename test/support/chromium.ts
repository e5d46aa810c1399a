/** A real Chromium driven from Node, for what only whole pages can show: headers, policies, origins, `file://`. Every wait is bounded. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright'
import { chromiumArgs, chromiumPath } from '../../scripts/lib/chromium.mjs'
import { ensureBuild } from '../../scripts/lib/fresh.mjs'

/** How long a page may take to load, or to answer. */
export const PAGE_MS = 20_000

const executablePath = await chromiumPath()
if (executablePath === undefined) {
  if (process.env['CI']) throw new Error('Browser pages: expected a Chromium, got none. Install it or set MILLRACE_CHROMIUM.')
  console.warn('SKIP browser pages: no Chromium found. Install one or set MILLRACE_CHROMIUM.')
}

/** False: use with `describe.skipIf(!hasChromium)`; the skip has been said. */
export const hasChromium: boolean = executablePath !== undefined

/** Starts the browser; `dist`: on a current build, which is made first when it is stale. */
export async function openChromium({ dist = true } = {}): Promise<Browser> {
  if (dist) ensureBuild()
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: chromiumArgs(), timeout: PAGE_MS })
}

/** A page of its own context, with everything that it complained of. */
export interface WatchedPage { readonly page: Page; readonly complaints: string[]; close(): Promise<void> }

export async function openPage(browser: Browser, url: string | undefined, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(options), page = await context.newPage(), complaints: string[] = []
  page.setDefaultTimeout(PAGE_MS)
  page.on('pageerror', (error) => { complaints.push(`uncaught: ${error.message}`) })
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(`console: ${message.text()}`) })
  if (url !== undefined) await page.goto(url)
  return { page, complaints, close: () => context.close() }
}

/** The value of a promise, or an error that names what was waited for: `page.evaluate` itself never gives up. */
export async function within<T>(what: string, promise: Promise<T>, ms: number = PAGE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new Error(`${what}: expected an answer in ${ms} ms, got none`)) }, ms)
  })
  try { return await Promise.race([promise, late]) } finally { clearTimeout(timer) }
}

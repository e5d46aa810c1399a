/** Pages on the built package, as a user's server would give them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright'
import { openPage, within } from '../support/chromium.js'
import { servePages, type PageServer, type Site } from '../support/page-server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const dist: string = join(root, 'dist')

/** Result of one run in a page; see pages/program.mjs. */
export interface PageOutcome {
  readonly ok: boolean
  readonly mode: { readonly tier: string; readonly mode: string; readonly why: string }
  readonly workers: { readonly count: number; readonly messages: number }
  readonly outcomes: readonly {
    readonly segments: readonly (readonly number[])[]; readonly frames: number; readonly where: readonly string[]
    readonly notes: readonly { readonly code: string; readonly severity: string; readonly message: string }[]
  }[]
  readonly streamed: number
  readonly facts: { readonly sab: boolean; readonly isolated: boolean; readonly wasm: boolean; readonly browser: boolean }
  readonly code?: string
  readonly message?: string
  readonly hint?: string
  readonly ms?: number
  readonly stack?: string
}

/** What every page must find: borders of the tone on the detector's 30 ms grid, ⌊24 000 · 2/3⌋ frames. */
export const FOUND = { segments: [[0.3, 0.6]], frames: 16_000 } as const

/** A site with dist, the page's program and `index.html` that loads it. */
export function builtSite(more: Site = {}): Promise<PageServer> {
  const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><script type="module" src="/program.mjs"></script></html>'
  return servePages({
    ...more, folders: { '/dist/': dist, ...more.folders },
    files: {
      '/': { body: page, type: 'text/html' },
      '/program.mjs': { body: readFileSync(fileURLToPath(new URL('pages/program.mjs', import.meta.url))), type: 'text/javascript' },
      ...more.files,
    },
  })
}

/** Runs the program of a page of its own. `arm` = options and how often to run. */
export async function runIn(
  browser: Browser, origin: string,
  arm: { readonly options?: Readonly<Record<string, unknown>>; readonly runs?: number; readonly codeURL?: string } = {},
): Promise<PageOutcome & { readonly complaints: string[] }> {
  const { page, complaints, close } = await openPage(browser, `${origin}/`)
  try {
    const outcome = await within(
      'the page',
      page.evaluate((given) => (globalThis as unknown as { run(given: unknown): Promise<unknown> }).run(given), arm),
    )
    return { ...outcome as PageOutcome, complaints }
  } finally { await close() }
}

/** The page of demo/cdn as it is in the repository. */
export function cdnPage(): string { return readFileSync(join(root, 'demo/cdn/index.html'), 'utf8') }

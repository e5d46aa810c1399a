/** Which Chromium the browser tests drive, and with which flags. */
import { existsSync } from 'node:fs'

/** Path of a Chromium: `MILLRACE_CHROMIUM`, else Playwright's own, else Debian's; undefined when none is installed. */
export async function chromiumPath() {
  const named = process.env.MILLRACE_CHROMIUM
  if (named) {
    if (!existsSync(named)) {
      throw new Error(`MILLRACE_CHROMIUM: expected the path of a Chromium, got ${named}, where no file is. Correct it or unset it.`)
    }
    return named
  }
  const { chromium } = await import('playwright')
  for (const path of [chromium.executablePath(), '/usr/bin/chromium', '/usr/bin/chromium-browser']) {
    if (path && existsSync(path)) return path
  }
  return undefined
}

/** Flags: no sandbox only as root (Chromium refuses it there), no calls home, audio may start by itself. */
export function chromiumArgs() {
  return [
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    '--autoplay-policy=no-user-gesture-required', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ]
}

/** Response headers that make a page cross-origin isolated (PK-43). */
export const ISOLATION_HEADERS = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

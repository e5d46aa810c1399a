/** Three projects over the same files (PK-59): Node; Chromium cross-origin isolated; Chromium not isolated. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { ISOLATION_HEADERS, chromiumArgs, chromiumPath } from './scripts/lib/chromium.mjs'
import { inlineVite } from './scripts/inline.mjs'

declare module 'vitest' {
  /** `variables`: MILLRACE_* of the process that runs the tests, for browsers. */
  interface ProvidedContext { isolated: boolean; variables: Readonly<Record<string, string>> }
}

const root = fileURLToPath(new URL('.', import.meta.url))
const sharedData = resolve(root, '../shared/data')
const executablePath = await chromiumPath()
if (executablePath === undefined) {
  if (process.env['CI']) {
    throw new Error('Browser tests: expected a Chromium, got none. Install it (`apt-get install chromium`) or set MILLRACE_CHROMIUM.')
  }
  console.warn('\nSKIP browser projects `isolated` and `plain`: no Chromium found. Install one or set MILLRACE_CHROMIUM.\n')
}

/** Serves ../shared/data to browser tests under /__shared-data/; 404 where it is absent. */
const sharedDataServer = {
  name: 'millrace-shared-data',
  configureServer(server: import('vite').ViteDevServer) {
    server.middlewares.use('/__shared-data', (request, response) => {
      const path = normalize(resolve(sharedData, `.${decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/')}`))
      if (!path.startsWith(sharedData) || !existsSync(path) || !statSync(path).isFile()) {
        response.statusCode = 404
        response.end('not found')
        return
      }
      for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value)
      response.setHeader('Content-Type', 'application/octet-stream')
      createReadStream(path).pipe(response)
    })
  },
}

/** The project that a whole run (`npm test`) is at. */
const part = process.env['MILLRACE_WHOLE_RUN']
/** On a machine that does other things too, a test that fails is tried once more, and named when it then passes. */
const retry = part !== undefined && process.env['CI'] ? 1 : 0
const setupFiles = ['test/support/equal-arrays.ts']

const browser = (name: string, headers: Record<string, string>): TestProjectConfiguration => ({
  plugins: [inlineVite(), sharedDataServer],
  server: { headers },
  define: { MILLRACE_VERSION: JSON.stringify('test') },
  optimizeDeps: { include: ['comlink', 'fast-check'] },
  test: {
    name,
    provide: {
      isolated: name === 'isolated',
      variables: Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('MILLRACE_'))) as Record<string, string>,
    },
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.node.test.ts', 'test/types/**'],
    testTimeout: 30_000,
    retry,
    setupFiles,
    browser: {
      enabled: true, headless: true, screenshotFailures: false, instances: [{ browser: 'chromium' }],
      provider: playwright({ launchOptions: { ...(executablePath && { executablePath }), args: chromiumArgs() } }),
    },
  },
})

export default defineConfig({
  test: {
    reporters: [
      'default',
      [
        fileURLToPath(new URL('scripts/lib/count-reporter.mjs', import.meta.url)),
        { expected: part !== undefined && process.env['CI'] ? [part] : [] },
      ],
    ],
    projects: [
      {
        plugins: [inlineVite()],
        define: { MILLRACE_VERSION: JSON.stringify('test') },
        // Warnings about something that was collected may come while a file's thread ends, when nobody takes them:
        // vitest would fail the run for that.
        test: {
          disableConsoleIntercept: true, name: 'node', environment: 'node', include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', 'test/types/**'], testTimeout: 30_000, retry, setupFiles,
        },
      },
      ...(executablePath === undefined ? [] : [browser('isolated', ISOLATION_HEADERS), browser('plain', {})]),
    ],
    coverage: {
      // The bar of PK-63, for whole runs: `npm run test:coverage`.
      provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'json-summary'], reportsDirectory: '.cache/coverage',
      thresholds: { lines: 85 },
      exclude: ['src/**/generated/**', 'src/**/generated.ts', 'src/cli/**', 'src/server/**'],
    },
  },
})

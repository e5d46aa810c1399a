/**
 * The demo: plain TypeScript pages; `millrace` is the source itself, so that an edit shows at once.
 * Relative base: works under any sub-path.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { inlineVite } from '../scripts/inline.mjs'
import { ISOLATION_HEADERS } from '../scripts/lib/chromium.mjs'

const demo = fileURLToPath(new URL('.', import.meta.url))

export default defineConfig({
  root: demo,
  base: './',
  plugins: [inlineVite()],
  define: { MILLRACE_VERSION: JSON.stringify('demo') },
  resolve: {
    alias: [
      { find: /^millrace\/nodes$/, replacement: resolve(demo, '../src/nodes/index.ts') },
      { find: /^millrace\/graph$/, replacement: resolve(demo, '../src/graph-tools.ts') },
      { find: /^millrace\/memory$/, replacement: resolve(demo, '../src/memory-tools.ts') },
      { find: /^millrace$/, replacement: resolve(demo, '../src/index.ts') },
    ],
  },
  server: { headers: ISOLATION_HEADERS, fs: { allow: [resolve(demo, '..')] } },
  preview: { headers: ISOLATION_HEADERS },
  build: { outDir: resolve(demo, 'dist'), emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 700 },
})

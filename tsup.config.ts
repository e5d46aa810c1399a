/**
 * Two builds (packaging.md section 3): ESM entries that share chunks, and one script-tag file. The command line tool is one of the entries,
 * so that it shares the engine's code and its wasm with them; its `node:` imports stay as they are. All with `clean: false`, because the
 * builds run in parallel: scripts/build.mjs cleans first and writes workers, wasm files and declarations.
 */
import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { nodeEntries } from './scripts/lib/entries.mjs'
import { inlineEsbuild, oneFunction } from './scripts/inline.mjs'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const common: Options = {
  clean: false,
  dts: false,
  sourcemap: true,
  target: 'es2022',
  silent: true,
  loader: { '.wasm': 'binary' },
  noExternal: ['comlink'],
  define: { MILLRACE_VERSION: JSON.stringify(version) },
  esbuildPlugins: [inlineEsbuild()],
  esbuildOptions(options) {
    options.mainFields = ['module', 'main']
    options.legalComments = 'none'
    // A node is one call of defineNode: without use it may be dropped from a consumer's bundle.
    options.pure = ['defineNode', 'defineErrors']
  },
}

export default defineConfig([
  {
    ...common,
    entry: {
      index: 'src/index.ts', nodes: 'src/nodes/index.ts', graph: 'src/graph-tools.ts', memory: 'src/memory-tools.ts',
      testing: 'src/testing/index.ts', cli: 'src/cli/main.ts', ...nodeEntries(),
    },
    external: [/^node:/],
    format: 'esm',
    platform: 'neutral',
    splitting: true,
  },
  {
    ...common,
    entry: { millrace: 'src/global.ts' },
    format: 'iife',
    platform: 'neutral',
    minify: true,
    esbuildPlugins: [oneFunction()],
  },
])

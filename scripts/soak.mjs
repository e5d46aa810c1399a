/**
 * `npm run soak`: random runs with faults for MILLRACE_SOAK_MINUTES (default 5, at most 120) from MILLRACE_SEED (default: the time), in
 * Node, on shared and on private memories in turn (`-- --mode shared|transfer|both`). What came out is kept in bench/results/soak.json by
 * minutes and mode. Then the kill suites with MILLRACE_KILLS ends each, when that is set.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const minutes = Number(process.env['MILLRACE_SOAK_MINUTES'] ?? 5), seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 32)
if (!(minutes > 0 && minutes <= 120)) fail('soak', `MILLRACE_SOAK_MINUTES: expected up to 120, got ${minutes}.`)
const { mode } = parseArgs({ options: { mode: { type: 'string', default: 'both' } } }).values
const modes = { shared: ['shared'], transfer: ['transfer'], both: ['shared', 'transfer'] }[mode]
if (modes === undefined) fail('soak', `--mode: expected shared, transfer or both, got ${mode}.`)
const { build } = await import('esbuild')
const { inlineEsbuild } = await import('./inline.mjs')
const folder = join(root, '.cache', `soak-${process.pid}`), file = join(folder, 'soak.mjs')
mkdirSync(folder, { recursive: true })
try {
  const result = await build({
    entryPoints: [join(root, 'test/soak/soak.ts')], bundle: true, write: false, format: 'esm', platform: 'node', packages: 'external',
    target: 'es2022', mainFields: ['module', 'main'], plugins: [inlineEsbuild()],
    define: { MILLRACE_VERSION: '"soak"' }, logLevel: 'error',
  })
  writeFileSync(file, result.outputFiles[0].text)
  const { soak } = await import(pathToFileURL(file).href)
  say('soak', `${minutes} minutes, ${modes.join(' and ')}, seed ${seed}`)
  const tenth = (n) => Math.round(n * 10) / 10
  const before = loadavg()[0]
  const report = await soak(minutes, seed, modes, (line) => { say('soak', line) })
  const results = join(root, 'bench/results/soak.json'), known = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : {}
  known[`${minutes} minutes, ${modes.join(' and ')}`] = {
    date: new Date().toISOString().slice(0, 10), ...report, load: [tenth(before), tenth(loadavg()[0])],
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  }
  writeFileSync(results, `${JSON.stringify(known, null, 2)}\n`)
} finally { rmSync(folder, { recursive: true, force: true }) }
if (process.env['MILLRACE_KILLS']) {
  run('kill suites', process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', 'test/workers/kill'], {
    fix: 'Repeat with the MILLRACE_SEED that it printed.',
  })
}
process.exit(0)

/**
 * `npm run soak`: random runs with faults for MILLRACE_SOAK_MINUTES (default 5, at most 120) from MILLRACE_SEED (default: the time), in Node. Writes bench/results/soak.json.
 * Then the kill suites with MILLRACE_KILLS ends each, when that is set.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const minutes = Number(process.env['MILLRACE_SOAK_MINUTES'] ?? 5), seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 32)
if (!(minutes > 0 && minutes <= 120)) fail('soak', `MILLRACE_SOAK_MINUTES: expected up to 120, got ${minutes}.`)
const { build } = await import('esbuild')
const { inlineEsbuild } = await import('./inline.mjs')
const folder = join(root, '.cache', `soak-${process.pid}`), file = join(folder, 'soak.mjs')
mkdirSync(folder, { recursive: true })
try {
  const result = await build({
    entryPoints: [join(root, 'test/soak/soak.ts')], bundle: true, write: false, format: 'esm', platform: 'node', packages: 'external', target: 'es2022', mainFields: ['module', 'main'], plugins: [inlineEsbuild()],
    define: { MILLRACE_VERSION: '"soak"' }, logLevel: 'error',
  })
  writeFileSync(file, result.outputFiles[0].text)
  const { soak } = await import(pathToFileURL(file).href)
  say('soak', `${minutes} minutes, seed ${seed}`)
  const report = await soak(minutes, seed, (line) => { say('soak', line) })
  writeFileSync(join(root, 'bench/results/soak.json'), `${JSON.stringify({ ...report, machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node } }, null, 2)}\n`)
  say('soak', JSON.stringify(report))
} finally { rmSync(folder, { recursive: true, force: true }) }
if (process.env['MILLRACE_KILLS']) run('kill suites', process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', 'test/workers/kill'], { fix: 'Repeat with the MILLRACE_SEED that it printed.' })
process.exit(0)

/**
 * `npm run check`: everything that CI asks for (packaging.md section 11), one line per step, then a closing line that counts the steps.
 * Stops at nothing: all findings of one run are printed.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root } from './lib/say.mjs'

ensureDependencies()
const node = process.execPath
const bin = (path) => [node, join(root, 'node_modules', path)]
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const STEPS = [
  ['lint', [node, 'scripts/lint.mjs']],
  ['types', [...bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
  ['check:wasm', [node, 'scripts/check-wasm.mjs', ...(process.env.CI ? ['--require-tools'] : [])]],
  ['rust tests', [node, 'scripts/test-rust.mjs']],
  ['build', [node, 'scripts/build.mjs']],
  ['publint', [...bin('publint/src/cli.js'), '--strict']],
  // Entries without declarations are excluded: script tag, worklet, plain files (PK-08).
  [
    'attw',
    [
      ...bin('@arethetypeswrong/cli/dist/index.js'), '--pack', '.', '--profile', 'esm-only', '--exclude-entrypoints', './global',
      './worklet', './wasm/*', './sdk/*', './schema/*',
    ],
  ],
  // What the package installs: nothing. Optional peers are their users' choice.
  ['audit', [npm, 'audit', '--omit=dev', '--omit=peer', '--omit=optional']],
  ['test', [node, 'scripts/test.mjs', '--coverage']],
  ['test:dist', [node, 'scripts/test-dist.mjs']],
]

const only = process.argv.slice(2)
const failed = []
const times = []
for (const [name, [command, ...args]] of STEPS.filter(([name]) => only.length === 0 || only.includes(name))) {
  console.log(`\n== ${name}`)
  const from = performance.now()
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  times.push([name, performance.now() - from, result.status === 0])
  if (result.status !== 0) failed.push(name)
}
// attw packs into the working folder and may leave its tarball there.
rmSync(join(root, 'millrace-0.1.0.tgz'), { force: true })

console.log('')
for (const [name, ms, ok] of times) console.log(`${name.padEnd(12)} ${ok ? 'ok    ' : 'FAILED'} ${(ms / 1000).toFixed(1).padStart(7)} s`)
if (failed.length > 0) {
  console.error(`check: ${failed.join(', ')} failed. Each prints above what to do; run one with \`npm run check -- ${failed[0]}\`.`)
}
console.log(`check: ${times.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length > 0 ? 1 : 0

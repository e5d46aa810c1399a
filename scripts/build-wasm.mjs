/**
 * Builds the binaries. Without options: AssemblyScript modules that are stale; the committed Rust module stays.
 *   --rust    rebuild Rust too (needs its toolchain) and rewrite wasm/pkg/BUILD.json
 *   --debug   with --rust: Rust with panic messages and names, to wasm/target/pkg-debug; AssemblyScript with asserts
 *   --force   AssemblyScript even when nothing changed
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

const options = new Set(process.argv.slice(2))
for (const option of options) {
  if (!['--rust', '--debug', '--force'].includes(option)) fail('build:wasm', `Option ${option}: expected --rust, --debug or --force.`)
}
ensureDependencies()
const { assemblyModules, buildAssembly } = await import('./lib/assembly.mjs')
const { buildRust, compileRust, packageFolder } = await import('./lib/rust.mjs')
const debug = options.has('--debug')

run('contract', process.execPath, ['scripts/generate-contract.mjs'], {
  quiet: true, fix: 'Correct src/kernels/contract.ts or src/memory/layout.ts.',
})
const built = await buildAssembly({ force: options.has('--force'), debug })
if (built.length === 0) say('assembly', 'current')
if (options.has('--rust')) {
  if (debug) say('rust', `debug module in ${compileRust({ debug })}: give its millrace_core_bg.wasm as option wasm.core`)
  else buildRust()
} else if (!existsSync(join(packageFolder, 'millrace_core.wasm'))) {
  fail(
    'build:wasm',
    'wasm/pkg/millrace_core.wasm: expected the committed module, got no file. Restore it from git, or run `npm run build:wasm -- --rust`.',
  )
} else say('rust', 'committed module')
if (!debug) copyDeclarations()

/** Typed exports: the generated declarations live beside the loader (PK-30). */
function copyDeclarations() {
  const target = join(root, 'src/kernels/generated')
  mkdirSync(target, { recursive: true })
  const pairs = [
    ['millrace_core', join(packageFolder, 'millrace_core.d.ts')],
    ...assemblyModules().map((name) => [name, join(root, 'assembly/build', `${name}.d.ts`)]),
  ]
  for (const [name, from] of pairs) {
    const to = join(target, `${name.replaceAll('_', '-')}.d.ts`)
    if (!existsSync(to) || readFileSync(to, 'utf8') !== readFileSync(from, 'utf8')) copyFileSync(from, to)
  }
}

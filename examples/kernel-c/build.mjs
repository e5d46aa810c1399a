// Builds quiet.wasm with clang and wasm-ld (any version from 14 on): `node build.mjs [OUT.wasm]`. Says
// so and does nothing where they are missing.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const first = (names) => names.find((name) => spawnSync(name, ['--version']).status === 0)
const clang = first(['clang', 'clang-19', 'clang-14']), linker = first(['wasm-ld', 'wasm-ld-19', 'wasm-ld-14'])
const include = process.env.MILLRACE_SDK ?? join(here, '../../assembly/sdk')

if (clang === undefined || linker === undefined) {
  console.warn(
    `SKIP quiet.c: needs ${[clang ?? 'clang', linker ?? 'wasm-ld'].filter((name) => name === 'clang' || name === 'wasm-ld').join(' and ')}`,
  )
} else {
  const part = mkdtempSync(join(tmpdir(), 'millrace-c-')), object = join(part, 'quiet.o')
  try {
    execFileSync(clang, [
      '--target=wasm32', '-O3', '-nostdlib', '-ffreestanding', '-matomics', '-mbulk-memory', '-msimd128', '-I', join(include, 'c'), '-c',
      join(here, 'quiet.c'), '-o', object,
    ], { stdio: 'inherit' })
    // One shared memory with the maximum that every engine has; code and stack inside the window of users' modules, which ends at 0x100000.
    execFileSync(linker, ['--no-entry', '--import-memory', '--shared-memory', '--max-memory=4294967296', '--global-base=589824', '-z',
      'stack-size=4096', '--strip-all', object, '-o',
      process.argv[2] ?? join(here, 'quiet.wasm')], { stdio: 'inherit' })
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

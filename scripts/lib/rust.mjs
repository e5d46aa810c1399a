/** Builds the Rust module with wasm-pack (packaging.md section 4) and keeps its record wasm/pkg/BUILD.json. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { hashFile, listFiles } from './hash.mjs'
import { fail, root, say } from './say.mjs'

export const wasmFolder = join(root, 'wasm')
export const packageFolder = join(wasmFolder, 'pkg')
export const recordFile = join(packageFolder, 'BUILD.json')
/** Files of wasm/pkg that the build writes, by the name that wasm-pack gives them. */
const OUTPUTS = { 'millrace_core_bg.wasm': 'millrace_core.wasm', 'millrace_core_bg.wasm.d.ts': 'millrace_core.d.ts' }
const INSTALL = 'Install Rust for WebAssembly with `scripts/setup-dev`.'

/** Debian's toolchain before any other, cargo's tools, and wasm-opt of the package binaryen. */
export function buildEnvironment() {
  const path = [
    join(root, 'node_modules/.bin'), '/usr/bin', join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin'), process.env.PATH,
  ].join(delimiter)
  const env = { ...process.env, PATH: path, RUSTC_BOOTSTRAP: '1' }
  // An override from outside would replace the flags of wasm/.cargo/config.toml.
  for (const name of [
    'RUSTFLAGS', 'CARGO_ENCODED_RUSTFLAGS', 'CARGO_BUILD_RUSTFLAGS', 'CARGO_BUILD_TARGET', 'CARGO_TARGET_DIR', 'RUSTC_WRAPPER',
  ]) delete env[name]
  return env
}

const TOOLS = {
  rustc: ['/usr/bin/rustc', ['--version']], cargo: ['/usr/bin/cargo', ['--version']], linker: ['wasm-ld-19', ['--version']],
  'wasm-pack': ['wasm-pack', ['--version']], 'wasm-bindgen': ['wasm-bindgen', ['--version']],
  'wasm-opt': [process.execPath, [join(root, 'node_modules/binaryen/bin/wasm-opt'), '--version']],
}

/** Version line of each build tool; `absent` where it is not installed. */
export function toolVersions() {
  const env = buildEnvironment()
  return Object.fromEntries(Object.entries(TOOLS).map(([name, [command, args]]) => {
    const result = spawnSync(command, args, { env, encoding: 'utf8' })
    const line = (result.stdout ?? '').split('\n')[0].trim()
    return [name, result.status === 0 && line !== '' ? line : 'absent']
  }))
}

/** SHA-256 of everything that the Rust binary is made from, by path below wasm/. */
export function sourceHashes() {
  const files = listFiles(wasmFolder, (path) =>
    path === 'Cargo.toml' || path === 'Cargo.lock' || path === '.cargo/config.toml' || /^crates\/.*\.(rs|toml)$/.test(path))
  return Object.fromEntries(files.map((path) => [path, hashFile(join(wasmFolder, path))]))
}

export function outputHashes(folder = packageFolder) {
  return Object.fromEntries(Object.values(OUTPUTS).map((name) =>
    [name, existsSync(join(folder, name)) ? hashFile(join(folder, name)) : 'absent']))
}

export function readRecord() {
  return existsSync(recordFile) ? JSON.parse(readFileSync(recordFile, 'utf8')) : undefined
}

/**
 * Compiles to target/pkg and returns that folder; `target` moves cargo's own target folder (a clean rebuild). Fails
 * with the install line when a tool is absent.
 */
export function compileRust({ debug = false, target, quiet = false } = {}) {
  const absent = Object.entries(toolVersions()).filter(([, version]) => version === 'absent').map(([name]) => name)
  if (absent.length > 0) {
    fail(
      'rust',
      `Tools: expected rustc, cargo, wasm-ld-19, wasm-pack, wasm-bindgen and wasm-opt, ${absent.join(', ')} not found. ${INSTALL}`,
    )
  }
  const out = debug ? 'pkg-debug' : 'pkg'
  const folder = join(target ?? join(wasmFolder, 'target'), out)
  const env = buildEnvironment()
  if (target !== undefined) env.CARGO_TARGET_DIR = target
  if (debug) env.CARGO_ENCODED_RUSTFLAGS = debugFlags().join('\x1f')
  const from = performance.now()
  const result = spawnSync('wasm-pack', [
    'build', 'crates/cdylib', '--mode', 'force', ...(debug ? ['--dev'] : []), '--target', 'web', '--no-pack',
    '--out-dir', target === undefined ? `../../target/${out}` : folder, '--out-name', 'millrace_core', '--', '-Zbuild-std=std,panic_abort',
  ], { cwd: wasmFolder, env, stdio: quiet ? 'pipe' : 'inherit', encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0) {
    if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    fail('rust', 'wasm-pack did not finish; the lines above name the place.')
  }
  say('rust', `compiled in ${((performance.now() - from) / 1000).toFixed(1)} s`)
  return folder
}

/** A debug build keeps panic code and places: the release flags without those that remove them. */
function debugFlags() {
  const text = readFileSync(join(wasmFolder, '.cargo/config.toml'), 'utf8')
  const list = /rustflags\s*=\s*\[([^\]]*)\]/.exec(text)
  if (list === null) fail('rust', 'wasm/.cargo/config.toml: expected a rustflags list. Restore it from git.')
  return [...list[1].matchAll(/"([^"]*)"/g)].map((match) => match[1]).filter((flag) => !/^-C(panic=)|^-Zlocation-detail/.test(flag))
}

/** Builds, copies the outputs to wasm/pkg and writes the record. */
export function buildRust() {
  const before = sourceHashes()
  const folder = compileRust()
  mkdirSync(packageFolder, { recursive: true })
  for (const [from, to] of Object.entries(OUTPUTS)) copyFileSync(join(folder, from), join(packageFolder, to))
  const sources = sourceHashes()
  for (const [path, hash] of Object.entries(before)) {
    if (path !== 'Cargo.lock' && sources[path] !== hash) fail('rust', `Source wasm/${path} changed during the build. Run it again.`)
  }
  const record = { outputs: outputHashes(), sources, tools: toolVersions() }
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`)
  say('rust', `wasm/pkg/millrace_core.wasm, ${readFileSync(join(packageFolder, 'millrace_core.wasm')).length} bytes`)
}

/** Copies wasm-pack's outputs in `folder` under their names in wasm/pkg, for a comparison. */
export function renamedOutputs(folder) {
  return Object.fromEntries(Object.entries(OUTPUTS).map(([from, to]) => [to, hashFile(join(folder, from))]))
}

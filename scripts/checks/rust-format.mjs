/**
 * Rust code is formatted as `cargo fmt` with wasm/rustfmt.toml leaves it. Where there is no cargo fmt the check
 * says so and passes: a clone needs no Rust.
 */
import { spawnSync } from 'node:child_process'
import { buildEnvironment, wasmFolder } from '../lib/rust.mjs'
import { say } from '../lib/say.mjs'

export const name = 'rust format'

/** Files that are not formatted. */
export function check() {
  const fmt = (...args) => spawnSync('cargo', ['fmt', ...args], { cwd: wasmFolder, encoding: 'utf8', env: buildEnvironment() })
  if (fmt('--version').status !== 0) {
    say('lint', 'SKIP rust format: no cargo fmt found. Install rustfmt to check it.')
    return []
  }
  const { status, stdout, stderr } = fmt('--check', '--', '-l')
  if (status === 0) return []
  const files = [...new Set(stdout.split('\n').filter((line) => line.endsWith('.rs')))]
  return files.length === 0
    ? [`wasm: cargo fmt failed: ${stderr.trim()}`]
    : files.map((file) => `${file}: expected the format of cargo fmt, got another. Run \`cargo fmt\` in wasm.`)
}

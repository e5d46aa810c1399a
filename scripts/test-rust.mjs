/**
 * Native tests of the Rust crates (PK-33): pure logic only; parity with TypeScript is tested from
 * JavaScript. Loud skip without cargo, failure in CI.
 */
import { spawnSync } from 'node:child_process'
import { buildEnvironment, wasmFolder } from './lib/rust.mjs'
import { fail } from './lib/say.mjs'

const env = buildEnvironment()
if (spawnSync('cargo', ['--version'], { env }).status !== 0) {
  if (process.env.CI) fail('rust tests', 'cargo: expected one, got none. Run scripts/setup-dev.')
  console.warn('SKIP rust tests: cargo is not installed. Run scripts/setup-dev.')
} else {
  const result = spawnSync('cargo', ['test', '--quiet', '--locked', '-p', 'millrace-abi', '-p', 'millrace-engine', '-p', 'millrace-dsp'], {
    cwd: wasmFolder, env, stdio: 'inherit',
  })
  if (result.status !== 0) fail('rust tests', 'cargo test names the test above.')
}

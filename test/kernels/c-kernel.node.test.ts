import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { build } from 'esbuild'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { conformance } from '../../src/testing/index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-c-test-')), module = join(folder, 'quiet.wasm')
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const said =
  execFileSync(process.execPath, [resolve('examples/kernel-c/build.mjs'), module], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const built = existsSync(module)
if (!built) console.warn(`SKIP test of the C kernel: clang or wasm-ld is not installed ${said}`)

test.skipIf(!built)('a kernel in C passes the conformance suite in every tier (KE-24)', async () => {
  const out = join(folder, 'quiet.mjs'), shim = resolve('test/kernels/fixtures/millrace-shim.ts')
  await build({
    entryPoints: [resolve('examples/kernel-c/quiet.mjs')], bundle: true, format: 'esm', outfile: out, alias: { millrace: shim },
    logLevel: 'silent',
  })
  const { quiet } = await import(/* @vite-ignore */ out) as { quiet: { definition: NodeDefinition } }
  const findings = await conformance(quiet, { kernels: { quiet: readFileSync(module) }, setups: [{}, { params: { amount: 0.3 } }] })
  expect(findings.filter((finding) => !finding.ok)).toEqual([])
  expect(new Set(findings.map(({ tier }) => tier)).size).toBeGreaterThan(1)
})

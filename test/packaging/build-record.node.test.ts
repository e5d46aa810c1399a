/** The record of the Rust build and what it catches (PK-38, PK-39). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { recordProblems, schemaProblems, type BuildRecord } from '../../scripts/lib/build-record.mjs'
import { outputHashes, sourceHashes } from '../../scripts/lib/rust.mjs'
import { sha256 } from '../../scripts/lib/hash.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const record = JSON.parse(readFileSync(join(root, 'wasm/pkg/BUILD.json'), 'utf8')) as BuildRecord

describe('wasm/pkg/BUILD.json', () => {
  test('has the form that the build writes', () => {
    expect(schemaProblems(record)).toEqual([])
  })

  test('fits the sources and the committed binary', () => {
    expect(recordProblems(record)).toEqual([])
  })

  test('an edited Rust byte is found without Rust', () => {
    const path = 'crates/cdylib/src/lib.rs'
    const edited = { ...sourceHashes(), [path]: sha256(Buffer.concat([readFileSync(join(root, 'wasm', path)), Buffer.from(' ')])) }
    expect(recordProblems(record, edited)).toContain(`source wasm/${path}: differs from the record.`)
  })

  test('an edited wasm byte is found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-record-'))
    try {
      const bytes = readFileSync(join(root, 'wasm/pkg/millrace_core.wasm'))
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(join(folder, 'millrace_core.wasm'), bytes)
      writeFileSync(join(folder, 'millrace_core.d.ts'), readFileSync(join(root, 'wasm/pkg/millrace_core.d.ts')))
      expect(recordProblems(record, sourceHashes(), outputHashes(folder)))
        .toContain('output wasm/pkg/millrace_core.wasm: differs from the record.')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('a new or lost source is found', () => {
    const { 'Cargo.lock': lock, ...rest } = sourceHashes()
    expect(lock).toBeDefined()
    expect(recordProblems(record, rest)).toContain('source wasm/Cargo.lock: is recorded and missing.')
    expect(recordProblems(record, { ...sourceHashes(), 'crates/dsp/src/new.rs': '0'.repeat(64) }))
      .toContain('source wasm/crates/dsp/src/new.rs: is not in the record.')
  })

  test.each([
    [{ ...record, tools: { ...record.tools, rustc: 'absent' } }, /tools rustc/],
    [{ ...record, outputs: {} }, /outputs: expected entries/],
    [{ ...record, outputs: { 'millrace_core.wasm': 'abc' } }, /expected a SHA-256/],
    [{ ...record, by: 'hand' }, /unknown field by/],
  ])('a record of another form is refused %#', (wrong, message) => {
    expect(schemaProblems(wrong).join('\n')).toMatch(message)
  })

  test('git does not ignore the committed files', () => {
    const paths = ['wasm/pkg/millrace_core.wasm', 'wasm/pkg/BUILD.json', 'wasm/pkg/millrace_core.d.ts']
    // Exit code 1: none of them is ignored.
    expect(spawnSync('git', ['check-ignore', '--no-index', ...paths], { cwd: root, encoding: 'utf8' }))
      .toMatchObject({ status: 1, stdout: '' })
  })
})

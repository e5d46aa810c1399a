/**
 * The binaries as they are: imports, instructions and names that must or must not be in them (PK-23,
 * PK-26, PK-27, PK-29, PK-32, PK-34, PK-35).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { listFiles } from '../../scripts/lib/hash.mjs'
import { BUDGET } from '../../scripts/lib/sizes.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const core = join(root, 'wasm/pkg/millrace_core.wasm')
const assembly = listFiles(join(root, 'assembly/build'), (path) => path.endsWith('.wasm')).map((path) => join(root, 'assembly/build', path))

/** Text form of a module, by binaryen. */
function text(path: string): string {
  return execFileSync(process.execPath, [join(root, 'node_modules/binaryen/bin/wasm-dis'), '--all-features', path], {
    encoding: 'utf8', maxBuffer: 1 << 28,
  })
}

test('every AssemblyScript module of assembly/kernels is built', () => {
  const sources = listFiles(join(root, 'assembly/kernels'), (path) => path.endsWith('.ts') && !path.includes('/'))
  expect(assembly.map((path) => basename(path, '.wasm'))).toEqual(sources.map((path) => basename(path, '.ts')))
  expect(assembly.length).toBeGreaterThan(0)
})

describe.each([core, ...assembly].map((path) => [basename(path), path] as const))('%s', (_, path) => {
  const module = new WebAssembly.Module(readFileSync(path))
  const wat = text(path)

  test('imports one shared memory of at most 65 536 pages, and only the core a table', () => {
    const imports = WebAssembly.Module.imports(module)
    expect(imports.filter(({ kind }) => kind === 'memory')).toHaveLength(1)
    expect(imports.filter(({ kind }) => kind !== 'memory'))
      .toEqual(path === core ? [{ module: 'env', name: '__indirect_function_table', kind: 'table' }] : [])
    expect(wat).toMatch(/\(memory \$\S+ \d+ 65536 shared\)/)
  })

  test('never grows the memory', () => {
    expect(wat).not.toMatch(/memory\.grow/)
  })

  test('answers for contract and layout', () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['millrace_abi', 'millrace_layout']))
  })

  test('holds no source path, no relaxed SIMD, no 64-bit memory', () => {
    const bytes = readFileSync(path).toString('latin1')
    expect(bytes).not.toMatch(/\.rs\b|\/crates\/|cargo\/registry/)
    expect(wat).not.toMatch(/relaxed/)
    expect(wat).not.toMatch(/\(memory \$\S+ i64/)
  })
})

describe.each(assembly.map((path) => [basename(path), path, assembly.indexOf(path)] as const))('%s has no heap', (_, path, slot) => {
  const wat = text(path)

  test('exports no allocator and calls none', () => {
    expect(wat).not.toMatch(/__new|__alloc|__pin|__collect/)
  })

  test('keeps its constants in its own slot of 64 KiB', () => {
    const first = 0x10000 * (slot + 1)
    for (const [, offset] of wat.matchAll(/\(data \$\S+ \(i32\.const (\d+)\)/g)) {
      expect(Number(offset)).toBeGreaterThanOrEqual(first)
      expect(Number(offset)).toBeLessThan(first + 0x10000)
    }
  })
})

describe('sizes', () => {
  test('of the core', () => {
    expect(readFileSync(core).length).toBeLessThanOrEqual(BUDGET.coreRaw)
  })

  test('of all AssemblyScript modules together', () => {
    expect(assembly.reduce((sum, path) => sum + readFileSync(path).length, 0)).toBeLessThanOrEqual(BUDGET.assemblyRaw)
  })
})

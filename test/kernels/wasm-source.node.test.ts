import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'

const core = resolve('wasm/pkg/millrace_core.wasm')

test.each([
  ['a path', core], ['a file URL', pathToFileURL(core)], ['a file URL as text', pathToFileURL(core).href],
])('in Node the core may be %s', async (_, source) => {
  const compiled = await compileModules({ shared: true, wasm: { core: source } })
  expect(compiled.modules.map((one) => one.name)).toEqual(['core', 'convert', 'level', 'detect'])
})
test('a missing file names itself', async () => {
  await expect(compileModules({ shared: true, wasm: resolve('no-such.wasm') })).rejects
    .toMatchObject({ code: 'KERNEL_ABI', details: { module: 'core', expected: 'a readable file' } })
})

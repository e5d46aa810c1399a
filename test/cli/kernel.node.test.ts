import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kernelTemplate, TEMPLATE_NAMES } from '../../src/cli/templates/kernel.js'
import { createEngine } from '../../src/index.js'
import { call as cli } from './support.js'
import { build as bundle } from 'esbuild'

let base: string
beforeAll(() => { base = mkdtempSync(join(tmpdir(), 'millrace-new-')) })
afterAll(() => { rmSync(base, { recursive: true, force: true }) })

/** Compiles the kernel of a written project as its build script does. */
async function build(folder: string, name: string): Promise<void> {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(resolve('.'), join(folder, 'node_modules/millrace'))
  const asc = await import('assemblyscript/asc')
  const { error, stderr } = await asc.main([
    `kernel/${name}.ts`, '--config', 'asconfig.json', '--target', 'release', '--outFile', `${name}.wasm`, '--baseDir', folder,
  ])
  if (error) throw new Error(`${error.message}\n${String(stderr)}`)
}

/** The written node file with this checkout's `defineNode` in it: the packed package is tried in the tarball matrix. */
async function bundledNode(folder: string, name: string): Promise<string> {
  const out = join(folder, 'node.mjs')
  await bundle({
    entryPoints: [join(folder, `${name}.mjs`)], bundle: true, format: 'esm', outfile: out,
    alias: { millrace: resolve('test/kernels/fixtures/millrace-shim.ts') },
    logLevel: 'silent',
  })
  return out
}

describe('millrace new kernel (KE-23)', () => {
  test('writes a kernel that builds, passes the suite in every tier, and runs in a graph', async () => {
    const folder = join(base, 'wobble-two'), written = await cli(['new', 'kernel', 'wobble-two', '--folder', folder])
    expect([written.code, written.err]).toEqual([0, ''])
    for (const file of ['package.json', 'asconfig.json', 'kernel/wobble-two.ts', 'wobble-two.mjs', 'wobble-two.test.mjs', 'use.mjs']) {
      expect(existsSync(join(folder, file))).toBe(true)
    }
    await build(folder, 'wobble-two')
    const node = await bundledNode(folder, 'wobble-two')
    const tested = await cli(['test-kernel', join(folder, 'wobble-two.wasm'), '--node', node, '--chunkings', '50', '--json'])
    const report = JSON.parse(tested.out) as { nodes: { type: string; ok: boolean; findings: { ok: boolean; tier: string }[] }[] }
    expect(report.nodes.flatMap(({ findings }) => findings.filter((finding) => !finding.ok))).toEqual([])
    expect([tested.code, report.nodes.map(({ type }) => type)]).toEqual([0, ['mine::wobble-two']])
    expect(new Set(report.nodes[0]!.findings.map(({ tier }) => tier)).size).toBeGreaterThan(1)
    const { wobbleTwo } = await import(/* @vite-ignore */ node) as { wobbleTwo: (input: unknown) => never }
    const { audioBuffer } = await import('../../src/nodes/index.js')
    await using engine = await createEngine({ kernels: { 'wobble-two': readFileSync(join(folder, 'wobble-two.wasm')) } })
    const { outputs, metrics } = await engine.run({ out: wobbleTwo(audioBuffer([Float32Array.of(1, 1, 0, 0)])) })
    expect([...(outputs as { out: { data: { channel(c: number): Float32Array } } }).out.data.channel(0)])
      .toEqual([1, 1 - 0.97, -0.97, 0].map(Math.fround))
    expect(metrics.nodes.find(({ type }) => type === 'mine::wobble-two')!.tier).toBe('wasm-threads')
  })

  test('a kernel that is not its reference fails the suite, and the command says where', async () => {
    const folder = join(base, 'wrong')
    await cli(['new', 'kernel', 'wrong', '--folder', folder])
    const source = join(folder, 'kernel/wrong.ts')
    writeFileSync(source, readFileSync(source, 'utf8').replace('now - amount * last', 'now + amount * last'))
    await build(folder, 'wrong')
    const node = await bundledNode(folder, 'wrong')
    const { code, out } = await cli(['test-kernel', join(folder, 'wrong.wasm'), '--node', node, '--chunkings', '5'])
    expect(code).toBe(1)
    expect(out).toMatch(/mine::wrong: FAILS/)
    expect(out).toMatch(/parity +FAILED/)
  })

  test.each([
    [['new'], 'expected kernel NAME, got nothing.'], [['new', 'kernel'], 'expected kernel NAME, got kernel.'],
    [['new', 'node', 'x'], 'expected kernel NAME'],
    [['new', 'kernel', 'Bad Name'], 'lower-case words'], [['test-kernel'], 'expected one MODULE.wasm, got nothing.'], 
    [['test-kernel', 'package.json'], 'Name'], [['test-kernel', 'package.json', '--chunkings', '0'], '--chunkings'],
  ])('%j is refused with exit code 2', async (words, text) => {
    const { code, err } = await cli(words)
    expect(code).toBe(2)
    expect(err.toLowerCase()).toContain(text.toLowerCase())
  })

  test.each([
    ['absent.wasm'], ['package.json', '--node', 'absent.mjs'],
  ])('test-kernel %j: a file that is not there fails with its code, and exit code 1', async (...words) => {
    expect(await cli(['test-kernel', ...words])).toEqual({
      code: 1, out: '',
      err: `NOT_FOUND: File ${words.at(-1)!}: it does not exist (ENOENT).\n  Check the path: a relative one starts at the working directory.\n`,
    })
  })

  test.each([
    ['switch', 'is a word of JavaScript'], ['class', 'is a word of JavaScript'],
    ['test', 'is a name that the written files use for something else'], ['audio', 'is a name that'],
    ['define-node', 'is a name that'], ['use', 'is a name that'], ['level', 'is a module of the engine'],
    ['core', 'is a module of the engine'],
  ])('the name %s is refused: %s', async (name, why) => {
    const folder = join(base, `refused-${name}`), { code, err } = await cli(['new', 'kernel', name, '--folder', folder])
    expect([code, existsSync(folder)]).toEqual([2, false])
    expect(err).toContain(`kernel name: ${name} ${why}`)
    expect(err).toContain(`Choose another, like my-${name}.`)
    expect((await cli(['new', 'kernel', `my-${name}`, '--folder', folder])).code).toBe(0)
  })

  test('every name that the written files bind is refused as the name of a kernel', () => {
    const files = Object.entries(kernelTemplate('wobble', { millrace: '1', assemblyscript: '1' })).filter(([path]) => path.endsWith('.mjs'))
    const bound = files.flatMap(([, text]) => [
      ...[...text.matchAll(/^import \{ ([^}]*) \}|^const \{ ([^}]*) \}/gm)].flatMap(([, a, b]) => (a ?? b)!.split(', ')),
      ...[...text.matchAll(/^ *const (\w+) =|^import (\w+) from/gm)].map(([, a, b]) => (a ?? b)!),
    ]).filter((name) => /^[a-z]\w*$/.test(name) && name !== 'wobble')
    expect(bound.length).toBeGreaterThan(10)
    expect(bound.filter((name) => !TEMPLATE_NAMES.has(name))).toEqual([])
    expect(files.map(([path]) => path.replace('.mjs', ''))
      .filter((name) => /^\w+$/.test(name) && name !== 'wobble' && !TEMPLATE_NAMES.has(name))).toEqual([])
  })

  test('where the data of further modules goes', async () => {
    const { out } = await cli(['new', 'kernel', 'slotted', '--folder', join(base, 'slotted')])
    expect(out).toContain('memoryBase for each (asconfig.json): 0x90000 + n·0x10000, n = 0…6.')
  })

  test('a file in the place of the folder is told with a code', async () => {
    const file = join(base, 'file')
    writeFileSync(file, '')
    for (const folder of [file, join(file, 'deeper')]) {
      const { code, out } = await cli(['new', 'kernel', 'placed', '--folder', folder, '--json'])
      expect([code, JSON.parse(out)]).toEqual([
        1,
        {
          error: expect.objectContaining({
            code: 'NOT_FOUND',
            message: expect.stringContaining('a file stands where a folder should (ENOTDIR)') as string,
          }) as object,
        },
      ])
    }
  })

  test('nothing is written over', async () => {
    const folder = join(base, 'taken')
    mkdirSync(folder)
    writeFileSync(join(folder, 'mine.txt'), 'mine')
    const { code, err } = await cli(['new', 'kernel', 'taken', '--folder', folder])
    expect([code, existsSync(join(folder, 'package.json'))]).toEqual([2, false])
    expect(err).toContain('expected none, or an empty one')
  })
})

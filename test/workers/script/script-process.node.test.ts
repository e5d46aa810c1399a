/** Script threads and the life of a Node process (MW-52, MW-68). */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inlineEsbuild } from '../../../scripts/inline.mjs'

const root = resolve(import.meta.dirname, '../../..')
let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'millrace-scripts-')) })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

/** Runs a script in a process of its own; settles with what it printed and how it ended. */
async function runScript(name: string, body: string): Promise<{ code: number | null; out: string }> {
  const file = join(folder, `${name}.mjs`)
  const result = await build({
    stdin: { contents: `import { createEngine } from './src/index.ts'\nimport { scripted } from './test/workers/script/script-nodes.ts'\n${body}`, resolveDir: root, loader: 'ts' },
    bundle: true, write: false, format: 'esm', platform: 'node', target: 'es2022', mainFields: ['module', 'main'], plugins: [inlineEsbuild()], define: { MILLRACE_VERSION: '"test"' }, logLevel: 'silent',
  })
  writeFileSync(file, result.outputFiles[0]!.text)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (data: Buffer) => { out += data.toString() })
  child.stderr.on('data', (data: Buffer) => { out += data.toString() })
  const code = await new Promise<number | null>((done) => {
    const late = setTimeout(() => { child.kill('SIGKILL') }, 20_000)
    child.on('close', (ended) => { clearTimeout(late); done(ended) })
  })
  return { code, out: out.trim() }
}

const NODE = `const node = scripted(async (_i, _p, ctx) => { await ctx.clock.sleep(300); return { out: { media: { kind: 'json' }, data: 'slept', position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } } })`

test.each(['auto', false])('shared %s: a process ends neither before its node has, nor waits for an engine left open', async (shared) => {
  expect(await runScript(`life-${shared}`, `
    const engine = await createEngine({ workers: 1, shared: ${JSON.stringify(shared)} })
    ${NODE}
    void engine.run({ out: node() }).then(({ outputs }) => { console.log(outputs.out.data) })
    console.log('started')
  `)).toEqual({ code: 0, out: 'started\nslept' })
})

test('process.exit inside a node ends its thread, not the process; the node is delivered again', async () => {
  expect(await runScript('exit', `
    const engine = await createEngine({ workers: 1, logger: () => undefined })
    const node = scripted(async (_i, _p, ctx) => {
      if (ctx.delivery === 1) globalThis.process.exit(3)
      return { out: { media: { kind: 'json' }, data: ctx.delivery, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    })
    console.log((await engine.run({ out: node() })).outputs.out.data)
  `)).toEqual({ code: 0, out: '2' })
})

test('codeURL as a path or a file URL; its own imports work', async () => {
  writeFileSync(join(folder, 'helper.mjs'), 'export const twice = (x) => x * 2')
  const file = join(folder, 'code.mjs')
  writeFileSync(file, "import { twice } from './helper.mjs'\nexport const process = async (i, params, ctx) => ({ out: { media: { kind: 'json' }, data: twice(21), position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })")
  expect(await runScript('url', `
    await using engine = await createEngine({ workers: 1 })
    for (const codeURL of [${JSON.stringify(file)}, ${JSON.stringify(pathToFileURL(file).href)}, new URL(${JSON.stringify(pathToFileURL(file).href)})]) {
      console.log((await engine.run({ out: scripted(undefined, { codeURL })() })).outputs.out.data)
    }
  `)).toEqual({ code: 0, out: '42\n42\n42' })
})

/** Script threads and the life of a Node process (MW-52, MW-68). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript as run } from '../run-script.js'

let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'millrace-scripts-')) })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

/** Runs a script in a process of its own; settles with what it printed and how it ended. */
const runScript = (name: string, body: string): ReturnType<typeof run> => run(join(folder, `${name}.mjs`),
  `import { createEngine } from './src/index.ts'\nimport { scripted } from './test/workers/script/script-nodes.ts'\n${body}`)

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

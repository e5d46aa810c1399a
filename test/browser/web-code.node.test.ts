/**
 * Code at a web address in a page (GR-31): a replaced type brings the new code and another hash whatever caches hold, its own imports work,
 * and a thread runs nothing but what was hashed.
 */
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { inlineEsbuild } from '../../scripts/inline.mjs'
import { hasChromium, openChromium, openPage, within } from '../support/chromium.js'

/** As text: the test's compiler would put its own names into functions. */
const PAGE = `(async () => {
  const m = await import('/lib.js'), engine = await m.createEngine({ workers: 1, arenaBytes: 2 ** 24 })
  let node
  window.run = async (fresh) => {
    if (fresh) node = m.defineNode({ version: '1.0.0', title: 'Own', doc: 'Own.', family: 'test', type: 'test::own', thread: 'worker', params: {}, inputs: {}, outputs: { out: { media: m.json() } }, codeURL: '/own.js' })
    return engine.run({ out: node() }).then(({ outputs, metrics }) => [outputs.out.data, metrics.graphHash], ({ code, message }) => [code, message])
  }
})()`

test.skipIf(!hasChromium)('a replaced type, a file that changes under its name, and one that changes while it is loaded', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "export { createEngine, defineNode, json } from './src/index.ts'",
      resolveDir: resolve(import.meta.dirname, '../..'), loader: 'ts',
    },
    bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2022',
    mainFields: ['module', 'main'], plugins: [inlineEsbuild()], define: { MILLRACE_VERSION: '"test"' }, logLevel: 'silent',
  })
  let value = 1, changes = false
  const files: Readonly<Record<string, () => string>> = {
    '/lib.js': () => outputFiles[0]!.text, '/helper.js': () => 'export const twice = (x) => 2 * x',
    '/own.js': () => {
      const text = `import { twice } from './helper.js'\nexport const process = async () => ({ out: { media: { kind: 'json' }, data: twice(${value}), position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })`
      if (changes) { changes = false; value++ }
      return text
    },
  }
  const server = createServer(({ url = '/' }, response) => {
    const file = files[url]
    response.writeHead(200, { 'Content-Type': file ? 'text/javascript' : 'text/html', 'Cache-Control': 'max-age=600' })
      .end(file?.() ?? '<!doctype html>')
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const browser = await openChromium({ dist: false })
  try {
    const { page, complaints } = await openPage(browser, `http://127.0.0.1:${(server.address() as { port: number }).port}/`)
    await within('the page', page.evaluate(PAGE))
    const run = (fresh = false): Promise<readonly [unknown, string]> =>
      within('a run', page.evaluate(`run(${fresh})`)) as Promise<readonly [unknown, string]>
    const first = await run(true)
    expect([first[0], await run()]).toEqual([2, first])
    value = 5
    expect(await run()).toEqual(first)
    const second = await run(true)
    expect([second[0], await run()]).toEqual([10, second])
    expect(second[1]).not.toBe(first[1])
    changes = true
    expect(await run(true)).toEqual(['NETWORK', expect.stringContaining('it has changed since it was hashed')])
    expect((await run())[0]).toBe(12)
    expect(complaints).toEqual([])
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}, 60_000)

/**
 * `npm run bench -- <filter> [--browser]`: bundles bench/**\/*.bench.ts with esbuild, runs the benches whose name or file has the filter in
 * it, in Node or in a cross-origin isolated page of Chromium, prints them and writes bench/results/<name>.json (PK-65).
 */
import { createServer } from 'node:http'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const { build } = await import('esbuild')
const { inlineEsbuild } = await import('./inline.mjs')
const { listFiles } = await import('./lib/hash.mjs')

const browser = process.argv.includes('--browser')
const filter = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? ''
const host = browser ? 'browser' : 'node'
const files = listFiles(join(root, 'bench'), (path) => path.endsWith('.bench.ts'))
const folder = join(root, '.cache', `bench-${process.pid}`)
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.versions.node,
  v8: process.versions.v8,
}

process.chdir(root)
mkdirSync(folder, { recursive: true })
try {
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}${browser ? ', Chromium' : ''}`)
  const results = browser ? await inChromium() : await inNode()
  if (results.length === 0) {
    fail('bench', `Filter ${filter}: expected a part of a bench name, got no match for ${host}. Files: ${files.join(', ')}.`)
  }
  for (const result of results) {
    const path = join(root, 'bench/results', `${result.name.replaceAll('/', '-')}${browser ? '.browser' : ''}.json`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify({ ...result, machine, ...(browser && { browser: result.browser }) }, null, 2)}\n`)
  }
  say('bench', `${results.length} benches, results in bench/results`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

/** The machine's load over the last minute, before a bench and after it: the first word on what its figures are worth. */
async function withLoad(measure) {
  const load = () => Math.round(loadavg()[0] * 10) / 10, before = load(), result = await measure(), both = [before, load()]
  console.log(`  load ${both.join(' to ')}`)
  return { ...result, load: both }
}

async function bundle(file, options) {
  const result = await build({
    stdin: {
      contents: `export * from ${JSON.stringify(`./bench/${file}`)}\nexport { runBench } from './bench/support/bench.ts'`,
      resolveDir: root, loader: 'ts',
    },
    bundle: true, write: false, format: 'esm', target: 'es2022', sourcemap: 'inline', mainFields: ['module', 'main'], logLevel: 'error',
    plugins: [inlineEsbuild()],
    define: { MILLRACE_VERSION: '"bench"' }, ...options,
  })
  return result.outputFiles[0].text
}

function chosen(module, file) {
  return Object.values(module).filter((value) =>
    value?.kind === 'bench' && value.hosts.includes(host) && (value.name.includes(filter) || file.includes(filter)))
}

async function inNode() {
  const results = []
  for (const file of files) {
    const path = join(folder, `${file.replaceAll('/', '-')}.mjs`)
    writeFileSync(path, await bundle(file, { platform: 'node', packages: 'external' }))
    const module = await import(pathToFileURL(path).href)
    for (const bench of chosen(module, file)) results.push(await withLoad(() => module.runBench(bench, console.log)))
  }
  return results
}

async function inChromium() {
  const { chromium } = await import('playwright')
  const { ISOLATION_HEADERS, chromiumArgs, chromiumPath } = await import('./lib/chromium.mjs')
  const executablePath = await chromiumPath()
  if (executablePath === undefined) fail('bench', 'Chromium: expected one, got none. Install it or set MILLRACE_CHROMIUM.')
  let script = ''
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(ISOLATION_HEADERS)) response.setHeader(name, value)
    response.setHeader('Content-Type', request.url === '/bench.js' ? 'text/javascript' : 'text/html')
    response.end(request.url === '/bench.js' ? script : '<!doctype html><title>bench</title>')
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const page = await (await chromium.launch({ executablePath, args: chromiumArgs() })).newPage()
  const results = []
  for (const file of files) {
    const text = await bundle(file, { platform: 'browser' }).catch((error) => {
      say('bench', `SKIP ${file} in a page: ${error.errors?.[0]?.text ?? error.message}`)
      return undefined
    })
    if (text === undefined) continue
    script = text
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page.exposeFunction('print', console.log).catch(() => undefined)
    const names = await page.evaluate(async ([filter, file]) => {
      const module = await import('/bench.js')
      return Object.keys(module).filter((name) => module[name]?.kind === 'bench' && module[name].hosts.includes('browser')
        && (module[name].name.includes(filter) || file.includes(filter)))
    }, [filter, file])
    for (const name of names) {
      results.push(await withLoad(() => page.evaluate(async (name) => {
        const module = await import('/bench.js')
        return { ...await module.runBench(module[name], globalThis.print), browser: navigator.userAgent }
      }, name)))
    }
  }
  await page.context().browser()?.close()
  server.close()
  return results
}

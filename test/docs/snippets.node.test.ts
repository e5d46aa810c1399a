/**
 * The TypeScript of README.md and docs: every block is type-checked against the sources, in the order of its page, and those that can run
 * are run (PK-70). A comment above a block says what it needs: `<!-- snippet: fragment -->` is left alone (it has gaps),
 * `<!-- snippet: check -->` is checked and not run. Names that a block uses and an earlier block of its page declares are shared; `PRELUDE`
 * declares the rest. Blocks marked `js` are held to what Node 20 can parse.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { inlineEsbuild } from '../../scripts/inline.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const NODES = 'docs/nodes'
const pages = [
  'README.md',
  ...['docs', NODES].flatMap((under) => readdirSync(join(root, under)).filter((name) => name.endsWith('.md')).map((name) =>
    `${under}/${name}`)),
]

interface Block {
  readonly page: string
  readonly line: number
  readonly text: string
  readonly mode: 'run' | 'check' | 'fragment'
  readonly plain: boolean
}

/** The blocks marked `ts` or `js`, with the comment above them. */
function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n'), blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] !== '```ts' && lines[at] !== '```js') continue
    const end = lines.indexOf('```', at + 1)
    const mark = /<!-- snippet: (\w+) -->/.exec(lines.slice(Math.max(0, at - 2), at).join('\n'))?.[1] ?? 'run'
    if (mark !== 'run' && mark !== 'check' && mark !== 'fragment') {
      throw new Error(`${page}:${at}: snippet ${mark}: expected check or fragment.`)
    }
    blocks.push({ page, line: at + 1, text: lines.slice(at + 1, end).join('\n'), mode: mark, plain: lines[at] === '```js' })
    at = end
  }
  return blocks
}

/** What the pages speak of without making it. */
const PRELUDE: Readonly<Record<string, string>> = {
  text: "import { readFileSync } from 'node:fs'\nconst text = readFileSync('speech.json')",
}

/**
 * Blocks of a page that build on each other as one program: imports first, once each; a name that a later
 * block declares again starts a new program.
 */
function programsOf(
  blocks: readonly Block[],
): { readonly name: string; readonly text: string; readonly run: boolean; readonly node: boolean }[] {
  const programs: { imports: Set<string>; body: string[]; declared: Set<string>; run: boolean; first: Block }[] = []
  for (const block of blocks) {
    if (block.mode === 'fragment') continue
    const imports = block.text.split('\n').filter((line) => line.startsWith('import '))
    const body = block.text.split('\n').filter((line) => !line.startsWith('import ')).join('\n')
    const declared = [...body.matchAll(/^(?:export )?(?:await using|using|const|let) (?:\{([^}]*)\}|(\w+))/gm)].flatMap(([, list, one]) =>
      one ?? list!.split(',').map((name) => name.trim()))
    let program = programs.at(-1)
    if (program === undefined || declared.some((name) => program!.declared.has(name))) {
      programs.push(program = { imports: new Set(), body: [], declared: new Set(), run: true, first: block })
    }
    for (const line of imports) program.imports.add(line)
    for (const name of declared) program.declared.add(name)
    if (block.mode === 'check') program.run = false
    program.body.push(`// ${block.page}:${block.line}\n${body}`)
  }
  return programs.map(({ imports, body, declared, run, first }) => {
    const code = body.join('\n')
    const wanted = Object.entries(PRELUDE).filter(([name]) =>
      !declared.has(name) && new RegExp(`\\b${name}\\b`).test(code.replaceAll(/\/\/.*|'[^']*'/g, ''))).map(([, line]) => line)
    return {
      name: `${first.page.replaceAll(/[^a-z]/gi, '-')}-${first.line}.ts`,
      text: `${[...wanted, ...merged(imports)].join('\n')}\n${code}\nexport {}\n`,
      run, node: first.page.startsWith(NODES),
    }
  })
}

/** One import per module: blocks of one page import what they use. */
function merged(imports: ReadonlySet<string>): string[] {
  const names = new Map<string, Set<string>>(), others: string[] = []
  for (const line of imports) {
    const [, list, from] = /^import \{ (.*) \} from '(.*)'$/.exec(line) ?? []
    if (list === undefined) { others.push(line); continue }
    const set = names.get(from!) ?? new Set()
    for (const name of list.split(', ')) set.add(name)
    names.set(from!, set)
  }
  return [...others, ...[...names].map(([from, set]) => `import { ${[...set].join(', ')} } from '${from}'`)]
}

const blocks = pages.map(blocksOf), programs = blocks.flatMap(programsOf)
const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const paths = {
  millrace: [join(root, 'src/index.ts')], 'millrace/nodes': [join(root, 'src/nodes/index.ts')],
  'millrace/graph': [join(root, 'src/graph-tools.ts')], 'millrace/memory': [join(root, 'src/memory-tools.ts')],
  'millrace/testing': [join(root, 'src/testing/index.ts')],
}

test('the pages have programs, and most of their blocks are checked', () => {
  expect(programs.length).toBeGreaterThanOrEqual(4)
  const all = blocks.flat()
  expect(all.filter(({ mode }) => mode === 'fragment').length).toBeLessThan(all.length / 3)
})

test('every block of the pages compiles', () => {
  const files = programs.map(({ name, text }) => { const path = join(folder, name); writeFileSync(path, text); return path })
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) =>
    readFileSync(path, 'utf8')) as { config: { compilerOptions: object } }
  const { options } = ts.convertCompilerOptionsFromJson({
    ...config.compilerOptions, module: 'ESNext', moduleResolution: 'bundler', paths, typeRoots: [join(root, 'node_modules/@types')],
  }, root)
  const types = readdirSync(join(root, 'types')).map((name) => join(root, 'types', name))
  const program = ts.createProgram([...files, ...types], options)
  const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
  expect(found.map((d) => `${d.file?.fileName.slice(folder.length + 1)}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}\n${d.file?.text.slice(d.start, d.start! + 60)}`)).toEqual([])
}, 180_000)

test('blocks marked js are JavaScript that Node 20 parses, those with `using` are marked ts', () => {
  const plain = blocks.flat().filter((block) => block.plain)
  expect(plain.map(({ page }) => page)).toContain(`${NODES}/README.md`)
  for (const { page, line, text } of plain) {
    const path = join(folder, 'plain.mjs')
    writeFileSync(path, text)
    const { status, stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' })
    expect([`${page}:${line}`, /\busing\b/.test(text), status, stderr]).toEqual([`${page}:${line}`, false, 0, ''])
  }
})

test('the programs of the node pages run, in one process one after the other', async () => {
  const pagesOfNodes = programs.filter(({ node, run }) => node && run), entry = join(folder, 'node-pages.ts')
  expect(pagesOfNodes.length).toBe(readdirSync(join(root, NODES)).length)
  for (const { name, text } of pagesOfNodes) writeFileSync(join(folder, name), text)
  writeFileSync(entry, pagesOfNodes.map(({ name }) => `await import('./${name}')\n`).join(''))
  expect(await runBundled(entry)).toEqual([0, ''])
}, 90_000)

describe('programs that can run', () => {
  test.each(programs.filter(({ run, node }) => run && !node).map(({ name, text }) => [name, text] as const))('%s', async (name, text) => {
    const source = join(folder, name)
    writeFileSync(source, text)
    expect(await runBundled(source)).toEqual([0, ''])
  }, 90_000)
})

/** Bundles a program with the sources and runs it where the recordings lie; its exit code and complaints. */
async function runBundled(source: string): Promise<[number | null, string]> {
  const bundle = `${source}.mjs`
  await build({
    entryPoints: [source], outfile: bundle, bundle: true, format: 'esm', platform: 'neutral', target: 'es2022', external: ['node:*'],
    mainFields: ['module', 'main'], logLevel: 'error',
    alias: Object.fromEntries(Object.entries(paths).map(([from, [to]]) => [from, to!]).reverse()),
    define: { MILLRACE_VERSION: '"docs"' }, loader: { '.wasm': 'binary' }, plugins: [inlineEsbuild()],
    nodePaths: [join(root, 'node_modules')],
  })
  mkdirSync(join(folder, 'examples'), { recursive: true })
  for (const file of ['talk.wav', 'speech.json', 'examples/talk.wav']) {
    if (!existsSync(join(folder, file))) copyFileSync(join(root, 'examples', file.replace('examples/', '')), join(folder, file))
  }
  const { status, stderr } = spawnSync(process.execPath, [bundle], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
  return [status, stderr]
}

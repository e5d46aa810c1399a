/**
 * The build writes the numbers of the layout and contract tables where `TABLE.FIELD` stands in the sources: the tables, their field names
 * and the hash over them then fall out of what ships (4 KB less of the script-tag file, 2 of 10 KB of a worker's code, gzip), and minifiers
 * fold the arithmetic. Tests run the sources as they are.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { root } from './say.mjs'

/** Files whose exported tables of numbers are written out. */
const TABLES = ['src/memory/layout.ts', 'src/kernels/contract.ts', 'src/workers/codec/packet-table.ts']

let known

/** Per file of {@link TABLES}: its tables of numbers, and what its functions without parameters return. */
async function tables() {
  known ??= Promise.all(TABLES.map(async (path) => {
    const { outputFiles } = buildSync({
      entryPoints: [join(root, path)], bundle: true, write: false, format: 'esm', platform: 'neutral', logLevel: 'error',
    })
    const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
    const found = Object.entries(module).filter(([, value]) =>
      typeof value === 'object' && value !== null && Object.values(value).every((one) => Number.isInteger(one)))
    return { file: path.split('/').at(-1).replace(/\.ts$/, '.js'), path, tables: new Map(found), layoutHash: module.layoutHash?.() }
  }))
  return known
}

/** The text of the source at `path` with numbers in place of `TABLE.FIELD`. Lines stay where they are. */
export async function withConstants(path, text = readFileSync(path, 'utf8')) {
  let result = text
  for (const { file, path: own, tables: named, layoutHash } of await tables()) {
    const here = path.replaceAll('\\', '/').endsWith(own)
    const imported = new RegExp(`import \\{([^}]*)\\} from '[^']*/${file.replace('.', '\\.')}'`).exec(text)?.[1]
    const names = here ? [...named.keys()] : (imported ?? '').split(',').map((name) => name.trim()).filter((name) => named.has(name))
    if (here && layoutHash !== undefined) {
      result = result.replace(/(export function layoutHash\(\): number \{)([\s\S]*?)\n\}\n/, (_, head, body) =>
        `${head} return ${layoutHash} }${body.replace(/[^\n]/g, '')}\n\n`)
    }
    if (names.length === 0) continue
    result = result.replace(new RegExp(`(?<!typeof )(?<![\\w.$'"\`])(${names.join('|')})\\.([A-Za-z]\\w*)\\b(?!['"\`(])`, 'g'), (
      whole, table, field,
    ) => {
      const value = named.get(table)[field]
      return value === undefined ? whole : `(${value})`
    })
  }
  return result
}

/** {@link withConstants} as an esbuild plugin. */
export function constants() {
  return {
    name: 'millrace-constants',
    setup(b) {
      b.onLoad({ filter: /[\\/]src[\\/].*\.ts$/, namespace: 'file' }, async ({ path }) => ({
        contents: await withConstants(path), loader: 'ts',
      }))
    },
  }
}

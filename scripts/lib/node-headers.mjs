/**
 * A node's documentation is the header of its file (STYLE). Compilers attach a comment to the statement below it, so neither editors nor
 * typedoc find the header at the node: it is put there, into the declarations of the package, and, as a typedoc plugin, into the API
 * reference.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './hash.mjs'
import { root } from './say.mjs'

const HEADER = /^\/\*\*[\s\S]*?\*\/\n/

/** The header of a node's source, or undefined. */
function headerOf(file) { return HEADER.exec(readFileSync(file, 'utf8'))?.[0] }

/** Writes headers above `export declare const` in dist/nodes, and moves the lines of the source maps along. */
export function documentNodes(dist) {
  for (const path of listFiles(join(dist, 'nodes'), (file) => file.endsWith('.d.ts'))) {
    const file = join(dist, 'nodes', path), lines = readFileSync(file, 'utf8').split('\n')
    const header = headerOf(join(root, 'src/nodes', path.replace(/\.d\.ts$/, '.ts')))
    const at = lines.findIndex((line, n) => /^export declare const \w+: .*NodeFactory</.test(line) && !lines[n - 1]?.endsWith('*/'))
    if (header === undefined || at < 0) continue
    const added = header.trimEnd().split('\n'), map = JSON.parse(readFileSync(`${file}.map`, 'utf8')), mappings = map.mappings.split(';')
    lines.splice(at, 0, ...added)
    mappings.splice(at, 0, ...added.map(() => ''))
    writeFileSync(file, lines.join('\n'))
    writeFileSync(`${file}.map`, JSON.stringify({ ...map, mappings: mappings.join(';') }))
  }
}

/** As a plugin of typedoc. */
export async function load({ converter }) {
  const { Comment, Converter, ReflectionKind } = await import('typedoc')
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable | ReflectionKind.Function)) {
      const file = project.getSymbolIdFromReflection(reflection)?.fileName
      if (reflection.comment !== undefined || file === undefined || !/\/src\/nodes\/\w+\//.test(file)) continue
      const text = headerOf(file)?.replace(/^\/\*\*[\s*]*|\s*\*\/\n$/g, '').replaceAll(/\n \* ?/g, '\n')
      if (text !== undefined) reflection.comment = new Comment([{ kind: 'text', text }])
    }
  })
}

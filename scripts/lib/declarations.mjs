/** Declarations of the package's entries: what tsc wrote, less the files that no entry reaches. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import ts from 'typescript'
import { TYPED_ENTRIES } from './entries.mjs'
import { listFiles } from './hash.mjs'
import { documentNodes } from './node-headers.mjs'
import { fail, root, say } from './say.mjs'

const dist = join(root, 'dist')

/**
 * Names of the host that public types use and a program without the library `dom` lacks (`lib: ["es2022"]` with
 * Node's types). They merge with those of `dom`.
 */
const HOST = `export {}
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
    interface Table {}
  }
  interface MessagePort {}
}
`

/** Writes the entry files, refuses bundled packages in public types (PK-08), removes unreachable declarations. */
export function writeDeclarations() {
  for (const [name, source] of Object.entries(TYPED_ENTRIES)) {
    if (name !== source) writeFileSync(join(dist, `${name}.d.ts`), `export * from './${source}.js'\n`)
  }
  writeFileSync(join(dist, 'host.d.ts'), HOST)
  // At the end, so that declaration maps stay right.
  for (const name of Object.keys(TYPED_ENTRIES)) {
    const path = join(dist, `${name}.d.ts`), text = readFileSync(path, 'utf8')
    const map = text.indexOf('//# sourceMappingURL'), at = map < 0 ? text.length : map
    writeFileSync(path, `${text.slice(0, at)}import './host.js'\n${text.slice(at)}`)
  }
  const { files, bare } = reachable(Object.keys(TYPED_ENTRIES).map((name) => join(dist, `${name}.d.ts`)))
  if (bare.size > 0) {
    fail('declarations', `Public types: expected no package names, got ${[...bare].join(', ')}. Write the type out in src.`)
  }
  let removed = 0
  for (const path of listFiles(dist, (file) => /\.d\.ts(\.map)?$/.test(file))) {
    if (files.has(join(dist, path.replace(/\.map$/, '')))) continue
    rmSync(join(dist, path))
    removed++
  }
  documentNodes(dist)
  say('declarations', `${files.size} files, ${removed} internal ones left out`)
}

/** Files reached by relative specifiers from `entries`, and the bare specifiers met on the way. */
export function reachable(entries) {
  const files = new Set()
  const bare = new Map()
  const open = [...entries]
  while (open.length > 0) {
    const file = open.pop()
    if (files.has(file)) continue
    if (!existsSync(file)) {
      fail('declarations', `${posix.relative(root, file)}: expected a declaration, got no file. An import may lack its \`.js\`.`)
    }
    files.add(file)
    for (const { fileName: specifier } of ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles) {
      if (specifier.startsWith('.')) open.push(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')))
      else bare.set(specifier, file)
    }
  }
  return { files, bare: new Set([...bare].map(([specifier, file]) => `${specifier} in ${posix.relative(root, file)}`)) }
}

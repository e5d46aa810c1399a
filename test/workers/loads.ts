import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve('.')

/** All modules that an entry loads, now or later; the code of threads comes as text (`inline-worker:`) and is not among them. */
export function loads(entry: string): Set<string> {
  const seen = new Set<string>(), open = [entry]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const { fileName } of ts.preProcessFile(readFileSync(join(root, path), 'utf8'), true, true).importedFiles) {
      const target = relative(root, resolve(dirname(join(root, path)), fileName.replace(/\.js$/, '.ts')))
      if (fileName.startsWith('.') && existsSync(join(root, target)) && target.endsWith('.ts')) open.push(target)
    }
  }
  return seen
}

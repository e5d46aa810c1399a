/** Files and folders are kebab-case and say what they hold (STYLE habits 1 and 2). */
import { join } from 'node:path'
import { listFiles } from '../lib/hash.mjs'
import { root } from '../lib/say.mjs'

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/
const EMPTY_WORDS = new Set(['misc', 'helpers', 'helper', 'common', 'manager', 'utils', 'util', 'stuff'])
const EXTENSIONS = /(\.(node|browser))?(\.(test|bench))?(\.config)?(\.d)?\.(ts|mjs|mts|js)$/

export const name = 'file names'

export function check(paths = ['src', 'test', 'bench', 'scripts', 'assembly/sdk', 'assembly/kernels'].flatMap((folder) =>
  listFiles(join(root, folder), (path) => EXTENSIONS.test(path)).map((path) => `${folder}/${path}`))) {
  return paths.flatMap((path) => path.replace(EXTENSIONS, '').split('/').flatMap((part) => [
    ...(KEBAB.test(part) ? [] : [`${path}: ${part} is not kebab-case.`]),
    ...(EMPTY_WORDS.has(part) ? [`${path}: ${part} says nothing about its content. Name it after its main export.`] : []),
  ]))
}

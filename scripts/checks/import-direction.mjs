/**
 * Imports go from later layers to earlier ones only, without cycles of values; specifiers end in `.js`; no
 * `node:` text outside the command line tool.
 */
import { posix } from 'node:path'
import { imports, place, sources } from '../lib/sources.mjs'

const ORDER = ['errors', 'observe', 'media', 'graph', 'memory', 'kernels', 'schedule', 'workers', 'formats', 'nodes', 'engine', 'cli']
/** Packages that are bundled into dist (PK-06). */
const BUNDLED = new Set(['comlink'])

const layerOf = (path) => {
  const [, folder, rest] = path.split('/')
  return rest === undefined ? 'engine' : folder
}

export const name = 'import direction'

export function check(files = sources()) {
  const problems = []
  const edges = new Map()
  for (const file of files) {
    const layer = layerOf(file.path)
    if (layer !== 'testing' && !ORDER.includes(layer)) {
      problems.push(`${file.path}: folder src/${layer} has no place in the import order. Add it to scripts/checks/import-direction.mjs.`)
    }
    for (const { specifier, types, node } of imports(file)) {
      const at = place(file, node)
      if (specifier.startsWith('node:') && layer !== 'cli') {
        problems.push(`${at}: imports ${specifier}. Use process.getBuiltinModule, or move the code to src/cli.`)
      }
      if (/^(inline-worker:|inline-wasm-set:|inline-wasm-digests:|node:)/.test(specifier)) continue
      if (!specifier.startsWith('.')) {
        const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
        if (!BUNDLED.has(name) && !(layer === 'cli' && name === 'millrace')) {
          problems.push(`${at}: imports package ${specifier}, which is not bundled. Load it as a peer.`)
        }
        continue
      }
      if (specifier.endsWith('.wasm')) continue
      if (!specifier.endsWith('.js')) problems.push(`${at}: ${specifier} must end in .js.`)
      const target = posix.join(posix.dirname(file.path), specifier).replace(/\.js$/, '.ts')
      if (!types) edges.set(file.path, [...(edges.get(file.path) ?? []), target])
      const to = layerOf(target)
      if (layer === 'testing') continue
      if (to === 'testing') {
        // `millrace test-kernel` is the suite's command.
        if (layer !== 'cli') problems.push(`${at}: ${layer} imports testing.`)
      } else if (ORDER.indexOf(to) > ORDER.indexOf(layer)) problems.push(`${at}: ${layer} imports ${to} (${specifier}), which comes later.`)
    }
  }
  return [...problems, ...cycles(edges)]
}

function cycles(edges) {
  const problems = []
  const state = new Map()
  const stack = []
  const visit = (path) => {
    state.set(path, 'open')
    stack.push(path)
    for (const next of edges.get(path) ?? []) {
      if (state.get(next) === 'open') {
        problems.push(
          `Import cycle: ${[...stack.slice(stack.indexOf(next)), next].join(' → ')}. Move what both need into a file of its own.`,
        )
      } else if (!state.has(next)) {
        visit(next)
      }
    }
    stack.pop()
    state.set(path, 'done')
  }
  for (const path of edges.keys()) if (!state.has(path)) visit(path)
  return problems
}

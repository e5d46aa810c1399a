/**
 * Builds the AssemblyScript modules: one per file of assembly/kernels, each with its own 64 KiB slot
 * for constants (packaging.md section 5).
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashFile, listFiles, sha256 } from './hash.mjs'
import { fail, root, say } from './say.mjs'

const assembly = join(root, 'assembly')
const out = join(assembly, 'build')
const FIRST_SLOT = 0x10000
const SLOT_BYTES = 0x10000
const SLOTS = 8

/** Module names in alphabetical order: their place is their slot. */
export function assemblyModules() {
  return listFiles(join(assembly, 'kernels'), (path) => path.endsWith('.ts') && !path.includes('/') && !path.endsWith('.d.ts'))
    .map((path) => path.slice(0, -3))
}

/** Builds what is stale, or everything with `force`. Resolves to the names of the modules that were built. */
export async function buildAssembly({ force = false, debug = false, target = out } = {}) {
  const modules = assemblyModules()
  if (modules.length > SLOTS) {
    fail('assembly', `assembly/kernels: expected at most ${SLOTS} modules, got ${modules.length}. Put kernels together.`)
  }
  mkdirSync(target, { recursive: true })
  const built = []
  for (const [slot, name] of modules.entries()) {
    const stampFile = join(target, `${name}.stamp`)
    const stamp = stampOf(name, slot, debug)
    if (!force && existsSync(join(target, `${name}.wasm`)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) continue
    await compile(name, slot, debug, target)
    writeFileSync(stampFile, stamp)
    built.push(name)
  }
  return built
}

/** What the bytes of a module depend on: its own files, the SDK, the settings, the compiler, its slot. */
function stampOf(name, slot, debug) {
  const files = listFiles(assembly, (path) => path.startsWith('sdk/') || path === 'asconfig.json' || path === `kernels/${name}.ts` ||
    (path.startsWith('kernels/') && path.split('/').length > 2))
  const compiler = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8')).version
  return sha256(JSON.stringify([compiler, slot, debug, files.map((path) => [path, hashFile(join(assembly, path))])]))
}

async function compile(name, slot, debug, target) {
  const from = performance.now()
  const { default: asc } = await import('assemblyscript/asc')
  const part = join(target, `.${name}.${process.pid}`)
  mkdirSync(part, { recursive: true })
  try {
    const { error, stderr } = await asc.main([
      `kernels/${name}.ts`, '--config', 'asconfig.json', '--target', debug ? 'debug' : 'release', '--baseDir', assembly,
      '--memoryBase', String(FIRST_SLOT + slot * SLOT_BYTES), '--outFile', join(part, `${name}.wasm`),
    ], { stderr: undefined })
    if (error) {
      process.stderr.write(stderr.toString())
      fail('assembly', `Module ${name}: ${error.message} The lines above name the place.`)
    }
    for (const file of listFiles(part, (path) => path.endsWith('.wasm') || path.endsWith('.d.ts'))) {
      renameSync(join(part, file), join(target, file))
    }
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  const bytes = readFileSync(join(target, `${name}.wasm`)).length
  say('assembly', `${name}.wasm, ${bytes} bytes, ${((performance.now() - from) / 1000).toFixed(1)} s`)
}

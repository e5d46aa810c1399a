/**
 * `npm run build`: clean, wasm, JavaScript, declarations, plain copies of workers and wasm, SRI list, size table (packaging.md section 11).
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root, run, runBin, say } from './lib/say.mjs'

ensureDependencies()
await (await import('./lib/lock.mjs')).takeBuildLock()
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
mkdirSync(join(dist, 'wasm'), { recursive: true })
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })

const { bundleWorker } = await import('./inline.mjs')
const { assemblyModules } = await import('./lib/assembly.mjs')
const { markBuilt } = await import('./lib/fresh.mjs')
const { writeDeclarations } = await import('./lib/declarations.mjs')
const { sizeTable, subresourceIntegrity } = await import('./lib/sizes.mjs')

runBin('javascript', 'tsup/dist/cli-default.js', [], { fix: 'tsup names the file and the line above.' })
for (const [name, source] of [['worker', 'src/workers/worker-entry.ts'], ['worklet', 'src/workers/worklet-entry.ts']]) {
  writeFileSync(join(dist, `${name}.js`), (await bundleWorker(join(root, source))).code)
}
copyFileSync(join(root, 'wasm/pkg/millrace_core.wasm'), join(dist, 'wasm/core.wasm'))
for (const name of assemblyModules()) copyFileSync(join(root, 'assembly/build', `${name}.wasm`), join(dist, 'wasm', `${name}.wasm`))
mkdirSync(join(dist, 'schema'))
for (const [name, text] of Object.entries(await (await import('./lib/definitions.mjs')).schemaFiles())) {
  writeFileSync(join(dist, 'schema', name), text)
}
say('assets', `dist/worker.js, dist/worklet.js, dist/wasm: ${readdirSync(join(dist, 'wasm')).join(' ')}`)

runBin('declarations', 'typescript/bin/tsc', ['-p', 'tsconfig.build.json'], { fix: 'Correct the type errors above.' })
writeDeclarations()
subresourceIntegrity()
await sizeTable()
markBuilt()

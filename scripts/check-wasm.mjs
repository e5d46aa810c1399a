/**
 * `npm run check:wasm` (PK-39): the committed Rust module is what its record says, the record fits the sources, and where the recorded
 * tools are installed a clean rebuild gives the same bytes. AssemblyScript is built twice in different folders and compared: it is never
 * committed. --require-tools   an absent tool is a failure; another version still is a SKIP (CI)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, say } from './lib/say.mjs'

ensureDependencies()
const { buildAssembly, assemblyModules } = await import('./lib/assembly.mjs')
const { hashFile } = await import('./lib/hash.mjs')
const { compileRust, readRecord, renamedOutputs, toolVersions } = await import('./lib/rust.mjs')
const { recordProblems } = await import('./lib/build-record.mjs')

const record = readRecord()
const problems = recordProblems(record)
if (problems.length > 0) fail('check:wasm', `${problems.join('\n')}\nRun \`npm run build:wasm -- --rust\` and commit wasm/pkg.`)
say('check:wasm', 'sources, outputs and record agree')

await checkAssembly()
checkRust()

async function checkAssembly() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-assembly-'))
  try {
    await buildAssembly({ force: true })
    await buildAssembly({ force: true, target: folder })
    for (const name of assemblyModules()) {
      const [here, there] = [join(root, 'assembly/build', `${name}.wasm`), join(folder, `${name}.wasm`)].map(hashFile)
      if (here !== there) {
        fail(
          'check:wasm',
          `assembly ${name}: expected equal bytes from two builds, got ${here} and ${there}. The module depends on its folder.`,
        )
      }
    }
    say('check:wasm', `assembly modules ${assemblyModules().join(', ')} built twice, equal`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkRust() {
  const tools = toolVersions()
  const different = Object.keys(record.tools).filter((tool) => tools[tool] !== record.tools[tool]).map((tool) =>
    `${tool} is ${tools[tool]}, record says ${record.tools[tool]}`)
  if (different.length > 0) {
    console.warn(`\nSKIP rust rebuild: ${different.join('; ')}\n`)
    const absent = Object.keys(tools).filter((tool) => tools[tool] === 'absent')
    if (absent.length > 0 && process.argv.includes('--require-tools')) {
      fail('check:wasm', `Tools: expected all of them here, ${absent.join(', ')} not found. Run scripts/setup-dev.`)
    }
    return
  }
  const target = mkdtempSync(join(tmpdir(), 'millrace-rust-'))
  try {
    say('check:wasm', 'rebuilding Rust in a clean folder')
    const rebuilt = renamedOutputs(compileRust({ target, quiet: true }))
    for (const [file, hash] of Object.entries(rebuilt)) {
      if (hash !== record.outputs[file]) fail('check:wasm', `wasm/pkg/${file}: expected ${record.outputs[file]}, the rebuild gave ${hash}. Run \`npm run build:wasm -- --rust\` and commit wasm/pkg.`)
    }
    say('check:wasm', 'rust rebuild is equal byte for byte')
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

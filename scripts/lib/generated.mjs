/** Generated files: written when they differ, or with `--check` only told about; then the process fails. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './say.mjs'

/** `outputs`: path from the root → text. `name`: the script, `scripts/<name>.mjs`. */
export async function settleGenerated(name, outputs) {
  for (const [path, text] of outputs) {
    if (await readFile(join(root, path), 'utf8').catch(() => '') === text) continue
    if (process.argv.includes('--check')) {
      console.error(`${name}: ${path} is not current. Run node scripts/${name}.mjs and commit it.`)
      process.exitCode = 1
    } else {
      await writeFile(join(root, path), text)
      console.log(`${name}: wrote ${path}`)
    }
  }
}

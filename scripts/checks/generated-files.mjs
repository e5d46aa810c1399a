/** Generated files are what their generators would write now: each scripts/generate-*.mjs answers `--check`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { listFiles } from '../lib/hash.mjs'
import { root } from '../lib/say.mjs'

export const name = 'generated files'

export function check(scripts = listFiles(join(root, 'scripts'), (path) => /^generate-[a-z-]+\.mjs$/.test(path))) {
  return scripts.flatMap((script) => {
    const result = spawnSync(process.execPath, [join(root, 'scripts', script), '--check'], { cwd: root, encoding: 'utf8' })
    return result.status === 0
      ? []
      : [`scripts/${script} --check: ${(result.stderr || result.stdout).trim().split('\n').slice(-3).join(' ')}`]
  })
}

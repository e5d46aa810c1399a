/** Makes a fresh clone usable: commands of README call this first, with Node and npm alone. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fail, root, say } from './say.mjs'

/** Runs `npm ci` when node_modules is missing or older in content than the lock file. */
export function ensureDependencies() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail('setup', `Node: expected 20.19 or later, got ${process.versions.node}. Install a newer Node.`)
  }
  if (installed()) return
  say('setup', 'node_modules is missing or not current: running npm ci')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (result.status !== 0) fail('setup', 'npm ci did not finish. Check the network or the registry setting, then run `npm ci`.')
}

/** npm writes node_modules/.package-lock.json last: every locked, non-optional package must stand there with the same version. */
function installed() {
  const have = resolve(root, 'node_modules/.package-lock.json')
  if (!existsSync(have)) return false
  const packages = JSON.parse(readFileSync(have, 'utf8')).packages
  const locked = JSON.parse(readFileSync(resolve(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(locked).every(([path, entry]) =>
    path === '' || entry.optional || entry.peer || packages[path]?.version === entry.version)
}

/** One build at a time in a working copy: two would clean each other's output away. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, say } from './say.mjs'

const file = join(root, '.cache/build.lock')
const LONGEST_WAIT_MS = 600_000

/** Takes the lock, waiting while its owner lives; gives it back when this process ends. */
export async function takeBuildLock() {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const until = Date.now() + LONGEST_WAIT_MS
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      process.on('exit', () => rmSync(file, { force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!waited) say('build', 'another build runs here: waiting for it')
      if (!alive() || Date.now() > until) rmSync(file, { force: true })
      else await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

function alive() {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0)
    return true
  } catch {
    return false
  }
}

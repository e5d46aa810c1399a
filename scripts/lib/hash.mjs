/** SHA-256 of files and folders, as the build records keep them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

export function hashFile(path) {
  return sha256(readFileSync(path))
}

/** Paths of the files below `folder` that `keep` accepts, sorted, with `/` as separator, relative to `folder`. */
export function listFiles(folder, keep = () => true) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/'))
    .filter(keep)
    .sort()
}

/**
 * Real recordings for tests, kept beside the repository in ../shared/data (in browser projects served under /__shared-data/). A clone
 * without that folder skips the tests that need it, loudly.
 */
const warned = new Set<string>()

/** True when `name`, such as `speech/LJ001-0001.wav`, can be read here. Says so once when it cannot: use with `test.skipIf`. */
export async function hasSharedData(name: string): Promise<boolean> {
  const present = (await load(name)) !== undefined
  if (!present && !warned.has(name)) {
    warned.add(name)
    console.warn(`SKIP: shared data ${name} is absent; the tests that need it did not run.`)
  }
  return present
}

/** Bytes of the file `name` in an ArrayBuffer of their own. Throws when it is absent: ask {@link hasSharedData} first. */
export async function sharedData(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await load(name)
  if (bytes === undefined) throw new Error(`Shared data ${name}: expected a file, got none. Guard the test with hasSharedData.`)
  return bytes
}

/** Absolute path of the file `name`; Node only. */
export function sharedDataPath(name: string): string {
  const url = process.getBuiltinModule('node:url')
  return url.fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url))
}

async function load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
    const fs = process.getBuiltinModule('node:fs')
    const path = sharedDataPath(name)
    return fs.existsSync(path) ? new Uint8Array(fs.readFileSync(path)) : undefined
  }
  const response = await fetch(`/__shared-data/${name}`)
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
}

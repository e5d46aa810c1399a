import { commonErrors } from './common-errors.js'

/**
 * Loads a part of the library that a bundler may have put into a file of its own. Throws `NETWORK` when the file does not come, with what
 * to look at: a page that was open during a deployment asks for files that are gone. Rollup, told to write one file, puts parts behind the
 * program: one that awaits at its top level waits for what comes after it, and gets nothing.
 */
export async function loadPart<T>(part: string, load: () => Promise<T>): Promise<T> {
  try {
    const loaded: T | undefined = await load()
    if (loaded === undefined) {
      throw new Error('it stands after a top-level await in the same file: call from a function, or let the bundler write parts')
    }
    return loaded
  } catch (cause) {
    throw commonErrors.NETWORK({
      host: `Code of the ${part}`,
      reason: `did not load (${cause instanceof Error ? cause.message : String(cause)})`,
      hint: 'Serve every file of the bundle; reload the page after a deployment.',
    }, { cause })
  }
}

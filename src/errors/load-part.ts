import { commonErrors } from './common-errors.js'

/**
 * Loads a part of the library that a bundler may have put into a file of its own. Throws `NETWORK` when the file does not come, with what to look at: a page that was
 * open during a deployment asks for files that are gone.
 */
export async function loadPart<T>(part: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw commonErrors.NETWORK({ host: `Code of the ${part}`, reason: `did not load (${cause instanceof Error ? cause.message : String(cause)})`, hint: 'Serve every file of the bundle; reload the page after a deployment.' }, { cause })
  }
}

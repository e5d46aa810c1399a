/**
 * `npm run try`: the first run on a fresh clone. Sets up what is missing, builds what is stale, then finds the speech in examples/talk.wav and writes it as
 * 16 kHz PCM, with the built package, as a user's script would.
 */
import { ensureDependencies } from './lib/dependencies.mjs'

ensureDependencies()
const { ensureBuild } = await import('./lib/fresh.mjs')
ensureBuild()
const { tryMillrace } = await import('./lib/try-millrace.mjs')
await tryMillrace()

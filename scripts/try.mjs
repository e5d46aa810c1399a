/**
 * `npm run try`: the first run on a fresh clone. Sets up what is missing, builds what is stale, then runs the command line tool as a user
 * would: it finds the speech in examples/talk.wav and writes it as 16 kHz PCM to out/talk-16k.wav.
 */
import { spawnSync } from 'node:child_process'
import { ensureDependencies } from './lib/dependencies.mjs'
import { root } from './lib/say.mjs'

ensureDependencies()
const { ensureBuild } = await import('./lib/fresh.mjs')
ensureBuild()
const words = [
  'run', 'examples/speech.json', '--input', 'file=examples/talk.wav', '--output', 'pcm=out/talk-16k.wav', ...process.argv.slice(2),
]
console.log(`\n$ millrace ${words.join(' ')}\n`)
process.exitCode = spawnSync(process.execPath, ['dist/cli.js', ...words], { cwd: root, stdio: 'inherit' }).status ?? 1

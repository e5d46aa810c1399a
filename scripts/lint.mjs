/** `npm run lint`: oxlint, then the checks of scripts/checks. Prints every finding. */
import { ensureDependencies } from './lib/dependencies.mjs'
import { join } from 'node:path'
import { listFiles } from './lib/hash.mjs'
import { fail, root, runBin, say } from './lib/say.mjs'

ensureDependencies()
let findings = 0
for (const file of listFiles(join(root, 'scripts/checks'), (path) => path.endsWith('.mjs'))) {
  const { name, check } = await import(`./checks/${file}`)
  const problems = check()
  findings += problems.length
  for (const problem of problems) console.error(problem)
  say('lint', `${name}: ${problems.length === 0 ? 'clean' : `${problems.length} findings`}`)
}
runBin('oxlint', 'oxlint/bin/oxlint', ['--deny-warnings', 'src', 'test', 'bench', 'scripts', 'demo'], { fix: 'Correct the lines above.' })
if (findings > 0) fail('lint', `${findings} findings. Each line above says what to do.`)

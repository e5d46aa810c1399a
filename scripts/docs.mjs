/**
 * `npm run docs`: generated pages, API reference by typedoc (docs/api, not committed), then every
 * relative link of the Markdown files is followed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, runBin, say } from './lib/say.mjs'

ensureDependencies()
const { listFiles } = await import('./lib/hash.mjs')
for (const script of listFiles(join(root, 'scripts'), (path) => /^generate-[a-z-]+\.mjs$/.test(path))) {
  run(script.slice(0, -4), process.execPath, [join(root, 'scripts', script)], {
    quiet: true, fix: 'Its message says which source is wrong.',
  })
}
runBin('typedoc', 'typedoc/bin/typedoc', ['--out', 'docs/api', '--tsconfig', 'tsconfig.json', '--readme', 'none', '--name', 'millrace',
  '--logLevel', 'Error', '--disableSources', '--hideGenerator', '--plugin', './scripts/lib/node-headers.mjs', 'src/index.ts',
  'src/nodes/index.ts', 'src/graph-tools.ts', 'src/memory-tools.ts', 'src/testing/index.ts'], { fix: 'Correct the type errors above.' })

const broken = []
const pages = listFiles(root, (path) =>
  path.endsWith('.md') && !/(^|\/)(node_modules|target|dist|\.cache)\//.test(path) && !path.startsWith('docs/api/'))
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^([a-z]+:|#)/.test(target)) continue
    const path = resolve(root, dirname(page), decodeURIComponent(target.split('#')[0]))
    if (!existsSync(path)) broken.push(`${page}: link ${target} leads nowhere.`)
  }
}
if (broken.length > 0) fail('links', broken.join('\n'))
say('links', `${pages.length} pages, all relative links lead somewhere`)

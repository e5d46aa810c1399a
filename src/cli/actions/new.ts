import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { kernelTemplate } from '../templates/kernel.js'

/** Version of AssemblyScript with which the SDK is tested. */
const ASSEMBLYSCRIPT = '0.28.20'

/** Writes a kernel project. Never writes over a file. */
export async function newFiles({ positionals, options, terminal }: CommandContext): Promise<number> {
  const [what, name, ...rest] = positionals
  if (what !== 'kernel' || name === undefined || rest.length > 0) throw new UsageError(`expected kernel NAME, got ${positionals.join(' ') || 'nothing'}.`)
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) throw new UsageError(`kernel name: expected lower-case words with hyphens, at most 40 characters, got ${name}.`)
  const folder = resolve(typeof options['folder'] === 'string' ? options['folder'] : name)
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new UsageError(`folder ${folder}: expected none, or an empty one. Give another with --folder.`)
  const files = kernelTemplate(name, { millrace: `^${MILLRACE_VERSION}`, assemblyscript: ASSEMBLYSCRIPT })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { flag: 'wx' })
  }
  if (options['json'] === true) terminal.out(JSON.stringify({ folder, files: Object.keys(files) }, null, 2))
  else terminal.out(`${Object.keys(files).map((path) => join(folder, path)).join('\n')}\n\nNext: cd ${options['folder'] ?? name}, npm install, npm test (conformance), npm start (a graph that uses it).`)
  return EXIT.OK
}

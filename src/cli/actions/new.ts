import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BUILTIN_MODULES } from '../../kernels/builtin-modules.js'
import { WINDOW } from '../../memory/layout.js'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { kernelId, kernelTemplate, TEMPLATE_NAMES, WORDS } from '../templates/kernel.js'

/** Version of AssemblyScript with which the SDK is tested. */
const ASSEMBLYSCRIPT = '0.28.20'

/** Writes a kernel project. Never writes over a file. */
export async function newFiles({ positionals, options, terminal }: CommandContext): Promise<number> {
  const [what, name, ...rest] = positionals
  if (what !== 'kernel' || name === undefined || rest.length > 0) {
    throw new UsageError(`expected kernel NAME, got ${positionals.join(' ') || 'nothing'}.`)
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new UsageError(`kernel name: expected lower-case words with hyphens, at most 40 characters, got ${name}.`)
  }
  const taken = takenBy(name)
  if (taken !== undefined) throw new UsageError(`kernel name: ${name} ${taken}. Choose another, like my-${name}.`)
  const folder = resolve(typeof options['folder'] === 'string' ? options['folder'] : name)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`folder ${folder}: expected none, or an empty one. Give another with --folder.`)
  }
  const files = kernelTemplate(name, { millrace: `^${MILLRACE_VERSION}`, assemblyscript: ASSEMBLYSCRIPT })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { flag: 'wx' })
  }
  if (options['json'] === true) terminal.out(JSON.stringify({ folder, files: Object.keys(files) }, null, 2))
  else terminal.out(`${Object.keys(files).map((path) => join(folder, path)).join('\n')}\n\nNext: cd ${options['folder'] ?? name}, npm install, npm test (conformance), npm start (a graph that uses it).
${slots()}`)
  return EXIT.OK
}

/** Why a kernel cannot have the name; undefined when it can. */
function takenBy(name: string): string | undefined {
  const id = kernelId(name)
  if (BUILTIN_MODULES.some((module) => module === name)) return 'is a module of the engine'
  if (WORDS.has(id)) return 'is a word of JavaScript'
  return TEMPLATE_NAMES.has(id) ? 'is a name that the written files use for something else' : undefined
}

/** A 64 KiB slot for the data of each module of a user, from the window's start to its end. */
const SLOT_BYTES = 0x10000
function slots(): string {
  const hex = (at: number): string => `0x${at.toString(16)}`, count = (WINDOW.GUARD - WINDOW.USER) / SLOT_BYTES
  return `An engine with more than one kernel module of yours needs a memoryBase for each (asconfig.json): ${hex(WINDOW.USER)} + n·${hex(SLOT_BYTES)}, n = 0…${count - 1}.`
}

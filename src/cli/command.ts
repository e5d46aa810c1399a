import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Where a command writes; the process's streams, or a test's. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** True when `err` is a terminal that can redraw a line. */
  readonly interactive: boolean
  readonly columns: number
  /** What standard input holds, piece by piece. */
  stdin(): AsyncIterable<Uint8Array>
}

/** What a command runs with. `signal` aborts on Ctrl-C. */
export interface CommandContext {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** One command of the tool. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** Words after the name, for help. */
  readonly usage: string
  readonly options: Readonly<Record<string, {
    readonly type: 'string' | 'boolean'
    readonly short?: string
    readonly multiple?: boolean
    readonly doc: string
    readonly value?: string
  }>>
  readonly examples: readonly string[]
  run(context: CommandContext): Promise<number>
}

/** A mistake in the words of the call: exit code 2 and the help line. */
export class UsageError extends Error {}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', doc: 'Print one JSON object instead of text.' },
  help: { type: 'boolean', short: 'h', doc: 'Show this help.' },
} as const

/** Splits words into options and positionals. Throws UsageError for what the command does not know. */
export function parseWords(command: Command, words: readonly string[]): Pick<CommandContext, 'options' | 'positionals'> {
  const options: ParseArgsConfig['options'] = {}
  for (const [name, { type, short, multiple }] of Object.entries({ ...COMMON_OPTIONS, ...command.options } as Command['options'])) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
    return { options: values, positionals }
  } catch (error) { throw new UsageError(firstSentence((error as Error).message)) }
}

/** Node adds advice about `--` that fits few calls. */
function firstSentence(message: string): string {
  const [first] = message.split(/\. |\n/)
  return `${first!.replace(/\.$/, '')}.`
}

/** `name=value` words of a repeated option as a map. Throws UsageError for a word without a name and for a name given twice. */
export function pairs(option: unknown, name: string): Map<string, string> {
  const map = new Map<string, string>()
  for (const word of Array.isArray(option) ? option as string[] : option === undefined ? [] : [String(option)]) {
    const at = word.indexOf('=')
    if (at < 1) throw new UsageError(`--${name} ${word}: expected NAME=VALUE.`)
    const key = word.slice(0, at)
    if (map.has(key)) throw new UsageError(`--${name} ${key} is given twice.`)
    map.set(key, word.slice(at + 1))
  }
  return map
}

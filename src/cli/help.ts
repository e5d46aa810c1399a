import { COMMON_OPTIONS, type Command } from './command.js'

/** Help of the whole tool. */
export function toolHelp(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length))
  return [`millrace ${version}: sound through typed graphs, on WebAssembly.`, '', 'Usage: millrace COMMAND [options]', '', 'Commands:',
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`), '',
    'Every command takes --json and --help. Exit codes: 0 ok, 1 failed, 2 usage, 3 diagnostics with errors, 130 interrupted.'].join('\n')
}

/** Help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS } as Command['options']).map(([name, o]) =>
    [`${o.short === undefined ? '    ' : `-${o.short}, `}--${name}${o.type === 'string' ? ` ${o.value ?? 'VALUE'}` : ''}`, o.doc] as const)
  const width = Math.max(...options.map(([left]) => left.length))
  return [`millrace ${command.name}: ${command.summary}`, '', `Usage: millrace ${command.name} ${command.usage}`.trimEnd(), '', 'Options:',
    ...options.map(([left, doc]) => `  ${left.padEnd(width)}  ${doc}`), '', 'Examples:',
    ...command.examples.map((example) => `  ${example}`)].join('\n')
}

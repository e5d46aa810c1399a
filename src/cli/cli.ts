import { isMillraceError } from '../errors/millrace-error.js'
import { UsageError, parseWords, type Command, type Terminal } from './command.js'
import { doctorCommand } from './commands/doctor.js'
import { inspectCommand } from './commands/inspect.js'
import { nodesCommand } from './commands/nodes.js'
import { runCommand } from './commands/run.js'
import { EXIT } from './exit-codes.js'
import { commandHelp, toolHelp } from './help.js'
import { printDiagnostics } from './print/diagnostics.js'
import { DiagnosticsError } from './read-graph.js'

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [runCommand, inspectCommand, nodesCommand, doctorCommand]

/** Runs the tool with the words after its name; resolves to the exit code. Writes only through `terminal`. */
export async function runCli(words: readonly string[], terminal: Terminal, signal: AbortSignal, version: string): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') { terminal.out(toolHelp(COMMANDS, version)); return name === undefined ? EXIT.USAGE : EXIT.OK }
  if (name === '--version' || name === '-v') { terminal.out(version); return EXIT.OK }
  const command = COMMANDS.find((c) => c.name === name)
  if (command === undefined) { terminal.err(`millrace: expected a command, got ${name}. Commands: ${COMMANDS.map((c) => c.name).join(', ')}.`); return EXIT.USAGE }
  let json = false
  try {
    const parsed = parseWords(command, rest)
    json = parsed.options['json'] === true
    if (parsed.options['help'] === true) { terminal.out(commandHelp(command)); return EXIT.OK }
    return await command.run({ ...parsed, terminal, signal })
  } catch (error) {
    if (signal.aborted) { terminal.err('millrace: interrupted.'); return EXIT.INTERRUPTED }
    return report(error, command, terminal, json)
  }
}

function report(error: unknown, command: Command, terminal: Terminal, json: boolean): number {
  if (error instanceof UsageError) { terminal.err(`millrace ${command.name}: ${error.message}\nUsage: millrace ${command.name} ${command.usage}`); return EXIT.USAGE }
  if (error instanceof DiagnosticsError) {
    if (json) terminal.out(JSON.stringify({ diagnostics: error.diagnostics }, null, 2)); else printDiagnostics(error.diagnostics, terminal)
    return EXIT.DIAGNOSTICS
  }
  if (isMillraceError(error)) {
    const { code, message, hint, details } = error
    if (json) terminal.out(JSON.stringify({ error: { code, message, hint, details } }, null, 2)); else terminal.err(`${code}: ${message}${hint ? `\n  ${hint}` : ''}`)
    const diagnostics = details['diagnostics']
    if (!json && Array.isArray(diagnostics)) printDiagnostics(diagnostics, terminal)
    return Array.isArray(diagnostics) ? EXIT.DIAGNOSTICS : EXIT.FAILED
  }
  terminal.err(`millrace ${command.name}: ${error instanceof Error ? error.message : String(error)}`)
  return EXIT.FAILED
}

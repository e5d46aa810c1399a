import type { Diagnostic } from '../errors/diagnostic.js'
import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import { refusal } from '../formats/node-fs.js'
import { nearest } from '../graph/nearest.js'
import { UsageError, parseWords, type Command, type Terminal } from './command.js'
import { convertCommand } from './commands/convert.js'
import { diffCommand } from './commands/diff.js'
import { doctorCommand } from './commands/doctor.js'
import { graphCommand } from './commands/graph.js'
import { inspectCommand } from './commands/inspect.js'
import { nodesCommand } from './commands/nodes.js'
import { newCommand } from './commands/new.js'
import { runCommand } from './commands/run.js'
import { testKernelCommand } from './commands/test-kernel.js'
import { validateCommand } from './commands/validate.js'
import { EXIT } from './exit-codes.js'
import { commandHelp, toolHelp } from './help.js'
import { printDiagnostics } from './print/diagnostics.js'
import { DiagnosticsError } from './diagnostics-error.js'

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  runCommand, inspectCommand, validateCommand, convertCommand, diffCommand, graphCommand, nodesCommand, doctorCommand, newCommand,
  testKernelCommand,
]

/** Runs the tool with the words after its name; resolves to the exit code. Writes only through `terminal`. */
export async function runCli(words: readonly string[], terminal: Terminal, signal: AbortSignal, version: string): Promise<number> {
  const [first, ...others] = words, topic = first === 'help' && others[0]?.startsWith('-') === false
  const [name, ...rest] = topic ? [others[0], ...others.slice(1), '--help'] : [first, ...others]
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(toolHelp(COMMANDS, version))
    return name === undefined ? EXIT.USAGE : EXIT.OK
  }
  if (name === '--version' || name === '-v') { terminal.out(version); return EXIT.OK }
  const command = COMMANDS.find((c) => c.name === name)
  if (command === undefined) {
    const names = COMMANDS.map((c) => c.name), [near] = nearest(name, names)
    return misuse(
      `expected a command, got ${name}. ${near === undefined ? `Commands: ${names.join(', ')}.` : `Did you mean ${near}?`}`,
      undefined, terminal, rest.includes('--json'),
    )
  }
  // Known before words are parsed: a mistake in them is told as JSON too.
  const json = rest.includes('--json')
  try {
    const parsed = parseWords(command, rest)
    if (parsed.options['help'] === true) { terminal.out(commandHelp(command)); return EXIT.OK }
    return await command.run({ ...parsed, terminal, signal })
  } catch (error) {
    if (signal.aborted) { terminal.err('millrace: interrupted.'); return EXIT.INTERRUPTED }
    return report(error, command, terminal, json)
  }
}

function report(error: unknown, command: Command, terminal: Terminal, json: boolean): number {
  if (error instanceof UsageError) return misuse(error.message, command, terminal, json)
  if (error instanceof DiagnosticsError) return reportDiagnostics(error.diagnostics, terminal, json)
  const known = isMillraceError(error) ? error : fileError(error)
  if (known !== undefined) {
    const { code, message, hint, details, nodeId: node } = known
    const { diagnostics } = details as { readonly diagnostics?: readonly Diagnostic[] }
    if (diagnostics !== undefined) return reportDiagnostics(diagnostics, terminal, json)
    if (json) terminal.out(JSON.stringify({ error: { code, message, hint, node, details } }, null, 2))
    else terminal.err(`${code}${node === undefined ? '' : ` (node ${node})`}: ${message}${hint ? `\n  ${hint}` : ''}`)
    return EXIT.FAILED
  }
  const message = error instanceof Error ? error.message : String(error)
  if (json) terminal.out(JSON.stringify({ error: { message } }, null, 2)); else terminal.err(`millrace ${command.name}: ${message}`)
  return EXIT.FAILED
}

/** Tells a mistake in the words of the call. */
function misuse(message: string, command: Command | undefined, terminal: Terminal, json: boolean): number {
  const usage = command === undefined ? undefined : `millrace ${command.name} ${command.usage}`.trimEnd()
  if (json) terminal.out(JSON.stringify({ error: { message, usage } }, null, 2))
  else terminal.err(
    `millrace${command === undefined ? '' : ` ${command.name}`}: ${message}${usage === undefined ? '' : `\nUsage: ${usage}`}`,
  )
  return EXIT.USAGE
}

/** What the file system refused a command, as an error with a code; undefined for any other error. */
function fileError(error: unknown): MillraceError | undefined {
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException
  return path === undefined || syscall === undefined
    ? undefined
    : commonErrors.NOT_FOUND({ thing: 'File', id: path, why: refusal(error) }, { cause: error })
}

function reportDiagnostics(diagnostics: readonly Diagnostic[], terminal: Terminal, json: boolean): number {
  if (json) terminal.out(JSON.stringify({ diagnostics }, null, 2)); else printDiagnostics(diagnostics, terminal)
  return EXIT.DIAGNOSTICS
}

#!/usr/bin/env node
import { runCli } from './cli.js'
import { EXIT } from './exit-codes.js'

declare const MILLRACE_VERSION: string

const interrupt = new AbortController()
/** How long what is under way may take to end after SIGTERM, ms (MW-51). */
const DRAIN_MS = 30_000
process.once('SIGINT', () => { interrupt.abort(new Error('interrupted')) })
// A command does one thing: no new work follows, so it is let end, in time. A second signal does not wait.
process.once('SIGTERM', () => {
  setTimeout(() => { interrupt.abort(new Error('terminated')) }, DRAIN_MS).unref()
  process.once('SIGTERM', () => { interrupt.abort(new Error('terminated')) })
})
/** True when something could not be written although its reader was there: a full disk. */
let unwritten = false
// A reader that went away wants no more text; what the command writes to files it writes all the same.
for (const stream of [process.stdout, process.stderr]) {
  let gone = false
  stream.on('error', ({ code }: NodeJS.ErrnoException) => { if (code === 'EPIPE') gone = true; else if (!gone) unwritten = true })
}
const terminal = {
  out: (text: string): void => { process.stdout.write(`${text}\n`) },
  err: (text: string): void => { process.stderr.write(text.startsWith('\r') ? text : `${text}\n`) },
  interactive: process.stderr.isTTY === true,
  columns: process.stderr.columns ?? 80,
  async *stdin(): AsyncGenerator<Uint8Array> {
    const { signal } = interrupt
    signal.throwIfAborted()
    // A read of a terminal or an open pipe ends only with the stream.
    signal.addEventListener('abort', () => { process.stdin.destroy(signal.reason as Error) }, { once: true })
    yield* process.stdin as AsyncIterable<Uint8Array>
  },
}
void runCli(process.argv.slice(2), terminal, interrupt.signal, MILLRACE_VERSION).then((code) => {
  process.exitCode = code
  // Text that is still on its way to the system may fail yet.
  process.once('exit', () => { if (unwritten) process.exitCode ||= EXIT.FAILED })
})

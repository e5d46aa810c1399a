#!/usr/bin/env node
import { runCli } from './cli.js'

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
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(0) })
const terminal = {
  out: (text: string): void => { process.stdout.write(`${text}\n`) },
  err: (text: string): void => { process.stderr.write(text.startsWith('\r') ? text : `${text}\n`) },
  interactive: process.stderr.isTTY === true,
  columns: process.stderr.columns ?? 80,
  stdin: async (): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [], { signal } = interrupt
    signal.throwIfAborted()
    // A read of a terminal or an open pipe ends only with the stream.
    signal.addEventListener('abort', () => { process.stdin.destroy(signal.reason as Error) }, { once: true })
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
    return Buffer.concat(chunks)
  },
}
void runCli(process.argv.slice(2), terminal, interrupt.signal, MILLRACE_VERSION).then((code) => { process.exitCode = code })

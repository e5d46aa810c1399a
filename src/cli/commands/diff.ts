import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace diff`: what differs between two documents. */
export const diffCommand: Command = {
  name: 'diff', summary: 'show what differs between two graph documents, node by node', usage: 'A B [--exit-code]',
  options: { 'exit-code': { type: 'boolean', doc: 'Exit code 1 when they differ.' }, ...LIMIT_OPTION },
  examples: ['millrace diff before.json after.json', 'millrace diff before.json after.json --json'],
  run: async (context) => (await import('../actions/diff.js')).diffFiles(context),
}

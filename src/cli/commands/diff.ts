import type { Command } from '../command.js'

/** `millrace diff`: what differs between two documents. */
export const diffCommand: Command = {
  name: 'diff', summary: 'show what differs between two graph documents, node by node', usage: 'A B', options: {},
  examples: ['millrace diff before.json after.json', 'millrace diff before.json after.json --json'],
  run: async (context) => (await import('../actions/diff.js')).diffFiles(context),
}

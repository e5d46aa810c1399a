import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace validate`: all problems of a document, without running it. */
export const validateCommand: Command = {
  name: 'validate', summary: 'check a graph document: every problem, with its place', usage: 'GRAPH.json [--host] [--strict]',
  options: {
    host: { type: 'boolean', doc: 'Check also what this host offers: tiers, places, capabilities.' },
    strict: { type: 'boolean', doc: 'Unknown fields are errors.' },
    ...LIMIT_OPTION,
  },
  examples: ['millrace validate speech.json', 'millrace validate workflow.png --json'],
  run: async (context) => (await import('../actions/validate.js')).validateFile(context),
}

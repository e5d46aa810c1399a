import type { Command } from '../command.js'

/** `millrace nodes`: all node types, or one with its ports and params. */
export const nodesCommand: Command = {
  name: 'nodes', summary: 'list node types, or describe one', usage: '[TYPE]', options: {},
  examples: ['millrace nodes', 'millrace nodes audio::resample', 'millrace nodes --json'],
  run: async (context) => (await import('../actions/nodes.js')).nodes(context),
}

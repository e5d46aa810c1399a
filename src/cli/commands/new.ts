import type { Command } from '../command.js'

/** `millrace new kernel`: a folder with a kernel of one's own, its node and its test. */
export const newCommand: Command = {
  name: 'new', summary: 'write the start of a kernel of your own', usage: 'kernel NAME [--folder FOLDER]',
  options: { folder: { type: 'string', value: 'FOLDER', doc: 'Where to write; default ./NAME. It must not exist, or be empty.' } },
  examples: ['millrace new kernel wobble', 'cd wobble && npm install && npm test'],
  run: async (context) => (await import('../actions/new.js')).newFiles(context),
}

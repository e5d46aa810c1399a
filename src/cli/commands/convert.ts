import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace convert`: a document in another dialect. */
export const convertCommand: Command = {
  name: 'convert', summary: 'write a graph document in another dialect, and say what is lost',
  usage: 'GRAPH --to DIALECT [--from DIALECT] [--output FILE]',
  options: {
    to: { type: 'string', value: 'DIALECT', doc: 'millrace, remotemedia-seed, remotemedia-v1, graphdsl, comfyui-api, comfyui-workflow.' },
    from: { type: 'string', value: 'DIALECT', doc: 'Dialect of the file; recognised when not given.' },
    output: { type: 'string', short: 'o', value: 'FILE', doc: 'Write there instead of to standard output.' },
    ...LIMIT_OPTION,
  },
  examples: ['millrace convert workflow.json --to millrace', 'millrace convert picture.png --to comfyui-api -o api.json'],
  run: async (context) => (await import('../actions/convert.js')).convert(context),
}

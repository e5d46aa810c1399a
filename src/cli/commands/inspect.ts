import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace inspect`: the plan of a document without running it. */
export const inspectCommand: Command = {
  name: 'inspect', summary: 'show the plan of a graph: media, converters, segments, memory',
  usage: 'GRAPH.json [--input NAME=VALUE]... | --schema TYPE',
  options: {
    input: {
      type: 'string', short: 'i', multiple: true, value: 'NAME=VALUE',
      doc: 'Value of a declared input; a file that is there tells its media. May be repeated.',
    },
    tier: { type: 'string', value: 'TIER', doc: 'auto, wasm-threads, wasm or js.' },
    workers: { type: 'string', value: 'N', doc: 'Workers: auto, or 0…256.' },
    schema: {
      type: 'string', value: 'TYPE',
      doc: 'Print the JSON Schema of a node type, or of the format (`document`, `document-with-types`).',
    },
    ...LIMIT_OPTION,
  },
  examples: [
    'millrace inspect speech.json --input file=talk.wav', 'millrace inspect speech.json --json', 'millrace inspect --schema audio::gain',
  ],
  run: async (context) => (await import('../actions/inspect.js')).inspect(context),
}

import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace run`: runs a document, writes outputs to files, prints the rest. */
export const runCommand: Command = {
  name: 'run', summary: 'run a graph document', usage: 'GRAPH.json [--input NAME=VALUE]... [--output NAME=FILE]...',
  options: {
    input: {
      type: 'string', short: 'i', multiple: true, value: 'NAME=VALUE',
      doc: 'Value of a declared input: a path, a number, JSON. May be repeated.',
    },
    output: {
      type: 'string', short: 'o', multiple: true, value: 'NAME=FILE',
      doc: 'Write an output to a file: audio as WAV, everything else as JSON. May be repeated.',
    },
    tier: { type: 'string', value: 'TIER', doc: 'auto, wasm-threads, wasm or js.' },
    workers: { type: 'string', value: 'N', doc: 'Workers: auto, or 0…256.' },
    quiet: { type: 'boolean', short: 'q', doc: 'No plan, progress and metrics.' },
    ...LIMIT_OPTION,
  },
  examples: [
    'millrace run speech.json --input file=talk.wav --output pcm=talk-16k.wav', 'millrace run speech.json --input file=talk.wav --json',
    'make-graph | millrace run - --quiet',
  ],
  run: async (context) => (await import('../actions/run.js')).run(context),
}

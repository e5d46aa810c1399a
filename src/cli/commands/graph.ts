import type { Command } from '../command.js'
import { LIMIT_OPTION } from '../limits.js'

/** `millrace graph`: a document as a drawing. */
export const graphCommand: Command = {
  name: 'graph', summary: 'draw a graph document as Graphviz DOT or Mermaid',
  usage: 'GRAPH.json --dot | --mermaid [--plan] [--input NAME=VALUE]...',
  options: {
    dot: { type: 'boolean', doc: 'Graphviz DOT.' },
    mermaid: { type: 'boolean', doc: 'A Mermaid flowchart.' },
    plan: { type: 'boolean', doc: 'Draw what would run: subgraphs opened, converters, segments, media.' },
    input: {
      type: 'string', short: 'i', multiple: true, value: 'NAME=VALUE', doc: 'Value of a declared input, for --plan. May be repeated.',
    },
    ...LIMIT_OPTION,
  },
  examples: ['millrace graph speech.json --mermaid', 'millrace graph speech.json --dot --plan --input file=talk.wav | dot -Tsvg'],
  run: async (context) => (await import('../actions/graph.js')).drawGraph(context),
}

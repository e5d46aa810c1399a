import { createEngine, createRegistry, printPlan } from '../../index.js'
import * as nodes from '../../nodes/index.js'
import { pairs, UsageError, type Command } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { readGraph } from '../read-graph.js'

/** `millrace inspect`: the plan of a document without running it. */
export const inspectCommand: Command = {
  name: 'inspect', summary: 'show the plan of a graph: media, converters, segments, memory', usage: 'GRAPH.json [--input name=value]...',
  options: {
    input: { type: 'string', short: 'i', multiple: true, value: 'NAME=VALUE', doc: 'Value of a declared input; a file that is there tells its media.' },
    tier: { type: 'string', value: 'TIER', doc: 'auto, wasm-threads, wasm or js.' },
  },
  examples: ['millrace inspect speech.json --input file=talk.wav', 'millrace inspect speech.json --json'],
  run: async ({ positionals, options, terminal, signal }) => {
    if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
    const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
    const { graph } = await readGraph(positionals[0]!, registry)
    await using engine = await createEngine({ registry, ...(typeof options['tier'] === 'string' ? { tier: options['tier'] } : {}) })
    const plan = await engine.plan(graph, { inputs: Object.fromEntries(pairs(options['input'], 'input')), signal })
    if (options['json'] === true) terminal.out(JSON.stringify(plan, null, 2)); else terminal.out(printPlan(plan))
    if (options['json'] !== true) printDiagnostics(plan.diagnostics, terminal)
    return EXIT.OK
  },
}

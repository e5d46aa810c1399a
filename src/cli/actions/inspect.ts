import { createEngine, printPlan } from '../../index.js'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { builtinRegistry, readGraph } from '../read-graph.js'
import { checkNames, engineOptions, inputValues } from '../values.js'

/** Prints the plan of a document. Exit code 0, or what {@link readGraph} and `engine.plan` throw. */
export async function inspect({ positionals, options, terminal, signal }: CommandContext): Promise<number> {
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const inputs = inputValues(options['input']), engineWords = engineOptions(options), registry = builtinRegistry()
  const { graph, diagnostics } = await readGraph(positionals[0]!, registry, terminal)
  checkNames(graph, inputs)
  await using engine = await createEngine({ registry, ...engineWords })
  const plan = await engine.plan(graph, { inputs, signal }), all = [...diagnostics, ...plan.diagnostics]
  if (options['json'] === true) terminal.out(JSON.stringify({ ...plan, diagnostics: all }, null, 2))
  else {
    terminal.out(printPlan(plan))
    // What the plan says already (inserted converters) is not said again.
    printDiagnostics(all.filter((d) => d.severity !== 'info'), terminal)
  }
  return EXIT.OK
}

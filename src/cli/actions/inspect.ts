import { createEngine, printPlan } from '../../index.js'
import { documentSchema } from '../../graph/schema/json-schema.js'
import { typedDocumentSchema } from '../../graph/schema/typed-document-schema.js'
import { UsageError, type CommandContext, type Terminal } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { limitsOf } from '../limits.js'
import { builtinRegistry, readGraph } from '../read-graph.js'
import { unknownType } from '../unknown-type.js'
import { checkNames, engineOptions, fitTexts, inputValues } from '../values.js'

/** Prints the plan of a document. Exit code 0, or what {@link readGraph} and `engine.plan` throw. */
export async function inspect({ positionals, options, terminal, signal }: CommandContext): Promise<number> {
  if (typeof options['schema'] === 'string' && positionals.length === 0) return printSchema(options['schema'], terminal)
  if (options['schema'] !== undefined) throw new UsageError('expected a graph document or --schema, got both.')
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const inputs = inputValues(options['input']), engineWords = engineOptions(options)
  const limits = limitsOf(options), registry = builtinRegistry()
  const { graph, diagnostics } = await readGraph(positionals[0]!, registry, terminal, limits)
  checkNames(graph, inputs)
  fitTexts(graph, inputs, options['input'])
  await using engine = await createEngine({ registry, limits, ...engineWords })
  const plan = await engine.plan(graph, { inputs, signal }), all = [...diagnostics, ...plan.diagnostics]
  if (options['json'] === true) terminal.out(JSON.stringify({ ...plan, diagnostics: all }, null, 2))
  else {
    terminal.out(printPlan(plan))
    // What the plan says already (inserted converters) is not said again.
    printDiagnostics(all.filter((d) => d.severity !== 'info'), terminal)
  }
  return EXIT.OK
}

/** JSON Schema of the format or of a node type. Throws UsageError for a type that is not there. */
function printSchema(type: string, terminal: Terminal): number {
  const registry = builtinRegistry()
  const schema = type === 'document' ? documentSchema()
    : type === 'document-with-types' ? typedDocumentSchema(registry.list())
    : registry.schema(type)
  if (schema === undefined) throw unknownType(type, registry)
  terminal.out(JSON.stringify(schema, null, 2))
  return EXIT.OK
}

import { toDot } from '../../graph/dump/dot.js'
import { toMermaid } from '../../graph/dump/mermaid.js'
import { resolveLimits } from '../../graph/limits.js'
import { flatGraph } from '../../graph/subgraph/flatten.js'
import { createEngine, fromDocument } from '../../index.js'
import { UsageError, type CommandContext } from '../command.js'
import { DiagnosticsError } from '../diagnostics-error.js'
import { EXIT } from '../exit-codes.js'
import { limitsOf } from '../limits.js'
import { readAny } from '../read-any.js'
import { builtinRegistry } from '../read-graph.js'
import { checkNames, fitTexts, inputValues } from '../values.js'

/** Prints a document as a drawing; with `--plan`, what an engine here would run. */
export async function drawGraph({ positionals, options, terminal, signal }: CommandContext): Promise<number> {
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  if ((options['dot'] === true) === (options['mermaid'] === true)) {
    throw new UsageError(`expected --dot or --mermaid, got ${options['dot'] === true ? 'both' : 'neither'}.`)
  }
  const registry = builtinRegistry()
  const draw = options['dot'] === true ? toDot : toMermaid
  const inputs = inputValues(options['input']), limits = limitsOf(options)
  const { document, diagnostics } = await readAny(positionals[0]!, registry, terminal, { limits })
  if (document === undefined || diagnostics.some((one) => one.severity === 'error')) throw new DiagnosticsError(diagnostics)
  const graph = fromDocument(document, registry, { limits })
  let text: string
  if (options['plan'] === true) {
    checkNames(graph, inputs)
    fitTexts(graph, inputs, options['input'])
    await using engine = await createEngine({ registry, limits })
    text = draw(flatGraph(graph, registry, resolveLimits(limits)), await engine.plan(graph, { inputs, signal }))
  } else text = draw(graph)
  terminal.out(
    options['json'] === true ? JSON.stringify({ format: options['dot'] === true ? 'dot' : 'mermaid', text }, null, 2) : text.trimEnd(),
  )
  return EXIT.OK
}

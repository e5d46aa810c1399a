import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addNode, connect } from '../../graph/edit.js'
import type { Graph } from '../../graph/graph.js'
import { resolveLimits } from '../../graph/limits.js'
import { flatGraph } from '../../graph/subgraph/flatten.js'
import {
  createEngine, exportMetrics, printPlan, type Engine, type Packet, type Plan, type Registry, type RunOptions, type RunResult,
} from '../../index.js'
import { pairs, UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { metricsTable } from '../print/metrics.js'
import { packetJson, packetText } from '../print/packet.js'
import { progressBar, type ProgressBar } from '../print/progress-bar.js'
import { limitsOf } from '../limits.js'
import { builtinRegistry, readGraph } from '../read-graph.js'
import { checkNames, engineOptions, fitTexts, inputValues } from '../values.js'

/** Runs a document, writes outputs to files, prints the rest. Exit code 0, or 1 when a branch failed. */
export async function run(context: CommandContext): Promise<number> {
  const { terminal, options, positionals, signal } = context
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const inputs = inputValues(options['input']), files = outputFiles(options['output'])
  const engineWords = engineOptions(options), limits = limitsOf(options)
  const json = options['json'] === true, quiet = options['quiet'] === true || json
  const registry = builtinRegistry()
  const { graph: read, diagnostics } = await readGraph(positionals[0]!, registry, terminal, limits)
  checkNames(read, inputs, files.keys())
  fitTexts(read, inputs, options['input'])
  // Plans know outputs by the nodes inside subgraphs.
  const graph = flatGraph(read, registry, resolveLimits(limits))
  await checkFiles(graph, positionals[0]!, inputs, files)
  await using engine = await createEngine({ registry, limits, ...engineWords })
  const plan = await engine.plan(graph, { inputs, signal })
  if (!quiet) terminal.out(printPlan(plan))
  const { target, written } = withWriters(graph, plan, files, registry)
  for (const file of files.values()) await mkdir(dirname(file), { recursive: true })
  using result = await runShown(engine, target, { inputs, signal }, quiet ? undefined : progressBar(terminal))
  for (const [name, packet] of Object.entries(result.outputs)) {
    if (files.has(name) && !written.has(name)) await writeFile(files.get(name)!, `${JSON.stringify(packetJson(packet), null, 2)}\n`)
  }
  const all = [...diagnostics, ...result.diagnostics]
  if (json) {
    terminal.out(JSON.stringify({
      run_id: result.runId, status: result.status, outputs: outputsJson(result.outputs, files), metrics: exportMetrics(result.metrics),
      diagnostics: all,
    }, null, 2))
  } else {
    printResult(result, files, context, engine)
  }
  // What the plan says already (inserted converters) is not said again.
  if (!json) printDiagnostics(all.filter((d) => d.severity !== 'info'), terminal)
  return result.status === 'success' ? EXIT.OK : EXIT.FAILED
}

/** Runs with a progress bar, whose line is ended whatever happens. */
async function runShown(engine: Engine, target: Graph, options: RunOptions, bar: ProgressBar | undefined): Promise<RunResult> {
  try { return await engine.run(target, { ...options, ...(bar && { onProgress: bar.show }) }) } finally { bar?.end() }
}

/** `--output` words. Throws UsageError for two outputs in one file. */
function outputFiles(option: unknown): Map<string, string> {
  const files = pairs(option, 'output'), seen = new Map<string, string>()
  for (const [name, file] of files) {
    if (file === '') throw new UsageError(`--output ${name}=: expected a file name.`)
    const path = resolve(file), other = seen.get(path)
    if (other !== undefined) throw new UsageError(`--output ${name}=${file}: ${other} is written there already.`)
    seen.set(path, name)
  }
  return files
}

/** Throws UsageError for an output that would replace the document or a file that the graph reads, by whatever path it is named. */
async function checkFiles(
  graph: Graph, document: string, inputs: Readonly<Record<string, unknown>>, files: ReadonlyMap<string, string>,
): Promise<void> {
  if (files.size === 0) return
  const read: (readonly [string, unknown])[] = [['the graph document', document === '-' ? undefined : document]]
  for (const [name, { default: value }] of graph.inputs) {
    read.push([`the file of input ${name}`, Object.hasOwn(inputs, name) ? inputs[name] : value])
  }
  for (const { id, params, definition } of graph.nodes) {
    for (const [name, value] of Object.entries(params)) {
      if (definition?.params[name]?.type === 'file') read.push([`the file that node ${id} reads`, value])
    }
  }
  const places = new Map<string, string>()
  for (const [what, value] of read) {
    const place = typeof value === 'string' ? await placeOf(value) : undefined
    if (place !== undefined) places.set(place, what)
  }
  for (const [name, file] of files) {
    const place = await placeOf(file), what = place === undefined ? undefined : places.get(place)
    if (what !== undefined) throw new UsageError(`--output ${name}=${file}: that is ${what}.`)
  }
}

/** Where a path leads, links followed; undefined for what is no existing file. */
async function placeOf(path: string): Promise<string | undefined> {
  try { return await realpath(path.startsWith('file:') ? fileURLToPath(path) : path) } catch { return undefined }
}

/** Audio outputs that go to a file are streamed into it by a writer node, so their length is not bounded by memory. */
function withWriters(
  graph: Graph, plan: Plan, files: ReadonlyMap<string, string>, registry: Registry,
): { target: Graph; written: Set<string> } {
  let target = graph
  const written = new Set<string>(), outputs = new Map(graph.outputs), definition = registry.get('io::wav-writer')!
  for (const [name, file] of files) {
    const port = graph.outputs.get(name)!
    const media = plan.media[`${port[0]}.${port[1]}`]
    if (media?.kind !== 'audio') continue
    const id = `~write.${name}`
    target = connect(addNode(target, { id, type: definition.type, definition, params: { path: file, format: media.format } }), port, [
      id, Object.keys(definition.inputs)[0]!,
    ])
    outputs.set(name, [id, Object.keys(definition.outputs)[0]!])
    written.add(name)
  }
  return { target: { ...target, outputs }, written }
}

function outputsJson(outputs: Readonly<Record<string, Packet>>, files: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([name, packet]) =>
    [name, files.has(name) ? { file: files.get(name) } : packetJson(packet)]))
}

function printResult(result: RunResult, files: ReadonlyMap<string, string>, { terminal, options }: CommandContext, engine: Engine): void {
  for (const [name, packet] of Object.entries(result.outputs as Readonly<Record<string, Packet>>)) {
    terminal.out('')
    terminal.out(files.has(name) ? `${name}: written to ${files.get(name)!}` : `${name}: ${packetText(packet)}`)
  }
  if (options['quiet'] !== true) terminal.out(`\n${metricsTable(result.metrics, engine.stats().mode.mode)}`)
}

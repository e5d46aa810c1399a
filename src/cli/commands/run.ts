import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { addNode, connect } from '../../graph/edit.js'
import type { Graph } from '../../graph/graph.js'
import { createEngine, createRegistry, exportMetrics, printPlan, type Engine, type Packet, type Plan, type Registry } from '../../index.js'
import * as nodes from '../../nodes/index.js'
import { pairs, UsageError, type Command, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { printDiagnostics } from '../print/diagnostics.js'
import { metricsTable } from '../print/metrics.js'
import { packetJson, packetText } from '../print/packet.js'
import { progressBar } from '../print/progress-bar.js'
import { readGraph } from '../read-graph.js'

/** `millrace run`: runs a document, writes outputs to files, prints the rest. */
export const runCommand: Command = {
  name: 'run', summary: 'run a graph document', usage: 'GRAPH.json [--input name=value]... [--output name=file]...',
  options: {
    input: { type: 'string', short: 'i', multiple: true, value: 'NAME=VALUE', doc: 'Value of a declared input: a path, a number, JSON. May be repeated.' },
    output: { type: 'string', short: 'o', multiple: true, value: 'NAME=FILE', doc: 'Write an output to a file: audio as WAV, everything else as JSON. May be repeated.' },
    tier: { type: 'string', value: 'TIER', doc: 'auto, wasm-threads, wasm or js.' },
    workers: { type: 'string', value: 'N', doc: 'Workers: auto, or 0…256.' },
    quiet: { type: 'boolean', short: 'q', doc: 'No plan, progress and metrics.' },
  },
  examples: ['millrace run speech.json --input file=talk.wav --output pcm=talk-16k.wav', 'millrace run speech.json --input file=talk.wav --json'],
  run: execute,
}

async function execute(context: CommandContext): Promise<number> {
  const { terminal, options, positionals, signal } = context
  if (positionals.length !== 1) throw new UsageError(`expected one graph document, got ${positionals.length}.`)
  const inputs = Object.fromEntries([...pairs(options['input'], 'input')].map(([name, text]) => [name, inputValue(text)]))
  const files = pairs(options['output'], 'output'), json = options['json'] === true, quiet = options['quiet'] === true || json
  const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
  const { graph, diagnostics } = await readGraph(positionals[0]!, registry)
  printDiagnostics(diagnostics, terminal)
  await using engine = await createEngine({ registry, workers: workersOf(options['workers']), ...(typeof options['tier'] === 'string' ? { tier: options['tier'] } : {}) })
  const plan = await engine.plan(graph, { inputs, signal })
  if (!quiet) terminal.out(printPlan(plan))
  const { target, written } = withWriters(graph, plan, files, registry)
  for (const file of files.values()) await mkdir(dirname(file), { recursive: true })
  using result = await engine.run(target, { inputs, signal, ...(quiet ? {} : { onProgress: progressBar(terminal) }) })
  for (const [name, packet] of Object.entries(result.outputs)) if (files.has(name) && !written.has(name)) await writeFile(files.get(name)!, `${JSON.stringify(packetJson(packet), null, 2)}\n`)
  if (json) terminal.out(JSON.stringify({ run_id: result.runId, status: result.status, outputs: outputsJson(result.outputs, files), metrics: exportMetrics(result.metrics), diagnostics: result.diagnostics }, null, 2))
  else printResult(result, files, context, engine)
  return result.status === 'success' ? EXIT.OK : EXIT.FAILED
}

/** `--workers`: auto or a number. */
function workersOf(text: unknown): 'auto' | number {
  if (text === undefined || text === 'auto') return 'auto'
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0 || count > 256) throw new UsageError(`--workers ${String(text)}: expected auto or 0…256.`)
  return count
}

/** A value from the command line: JSON where it reads as a number, boolean, array or object, else the text itself. */
function inputValue(text: string): unknown {
  if (!/^(-?\d|true$|false$|null$|[[{"])/.test(text)) return text
  try { return JSON.parse(text) } catch { return text }
}

/** Audio outputs that go to a file are streamed into it by a writer node, so their length is not bounded by memory. */
function withWriters(graph: Graph, plan: Plan, files: ReadonlyMap<string, string>, registry: Registry): { target: Graph; written: Set<string> } {
  let target = graph
  const written = new Set<string>(), outputs = new Map(graph.outputs), definition = registry.get('io::wav-writer')!
  for (const [name, file] of files) {
    const port = graph.outputs.get(name)
    if (port === undefined) throw new UsageError(`--output ${name}: the graph has no such output. It has: ${[...graph.outputs.keys()].join(', ') || 'none declared'}.`)
    const media = plan.media[`${port[0]}.${port[1]}`]
    if (media?.kind !== 'audio') continue
    const id = `~write.${name}`
    target = connect(addNode(target, { id, type: definition.type, definition, params: { path: file, format: media.format } }), port, [id, Object.keys(definition.inputs)[0]!])
    outputs.set(name, [id, Object.keys(definition.outputs)[0]!])
    written.add(name)
  }
  return { target: { ...target, outputs }, written }
}

function outputsJson(outputs: Readonly<Record<string, Packet>>, files: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([name, packet]) => [name, files.has(name) ? { file: files.get(name) } : packetJson(packet)]))
}

function printResult(result: Awaited<ReturnType<Engine['run']>>, files: ReadonlyMap<string, string>, { terminal, options }: CommandContext, engine: Engine): void {
  for (const [name, packet] of Object.entries(result.outputs as Readonly<Record<string, Packet>>)) {
    terminal.out('')
    terminal.out(files.has(name) ? `${name}: written to ${files.get(name)!}` : `${name}: ${packetText(packet)}`)
  }
  if (options['quiet'] !== true) terminal.out(`\n${metricsTable(result.metrics, engine.stats().mode.mode)}`)
  // What the plan says already (inserted converters) is not said again.
  printDiagnostics(result.diagnostics.filter((d) => d.severity !== 'info'), terminal)
}

import type { Graph } from '../graph/graph.js'
import { parseTier, type TierChoice } from '../graph/tiers.js'
import { pairs, UsageError, type CommandContext } from './command.js'

/**
 * `--input` words as values for the graph: JSON where a word reads as a number, true, false, null, a string in quotes,
 * an array or an object; else the text itself.
 */
export function inputValues(option: unknown): Record<string, unknown> {
  return Object.fromEntries([...pairs(option, 'input')].map(([name, text]) => [name, inputValue(text)]))
}

/** Puts the words themselves back where a port takes text and no json: `--input title=12` is a title. Changes `inputs`. */
export function fitTexts(graph: Graph, inputs: Record<string, unknown>, option: unknown): void {
  for (const [name, word] of pairs(option, 'input')) {
    const input = graph.inputs.get(name)
    const media = input?.media ?? input?.to.map(([id, port]) => graph.nodes.find((node) => node.id === id)?.definition?.inputs[port]?.media)
      .find((one) => one !== undefined)
    const kinds: readonly string[] = media === undefined ? []
      : media.kind === 'oneOf' ? media.options.map(({ kind }) => kind)
      : [media.kind]
    if (kinds.includes('text') && !kinds.includes('json') && typeof inputs[name] !== 'string') inputs[name] = word
  }
}

function inputValue(text: string): unknown {
  if (!/^(-?\d|true$|false$|null$|[[{"])/.test(text)) return text
  try { return JSON.parse(text) } catch { return text }
}

/**
 * Compares the names of the call with those of the graph. Throws UsageError for an input or output that the graph does not
 * declare, and for an input that needs a value.
 */
export function checkNames(graph: Graph, inputs: Readonly<Record<string, unknown>>, outputs: Iterable<string> = []): void {
  for (const name of Object.keys(inputs)) {
    if (!graph.inputs.has(name)) throw new UsageError(`--input ${name}: the graph has no such input. It has: ${list(graph.inputs.keys())}.`)
  }
  for (const name of outputs) if (!graph.outputs.has(name)) {
    throw new UsageError(`--output ${name}: the graph has no such output. It has: ${list(graph.outputs.keys())}.`)
  }
  for (const [name, input] of graph.inputs) {
    if (input.default === undefined && input.required !== false && !Object.hasOwn(inputs, name)) {
      throw new UsageError(`input ${name} has no value and no default. Give it: --input ${name}=VALUE`)
    }
  }
}

function list(names: Iterable<string>): string { return [...names].join(', ') || 'none declared' }

/** `--tier` and `--workers` as options of the engine. Throws UsageError for other words. */
export function engineOptions(options: CommandContext['options']): { readonly workers: 'auto' | number; readonly tier?: TierChoice } {
  const { tier, workers = 'auto' } = options, count = workers === 'auto' ? 0 : Number(workers), choice = parseTier(tier)
  if (tier !== undefined && choice === undefined) throw new UsageError(`--tier ${String(tier)}: expected auto, wasm-threads, wasm or js.`)
  if (!Number.isInteger(count) || count < 0 || count > 256 || workers === '') {
    throw new UsageError(`--workers ${String(workers)}: expected auto or 0…256.`)
  }
  return { workers: workers === 'auto' ? 'auto' : count, ...(choice !== undefined && { tier: choice }) }
}

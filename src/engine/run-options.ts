import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { demandGraph } from '../graph/as-graph.js'

/** One check of one option. */
interface Check { readonly key: string; readonly expected: string; readonly holds: (value: unknown) => boolean }

const oneOf = (...values: readonly string[]): ((value: unknown) => boolean) => (value) => values.includes(value as string)
const CHECKS: readonly Check[] = [
  {
    key: 'signal', expected: 'an AbortSignal',
    holds: (v) =>
      typeof v === 'object' && v !== null && 'aborted' in v && typeof (v as { addEventListener?: unknown }).addEventListener === 'function',
  },
  { key: 'runId', expected: 'a text of 1 to 128 characters', holds: (v) => typeof v === 'string' && v.length > 0 && v.length <= 128 },
  { key: 'onProgress', expected: 'a function', holds: (v) => typeof v === 'function' },
  { key: 'inputs', expected: 'an object of values by input name', holds: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) },
  { key: 'outputs', expected: 'a list of output names', holds: (v) => Array.isArray(v) && v.every((name) => typeof name === 'string') },
  { key: 'onError', expected: "'stop' or 'continue'", holds: oneOf('stop', 'continue') },
  { key: 'materialize', expected: "'segments', 'outputs' or 'all'", holds: oneOf('segments', 'outputs', 'all') },
  { key: 'negotiate', expected: "'auto', 'safe' or 'strict'", holds: oneOf('auto', 'safe', 'strict') },
  { key: 'seed', expected: 'a whole number of 64 bits',
    holds: (v) => typeof v === 'bigint' || (typeof v === 'number' && Number.isSafeInteger(v)) },
  { key: 'priority', expected: 'a whole number from -100 to 100', holds: (v) => Number.isInteger(v) && Math.abs(v as number) <= 100 },
  { key: 'workers', expected: 'a whole number from 1 to 256',
    holds: (v) => Number.isInteger(v) && (v as number) >= 1 && (v as number) <= 256 },
  { key: 'nodeTimeoutMs', expected: 'ms, 0 or more', holds: (v) => typeof v === 'number' && v >= 0 },
  { key: 'metrics', expected: 'true or false', holds: (v) => typeof v === 'boolean' },
  { key: 'blockFrames', expected: '64…65536 frames', holds: (v) => Number.isInteger(v) && (v as number) >= 64 && (v as number) <= 65_536 },
]

/** Refuses what is no graph and no option, before anything starts. Throws `INVALID_ARGUMENT` naming the option. */
export function checkRunCall(name: string, target: unknown, options: object): void {
  if (typeof target !== 'object' || target === null) {
    throw commonErrors.INVALID_ARGUMENT({
      function: `engine.${name}`, expected: 'outputs by name, or a graph', got: show(target),
      hint: 'For one output write { name: output }.',
    })
  }
  if ('nodes' in target && Array.isArray(target.nodes)) demandGraph(target, `engine.${name}`)
  if (typeof options !== 'object' || options === null) {
    throw commonErrors.INVALID_ARGUMENT({ function: `engine.${name} options`, expected: 'an object', got: show(options) })
  }
  for (const { key, expected, holds } of CHECKS) {
    const value = (options as Readonly<Record<string, unknown>>)[key]
    if (value !== undefined && !holds(value)) {
      throw commonErrors.INVALID_ARGUMENT({ function: `engine.${name} ${key}`, expected, got: show(value) })
    }
  }
}

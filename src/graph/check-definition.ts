import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { LONGEST_NAME, PORT_NAME, TYPE_ID } from './ids.js'
import { compareVersions } from './semver.js'
import type { NodeDefinition, ParamDeclaration, ParamTable } from './node-definition.js'

/** Most ports of a node, inputs and outputs together (spec graph.md section 7, hard limit). */
const MOST_PORTS = 1_024
const VERSION = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?$/
/** Names that would change what a handle or a params object is. */
const RESERVED = new Set(['then', 'constructor', 'prototype'])

/** Refuses a definition that contradicts itself. Throws `INVALID_ARGUMENT` naming the type and the field. */
export function checkDefinition(definition: NodeDefinition): void {
  const { type, version, title, inputs, outputs, params } = definition
  demand(type, TYPE_ID.test(type) && type.length <= LONGEST_NAME, 'type `family::name` of at most 64 characters', type)
  demand(type, VERSION.test(version), 'a semantic version', version)
  demand(type, title.length > 0 && title.length <= 80, 'a title of 1 to 80 characters', `${title.length}`)
  const inputNames = Object.keys(inputs), outputNames = Object.keys(outputs)
  demand(type, inputNames.length + outputNames.length <= MOST_PORTS, `at most ${MOST_PORTS} ports`, `${inputNames.length + outputNames.length}`)
  for (const name of [...inputNames, ...outputNames, ...Object.keys(params)]) checkName(type, name)
  for (const name of Object.keys(params)) demand(type, !(name in inputs), 'different names for inputs and params', name)
  if (definition.main !== undefined) demand(type, Object.hasOwn(outputs, definition.main), 'main to name an output', definition.main)
  demand(type, definition.kernel === undefined || definition.reference !== undefined, 'a reference beside the kernel', 'none')
  const made = definition.kernel?.tiers
  demand(type, made === undefined || (made.length > 0 && made.every((tier) => tier === 'wasm-threads' || tier === 'wasm')), 'kernel.tiers of wasm-threads and wasm, at least one', show(made))
  const { thread, codeURL } = definition, inWorker = thread === 'worker'
  demand(type, thread === undefined || thread === 'engine' || inWorker, "thread 'engine' or 'worker'", show(thread))
  // By tag, not by class: a URL of another realm is one too.
  demand(type, codeURL === undefined || typeof codeURL === 'string' || Object.prototype.toString.call(codeURL) === '[object URL]', 'codeURL as text or a URL', show(codeURL))
  demand(type, definition.kernel !== undefined || definition.reference !== undefined || definition.process !== undefined || definition.pull !== undefined || (outputNames.length > 0 && Object.values(outputs).every((output) => output.view !== undefined)) || (inWorker && codeURL !== undefined),
    'a kernel, a process function or a pull function', 'none')
  demand(type, definition.flush === undefined || definition.process !== undefined, 'process beside flush', 'none')
  demand(type, inWorker || codeURL === undefined, "thread: 'worker' beside codeURL", `thread ${thread ?? 'engine'}`)
  demand(type, !inWorker || definition.kernel === undefined, "no thread for a kernel node", 'worker')
  demand(type, definition.kernel === undefined || ![...Object.values(inputs), ...Object.values(outputs)].some((port) => ('lazy' in port && port.lazy === true) || ('changes' in port && port.changes === true) || port.list === true), 'no lazy or list ports beside a kernel, nor ports with changes', 'some')
  const { limiters, hangMs } = definition
  demand(type, limiters === undefined || Array.isArray(limiters), 'limiters to be a list', String(limiters))
  demand(type, hangMs === undefined || hangMs >= 0, 'hangMs from 0', String(hangMs))
  checkParams(type, params)
  for (const field of ['costUs', 'memoryBytes'] as const) demand(type, definition[field] === undefined || typeof definition[field] === 'function' || definition[field] >= 0, `${field} from 0, or a function`, show(definition[field]))
  const from = definition.migrations?.map((step) => step.from) ?? []
  demand(type, from.every((old, i) => VERSION.test(old) && compareVersions(old, version) < 0 && from.indexOf(old) === i), `migrations from different versions before ${version}`, from.join(', '))
}

function checkName(type: string, name: string): void {
  demand(type, PORT_NAME.test(name) && !RESERVED.has(name), 'names of letters, digits, _ and - starting with a letter, at most 64 characters', name)
}

function checkParams(type: string, params: ParamTable): void {
  const taken = new Set(Object.keys(params))
  let main = ''
  for (const [name, param] of Object.entries(params)) {
    demand(type, param.type !== 'enum' || (param.values?.length ?? 0) > 0, `values for enum ${name}`, 'none')
    demand(type, !(param.required === true && param.default !== undefined), `no default for required param ${name}`, String(param.default))
    demand(type, rangeHolds(param), `a range that is not empty for ${name}`, `${param.min}…${param.max}`)
    if (param.main === true) { demand(type, main === '', 'one main param', `${main} and ${name}`); main = name }
    for (const alias of param.alias ?? []) {
      demand(type, !taken.has(alias), `alias ${alias} of ${name} to be free`, 'taken')
      taken.add(alias)
    }
  }
}

function rangeHolds({ min, max, exclusiveMin, exclusiveMax }: ParamDeclaration): boolean {
  const low = Math.max(min ?? -Infinity, exclusiveMin ?? -Infinity), high = Math.min(max ?? Infinity, exclusiveMax ?? Infinity)
  return low < high || (low === high && exclusiveMin !== low && exclusiveMax !== high)
}

function demand(type: string, holds: boolean, expected: string, got: string): void {
  if (!holds) throw commonErrors.INVALID_ARGUMENT({ function: `defineNode(${type})`, expected, got })
}

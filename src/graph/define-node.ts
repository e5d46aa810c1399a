import { commonErrors } from '../errors/common-errors.js'
import { isInstance } from '../errors/is-instance.js'
import { show } from '../errors/show.js'
import { checkDefinition } from './check-definition.js'
import type { NodeDefinition, ParamTable } from './node-definition.js'
import type { NodeFactory, NodeHandle } from './node-factory.js'
import { callOf, makeHandle, outputFacts, type CallLink, type NodeCall, type OutputFacts } from './output-ref.js'
import type { NodeSettings } from './node-settings.js'
import type { InputTable, OutputTable, Signature, TypedDefinition } from './signature.js'

/**
 * Declares a node type and returns it as a function: inputs in order, last the params; the result carries its outputs.
 * Throws `INVALID_ARGUMENT` for a definition that contradicts itself. Put `/* @__PURE__ *\/` before the call of an exported node, so that
 * bundlers drop it where it is not used: not all of them read the mark on this declaration across files.
 * @example
 * const half = /* @__PURE__ *\/ defineNode({ type: 'my::half', version: '1.0.0', title: 'Half', doc: 'Halves.', family: 'my', params: {},
 *   inputs: { in: { media: json() } }, outputs: { out: { media: json() } }, process: async (inputs) => ({ … }) })
 * const y = half(half(x))
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineNode<const I extends InputTable, const O extends OutputTable, const P extends ParamTable, const M extends string
  | undefined = undefined, Export extends string = never,
  const Open extends boolean | undefined = undefined>(definition: TypedDefinition<I, O, P, M, Export, Open>): NodeFactory<
    Signature<I, O, P, M, [Export] extends [never] ? false : true, Open>
  > {
  const plain = definition as unknown as NodeDefinition
  checkDefinition(plain)
  return factoryOf(plain, {})
}

function factoryOf<D extends Signature>(definition: NodeDefinition, settings: NodeSettings): NodeFactory<D> {
  const main = mainOutput(definition)
  const call = (...args: readonly unknown[]): NodeHandle => makeHandle(readCall(definition, settings, args), main) as NodeHandle
  Object.defineProperty(call, 'name', { value: definition.type })
  return Object.assign(call, {
    definition,
    with: (more: NodeSettings): NodeFactory<D> => factoryOf(definition, { ...settings, ...more }),
    named: (id: string): NodeFactory<D> => factoryOf(definition, { ...settings, id }),
  }) as unknown as NodeFactory<D>
}

/** The output taken when the node itself is wired: `main`, or the only one. */
export function mainOutput(definition: NodeDefinition): string | undefined {
  const names = Object.keys(definition.outputs)
  return definition.main ?? (names.length === 1 ? names[0] : undefined)
}

/** Name of the param that may be given alone. */
export function mainParam(definition: NodeDefinition): string | undefined {
  return Object.keys(definition.params).find((name) => definition.params[name]?.main === true)
}

/** Sorts the arguments of a call into links and params. */
function readCall(definition: NodeDefinition, settings: NodeSettings, args: readonly unknown[]): NodeCall {
  const links: CallLink[] = []
  const ports = Object.keys(definition.inputs)
  const rest = readWires(definition, ports, args, links)
  if (rest.length > 1) {
    throw wrong(definition, `at most ${ports.length} inputs and the params`, `${args.length} arguments, ${show(rest[1])} among them`)
  }
  return Object.freeze({ definition, params: Object.freeze(readParams(definition, rest[0], links)), links: Object.freeze(links), settings })
}

/** Takes wires off the front of the arguments; returns what is left. */
function readWires(definition: NodeDefinition, ports: readonly string[], args: readonly unknown[], links: CallLink[]): readonly unknown[] {
  const named = namedInputs(ports, args[0])
  if (named !== undefined) {
    for (const port of ports) addWire(definition, port, named[port], links)
    return args.slice(1)
  }
  let taken = 0
  while (taken < args.length && taken < ports.length && isWire(definition, ports[taken]!, args[taken])) {
    addWire(definition, ports[taken]!, args[taken], links)
    taken++
  }
  return args.slice(taken)
}

/** A plain object whose keys are all input ports and whose values are all wires. */
function namedInputs(ports: readonly string[], value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isPlainObject(value) || outputFacts(value) !== undefined || callOf(value) !== undefined) return undefined
  const keys = Object.keys(value)
  const all = keys.length > 0
    && keys.every((key) => ports.includes(key) && (value[key] === undefined || [value[key]].flat().every(isHandle)))
  return all ? value : undefined
}

function isHandle(value: unknown): boolean { return outputFacts(value) !== undefined || callOf(value) !== undefined }

/** undefined leaves the port open; an empty list is a wire of a `multi` port only. */
function isWire(definition: NodeDefinition, port: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0 ? definition.inputs[port]?.multi === true : value.some(isHandle)
  return value === undefined || isHandle(value)
}

function addWire(definition: NodeDefinition, port: string, value: unknown, links: CallLink[]): void {
  if (value === undefined) return
  if (!Array.isArray(value)) links.push({ to: port, from: sourceOf(definition, port, value) })
  else if (definition.inputs[port]?.multi !== true) throw wrong(definition, `one output for input ${port}`, `a list of ${value.length}`)
  else value.forEach((item, order) => links.push({ to: port, from: sourceOf(definition, port, item), order }))
}

/** The output that a wire refers to; a node with several outputs and no main one must be wired by port. */
function sourceOf(definition: NodeDefinition, port: string, value: unknown): OutputFacts {
  const facts = outputFacts(value)
  if (facts !== undefined) return facts
  const call = callOf(value)
  if (call === undefined) throw wrong(definition, `an output for input ${port}`, show(value))
  const outputs = Object.keys(call.definition.outputs)
  throw wrong(definition, `one output for input ${port}`, `all outputs of ${call.definition.type}`,
    outputs.length === 0 ? 'That node has no output.' : `Choose one of ${outputs.map((name) => `.${name}`).join(', ')}.`)
}

/** The params as given; outputs given for params become links. */
function readParams(definition: NodeDefinition, given: unknown, links: CallLink[]): Record<string, unknown> {
  const params: Record<string, unknown> = {}
  if (given === undefined) return params
  const main = mainParam(definition)
  if (!isPlainObject(given) || isHandle(given)) {
    if (main === undefined || isHandle(given)) {
      throw wrong(definition, 'a params object', isHandle(given) ? 'one more wire than it has inputs' : show(given))
    }
    params[main] = given
    return params
  }
  for (const key of Object.keys(given)) {
    const value = given[key]
    if (value === undefined) continue
    if (isHandle(value)) links.push({ to: key, from: sourceOf(definition, key, value) })
    else Object.defineProperty(params, key, { value, enumerable: true, writable: true, configurable: true })
  }
  return params
}

/** An object literal (of any realm) or one without prototype; what can be iterated is a stream, however it was made. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(Symbol.asyncIterator in value) && !isInstance(value)
}

function wrong(definition: NodeDefinition, expected: string, got: string, hint?: string): Error {
  return commonErrors.INVALID_ARGUMENT({ function: `${definition.type}()`, expected, got, hint })
}

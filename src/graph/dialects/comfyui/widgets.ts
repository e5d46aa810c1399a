import type { NodeDefinition } from '../../node-definition.js'
import { isObject } from '../../schema/fit-shape.js'
import type { Json } from '../source.js'
import { paramNames } from '../../params.js'
import { CONTROL_WORDS, hasControl } from './classes.js'

/**
 * What stands at one place of `widgets_values`: a param by name; a value that is no param (a seed's companion, an upload button); or a
 * param whose own widget says something else than the node gets, because a primitive drives it or it is empty: name, value of the widget,
 * value of the param (null: none).
 */
export type Widget = string | readonly [raw: unknown] | readonly [name: string, raw: unknown, param: unknown]

/** Params of a node, and how `widgets_values` is made of them. */
export interface Widgets {
  readonly params: ReadonlyMap<string, unknown>
  /** Absent when the node has no `widgets_values`. */
  readonly list?: readonly Widget[]
  /** `widgets_values` is an object. */
  readonly named?: true
}

/** Values of a node of an unknown type whose widgets have no names. */
export const UNNAMED = 'widgets_values'

/**
 * Reads `widgets_values`: by name when the file names every widget, else by position through the type's params, else as one unnamed list. A
 * null is a widget without a value.
 */
export function readWidgets(node: Json, definition: NodeDefinition | undefined): Widgets {
  const values = node['widgets_values']
  if (isObject(values)) return { params: new Map(Object.entries(values)), list: Object.keys(values), named: true }
  if (!Array.isArray(values)) return { params: new Map() }
  const named = socketNames(node, definition)
  const found = (named === undefined ? undefined : assign(named, values, definition, false))
    ?? (definition === undefined ? undefined : assign(Object.keys(definition.params), values, definition, true))
  return found ?? (values.length === 0 ? { params: new Map(), list: [] } : { params: new Map([[UNNAMED, values]]), list: [UNNAMED] })
}

/**
 * Reads `widgets_values` of a subgraph's instance: values of the definition's inputs, named by `properties.proxyWidgets` (`["-1", input]`)
 * or in the order of the definition's own. `lost` is told of values that belong to widgets inside: they are shared by all instances, and
 * the definition's count.
 */
export function instanceWidgets(
  node: Json, inputs: readonly string[], own: readonly string[], lost: (at: string, what: string) => void,
): Widgets {
  const values = node['widgets_values'], proxies = isObject(node['properties']) ? node['properties']['proxyWidgets'] : undefined
  if (!Array.isArray(values) || values.length === 0) return { params: new Map() }
  const named = Array.isArray(proxies) && proxies.length === values.length
  const names = named ? proxies.map((one: unknown): unknown => Array.isArray(one) && String(one[0]) === '-1' ? one[1] : undefined)
    : own.length === values.length ? own
    : []
  if (names.length === 0) lost('', 'values without names: the definition’s count')
  const params = new Map<string, unknown>(), list = values.map((value: unknown, i): Widget => {
    const name = names[i]
    if (typeof name !== 'string' || !inputs.includes(name) || params.has(name)) {
      if (names.length > 0 && value !== null) lost(`/${i}`, 'a widget within: the definition’s value counts')
      return [value]
    }
    if (value === null) return [name, null, null]
    params.set(name, value)
    return name
  })
  return { params, list }
}

/**
 * Names of the widgets that have sockets, in order: frontends since 1.16 write one for every widget,
 * older ones only for those that are linked.
 */
function socketNames(node: Json, definition: NodeDefinition | undefined): readonly string[] | undefined {
  const sockets = ((node['inputs'] ?? []) as readonly Json[])
    .flatMap(({ widget }) => isObject(widget) && typeof widget['name'] === 'string' ? [widget['name']] : [])
  if (sockets.length === 0 || new Set(sockets).size < sockets.length) return undefined
  if (definition === undefined) return sockets
  const names = paramNames(definition.params), own = sockets.map((name) => names.get(name))
  return own.includes(undefined) || new Set(own).size < own.length ? undefined : own as readonly string[]
}

/** Values to names, one by one. `loose`: fewer or more values than names are taken. */
function assign(
  names: readonly string[], values: readonly unknown[], definition: NodeDefinition | undefined, loose: boolean,
): Widgets | undefined {
  const params = new Map<string, unknown>(), list: Widget[] = []
  let at = 0
  names.forEach((name, i) => {
    if (at >= values.length) { if (!loose) at = values.length + 1; return }
    const value = values[at++]
    if (value === null) list.push([name, null, null])
    else { params.set(name, value); list.push(name) }
    if (at < values.length && hasControl(name, definition) && CONTROL_WORDS.has(values[at])
      && (values.length - at > names.length - i - 1 || !takesText(names[i + 1], definition))) {
      list.push([values[at++]])
    }
  })
  if (loose) for (; at < values.length; at++) list.push([values[at]])
  return loose || at === values.length ? { params, list } : undefined
}

/** False for a param that a word cannot be the value of. */
function takesText(name: string | undefined, definition: NodeDefinition | undefined): boolean {
  const type = name === undefined || definition === undefined || !Object.hasOwn(definition.params, name)
    ? 'string'
    : definition.params[name]!.type
  return type !== 'number' && type !== 'integer' && type !== 'boolean' && type !== 'seed' && type !== 'vector'
}

/**
 * `widgets_values` of a node: the list it came with, filled with the params of now; without one, the type's params in order. `lose` is told
 * of params that have no place among them (`dropped`), or a place that says nothing of their name.
 */
export function writeWidgets(
  list: readonly Widget[] | undefined, named: boolean, params: Json, definition: NodeDefinition | undefined,
  lose: (name: string, dropped: boolean) => void,
): unknown {
  if (list !== undefined && list[0] === UNNAMED) {
    const all = Object.hasOwn(params, UNNAMED)
    for (const name of Object.keys(params)) if (name !== UNNAMED) lose(name, all)
    return all ? params[UNNAMED] : Object.values(params)
  }
  const covered = namesOf(list)
  const more = Object.keys(params).filter((name) => !covered.has(name))
  if (named) {
    return Object.fromEntries([
      ...list!.map((widget): [string, unknown] => [typeof widget === 'string' ? widget : String(widget[0]), valueOf(widget, params)]),
      ...more.map((name): [string, unknown] => [name, params[name]]),
    ])
  }
  if (list === undefined && more.length === 0) return undefined
  const names = definition === undefined ? undefined : paramNames(definition.params)
  // Without a list of its own, a value at a place would be read as the param that the type has there.
  if (names !== undefined && (list === undefined || more.some((name) => names.has(name)))) {
    for (const name of more) if (!names.has(name)) lose(name, true)
    const own = (name: string): string => names.get(name) ?? name
    return positional((list ?? []).map((widget) =>
      typeof widget === 'string' ? own(widget) : widget.length === 3 ? [own(widget[0]), widget[1], widget[2]] : widget),
      Object.fromEntries(Object.entries(params).map(([name, value]) => [own(name), value])), definition!, (name) => { lose(name, true) })
  }
  for (const name of more) lose(name, false)
  return [...(list ?? []).map((widget) => valueOf(widget, params)), ...more.map((name) => params[name])]
}

/** `widgets_values` of a subgraph's instance: it has the widgets that it came with, other params are lost. */
export function writeInstance(list: readonly Widget[] | undefined, params: Json, lose: (name: string, dropped: boolean) => void): unknown {
  const covered = namesOf(list)
  for (const name of Object.keys(params)) if (!covered.has(name)) lose(name, true)
  return list?.map((widget) => valueOf(widget, params))
}

function namesOf(list: readonly Widget[] = []): ReadonlySet<string> {
  return new Set(list.flatMap((widget) => typeof widget === 'string' ? [widget] : widget.length === 3 ? [widget[0]] : []))
}

function valueOf(widget: Widget, params: Json): unknown {
  if (typeof widget === 'string') return params[widget] ?? null
  if (widget.length === 1) return widget[0]
  const [name, raw, given] = widget
  return JSON.stringify(params[name] ?? null) === JSON.stringify(given) ? raw : params[name] ?? null
}

/** Every param of the type in order, companions of seeds behind them, what else came in the list at the end. */
function positional(list: readonly Widget[], params: Json, definition: NodeDefinition, lose: (name: string) => void): unknown[] {
  const alone = list.flatMap((widget) => typeof widget !== 'string' && widget.length === 1 ? [widget[0]] : [])
  const words = alone.filter((value) => CONTROL_WORDS.has(value))
  const given = new Map(list.flatMap((widget) => typeof widget !== 'string' && widget.length === 3 ? [[widget[0], widget] as const] : []))
  for (const widget of list) {
    const name = typeof widget === 'string' ? widget : widget.length === 3 ? widget[0] : undefined
    if (name !== undefined && !Object.hasOwn(definition.params, name) && params[name] !== undefined) lose(name)
  }
  const values = Object.entries(definition.params).flatMap(([name, param]) => {
    const kept = given.get(name), value = kept !== undefined ? valueOf(kept, params) : params[name] ?? param.default ?? null
    return hasControl(name, definition) ? [value, words.shift() ?? 'fixed'] : [value]
  })
  return [...values, ...words, ...alone.filter((value) => !CONTROL_WORDS.has(value))]
}

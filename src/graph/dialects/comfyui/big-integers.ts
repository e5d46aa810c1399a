import { stringEnd } from '../../document/scan-limits.js'
import { BareNumber } from '../../document/write-document.js'
import { isObject } from '../../schema/fit-shape.js'
import type { NodeDefinition } from '../../node-definition.js'
import type { Json } from '../source.js'
import { hasControl } from './classes.js'

/**
 * Seeds of ComfyUI have 64 bits and stand in its files as bare numbers; `JSON.parse` rounds what is beyond 2^53. Their digits are marked in
 * the text before it is parsed again: in widgets and inputs they become decimal text, which is what params of type `seed` take, everywhere
 * else the number that they would have been.
 */

const MARK = '\u0000n'

/**
 * The value of a text with integers beyond 2^53 in it, and the nodes that hold some; undefined when there is none. The text is valid JSON.
 */
export function readBigIntegers(text: string): { readonly value: unknown; readonly nodes: WeakSet<object> } | undefined {
  if (!/\d{16}/.test(text)) return undefined
  const marked = markIntegers(text)
  if (marked === undefined) return undefined
  const nodes = new WeakSet<object>()
  return { value: resolve(JSON.parse(marked), false, nodes).value, nodes }
}

/** The text with every such integer as a marked string. */
function markIntegers(text: string): string | undefined {
  let marked = '', from = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x22) { i = stringEnd(text, i); continue }
    if (unit !== 0x2d && (unit < 0x30 || unit > 0x39)) continue
    let end = i + 1
    while (end < text.length && '0123456789.eE+-'.includes(text[end]!)) end++
    const token = text.slice(i, end)
    if (token.length >= 16 && /^-?\d{16,20}$/.test(token) && !Number.isSafeInteger(Number(token))) {
      marked += `${text.slice(from, i)}"\\u0000n${token}"`
      from = end
    }
    i = end - 1
  }
  return from === 0 ? undefined : marked + text.slice(from)
}

/** `text`: within widgets or inputs. Recursion is as deep as the text, whose depth has been bounded. */
function resolve(value: unknown, text: boolean, nodes: WeakSet<object>): { readonly value: unknown; readonly big: boolean } {
  if (typeof value === 'string') {
    return value.startsWith(MARK) ? { value: text ? value.slice(2) : Number(value.slice(2)), big: text } : { value, big: false }
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => resolve(item, text, nodes))
    return { value: items.map((item) => item.value), big: items.some((item) => item.big) }
  }
  if (!isObject(value)) return { value, big: false }
  const entries =
    Object.entries(value).map(([key, item]) => ({ key, ...resolve(item, text || key === 'widgets_values' || key === 'inputs', nodes) }))
  const big = entries.some((entry) => entry.big), result = Object.fromEntries(entries.map((entry) => [entry.key, entry.value]))
  if (big && !text) nodes.add(result)
  return { value: result, big: big && text }
}

/** A value with decimal texts beyond 2^53 as bare numbers. */
export function bareNumbers(value: unknown): unknown {
  if (typeof value === 'string') {
    return /^-?[1-9]\d{15,19}$/.test(value) && !Number.isSafeInteger(Number(value)) ? new BareNumber(value) : value
  }
  if (Array.isArray(value)) return value.map(bareNumbers)
  return isObject(value) && !(value instanceof BareNumber)
    ? Object.fromEntries(Object.entries(value as Json).map(([key, item]) => [key, bareNumbers(item)]))
    : value
}

/** Params with the seeds among them as bare numbers. */
export function seedsBare(params: Json, definition: NodeDefinition | undefined): Json {
  const seeds = Object.keys(params).filter((name) => typeof params[name] === 'string' && hasControl(name, definition))
  return seeds.length === 0 ? params : { ...params, ...Object.fromEntries(seeds.map((name) => [name, bareNumbers(params[name])])) }
}

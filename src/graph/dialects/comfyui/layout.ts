import { isObject } from '../../schema/fit-shape.js'
import { present, type Json } from '../source.js'

/** Layout of ComfyUI's canvas as a document's `ui` has it: position and size in canvas units, colour, title. */

/** A pair of numbers: an array, or an object with keys 0 and 1. */
function pairOf(value: unknown): readonly [number, number] | undefined {
  const [a, b] = Array.isArray(value) ? value as readonly unknown[] : isObject(value) ? [value['0'], value['1']] : []
  return typeof a === 'number' && typeof b === 'number' ? [a, b] : undefined
}

/** `ui` of a node. */
export function nodeUi(raw: Json): Json {
  const pos = pairOf(raw['pos']), size = pairOf(raw['size']), { title, color } = raw
  const collapsed = isObject(raw['flags']) ? raw['flags']['collapsed'] : undefined
  return present({
    x: pos?.[0], y: pos?.[1], width: size?.[0], height: size?.[1], collapsed: collapsed === true ? true : undefined,
    title: typeof title === 'string' ? title : undefined, color: typeof color === 'string' ? color : undefined,
  })
}

/** A node as it was, changed where `ui` says something else than it did then. */
export function withNodeUi(raw: Json, given: unknown): Json {
  if (!isObject(given)) return raw
  const ui: Json = Object.fromEntries(Object.entries(given).filter(([name, value]) =>
    typeof value === (name === 'title' || name === 'color' ? 'string' : name === 'collapsed' ? 'boolean' : 'number')))
  const before = nodeUi(raw), changed = (...names: readonly string[]): boolean => names.some((name) => ui[name] !== before[name])
  return present({
    ...raw,
    ...(changed('x', 'y') && { pos: [ui['x'] ?? 0, ui['y'] ?? 0] }),
    ...(changed('width', 'height') && { size: [ui['width'] ?? 210, ui['height'] ?? 60] }),
    ...(changed('collapsed') && { flags: present({ ...raw['flags'] as Json | undefined, collapsed: ui['collapsed'] }) }),
    ...(changed('title') && { title: ui['title'] }), ...(changed('color') && { color: ui['color'] }),
  })
}

/** A note as a comment. */
export function commentOf(raw: Json): Json {
  const values = raw['widgets_values'], text: unknown = Array.isArray(values) ? values[0] : undefined
  return present({ id: String(raw['id']), text: typeof text === 'string' ? text : '', ...nodeUi(raw) })
}

/** A note as it was, changed where the comment was. */
export function noteOf(raw: Json, comment: Json): Json {
  const { id: _id, text, ...ui } = comment
  return { ...withNodeUi(raw, ui), ...(commentOf(raw)['text'] !== text && { widgets_values: [text] }) }
}

/** A group: title and rectangle. */
export function groupOf(raw: Json): Json {
  const { title, color, bounding } = raw, [x, y, width, height] = Array.isArray(bounding) ? bounding as readonly unknown[] : []
  return present({ title, x, y, width, height, color })
}

/** Groups as they were, changed where the document's were. */
export function groupsOf(raws: readonly Json[], groups: readonly Json[]): Json[] {
  return groups.map((group, i) => {
    const raw = raws[i]
    if (raw !== undefined && same(groupOf(raw), group)) return raw
    const { title, x, y, width, height, color } = group
    return present({ ...raw, title: title ?? 'Group', bounding: [x ?? 0, y ?? 0, width ?? 140, height ?? 80], color })
  })
}

/** Equal as JSON, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]))
  if (!isObject(a) || !isObject(b)) return Object.is(a, b) || a === b
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
}

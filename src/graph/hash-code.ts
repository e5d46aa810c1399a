import { isInstance } from '../errors/is-instance.js'
import { asideOf } from './check-definition.js'
import { DEEPEST } from './check-text.js'
import type { HashWriter } from './hash-writer.js'
import type { NodeDefinition, ParamDeclaration } from './node-definition.js'
import { compareUtf8 } from './utf8.js'

/** Tags of a definition's parts; those of values stay below. */
const CODE = { value: 0x40, function: 0x41, list: 0x42, fields: 0x43, table: 0x44 } as const
/** Fields of a definition that decide nothing of what its node gives, or have records of their own. */
const ASIDE = /* @__PURE__ */ asideOf()
/** The same of a port, and of a param. */
const LOOK: ReadonlySet<string> = /* @__PURE__ */ new Set(['doc', 'label', 'unit', 'curve', 'widget', 'alias', 'size'])

/**
 * Writes all of a definition that decides what its node gives, functions by their source text, so that a field that is added later counts
 * without a word here. False when something in it has no such form (a bound or built-in function, an instance of a class): then it equals
 * itself only.
 */
export function writeCode(writer: HashWriter, definition: NodeDefinition): boolean {
  return writeFields(writer, definition, ASIDE, 0, (name, value) => {
    if (name !== 'inputs' && name !== 'outputs' && name !== 'params') return writeCodeValue(writer, value, 1)
    // Their order is that of slots and controls.
    writer.begin(CODE.table)
    const good = Object.entries(value as NodeDefinition['params']).map(([port, declared]) => {
      writer.counted(port)
      return writeFields(writer, shown(declared), LOOK, 1, (_, part) => writeCodeValue(writer, part, 2))
    })
    writer.end()
    return !good.includes(false)
  })
}

/** What is not hashed has no default that is. */
function shown(declared: ParamDeclaration): object { return declared.cosmetic === true ? { ...declared, default: undefined } : declared }

function writeFields(
  writer: HashWriter, fields: object, without: ReadonlySet<string>, depth: number, write: (name: string, value: unknown) => boolean,
): boolean {
  if (depth > DEEPEST) return false
  let good = true
  writer.begin(CODE.fields)
  for (const name of Object.keys(fields).sort(compareUtf8)) {
    const value = (fields as Readonly<Record<string, unknown>>)[name]
    if (value === undefined || without.has(name)) continue
    good = write(name, writer.counted(name) && value) && good
  }
  writer.end()
  return good
}

function writeCodeValue(writer: HashWriter, value: unknown, depth: number): boolean {
  if (typeof value === 'function') {
    const text = Function.prototype.toString.call(value)
    writer.text(CODE.function, text)
    return !/\[native code\]\s*\}$/.test(text)
  }
  if (Array.isArray(value)) {
    writer.begin(CODE.list)
    const good = depth <= DEEPEST && value.every((item) => writeCodeValue(writer, item, depth + 1))
    writer.end()
    return good
  }
  if (typeof value === 'object' && value !== null && !isInstance(value)) {
    return writeFields(writer, value, NOTHING, depth, (_, part) => writeCodeValue(writer, part, depth + 1))
  }
  writer.begin(CODE.value)
  const good = writer.value(value, depth)
  writer.end()
  return good
}
const NOTHING: ReadonlySet<string> = /* @__PURE__ */ new Set()

import { isObject } from '../schema/fit-shape.js'
import { DIALECTS, type Dialect } from './dialect.js'
import { GRAPHDSL_VERSION } from './graphdsl.js'
import { SEED_VERSION } from './remotemedia-seed.js'
import type { Json } from './source.js'

const has = (value: Json, name: string): boolean => Object.hasOwn(value, name)
const version = (value: Json): unknown => has(value, 'version') ? value['version'] : undefined

/** Why an object is not of a dialect; nothing when it is (spec graph.md section 2, first column). */
const REASONS: Readonly<Record<Dialect, (value: Json) => string | undefined>> = {
  millrace: (value) => has(value, 'millrace') ? undefined : 'no field millrace',
  'remotemedia-v1': (value) => version(value) === 'v1' ? undefined : 'version is not "v1"',
  graphdsl: (value) =>
    version(value) !== GRAPHDSL_VERSION ? `version is not "${GRAPHDSL_VERSION}"` : has(value, 'links') ? undefined : 'no field links',
  'remotemedia-seed': (value) => !has(value, 'nodes') || !has(value, 'edges') ? 'no nodes with edges'
    : typeof version(value) === 'string' && SEED_VERSION.test(version(value) as string) ? undefined : 'version is no number like "1.0.0"',
  'comfyui-workflow': (value) => !Array.isArray(value['nodes']) ? 'no array nodes' : has(value, 'links') ? undefined : 'no field links',
  'comfyui-api': (value) => {
    const nodes = Object.values(value)
    return nodes.length > 0 && nodes.every((node) => isObject(node) && has(node, 'class_type'))
      ? undefined
      : 'not every field is an object with class_type'
  },
}

/** The dialect of a value, or why each one that was tried does not fit. */
export function recognise(
  value: unknown, tried: readonly Dialect[] = DIALECTS,
): { readonly dialect: Dialect } | { readonly why: readonly string[] } {
  const why: string[] = []
  for (const dialect of tried) {
    const reason = isObject(value) ? REASONS[dialect](value) : 'not an object'
    if (reason === undefined) return { dialect }
    why.push(`${dialect}: ${reason}`)
  }
  return { why }
}

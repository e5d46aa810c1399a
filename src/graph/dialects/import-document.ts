import { commonErrors } from '../../errors/common-errors.js'
import { errorOf } from '../../errors/error-of.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import { checkDocument, exceeded } from '../document/check-document.js'
import type { Document } from '../document/document.js'
import { MAJOR, migrateDocument } from '../document/migrations.js'
import { readJson } from '../document/read-json.js'
import { keysWithin } from '../document/scan-limits.js'
import { resolveLimits, type Limits } from '../limits.js'
import type { Registry } from '../registry.js'
import { isObject } from '../schema/fit-shape.js'
import { extractGraph, isMediaFile, type Inflate } from '../embed/index.js'
import { importApi } from './comfyui/api.js'
import { readBigIntegers } from './comfyui/big-integers.js'
import { importWorkflow } from './comfyui/import-workflow.js'
import { DIALECTS, type Dialect } from './dialect.js'
import { duplicateKeys } from './duplicate-keys.js'
import { dialectErrors } from './errors.js'
import { importGraphdsl, quickGraphdsl, type QuickRead } from './graphdsl.js'
import { recognise } from './recognise.js'
import { importSeed } from './remotemedia-seed.js'
import { importV1 } from './remotemedia-v1.js'
import { Report, type ImportReport } from './report.js'
import type { ImportContext, Json } from './source.js'

/** How a foreign document is read. */
export interface ImportOptions {
  /** Default `auto`: the first dialect that fits. */
  readonly dialect?: Dialect | 'auto'
  /** Knows types, their aliases and the order of their ports and widgets; without one, types stay as they are written. */
  readonly registry?: Registry
  readonly limits?: Partial<Limits>
  /** Unknown fields are errors instead of warnings. */
  readonly strict?: boolean
  /**
   * Unpacks the compressed texts of a PNG (zlib format), giving at most so many bytes:
   * `(bytes, most) => inflateSync(bytes, { maxOutputLength: most })` in Node.
   */
  readonly inflate?: Inflate
}

/**
 * Reads a graph from any dialect: text, UTF-8 bytes, a parsed value, or the bytes of a PNG, WebP or WAV with a graph inside (GR-18, GR-20).
 * What the graph lost on the way is in the report; what is wrong with the graph itself is `validate`'s to say.
 *
 * Throws `IMPORT_UNSUPPORTED` when no dialect fits, `JSON_SYNTAX`, `LIMIT_EXCEEDED`, `VERSION_MISMATCH`, `SCHEMA_INVALID`,
 * `INVALID_ARGUMENT` for a name that is no dialect, `DUPLICATE_ID` for a key written twice in a format that keeps nodes, inputs or outputs
 * in a map; with `strict`, `UNKNOWN_FIELD`.
 * @example
 * const { document, report } = importDocument(await readFile('workflow.json'), { registry })
 */
export function importDocument(src: unknown, o: ImportOptions = {}): { readonly document: Document; readonly report: ImportReport } {
  const limits = resolveLimits(o.limits), { dialect: named = 'auto' } = o
  if (named !== 'auto' && !DIALECTS.includes(named)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'importDocument', expected: `auto or one of ${DIALECTS.join(', ')} as dialect`, got: show(named),
    })
  }
  if (src instanceof Uint8Array && isMediaFile(src)) return importMedia(src, o, limits)
  const registry = o.registry !== undefined && { registry: o.registry }
  let quick: QuickRead | undefined
  const reading = typeof src === 'string' || src instanceof Uint8Array ? readJson(src, limits, (value, size) => {
    quick = quickGraphdsl({ report: new Report('graphdsl'), limits, ...registry }, value, size)
    return quick !== undefined
  }) : { value: src }
  if ('fault' in reading) throw errorOf(reading.fault)
  let value = migrateDocument(reading.value)
  const text = 'text' in reading ? reading.text : undefined, bytes = 'bytes' in reading ? reading.bytes : undefined
  const found = recognise(value, named === 'auto' ? DIALECTS : [named])
  if ('why' in found) throw unsupported(o, found.why)
  const { dialect } = found
  if (dialect !== 'graphdsl') quick = undefined
  const report = quick?.report ?? new Report(dialect)
  if (value !== reading.value) report.substitute('/millrace', show((reading.value as Json)['millrace']), String(MAJOR))
  const big = text !== undefined && dialect.startsWith('comfyui') ? readBigIntegers(text) : undefined
  if (big !== undefined) value = big.value
  const c: ImportContext = { report, limits, ...registry, ...(big !== undefined && { big: big.nodes }) }
  if (dialect === 'millrace' || bytes === undefined) demand(checkSource(value, dialect, limits, o, bytes), report)
  if (text !== undefined && (dialect === 'graphdsl' || dialect === 'comfyui-api' || dialect === 'millrace')) {
    demand(duplicateKeys(text, quick?.keys ?? keysWithin(value, limits.depth)), report)
  }
  demandCounts((quick?.document ?? value) as Json, dialect, limits)
  const document = quick?.document ?? read(c, dialect, value as Json, bytes)
  if (o.strict === true) {
    demand(report.warnings.filter((one) => one.code === 'UNKNOWN_FIELD').map((one) => ({ ...one, severity: 'error' })), report)
  }
  report.nodes = countNodes(document)
  if (dialect !== 'millrace' && dialect !== 'graphdsl') {
    demand(
      checkDocument(document, { limits, strict: false, bytes: bytes ?? limits.documentBytes }).diagnostics
        .filter((one) => one.severity === 'error'),
      report,
    )
  }
  return { document, report }
}

function read(c: ImportContext, dialect: Dialect, value: Json, bytes: number | undefined): Document {
  switch (dialect) {
    case 'millrace': return readOwn(c, value as unknown as Document)
    case 'remotemedia-seed': return importSeed(c, value)
    case 'remotemedia-v1': return importV1(c, value)
    case 'graphdsl': return importGraphdsl(c, value, bytes)
    case 'comfyui-api': return importApi(c, value)
    case 'comfyui-workflow': return importWorkflow(c, value)
  }
}

/** A Millrace document stays as it is; aliases are resolved when it becomes a graph. */
function readOwn({ registry, report }: ImportContext, document: Document): Document {
  document.nodes.forEach(({ type }, i) => {
    const definition = registry?.get(type)
    if (definition !== undefined) report.rename(`/nodes/${i}/type`, type, definition.type)
    else if (registry !== undefined && !type.startsWith('graph::')) report.miss(`/nodes/${i}/type`, type, registry)
  })
  return document
}

/** A value in memory is measured before it is walked; a Millrace document is checked whole. */
function checkSource(value: unknown, dialect: Dialect, limits: Limits, o: ImportOptions, bytes: number | undefined): readonly Diagnostic[] {
  const size = bytes === undefined ? {} : { bytes }
  if (dialect === 'millrace') return checkDocument(value, { limits, strict: o.strict ?? false, ...size }).diagnostics
  return checkDocument({ millrace: 1, nodes: [], 'x-source': value }, { limits, strict: false }).diagnostics
    .filter((one) => one.severity === 'error')
}

/** Throws the first error, all of them in its details; warnings go to the report. */
function demand(diagnostics: readonly Diagnostic[], report: Report): void {
  const errors = diagnostics.filter((one) => one.severity === 'error')
  if (errors.length > 0) throw errorOf(errors[0]!, errors)
  for (const one of diagnostics) report.warnings.push(one)
}

/** Nodes and links are counted before anything is made of them. */
function demandCounts(value: Json, dialect: Dialect, limits: Limits): void {
  const count = (list: unknown, what: 'nodes' | 'edges', pointer: string): void => {
    const got = Array.isArray(list) ? list.length : isObject(list) ? Object.keys(list).length : 0
    if (got > limits[what]) throw errorOf(exceeded(what === 'nodes' ? 'Nodes' : 'Edges', limits[what], got, pointer))
  }
  if (dialect === 'comfyui-api') { count(value, 'nodes', ''); return }
  count(value['nodes'], 'nodes', '/nodes')
  for (const name of ['edges', 'links', 'connections']) count(value[name], 'edges', `/${name}`)
}

function countNodes(document: Document): number {
  let count = 0
  const work: unknown[] = [document]
  while (work.length > 0) {
    const one = work.pop()
    if (!isObject(one)) continue
    if (Array.isArray(one['nodes'])) count += one['nodes'].length
    if (isObject(one['definitions'])) for (const inner of Object.values(one['definitions'])) work.push(inner)
  }
  return count
}

function unsupported(o: ImportOptions, why: readonly string[]): Error {
  return dialectErrors.IMPORT_UNSUPPORTED({ dialects: o.dialect === undefined || o.dialect === 'auto' ? DIALECTS : [o.dialect], why })
}

/** Keys of graphs in media files, the best first: Millrace's own, then the two that ComfyUI writes. */
const MEDIA_KEYS = ['millrace', 'workflow', 'prompt'] as const

function importMedia(bytes: Uint8Array, o: ImportOptions, limits: Limits): ReturnType<typeof importDocument> {
  const texts = extractGraph(bytes, { most: limits.documentBytes, ...(o.inflate !== undefined && { inflate: o.inflate }) })
  for (const key of MEDIA_KEYS) {
    const text = texts.get(key)
    if (text !== undefined) return importDocument(text, o)
  }
  throw unsupported(o, ['the file holds no graph'])
}

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../../src/errors/millrace-error.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { DIALECTS } from '../../../src/graph/dialects/dialect.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { embedGraph, extractGraph } from '../../../src/graph/embed/index.js'
import { validate } from '../../../src/graph/validate/index.js'
import { comfyRegistry } from '../../support/dialect-nodes.js'
import { PNG, WAV, WEBP } from '../../support/tiny-media.js'
import { CORPUS } from '../document-corpus.js'
import type { Loose } from '../../support/loose.js'

/** Mutations of each kind; 50 000 makes 10⁵ in all (GR-01). */
const COUNT = Number(process.env['MILLRACE_MUTATIONS'] ?? 3_000)
/** What a mutated document may be refused with. */
const CODES = new Set(['JSON_SYNTAX', 'LIMIT_EXCEEDED', 'VERSION_MISMATCH', 'SCHEMA_INVALID', 'UNKNOWN_FIELD', 'IMPORT_UNSUPPORTED',
  'DUPLICATE_ID', 'GRAPH_CYCLE', 'INVALID_ARGUMENT', 'PORT_NOT_FOUND', 'PARAM_UNKNOWN'])

/** Mulberry32: the whole run repeats from one seed. */
const random = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const pipelines = folder('../../../examples/pipelines')
const texts = [
  ...readdirSync(folder('comfyui')).map((name) => readFileSync(`${folder('comfyui')}/${name}`, 'utf8')),
  ...readdirSync(pipelines, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) =>
    ['seed', 'v1', 'millrace'].map((form) => readFileSync(`${pipelines}/${name}/${form}.json`, 'utf8'))),
  '{"version":"3.0.0","meta":{"name":"a","priority":1,"user_id":"u","tags":["t"],"created":"2025-01-01T00:00:00Z"},"nodes":{"a":{"op_type":"A","params":{"p":{"type":"int","value":1}},"ui":{"x":1}},"b":{"op_type":"B"}},"links":[{"id":"l","source":["a","o"],"target":["b","i"]}]}',
]
const registry = comfyRegistry()

/** Reads, checks, writes in the dialect it came in and in one other; every step may refuse, with a code. */
function tryAll(source: unknown, next: () => number, refusals: Map<string, number>): void {
  const refuse = (error: unknown): void => {
    if (!isMillraceError(error) || !CODES.has(error.code)) throw error
    refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1)
  }
  try {
    const { document, report } = importDocument(source, next() < 0.5 ? { registry } : {})
    for (const one of validate(document, registry)) expect(one.message).not.toBe('')
    const graph = fromDocument(document, registry)
    if (source instanceof Uint8Array || typeof source === 'string') {
      expect(parseDocument(writeDocument(document)).diagnostics.filter((one) => one.severity === 'error')).toEqual([])
    }
    for (const dialect of [report.dialect, DIALECTS[Math.floor(next() * DIALECTS.length)]!]) {
      try { importDocument(exportDocument(graph, dialect).text, { registry }) } catch (error) { refuse(error) }
    }
    refusals.set('none', (refusals.get('none') ?? 0) + 1)
  } catch (error) { refuse(error) }
}

describe('mutated documents through every importer', () => {
  test(`${COUNT} changed texts: coded refusals or graphs`, () => {
    const next = random(0xd1a1ec7), pick = (n: number): number => Math.floor(next() * n), refusals = new Map<string, number>()
    const seeds = [
      ...texts.map((text) => new TextEncoder().encode(text)),
      ...CORPUS.filter((entry) => entry.diagnostics.every((d) => d['stage'] !== 1))
        .map((entry) => typeof entry.text === 'string' ? new TextEncoder().encode(entry.text) : entry.text),
    ]
    const spice = new TextEncoder().encode('{}[]",:\\u0tfnE-+.09x \n')
    for (let i = 0; i < COUNT; i++) {
      let bytes = seeds[i % seeds.length]!.slice()
      for (let edits = 1 + pick(3); edits > 0; edits--) {
        const at = pick(bytes.length), kind = pick(4)
        if (kind === 0) bytes[at] = pick(256)
        else if (kind === 1) bytes[at] = spice[pick(spice.length)]!
        else if (kind === 2) bytes = bytes.slice(0, Math.max(1, at))
        else {
          const from = pick(bytes.length)
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(from, from + pick(60)), ...bytes.subarray(at + pick(60))])
        }
        if (bytes.length === 0) bytes = Uint8Array.of(0x20)
      }
      tryAll(bytes, next, refusals)
    }
    expect(refusals.get('JSON_SYNTAX')).toBeGreaterThan(COUNT / 10)
    expect(refusals.get('none')).toBeGreaterThan(COUNT / 50)
  }, 600_000)

  test(`${COUNT} changed values: coded refusals or graphs`, () => {
    const next = random(0x5eed), pick = (n: number): number => Math.floor(next() * n), refusals = new Map<string, number>()
    const strange: readonly unknown[] = [
      null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', 'x', '__proto__', 'constructor', '\ud800', 'x'.repeat(100), '1', [], {}, [1, 0], ['1', 0],
      [[]], { 0: 1, 1: 2 }, { id: 1 }, { __value__: [1] }, 'Reroute', 'PrimitiveNode', 'Note', 'KSampler', -10, -20, 4, 'graph::x',
    ]
    for (let i = 0; i < COUNT; i++) {
      const value = JSON.parse(texts[i % texts.length]!) as unknown
      for (let edits = 1 + pick(3); edits > 0; edits--) {
        let at: Loose = value
        for (let depth = 0; ; depth++) {
          const keys = Object.keys(at), key = keys[pick(keys.length)]
          if (key === undefined) break
          const inner: unknown = at[key]
          if (typeof inner === 'object' && inner !== null && (next() < 0.75 || depth === 0)) { at = inner; continue }
          const kind = pick(5), other = keys[pick(keys.length)]!
          if (kind === 0) { if (Array.isArray(at)) at.splice(Number(key), 1); else delete at[key] }
          else if (kind === 1) {
            const copy: unknown = structuredClone(at[other])
            if (Array.isArray(at)) at.push(copy); else at[key] = copy
          } else if (kind === 2 && !Array.isArray(at)) {
            Object.defineProperty(at, strange.find((one) => typeof one === 'string' && next() < 0.2) as string ?? 'y', {
              value: inner, enumerable: true, configurable: true, writable: true,
            })
          } else {
            at[key] = structuredClone(strange[pick(strange.length)])
          }
          break
        }
      }
      tryAll(next() < 0.5 ? JSON.stringify(value) : value, next, refusals)
    }
    for (const code of ['SCHEMA_INVALID', 'IMPORT_UNSUPPORTED']) expect(refusals.get(code), code).toBeGreaterThan(0)
    expect(refusals.get('none')).toBeGreaterThan(COUNT / 5)
  }, 600_000)

  test('changed media files', () => {
    const next = random(7), pick = (n: number): number => Math.floor(next() * n), refusals = new Map<string, number>()
    const files = [PNG, WEBP, WAV].map((file) => embedGraph(file, texts[0]!, 'workflow'))
    for (let i = 0; i < COUNT; i++) {
      const bytes = files[i % 3]!.slice(0, pick(4) === 0 ? pick(2_000) : undefined)
      for (let edits = pick(4); edits >= 0 && bytes.length > 0; edits--) {
        bytes[pick(pick(2) === 0 ? Math.min(80, bytes.length) : bytes.length)] = pick(256)
      }
      tryAll(bytes, next, refusals)
      for (const run of [() => extractGraph(bytes), () => embedGraph(bytes, '{}')]) {
        try { run() } catch (error) { if (!isMillraceError(error) || error.code !== 'INVALID_ARGUMENT') throw error }
      }
    }
    expect(refusals.get('none')).toBeGreaterThan(0)
  }, 600_000)
})

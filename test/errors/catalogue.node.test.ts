import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_ALIASES } from '../../src/errors/error-aliases.js'
import { MILLRACE_VERSION } from '../../src/graph/version.js'

interface Row {
  readonly kind: string
  readonly httpStatus: number
  readonly aliases: readonly string[]
  readonly message: (d: object) => string
  readonly hint?: (d: object) => string
  readonly retryable?: boolean
  readonly severity?: string
}
const root = new URL('../../', import.meta.url)
const { collectErrors, generate } = await import(new URL('scripts/generate-error-docs.mjs', root).href) as {
  collectErrors(): Promise<readonly { readonly file: string; readonly code: string; readonly row: Row }[]>
  generate(): Promise<{ readonly files: Readonly<Record<string, string>> }>
}
const errors = await collectErrors()

test('no code or alias is defined twice, none is both', () => {
  const names = errors.flatMap(({ code, row }) => [code, ...row.aliases])
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  expect(errors.length).toBeGreaterThan(50)
  expect(errors.map(({ code }) => code)).toEqual(expect.arrayContaining(Object.keys(ERROR_ALIASES)))
})

test('every row has its kind, status and words', () => {
  for (const { code, row } of errors) {
    expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/)
    expect([code, [200, 400, 403, 404, 409, 413, 415, 500, 501, 502, 503, 504, 507].includes(row.httpStatus)]).toEqual([code, true])
    expect([code, row.httpStatus === 200]).toEqual([code, row.severity === 'warning' || row.severity === 'info'])
    expect([code, ['validation', 'usage', 'security', 'integrity', 'cancelled', 'internal'].includes(row.kind) && row.retryable === true])
      .toEqual([code, false])
  }
})

test('docs/errors.md and src/errors/error-codes.ts are current', async () => {
  const { files } = await generate()
  for (const [file, content] of Object.entries(files)) {
    expect(readFileSync(new URL(file, root), 'utf8'), `${file}: run node scripts/generate-error-docs.mjs`).toBe(content)
  }
})

test('every code of the specification that this version can raise stands in the tables', () => {
  const codes = new Set(errors.map((error) => error.code))
  const wanted = `JSON_SYNTAX VERSION_MISMATCH SCHEMA_INVALID UNKNOWN_FIELD LIMIT_EXCEEDED GRAPH_EMPTY GRAPH_NO_END DUPLICATE_ID NODE_NOT_FOUND PORT_NOT_FOUND OUTPUT_NOT_FOUND SELF_LINK
    EDGE_DUPLICATE INPUT_OCCUPIED INPUT_MISSING NODE_TYPE_UNKNOWN NODE_VERSION PARAM_INVALID PARAM_UNKNOWN GRAPH_CYCLE ORPHAN_NODE PRUNED_NODE NODE_DEPRECATED BYPASS_IMPOSSIBLE CONVERTER_INSERTED
    CAPABILITY_PREFERRED TIER_FALLBACK MEMORY_TIGHT TYPE_MISMATCH NEGOTIATION_CONFLICT INVALID_ARGUMENT CLOSED CONFIG_INVALID TIER_UNAVAILABLE CAPABILITY_MISSING PLACE_IMPOSSIBLE UNSUPPORTED WORKER_SPAWN
    SHARED_MEMORY RESOURCE_EXHAUSTED ARENA_FULL NODE_FAILED KERNEL_STATUS KERNEL_TRAP OUTPUT_INVALID MEDIA_CHANGED DEPENDENCY_FAILED WORKER_LOST PROTOCOL_MISMATCH ARENA_CORRUPT KERNEL_ABI INVALID_HANDLE
    CANCELLED INTERNAL FILE_INVALID CODEC_UNSUPPORTED PEER_MISSING FILE_TRUNCATED`.split(/\s+/)
  expect(wanted.filter((code) => !codes.has(code))).toEqual([])
})

test('the version that documents’ engines ranges mean is the package’s', () => {
  expect((JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { readonly version: string }).version).toBe(MILLRACE_VERSION)
})

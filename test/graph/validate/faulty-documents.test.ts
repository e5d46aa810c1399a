import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { validate } from '../../../src/graph/validate/index.js'
import { CORPUS } from '../document-corpus.js'
import { FAULTY, faultyRegistry } from './faulty-documents.js'

/** Codes of spec graph.md section 5 that need no plan. */
const CODES = ['JSON_SYNTAX', 'LIMIT_EXCEEDED', 'VERSION_MISMATCH', 'SCHEMA_INVALID', 'UNKNOWN_FIELD', 'GRAPH_EMPTY', 'DUPLICATE_ID',
  'NODE_NOT_FOUND', 'SELF_LINK', 'EDGE_DUPLICATE', 'NODE_TYPE_UNKNOWN', 'NODE_VERSION', 'NODE_DEPRECATED', 'PARAM_INVALID', 'PARAM_UNKNOWN',
  'GRAPH_CYCLE', 'GRAPH_NO_END', 'ORPHAN_NODE', 'PRUNED_NODE', 'BYPASS_IMPOSSIBLE', 'TIER_UNAVAILABLE', 'CAPABILITY_MISSING',
  'PLACE_IMPOSSIBLE', 'TIER_FALLBACK', 'CAPABILITY_PREFERRED', 'PORT_NOT_FOUND', 'INPUT_OCCUPIED', 'INPUT_MISSING', 'TYPE_MISMATCH',
  'NEGOTIATION_CONFLICT', 'CONVERTER_INSERTED']

describe('documents that validate remarks on', () => {
  test.each(FAULTY)('$name', ({ document, host, options, expected }) => {
    const found = validate(document, faultyRegistry, host, options)
    expect(found.map(({ code, severity, stage, pointer }) => `${code} ${severity} ${stage} ${pointer}`)).toEqual(expected)
    for (const one of found) expect(one).toMatchObject({ docs: `errors/${one.code}`, message: expect.stringMatching(/\S/) as string })
    // The same from text, and from the graph, unless the graph cannot be made.
    const { document: read, diagnostics } = parseDocument(JSON.stringify(document))
    if (read !== undefined && !expected.some((one) => one.startsWith('SCHEMA_INVALID'))) {
      expect(validate(read, faultyRegistry, host, options)).toEqual(found)
      if (diagnostics.length === 0) {
        expect(validate(fromDocument(read, faultyRegistry), faultyRegistry, host, options).map(({ code, message }) => [code, message]))
          .toEqual(found.map(({ code, message }) => [code, message]))
      }
    }
  })

  test('every code of the stages before planning stands in one of the corpora', () => {
    const seen = new Set([
      ...CORPUS.flatMap(({ diagnostics }) => diagnostics.map((one) => String(one['code']))),
      ...FAULTY.flatMap(({ expected }) => expected.map((one) => one.split(' ')[0]!)),
    ])
    expect(CODES.filter((code) => !seen.has(code))).toEqual([])
  })
})

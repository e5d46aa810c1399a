import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePlain, decodeUtf8 } from '../../src/graph/document/decode-utf8.js'
import { findSyntaxFault } from '../../src/graph/document/json-syntax.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { CORPUS } from './document-corpus.js'

const CODES = new Set(['JSON_SYNTAX', 'LIMIT_EXCEEDED', 'VERSION_MISMATCH', 'SCHEMA_INVALID', 'UNKNOWN_FIELD'])
const textOf = (text: string | Uint8Array): string => typeof text === 'string' ? text : new TextDecoder().decode(text)

describe('parseDocument on the corpus', () => {
  test(`${CORPUS.length} documents, each name once`, () => {
    expect(new Set(CORPUS.map((entry) => entry.name)).size).toBe(CORPUS.length)
    const good = CORPUS.filter((entry) => entry.diagnostics.every((d) => d['severity'] === 'warning')).length
    expect(good).toBeGreaterThanOrEqual(60)
    expect(CORPUS.length - good).toBeGreaterThanOrEqual(120)
  })

  test.each(CORPUS)('$name', ({ text, diagnostics }) => {
    const found = parseDocument(text)
    expect(found.diagnostics).toHaveLength(diagnostics.length)
    expect(found.diagnostics).toMatchObject(diagnostics)
    expect(found.document !== undefined).toBe(found.diagnostics.every((d) => d.stage === 3) && found.diagnostics[0]?.pointer !== '')
    for (const d of found.diagnostics) {
      expect(d).toMatchObject({
        message: expect.stringMatching(/\.$/) as string, hint: expect.stringMatching(/./) as string, docs: `errors/${d.code}`,
      })
    }
  })

  test('messages follow the grammar', () => {
    const text = (source: string): string | undefined => parseDocument(source).diagnostics[0]?.message
    expect(text('{ "a": 1, }')).toBe('Document: expected a property name, got } at line 1, column 11.')
    expect(text('{ "millrace": 2 }')).toBe('Document: expected version 1, got 2.')
    expect(text('{ "millrace": 1, "nodes": [{ "id": "", "type": "a::b" }] }'))
      .toBe('/nodes/0/id: expected a string of 1 to 64 characters without control characters, got "".')
    expect(text('{ "millrace": 1, "nodes": [], "nodez": 1 }')).toBe('/nodez: unknown field.')
  })

  test('strict turns unknown fields into errors, x- fields excepted', () => {
    const text = '{ "millrace": 1, "nodes": [], "nodez": 1, "x-own": 2 }'
    expect(parseDocument(text, { strict: true }).diagnostics)
      .toMatchObject([{ code: 'UNKNOWN_FIELD', severity: 'error', pointer: '/nodez' }])
  })
})

describe('JSON syntax', () => {
  test('the position finder refuses exactly what JSON.parse refuses', () => {
    const token = fc.constantFrom(
      '{', '}', '[', ']', ',', ':', '"a"', '"\\u00e9"', '"\\q"', '"', '1', '-0', '01', '1.5', '1.', '1e9', '1e', '-', '+1', '.5', 'true',
      'tru', 'null', ' ', '\n', '\u00a0', '\u0000', '"\t"', '0', 'E',
    )
    fc.assert(fc.property(fc.oneof(fc.array(token, { maxLength: 14 }).map((parts) => parts.join('')), fc.json(), fc.json().chain((json) =>
      fc.nat(json.length).map((at) => json.slice(0, at) + json.slice(at + 1)))), (text) => {
        let valid = true
        try { JSON.parse(text) } catch { valid = false }
        expect(findSyntaxFault(text) === undefined).toBe(valid)
      }), { numRuns: 20_000 })
  }, 60_000)

  test('UTF-8 decoding equals the platform’s fatal decoder', () => {
    const own = (bytes: Uint8Array): string
      | undefined => { const text = decodePlain(bytes); return typeof text === 'string' ? text : undefined }
    const platform = (bytes: Uint8Array): string | undefined => {
      try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch { return undefined }
    }
    const byte =
      fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x9f, 0xa0, 0x90))
    fc.assert(fc.property(fc.oneof(
      fc.array(byte, { maxLength: 8 }).map((list) => Uint8Array.from(list)),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
    ), (bytes) => {
      expect(own(bytes)).toBe(platform(bytes))
      expect(decodeUtf8(bytes)).toEqual(decodePlain(bytes))
    }), { numRuns: 10_000 })
    const long = new TextEncoder().encode('aé€\u{1f600}'.repeat(5_000))
    expect(own(long)).toBe('aé€\u{1f600}'.repeat(5_000))
  })
})

test.each([
  undefined, null, 5, {}, [1], new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), () => '{}',
])('what is no text: %s', (input) => {
  const { document, diagnostics } = parseDocument(input as never)
  expect(document).toBeUndefined()
  expect(diagnostics).toMatchObject([{
    code: 'JSON_SYNTAX', stage: 1, expected: 'text or a Uint8Array', got: input === null ? 'null' : typeof input,
  }])
})

describe('mutated documents', () => {
  /** Mulberry32: the whole run repeats from one seed. */
  const random = (seed: number) => (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const seeds = CORPUS.filter((entry) => entry.diagnostics.every((d) => d['stage'] !== 1))
    .map((entry) => new TextEncoder().encode(textOf(entry.text)))
  const SPICE = new TextEncoder().encode('{}[]",:\\u0tfnE-+.09x \n')

  // The same code reads them in a page: a tenth is enough there.
  test.each(Array.from({ length: typeof window === 'undefined' ? 10 : 1 }, (_, chunk) => chunk))(
    'chunk %i: 10 000 mutations neither throw nor leave the stages',
    (chunk) => {
      const next = random(0x5eed + chunk), pick = (n: number): number => Math.floor(next() * n)
      let refused = 0
      for (let i = 0; i < 10_000; i++) {
        let bytes = seeds[pick(seeds.length)]!.slice()
        for (let edits = 1 + pick(4); edits > 0; edits--) {
          const at = pick(bytes.length), kind = pick(5)
          if (kind === 0) bytes[at] = pick(256)
          else if (kind === 1) bytes[at] = SPICE[pick(SPICE.length)]!
          else if (kind === 2) bytes = bytes.slice(0, Math.max(1, at))
          else {
            const other = kind === 3 ? bytes : seeds[pick(seeds.length)]!, from = pick(other.length)
            bytes = Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(from, from + pick(24)), ...bytes.subarray(at + pick(8))])
          }
          if (bytes.length === 0) bytes = Uint8Array.of(0x20)
        }
        const { document, diagnostics } = parseDocument(bytes)
        if (document === undefined) {
          refused++
          if (diagnostics.length === 0) throw new Error(`refused without a reason: ${new TextDecoder().decode(bytes)}`)
        }
        const strange = diagnostics.find((d) => !CODES.has(d.code))
        if (strange !== undefined) throw new Error(`unexpected ${strange.code}`)
      }
      expect(refused).toBeGreaterThan(1_000)
      expect(refused).toBeLessThan(10_000)
    },
    20_000,
  )
})

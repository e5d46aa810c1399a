import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { MAJOR, MIGRATIONS, migrateDocument, type Migration } from '../../../src/graph/document/migrations.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { toDocument } from '../../../src/graph/document/to-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { createRegistry } from '../../../src/graph/registry.js'

const folder = fileURLToPath(new URL('versions', import.meta.url))
const majors = Array.from({ length: MAJOR }, (_, i) => i + 1)

describe('documents of every version (GR-06)', () => {
  test('every major but the last has a migration, every major a file', () => {
    expect([...MIGRATIONS.keys()]).toEqual(majors.slice(0, -1))
    for (const major of majors) expect(existsSync(`${folder}/${major}.json`)).toBe(true)
  })

  test.each(majors)('a document of version %i is read, and written as of today', (major) => {
    const { document, diagnostics } = parseDocument(readFileSync(`${folder}/${major}.json`))
    expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([])
    const canonical = readFileSync(`${folder}/${major}.canonical.json`, 'utf8')
    expect(writeDocument(document!)).toBe(canonical)
    expect(writeDocument(toDocument(fromDocument(document, createRegistry())))).toBe(canonical)
  })

  test('fields that a newer writer of the same major added: kept, with a warning each', () => {
    expect(parseDocument(readFileSync(`${folder}/1.json`)).diagnostics.map((one) => `${one.code} ${one.severity} ${one.pointer}`))
      .toEqual(['UNKNOWN_FIELD warning /nodes/1/added-later', 'UNKNOWN_FIELD warning /edges/0/added-later'])
  })
})

describe('steps between majors', () => {
  const steps: ReadonlyMap<number, Migration> = new Map<number, Migration>([
    [1, ({ links, ...rest }) => ({ ...rest, edges: links })], [2, (document) => ({ ...document, second: true })],
  ])

  test('one after the other, up to the wanted one', () => {
    const old = Object.freeze({ millrace: '1.4', links: [1] })
    expect(migrateDocument(old, steps, 3)).toEqual({ millrace: 3, edges: [1], second: true })
    expect(migrateDocument(old, steps, 2)).toEqual({ millrace: 2, edges: [1] })
    expect(old).toEqual({ millrace: '1.4', links: [1] })
  })

  test('what is newer, unknown or no document stays as it is', () => {
    for (const value of [
      { millrace: 4 }, { millrace: 3 }, { millrace: 0 }, { millrace: 1.5 }, { millrace: 'x' }, { millrace: '1.2.3.4' }, {}, [], null, 7,
      Object.create({ millrace: 1 }) as unknown,
    ]) expect(migrateDocument(value, steps, 3)).toBe(value)
    expect(parseDocument('{"millrace":2,"nodes":[]}').diagnostics).toMatchObject([{ code: 'VERSION_MISMATCH' }])
  })
})

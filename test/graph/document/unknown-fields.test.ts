import { describe, expect, test } from 'vitest'
import type { Document } from '../../../src/graph/document/document.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { toDocument } from '../../../src/graph/document/to-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { validate } from '../../../src/graph/validate/index.js'
import { nodeShape, documentShape } from '../../../src/graph/schema/document-shape.js'
import type { Shape } from '../../../src/graph/schema/shape.js'
import type { Loose } from '../../support/loose.js'

/** A document with every kind of object that the format has. */
const whole = (): Loose => ({
  millrace: 1, meta: { name: 'n' }, engines: { millrace: '*' }, packs: [{ name: 'p', version: '1' }],
  inputs: { i: { to: [['a', 'in']], media: { kind: 'audio', rate: { min: 8_000 } } } },
  nodes: [{
    id: 'a', type: 'A', requires: { simd: true, gpu: { type: 'any' } },
    policy: { timeoutMs: 1, retry: { kind: 'none' }, breaker: { key: 'k' } },
  }],
  edges: [{ from: ['a', 'out'], to: ['a', 'in'], delayFrames: 128 }],
  config: { metrics: false, retry: { kind: 'none' }, breaker: { key: 'k' } },
  definitions: { d: { millrace: 1, nodes: [{ id: 'b', type: 'B' }] } },
})

const KINDS: Readonly<Record<string, string>> = {
  document: '', meta: '/meta', engines: '/engines', pack: '/packs/0', input: '/inputs/i', media: '/inputs/i/media',
  range: '/inputs/i/media/rate', node: '/nodes/0', requires: '/nodes/0/requires', gpu: '/nodes/0/requires/gpu', policy: '/nodes/0/policy',
  retry: '/nodes/0/policy/retry',
  breaker: '/nodes/0/policy/breaker', edge: '/edges/0', config: '/config', 'retry of config': '/config/retry',
  'breaker of config': '/config/breaker', definition: '/definitions/d', 'node of a definition': '/definitions/d/nodes/0',
}

describe('unknown fields (GR-03)', () => {
  test('every kind of object of the format has a case', () => {
    const names = new Set<string>()
    const walk = (shape: Shape): void => {
      if (shape.kind === 'object') {
        if (names.has(shape.name)) return
        names.add(shape.name)
        for (const field of Object.values(shape.fields)) walk(field.shape)
      }
      if (shape.kind === 'list') walk(shape.items)
      if (shape.kind === 'map') walk(shape.values)
      if (shape.kind === 'either') shape.options.forEach(walk)
    }
    walk(documentShape)
    walk(nodeShape)
    expect(Object.keys(KINDS)).toEqual(expect.arrayContaining([...names]))
  })

  test.each(Object.entries(KINDS))('%s: kept, with a warning; strict: an error', (_kind, pointer) => {
    const document = whole()
    let at = document
    for (const key of pointer.split('/').slice(1)) at = at[key]
    at['new~field'] = { deep: [1, { two: null }] }
    at['x-mine'] = 1
    const place = `${pointer}/new~0field`, text = JSON.stringify(document)
    const parsed = parseDocument(text)
    expect(parsed.diagnostics).toMatchObject([{ code: 'UNKNOWN_FIELD', severity: 'warning', stage: 3, pointer: place }])
    expect(parseDocument(text, { strict: true }).diagnostics).toMatchObject([{ code: 'UNKNOWN_FIELD', severity: 'error', pointer: place }])
    expect(validate(document as Document, createRegistry()).filter((one) => one.code === 'UNKNOWN_FIELD'))
      .toMatchObject([{ severity: 'warning', pointer: place }])
    const again = toDocument(fromDocument(parsed.document, createRegistry()))
    expect(JSON.parse(writeDocument(again))).toEqual(JSON.parse(writeDocument(document as Document)))
    expect(writeDocument(again)).toContain('"new~field"')
  })
})

import { describe, expect, test } from 'vitest'
import { createRegistry, fromDocument, parseDocument, validate } from '../../../src/index.js'
import { gain } from '../../../src/nodes/index.js'

const registry = createRegistry(gain)
const documentOf = (media: unknown): unknown => ({
  millrace: 1, nodes: [{ id: 'g', type: 'audio::gain', media: { in: media } }], inputs: { a: { to: [['g', 'in']] } },
})
const found = (media: unknown): string[] => validate(documentOf(media) as never, registry)
  .map(({ code, pointer }) => `${code} ${pointer ?? ''}`)

describe('media of a document are checked by their kind (spec graph.md section 4)', () => {
  test.each<[string, unknown, string]>([
    ['alternatives without options', { kind: 'oneOf' }, 'SCHEMA_INVALID /nodes/0/media/in/options'],
    ['no alternative', { kind: 'oneOf', options: [] }, 'SCHEMA_INVALID /nodes/0/media/in/options'],
    ['no kind', { rate: 8_000 }, 'SCHEMA_INVALID /nodes/0/media/in/kind'],
    ['an unknown matrix', { kind: 'video', matrix: 'bt470' }, 'SCHEMA_INVALID /nodes/0/media/in/matrix'],
    ['an unknown range', { kind: 'video', range: ['full', 'half'] }, 'SCHEMA_INVALID /nodes/0/media/in/range/1'],
    ['an unknown kind', { kind: 'smell' }, 'SCHEMA_INVALID /nodes/0/media/in/kind'],
    ['a rate of 0', { kind: 'audio', rate: 0 }, 'SCHEMA_INVALID /nodes/0/media/in/rate'],
    ['a rate above the highest', { kind: 'audio', rate: [48_000, 768_001] }, 'SCHEMA_INVALID /nodes/0/media/in/rate/1'],
    ['one and a half channels', { kind: 'audio', channels: 1.5 }, 'SCHEMA_INVALID /nodes/0/media/in/channels'],
    ['65 channels', { kind: 'audio', channels: 65 }, 'SCHEMA_INVALID /nodes/0/media/in/channels'],
    ['an unknown format', { kind: 'audio', format: 'f64' }, 'SCHEMA_INVALID /nodes/0/media/in/format'],
    ['a range that is empty', { kind: 'audio', rate: { min: 48_000, max: 8_000 } }, 'SCHEMA_INVALID /nodes/0/media/in/rate'],
    ['steps of 0', { kind: 'audio', rate: { min: 8_000, step: 0 } }, 'SCHEMA_INVALID /nodes/0/media/in/rate'],
    ['a field of another kind', { kind: 'audio', vocab: 3 }, 'UNKNOWN_FIELD /nodes/0/media/in/vocab'],
    ['options of audio', { kind: 'audio', options: [{ kind: 'audio' }] }, 'UNKNOWN_FIELD /nodes/0/media/in/options'],
    ['a rate of any media', { kind: 'any', rate: 3 }, 'UNKNOWN_FIELD /nodes/0/media/in/rate'],
    ['a field of another kind in an alternative', { kind: 'oneOf', options: [{ kind: 'audio', dtype: 'f32' }] },
      'UNKNOWN_FIELD /nodes/0/media/in/options/0/dtype'],
  ])('%s', (_what, media, expected) => {
    expect(found(media)).toContain(expected)
    const { document, diagnostics } = parseDocument(JSON.stringify(documentOf(media)))
    expect(diagnostics.map(({ code, pointer }) => `${code} ${pointer ?? ''}`)).toContain(expected)
    if (expected.startsWith('UNKNOWN_FIELD')) expect(document).toBeDefined()
  })

  test('a graph in memory gets the same word', () => {
    const graph = fromDocument(documentOf({ kind: 'audio' }), registry)
    const wrong = { ...graph, nodes: graph.nodes.map((node) => ({ ...node, media: { in: { kind: 'oneOf' } } })) }
    expect(validate(wrong as never, registry).map(({ code, pointer }) => `${code} ${pointer ?? ''}`))
      .toContain('SCHEMA_INVALID /nodes/0/media/in/options')
  })

  test.each<[string, unknown]>([
    ['values', { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }],
    ['sets', { kind: 'audio', rate: [16_000, 48_000], format: ['f32', 'i16'] }],
    ['ranges', { kind: 'audio', rate: { min: 8_000, max: 48_000, step: 8_000 }, channels: { max: 2 } }],
    ['alternatives', { kind: 'oneOf', options: [{ kind: 'audio', rate: 16_000 }, { kind: 'text' }] }],
    ['any', { kind: 'any' }], ['fields kept for others', { kind: 'audio', 'x-mine': 1 }],
  ])('%s are sound', (_what, media) => {
    expect(found(media).filter((one) => !one.startsWith('CONVERTER_INSERTED') && !one.startsWith('INPUT'))).toEqual([])
  })
})

import { describe, expect, test } from 'vitest'
import { audio, createRegistry, defineNode, parseDocument, validate, type Diagnostic } from '../../../src/index.js'
import { channels, convert, resample, vad } from '../../../src/nodes/index.js'

const registry = createRegistry(convert, resample, channels, vad)
const document = (media: unknown, negotiate = 'auto'): unknown => ({
  millrace: 1, inputs: { talk: { to: [['vad', 'in']], media } }, nodes: [{ id: 'vad', type: 'voice::vad' }],
  outputs: { decisions: ['vad', 'audio'] }, config: { negotiate },
})
const check = (media: unknown, negotiate?: string): readonly Diagnostic[] => {
  const { document: read, diagnostics } = parseDocument(JSON.stringify(document(media, negotiate)))
  return read === undefined || diagnostics.length > 0 ? diagnostics : validate(read, registry)
}
const told = (found: readonly Diagnostic[]): readonly unknown[] => found.filter(({ severity }) => severity === 'error')
  .map(({ code, pointer }) => [code, pointer])

describe('media of run-time inputs', () => {
  test('what the port takes passes, as a value, a set, a range, any, or one of several', () => {
    const speech = { kind: 'audio', rate: 16_000, channels: 1 }
    for (const media of [
      speech,
      { kind: 'audio', rate: [8_000, 16_000], channels: 1 },
      { kind: 'audio', rate: { min: 8_000, max: 96_000 } },
      { kind: 'any' },
      { kind: 'oneOf', options: [{ kind: 'text' }, speech] },
      { kind: 'audio' },
    ]) {
      expect(told(check(media)), JSON.stringify(media)).toEqual([])
    }
  })

  test('what converters bring to it passes and says so at the input; strict negotiation refuses it there', () => {
    const found = check({ kind: 'audio', rate: 16_000, channels: 1, format: 'i16' })
    expect(told(found)).toEqual([])
    expect(found.filter(({ code }) => code === 'CONVERTER_INSERTED').map(({ pointer }) => pointer)).toContain('/inputs/talk/media')
    expect(told(check({ kind: 'audio', rate: 16_000, channels: 1, format: 'i16' }, 'strict')))
      .toEqual([['NEGOTIATION_CONFLICT', '/inputs/talk/media']])
  })

  test('another kind of media is a mismatch that names both', () => {
    const found = check({ kind: 'text' })
    expect(told(found)).toEqual([['TYPE_MISMATCH', '/inputs/talk/media']])
    expect(found.find(({ code }) => code === 'TYPE_MISMATCH'))
      .toMatchObject({ message: expect.stringMatching(/vad\.in.*audio.*text/) as string })
  })

  test.each([
    ['no object', 'audio', '/inputs/talk/media'], ['no kind', { rate: 8_000 }, '/inputs/talk/media/kind'],
    ['another kind', { kind: 'sound' }, '/inputs/talk/media/kind'],
    ['a text for a number', { kind: 'audio', rate: 'fast' }, '/inputs/talk/media/rate'],
    ['an empty set', { kind: 'audio', format: [] }, '/inputs/talk/media/format'],
    ['an open length that is no name', { kind: 'tensor', shape: [3, null, true] }, '/inputs/talk/media/shape/2'],
  ])('%s is no media', (_what, media, pointer) => {
    expect(told(check(media))).toEqual([['SCHEMA_INVALID', pointer]])
  })

  test('messages name the input, its document pointer and the port, and nothing that no document has', () => {
    for (const [media, mode, message] of [
      [{ kind: 'text' }, 'auto', 'Input talk→vad.in: expected audio f32, planar, got text.'],
      [{ kind: 'audio', rate: 16_000, channels: 1, format: 'i16' }, 'strict',
        'Input talk→vad.in, format: input talk gives i16, vad.in takes f32.'],
      [{ kind: 'audio', rate: 16_000, channels: 1, format: 'i16' }, 'auto',
        'Input talk: audio::convert inserted on input talk->vad.in: audio 16000 Hz, 1 channel, i16, planar → audio 16000 Hz, 1 channel, f32, planar.'],
    ] as const) {
      const found = check(media, mode)
      expect(found.map((one) => [one.message, one.node, one.port, one.pointer])).toEqual([[message, 'vad', 'in', '/inputs/talk/media']])
      expect(JSON.stringify(found)).not.toContain('~')
    }
  })

  test('rates that no audio has are no media', () => {
    expect(told(check({ kind: 'audio', rate: 5_000_000 })).map((one) => (one as string[])[1])).toContain('/inputs/talk/media/rate')
  })
})

describe('media of ports that a node says', () => {
  const graph = (media: unknown): readonly Diagnostic[] => {
    const { document: read, diagnostics } = parseDocument(JSON.stringify({
      millrace: 1, nodes: [{ id: 'read', type: 'test::read' }, { id: 'vad', type: 'voice::vad', media }],
      edges: [{ from: ['read', 'out'], to: ['vad', 'in'] }], outputs: { speech: ['vad', 'audio'] },
    }))
    return read === undefined || diagnostics.length > 0
      ? diagnostics
      : validate(read, createRegistry(source, convert, resample, channels, vad))
  }
  const source = defineNode({
    type: 'test::read', version: '1.0.0', title: 'read', doc: '', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: audio({ rate: 48_000, channels: 1, format: 'f32', layout: 'planar' }) } },
    pull: async function* () {},
  })

  test('narrow what is negotiated: a rate brings its converter', () => {
    expect(graph({ in: { kind: 'audio', rate: 16_000 } }).map(({ code, message }) => [code, /resample/.test(message)]))
      .toEqual([['CONVERTER_INSERTED', true]])
    expect(graph({})).toEqual([])
  })

  test('a port that is none, and media that the type does not carry', () => {
    expect(told(graph({ inn: { kind: 'any' } }))).toEqual([['PORT_NOT_FOUND', '/nodes/1/media/inn']])
    expect(told(graph({ in: { kind: 'text' } }))).toEqual([['NEGOTIATION_CONFLICT', '/nodes/1/media/in']])
    expect(told(graph({ in: { kind: 'audio', rate: 'fast' } }))).toEqual([['SCHEMA_INVALID', '/nodes/1/media/in/rate']])
  })

  test('of a subgraph reach the inner ports', () => {
    const { document: read } = parseDocument(JSON.stringify({
      millrace: 1,
      nodes: [{ id: 'read', type: 'test::read' }, { id: 'sub', type: 'graph::detect', media: { talk: { kind: 'audio', rate: 16_000 } } }],
      edges: [{ from: ['read', 'out'], to: ['sub', 'talk'] }], outputs: { speech: ['sub', 'speech'] },
      definitions: {
        detect: {
          millrace: 1, inputs: { talk: { to: [['vad', 'in']] } }, nodes: [{ id: 'vad', type: 'voice::vad' }],
          outputs: { speech: ['vad', 'audio'] },
        },
      },
    }))
    expect(validate(read!, createRegistry(source, convert, resample, channels, vad)).map(({ code }) => code))
      .toEqual(['CONVERTER_INSERTED'])
  })
})

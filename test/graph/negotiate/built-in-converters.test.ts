/**
 * Negotiation with the converters that ship: what is inserted in front of a port, and that the chains are what the nodes themselves accept.
 */
import { describe, expect, test } from 'vitest'
import { hashGraph } from '../../../src/graph/hash.js'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import type { NodeDefinition } from '../../../src/graph/node-definition.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { validate } from '../../../src/graph/validate/index.js'
import type { AudioMedia, Media } from '../../../src/media/media-type.js'
import * as nodes from '../../../src/nodes/index.js'
import { graphOf, sink, source } from '../../support/graph-nodes.js'

const builtIn = Object.values(nodes).filter((value): value is typeof nodes.gain => typeof value === 'function' && 'definition' in value)
const registry = createRegistry(...builtIn)
const definition = (type: string): NodeDefinition => registry.get(type)!
const file: AudioMedia = { kind: 'audio', rate: 48_000, channels: 2, format: 'i16', layout: 'interleaved' }
const chain = (from: Partial<AudioMedia>, to: Partial<AudioMedia>, mode: 'auto' | 'safe' | 'strict' = 'auto') =>
  negotiate(graphOf({ a: source('test::a', { ...file, ...from }), b: sink('test::b', { ...file, ...to }) }, ['a.out->b.in']), registry, {
    mode,
  })

describe('built-in converters', () => {
  test('48 kHz stereo i16 to 16 kHz mono f32 planar: convert, channel mean, resample (GR-36, AU-55)', () => {
    expect(chain({}, { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }).inserted.map((node) => [node.type, node.params]))
      .toEqual([
        ['audio::convert', { format: 'f32', layout: 'planar' }], ['audio::channels', { to: 1, mode: 'mean' }],
        ['audio::resample', { rate: 16_000 }],
      ])
  })

  test('every pair of formats and layouts is one convert, every pair of channel counts one channels, every pair of rates one resample', () => {
    const f32 = { format: 'f32', layout: 'planar' } as const
    for (const a of ['f32', 'i16', 'i32', 'u8'] as const) {
      for (const b of ['f32', 'i16', 'i32', 'u8'] as const) for (const c of ['planar', 'interleaved'] as const) {
        expect(chain({ format: a }, { format: b, layout: c }).inserted.map((node) => node.type))
          .toEqual(a === b && c === 'interleaved' ? [] : ['audio::convert'])
      }
    }
    for (const a of [1, 2, 4, 6, 8]) for (const b of [1, 2, 4, 6, 8]) {
      expect(chain({ ...f32, channels: a }, { ...f32, channels: b }).inserted.map((node) => [node.type, node.params['mode'] ?? 'speakers']))
        .toEqual(a === b ? [] : [['audio::channels', b === 1 ? 'mean' : 'speakers']])
    }
    for (const a of [8_000, 44_100, 96_000]) for (const b of [16_000, 44_100]) {
      expect(chain({ ...f32, rate: a }, { ...f32, rate: b }).inserted.map((node) => node.type)).toEqual(a === b ? [] : ['audio::resample'])
    }
  })

  test('safe lets widening pass and nothing else', () => {
    expect(chain({}, { format: 'f32', layout: 'planar' }, 'safe').inserted).toMatchObject([{ type: 'audio::convert', lossless: true }])
    expect(chain({ format: 'f32' }, { format: 'i16' }, 'safe').diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'format' }])
    expect(chain({}, { rate: 16_000 }, 'safe').diagnostics).toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'rate' }])
  })

  test('a file of another rate and channel count than the rest of the graph: media of every port, equal hash to the chain by hand', () => {
    const graph = graphOf({
      read: [definition('io::wav-file'), { path: 'talk.wav' }], slow: [definition('audio::resample'), { rate: 16_000 }],
      vad: definition('voice::vad'),
    },
      ['read.out->slow.in', 'slow.out->vad.in'])
    expect(validate(graph, registry)).toEqual([])
    expect(negotiate(graph, registry).open).toContain('read.out')
    const { media, inserted, open, graph: solved } = negotiate(graph, registry, { known: new Map<string, Media>([['read.out', file]]) })
    expect(open).toEqual([])
    expect(inserted.map((node) => [node.id, node.type])).toEqual([['~read.out~1', 'audio::convert']])
    expect(media.get('slow.out')).toEqual({ kind: 'audio', rate: 16_000, channels: 2, format: 'f32', layout: 'planar' })
    expect(media.get('vad.segments')).toMatchObject({ kind: 'events', timebase: 16_000 })
    const byHand = graphOf({
      read: [definition('io::wav-file'), { path: 'talk.wav' }], decode: definition('audio::convert'),
      slow: [definition('audio::resample'), { rate: 16_000 }], vad: definition('voice::vad'),
    },
      ['read.out->decode.in', 'decode.out->slow.in', 'slow.out->vad.in'])
    expect(hashGraph(solved).graph).toBe(hashGraph(byHand).graph)
  })
})

import { describe, expect, test } from 'vitest'
import { meet, rangeDomain } from '../../../src/graph/negotiate/field-domain.js'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import { anyMedia, audio, events, match, oneOf, sameAs, tensor, text, type AudioMedia, type Media } from '../../../src/media/media-type.js'
import { convert, detect, graphOf, kernel, mix, nodeType, pass, registryOf, resample, sink, source } from '../../support/graph-nodes.js'

const f32 = (rate: number, channels: number): AudioMedia => ({ kind: 'audio', rate, channels, format: 'f32', layout: 'planar' })
const wide = source('test::wide', { rate: 48_000, channels: 2, format: 'f32', layout: 'planar' })
const stereo16 = source('test::stereo16', { rate: 48_000, channels: 2, format: 'i16', layout: 'planar' })
const mono16k = sink('test::mono16k', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' })
const free = source('test::free', {})
const file = nodeType('test::file', { outputs: { out: audio({ discovered: true }) } })
const registry = registryOf()

describe('port behaviours (GR-33)', () => {
  test('static, configured, passthrough, adaptive and discovered in one graph', () => {
    const graph = graphOf(
      { fixed: wide, free, resample: [resample, { rate: 16_000 }], pass, detect, file, tail: pass, mono16k },
      ['fixed.out->pass.in', 'free.out->mono16k.in', 'pass.out->resample.in', 'file.out->tail.in'])
    const { media, open, inserted, diagnostics } = negotiate(graph, registry)
    expect(media.get('fixed.out')).toEqual(f32(48_000, 2))
    expect(media.get('pass.out')).toEqual(f32(48_000, 2))
    expect(media.get('resample.out')).toEqual(f32(16_000, 2))
    expect(media.get('free.out')).toEqual(f32(16_000, 1))
    expect(open).toEqual(['file.out', 'tail.in', 'tail.out'])
    expect(inserted).toEqual([])
    expect(diagnostics).toEqual([])
  })

  test('an adaptive port reached through passthrough nodes takes what the last consumer wants', () => {
    const graph = graphOf({ free, a: pass, b: pass, mono16k }, ['free.out->a.in', 'a.out->b.in', 'b.out->mono16k.in'])
    expect(negotiate(graph, registry).media.get('free.out')).toEqual(f32(16_000, 1))
  })

  test('defaults when nobody prefers anything: 48 000 Hz, 2 channels, f32 planar', () => {
    expect(negotiate(graphOf({ free, pass }, ['free.out->pass.in']), registry).media.get('pass.out')).toEqual(f32(48_000, 2))
  })

  test('the producer decides before the consumer', () => {
    const give = source('test::give', { rate: [22_050, 44_100], channels: { min: 1, max: 8 } })
    const take = sink('test::take', { rate: [44_100, 22_050], channels: [6, 1], format: 'f32', layout: 'planar' })
    expect(negotiate(graphOf({ give, take }, ['give.out->take.in']), registry).media.get('take.in')).toEqual(f32(22_050, 6))
  })

  test('a range without preference takes the value nearest to the default', () => {
    const give = source('test::give', { rate: { min: 8_000, max: 32_000, step: 7_000 }, channels: { min: 3 } })
    expect(negotiate(graphOf({ give }), registry).media.get('give.out')).toMatchObject({ rate: 29_000, channels: 3 })
  })

  test('kernel ports are f32 planar unless they say otherwise', () => {
    const graph = graphOf({ free, convert: [convert, { format: 'i16', layout: 'interleaved' }] }, ['free.out->convert.in'])
    expect(negotiate(graph, registry).media.get('convert.out'))
      .toEqual({ kind: 'audio', rate: 48_000, channels: 2, format: 'i16', layout: 'interleaved' })
    expect(negotiate(graphOf({ pass, free }, ['free.out->pass.in']), registry).media.get('pass.in')).toEqual(f32(48_000, 2))
  })
})

describe('constraints', () => {
  test('sameAs joins one field', () => {
    const node = nodeType('test::same', {
      inputs: { in: audio({ rate: [8_000, 16_000] }) }, outputs: { out: audio({ rate: sameAs('in'), channels: 1 }) },
    })
    expect(negotiate(graphOf({ free, node, mono16k }, ['free.out->node.in', 'node.out->mono16k.in']), registry).media.get('free.out'))
      .toMatchObject({ rate: 16_000 })
  })

  test('a type variable resolves equally at all its ports', () => {
    const swap = nodeType('test::swap', { inputs: { a: match('T'), b: match('T') }, outputs: { x: match('T') } })
    const { media, inserted } = negotiate(graphOf({ wide, free, swap }, ['free.out->swap.a', 'wide.out->swap.b']), registry)
    expect([media.get('swap.a'), media.get('swap.b'), media.get('swap.x'), media.get('free.out')])
      .toEqual(Array<Media>(4).fill(f32(48_000, 2)))
    expect(inserted).toEqual([])
  })

  test('oneOf takes the alternative that fits', () => {
    const either = nodeType('test::either', { inputs: { in: oneOf(text(), audio({ rate: 16_000 })) }, outputs: { out: anyMedia() } })
    const { media, open, inserted } = negotiate(graphOf({ wide, either }, ['wide.out->either.in']), registry)
    expect(media.get('either.in')).toMatchObject({ kind: 'audio', rate: 16_000 })
    expect(inserted.map((node) => node.type)).toEqual(['audio::resample'])
    expect(open).toEqual(['either.out'])
  })

  test('a function of the inputs sees their media', () => {
    const { media } = negotiate(graphOf({
      wide,
      mono: [nodeType('test::mono', { inputs: { in: audio() }, outputs: { out: audio({ like: 'in', channels: 1 }) } }), {}],
      detect,
    },
      ['wide.out->mono.in', 'mono.out->detect.in']), registry)
    expect(media.get('detect.segments')).toEqual({ kind: 'events', schema: 'vad', timebase: 48_000 })
  })

  test('a function of an adaptive input is asked again once the input is decided, and converts where consumers wanted something else', () => {
    const half = nodeType('test::half', {
      kernel, inputs: { in: audio() },
      outputs: {
        out: audio({
          like: 'in',
          rate: (_p, inputs) => { const m = inputs['in'] as AudioMedia | undefined; return m?.rate === undefined ? undefined : m.rate / 2 },
        }),
      },
    })
    const { media, inserted } = negotiate(graphOf({ free, half, mono16k }, ['free.out->half.in', 'half.out->mono16k.in']), registry)
    expect(media.get('half.out')).toEqual(f32(24_000, 1))
    expect(inserted).toMatchObject([{ id: '~half.out~1', type: 'audio::resample', params: { rate: 16_000 } }])
  })

  test('a function that throws is reported, not thrown', () => {
    const bad = nodeType('test::bad', { outputs: { out: audio({ rate: () => { throw new Error('boom') } }) } })
    expect(negotiate(graphOf({ bad }), registry).diagnostics).toMatchObject([{ code: 'INTERNAL', node: 'bad', port: 'out', stage: 12 }])
  })

  test('a range that ends at no number holds nothing, and narrows nobody for ever', () => {
    expect(meet(rangeDomain({ min: 1, max: 8 }), rangeDomain({ max: Number.NaN }))).toBe(null)
    const give = nodeType('test::give', { outputs: { out: audio({ rate: (() => ({ min: 8_000, max: Number.NaN })) as never }) } })
    const { diagnostics } = negotiate(graphOf({ give, pass }, ['give.out->pass.in']), registry)
    expect(diagnostics).toMatchObject([{ code: 'NEGOTIATION_CONFLICT', node: 'give', port: 'out' }])
  })

  test('links of a multi input agree with each other; the later one is converted', () => {
    const other = source('test::other', { rate: 44_100, channels: 2, format: 'f32', layout: 'planar' })
    const { media, inserted, graph } = negotiate(graphOf({ wide, other, mix }, ['wide.out->mix.in', 'other.out->mix.in']), registry)
    expect(media.get('mix.in.0')).toEqual(f32(48_000, 2))
    expect(media.get('mix.in.1')).toEqual(f32(48_000, 2))
    expect(inserted).toMatchObject([{ id: '~other.out~1', type: 'audio::resample', params: { rate: 48_000 }, edge: 'other.out->mix.in' }])
    expect(graph.edges[1]).toMatchObject({ from: ['~other.out~1', 'out'], to: ['mix', 'in'] })
  })

  test('tensor shapes: lengths, names and open dimensions', () => {
    const give = nodeType('test::give', { outputs: { out: tensor({ dtype: 'f32', shape: [null, 80] }) } })
    const take = nodeType('test::take', { inputs: { in: tensor({ shape: ['frames', 80] }) } })
    const wrong = nodeType('test::wrong', { inputs: { in: tensor({ shape: [null, 40] }) } })
    const good = negotiate(graphOf({ give, take }, ['give.out->take.in']), registry)
    expect(good.media.get('take.in')).toEqual({ kind: 'tensor', dtype: 'f32', shape: ['frames', 80] })
    expect(negotiate(graphOf({ give, wrong }, ['give.out->wrong.in']), registry).diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'd1' }])
  })
})

describe('discovered ports (GR-35)', () => {
  const graph = graphOf({ file, resample: [resample, { rate: 16_000 }], detect }, ['file.out->resample.in', 'resample.out->detect.in'])

  test('stay open; what does not depend on them is agreed', () => {
    const { open, media, diagnostics, inserted } = negotiate(graph, registry)
    expect(open).toEqual(['file.out', 'resample.in', 'resample.out'])
    expect(media.get('detect.in')).toEqual(f32(16_000, 1))
    expect(media.get('detect.segments')).toMatchObject({ timebase: 16_000 })
    expect([diagnostics, inserted]).toEqual([[], []])
  })

  test('the downstream part is solved once more with the media of the first packet', () => {
    const known = new Map<string, Media>([['file.out', { kind: 'audio', rate: 44_100, channels: 2, format: 'i16', layout: 'interleaved' }]])
    const solved = negotiate(graph, registry, { known })
    expect(solved.open).toEqual([])
    expect(solved.inserted.map((node) => [node.id, node.type, node.params])).toEqual([
      ['~file.out~1', 'audio::convert', { format: 'f32', layout: 'planar' }],
      ['~resample.out~1', 'audio::channels', { to: 1, mode: 'mean' }],
    ])
  })

  test('no consumer narrows what a file will hold', () => {
    const { open } = negotiate(graphOf({ file, mono16k }, ['file.out->mono16k.in']), registry)
    expect(open).toEqual(['file.out'])
  })

  test('kinds that no converter joins are refused before the first packet', () => {
    const { diagnostics } = negotiate(graphOf({ file, t: nodeType('test::t', { inputs: { in: text() } }) }, ['file.out->t.in']), registry)
    expect(diagnostics).toMatchObject([{
      code: 'TYPE_MISMATCH', severity: 'error', stage: 12, node: 't', port: 'in', edge: 'file.out->t.in',
    }])
  })
})

describe('converters (GR-36 to GR-38)', () => {
  test('48 kHz stereo i16 to 16 kHz mono f32 takes exactly three: decode, down-mix, resample', () => {
    const { inserted, graph, media, diagnostics } = negotiate(graphOf({ stereo16, mono16k }, ['stereo16.out->mono16k.in']), registry)
    expect(inserted).toEqual([
      { id: '~stereo16.out~1', type: 'audio::convert', params: { format: 'f32', layout: 'planar' }, edge: 'stereo16.out->mono16k.in',
        reason: expect.any(String), lossless: true },
      { id: '~stereo16.out~2', type: 'audio::channels', params: { to: 1, mode: 'mean' }, edge: 'stereo16.out->mono16k.in',
        reason: expect.any(String), lossless: false },
      { id: '~stereo16.out~3', type: 'audio::resample', params: { rate: 16_000 }, edge: 'stereo16.out->mono16k.in',
        reason: expect.any(String), lossless: false },
    ])
    expect(inserted[0]!.reason).toBe('audio 48000 Hz, 2 channels, i16, planar → audio 16000 Hz, 1 channel, f32, planar')
    expect(media.get('~stereo16.out~2.out')).toEqual(f32(48_000, 1))
    expect(diagnostics.map((one) => [one.code, one.severity])).toEqual(Array(3).fill(['CONVERTER_INSERTED', 'info']))
    expect(graph.nodes).toHaveLength(5)
    expect(new Set(graph.edges.map((edge) => `${edge.from.join('.')}->${edge.to.join('.')}`))).toEqual(new Set([
      'stereo16.out->~stereo16.out~1.in', '~stereo16.out~1.out->~stereo16.out~2.in', '~stereo16.out~2.out->~stereo16.out~3.in',
      '~stereo16.out~3.out->mono16k.in',
    ]))
    // Solving the result again finds nothing left to do.
    expect(negotiate(graph, registry).inserted).toEqual([])
  })

  test('up-mix comes after resampling', () => {
    const mono8k = source('test::mono8k', { rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })
    const take = sink('test::take', { rate: 48_000, channels: 2, format: 'i16', layout: 'interleaved' })
    expect(negotiate(graphOf({ mono8k, take }, ['mono8k.out->take.in']), registry).inserted.map((node) => node.type))
      .toEqual(['audio::resample', 'audio::channels', 'audio::convert'])
  })

  test('integers are decoded before they are resampled and encoded after', () => {
    const give = source('test::give', { rate: 8_000, channels: 1, format: 'i16', layout: 'interleaved' })
    const take = sink('test::take', { rate: 48_000, channels: 1, format: 'i16', layout: 'interleaved' })
    expect(negotiate(graphOf({ give, take }, ['give.out->take.in']), registry).inserted.map((node) => [node.type, node.params])).toEqual([
      ['audio::convert', { format: 'f32', layout: 'planar' }], ['audio::resample', { rate: 48_000 }],
      ['audio::convert', { format: 'i16', layout: 'interleaved' }],
    ])
  })

  test('only the fields in conflict are converted: the detector runs at the rate of its source', () => {
    const { media, inserted } = negotiate(graphOf({ wide, detect, mono16k }, ['wide.out->detect.in', 'detect.audio->mono16k.in']), registry)
    expect(media.get('detect.in')).toEqual(f32(48_000, 1))
    expect(inserted.map((node) => [node.id, node.type]))
      .toEqual([['~wide.out~1', 'audio::channels'], ['~detect.audio~1', 'audio::resample']])
  })

  test('ids count per port over all its edges and pass over taken ones', () => {
    const graph = graphOf({ wide, a: mono16k, b: mono16k, '~wide.out~2': pass }, ['wide.out->a.in', 'wide.out->b.in'])
    expect(negotiate(graph, registry).inserted.map((node) => node.id)).toEqual(['~wide.out~1', '~wide.out~3', '~wide.out~4', '~wide.out~5'])
  })

  test('cheapest chain wins; equal cost: fewer nodes, then order of the registry', () => {
    const direct = (type: string, cost: number): ReturnType<typeof nodeType> => nodeType(type, {
      params: { rate: { type: 'integer', default: 1, doc: '' }, to: { type: 'integer', default: 1, doc: '' } }, inputs: { in: audio() },
      outputs: { out: audio({ format: 'f32', layout: 'planar', rate: (p) => p['rate'] as number, channels: (p) => p['to'] as number }) },
      converter: {
        lossless: false, cost,
        params: (a, b) => a.kind === 'audio' && b.kind === 'audio' ? { rate: b.rate, to: b.channels } : null,
      },
    })
    const graph = graphOf({ stereo16, mono16k }, ['stereo16.out->mono16k.in'])
    const types = (...extra: ReturnType<typeof nodeType>[]): string[] => negotiate(graph, registryOf(...extra)).inserted
      .map((node) => node.type)
    expect(types(direct('test::dear', 14))).toEqual(['audio::convert', 'audio::channels', 'audio::resample'])
    expect(types(direct('test::even', 13))).toEqual(['test::even'])
    expect(types(direct('test::cheap', 3), direct('test::also', 3))).toEqual(['test::also'])
  })

  const takes: Readonly<Record<string, ReturnType<typeof nodeType>>> = {
    lossless: sink('test::lossless', { rate: 48_000, channels: 2, format: 'f32', layout: 'interleaved' }),
    lossy: sink('test::lossy', { rate: 16_000, channels: 2, format: 'i16', layout: 'planar' }),
    impossible: nodeType('test::impossible', { inputs: { in: text() } }),
  }
  test.each([
    ['auto', 'lossless', ['audio::convert'], []], ['auto', 'lossy', ['audio::convert', 'audio::resample', 'audio::convert'], []],
    ['auto', 'impossible', [], ['TYPE_MISMATCH']],
    ['safe', 'lossless', ['audio::convert'], []], ['safe', 'lossy', [], ['NEGOTIATION_CONFLICT']],
    ['safe', 'impossible', [], ['TYPE_MISMATCH']],
    ['strict', 'lossless', [], ['NEGOTIATION_CONFLICT']], ['strict', 'lossy', [], ['NEGOTIATION_CONFLICT']],
    ['strict', 'impossible', [], ['TYPE_MISMATCH']],
  ] as const)('negotiate: %s, %s', (mode, take, types, codes) => {
    const graph = graphOf({ stereo16, take: takes[take]! }, ['stereo16.out->take.in'])
    for (const solved of [negotiate(graph, registry, { mode }), negotiate({ ...graph, config: { negotiate: mode } }, registry)]) {
      expect(solved.inserted.map((node) => node.type)).toEqual(types)
      expect(solved.diagnostics.filter((one) => one.severity === 'error').map((one) => one.code)).toEqual(codes)
      if (types.length === 0) expect(solved.graph.nodes).toBe(graph.nodes)
    }
  })

  test('a conflict names both ends, the fields, both constraints, and the chain that would mend it', () => {
    const [conflict] = negotiate(graphOf({ stereo16, mono16k }, ['stereo16.out->mono16k.in']), registry, { mode: 'strict' }).diagnostics
    expect(conflict).toMatchObject({
      code: 'NEGOTIATION_CONFLICT', severity: 'error', stage: 12, node: 'mono16k', port: 'in', edge: 'stereo16.out->mono16k.in',
      pointer: '/edges/0',
      constraint: 'rate, channels, format', got: '48000 Hz, 2 channels, i16', expected: '16000 Hz, 1 channel, f32',
      message: 'Edge stereo16.out→mono16k.in, rate, channels, format: stereo16.out gives 48000 Hz, 2 channels, i16, mono16k.in takes 16000 Hz, 1 channel, f32.',
      hint: 'Insert audio::convert, then audio::channels, then audio::resample or allow `negotiate: auto`.',
    })
    expect(conflict!.suggestions).toEqual([
      { title: 'Insert audio::convert, then audio::channels, then audio::resample', edit: {
        op: 'insert-converters', edge: 'stereo16.out->mono16k.in', from: ['stereo16', 'out'], to: ['mono16k', 'in'], nodes: [
          { type: 'audio::convert', params: { format: 'f32', layout: 'planar' } },
          { type: 'audio::channels', params: { to: 1, mode: 'mean' } },
          { type: 'audio::resample', params: { rate: 16_000 } }] } },
      { title: 'Remove edge stereo16.out->mono16k.in',
        edit: { op: 'remove-edge', edge: 'stereo16.out->mono16k.in', from: ['stereo16', 'out'], to: ['mono16k', 'in'] } },
    ])
  })

  test('a converter that needs another input is only suggested (GR-32)', () => {
    const decoder = nodeType('test::decoder', {
      inputs: { latent: tensor({ tag: 'latent' }), model: tensor({ tag: 'model', shape: [1] }) }, outputs: { out: audio() },
      converter: { lossless: false, cost: 1, params: () => ({}) },
    })
    const latent = nodeType('test::latent', { outputs: { out: tensor({ dtype: 'f32', tag: 'latent', shape: [4] }) } })
    const { diagnostics, inserted } = negotiate(graphOf({ latent, mono16k }, ['latent.out->mono16k.in']), registryOf(decoder))
    expect(inserted).toEqual([])
    expect(diagnostics).toMatchObject([{
      code: 'TYPE_MISMATCH', got: 'tensor f32, latent, shape [4]', expected: 'audio 16000 Hz, 1 channel, f32, planar',
    }])
    expect(diagnostics[0]!.suggestions![0]!.title).toBe('Insert test::decoder at latent and link its model (tensor model, shape [1])')
  })

  test('at most four converters on an edge, or as many as allowed', () => {
    const step = nodeType('test::step', {
      params: { rate: { type: 'integer', default: 1, doc: '' } }, inputs: { in: audio() },
      outputs: { out: audio({ like: 'in', rate: (p) => p['rate'] as number }) },
      converter: {
        lossless: true, cost: 1,
        params: (a, b) => a.kind === 'audio' && b.kind === 'audio' && a.rate < b.rate ? { rate: a.rate + 1 } : null,
      },
    })
    const registryOfSteps = { get: () => undefined, list: () => [step] }
    const give = source('test::give', { rate: 100, channels: 1, format: 'f32', layout: 'planar' })
    const take = (rate: number): ReturnType<typeof nodeType> => sink('test::take', { rate, channels: 1, format: 'f32', layout: 'planar' })
    // This converter cannot reach a far rate in one step and says so by giving another one: nothing is inserted.
    expect(negotiate(graphOf({ give, take: take(101) }, ['give.out->take.in']), registryOfSteps).inserted).toHaveLength(1)
    expect(negotiate(graphOf({ give, take: take(103) }, ['give.out->take.in']), registryOfSteps).diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT' }])
    const three = graphOf({ stereo16, mono16k }, ['stereo16.out->mono16k.in'])
    expect(negotiate(three, registry, { mostConverters: 2 }).diagnostics).toMatchObject([{ code: 'NEGOTIATION_CONFLICT' }])
    expect(negotiate(three, registry, { mostConverters: 3 }).inserted).toHaveLength(3)
  })

  test('equal input gives the equal result, and no given graph is changed', () => {
    const graph = graphOf({ stereo16, mono16k, detect, free, mix }, [
      'stereo16.out->mono16k.in', 'stereo16.out->detect.in', 'free.out->mix.in', 'detect.audio->mix.in',
    ])
    const before = JSON.stringify(graph)
    const text = (): string => {
      const { media, inserted, open } = negotiate(graph, registry)
      return JSON.stringify([[...media], inserted, open])
    }
    expect(text()).toBe(text())
    expect(JSON.stringify(graph)).toBe(before)
  })

  test('events of one schema do not fit another', () => {
    const give = nodeType('test::give', { outputs: { out: events({ schema: 'note', timebase: 1_000 }) } })
    const take = nodeType('test::take', { inputs: { in: events({ schema: 'vad' }) } })
    expect(negotiate(graphOf({ give, take }, ['give.out->take.in']), registry).diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'schema', got: 'schema note', expected: 'schema vad' }])
  })
})

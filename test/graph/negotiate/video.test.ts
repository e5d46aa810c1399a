import { describe, expect, test } from 'vitest'
import { createRegistry, defineNode, graphFrom, validate, video, type VideoConstraint } from '../../../src/index.js'

const base = { version: '1.0.0', title: 'T', doc: '', family: 'test', params: {} } as const
const size = { width: 64, height: 48, format: 'nv12', still: false }
const problems = (gives: Partial<VideoConstraint>, takes: Partial<VideoConstraint>): string[] => {
  const camera = defineNode({
    ...base, type: 'test::camera', inputs: {}, outputs: { out: { media: video({ ...size, fps: 30, ...gives }) } },
    pull: async function* () {},
  })
  const screen = defineNode({
    ...base, type: 'test::screen', inputs: { in: { media: video(takes) } }, outputs: { out: { media: video({ like: 'in' }) } },
    process: async () => ({}),
  })
  return validate(graphFrom({ out: screen(camera()) }), createRegistry(camera, screen)).map(({ code }) => code)
}

describe('fields of video (spec graph.md section 4)', () => {
  test('matrix and range are agreed on as other fields are', () => {
    expect(problems({ matrix: 'bt709', range: 'limited' }, { matrix: ['bt601', 'bt709'], range: 'limited' })).toEqual([])
    expect(problems({ matrix: 'bt709' }, { matrix: 'bt601' })).toEqual(['NEGOTIATION_CONFLICT'])
    expect(problems({ range: 'full' }, { range: 'limited' })).toEqual(['NEGOTIATION_CONFLICT'])
    expect(problems({}, { range: 'limited' })).toEqual([])
  })

  test('rates are ratios: equal ones are equal, what stands beside them is another', () => {
    expect(problems({ fps: 30_000 / 1_001 }, { fps: JSON.parse(JSON.stringify(30_000 / 1_001)) as number })).toEqual([])
    expect(problems({ fps: 30_000 / 1_001 }, { fps: 60_000 / 2_002 })).toEqual([])
    expect(problems({ fps: 30_000 / 1_001 }, { fps: 29.97 })).toEqual(['NEGOTIATION_CONFLICT'])
  })
})

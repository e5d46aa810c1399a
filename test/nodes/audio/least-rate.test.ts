import { expect, test } from 'vitest'
import { resolveParams } from '../../../src/graph/params.js'
import type { NodeDefinition } from '../../../src/graph/node-definition.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import { channels, convert, gain, mix, resample, vad } from '../../../src/nodes/index.js'

const at = (rate: number): AudioMedia => ({ kind: 'audio', rate, channels: 1, format: 'f32', layout: 'planar' })

test.each([
  [gain, {}], [mix, {}], [convert, {}], [channels, { to: 2 }], [resample, { rate: 100 }], [vad, {}],
])('rates below 100 Hz are UNSUPPORTED: %#', (node, params) => {
  const definition = node.definition as unknown as NodeDefinition, port = definition.type === 'audio::mix' ? 'in.0' : 'in'
  const codes = (rate: number): string[] => definition.validate!(resolveParams(definition, params).values, { [port]: at(rate) })
    .map(({ code }) => code)
  expect([1, 99].map(codes)).toEqual([['UNSUPPORTED'], ['UNSUPPORTED']])
  expect(codes(100)).toEqual([])
})

/**
 * Some neighbouring channels of a stream, as a view of the samples where they stand: nothing is copied and no code runs. It does not mix or
 * reorder (that is `audio::channels` with a matrix).
 */
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import { audio, sameAs } from '../../media/media-type.js'

const params = {
  first: { type: 'integer', min: 0, max: 63, default: 0, rate: 'init', doc: 'First channel that is kept, from 0.' },
  count: { type: 'integer', unit: 'channels', min: 1, max: 64, default: 1, rate: 'init', doc: 'Channels kept.' },
} as const satisfies ParamTable

export const select = /* @__PURE__ */ defineNode({
  type: 'audio::select', version: '1.0.0', title: 'Select channels', family: 'level', tags: ['channels', 'view'],
  doc: 'Some neighbouring channels of a stream.',
  params,
  inputs: { in: { media: audio({ layout: 'planar' }) } },
  outputs: {
    out: {
      media: audio({ rate: sameAs('in'), format: sameAs('in'), layout: 'planar', channels: (p) => p['count'] as number }),
      view: (p) => ({ first: p['first'] as number }),
    },
  },
  deterministic: 'yes',
  validate: (p, media) => {
    const from = media['in'], first = p['first'] as number, last = first + (p['count'] as number) - 1
    if (from?.kind !== 'audio' || last < from.channels) return []
    return [graphErrors.PARAM_INVALID.diagnostic({
      node: 'audio::select', param: 'first', constraint: 'a last channel of at most', limit: from.channels - 1, got: last,
      range: `channels 0 to ${from.channels - 1}`,
    },
      { port: 'first', constraint: 'max', expected: from.channels - 1, got: last })]
  },
})

/** Left and right change places, as a view of the samples where they stand: nothing is copied and no code runs. Stereo only. */
import { defineNode } from '../../graph/define-node.js'
import { audio, sameAs } from '../../media/media-type.js'

export const swap = /* @__PURE__ */ defineNode({
  type: 'audio::swap', version: '1.0.0', title: 'Swap', family: 'level', tags: ['channels', 'stereo', 'view'],
  doc: 'Left and right change places.',
  params: {},
  inputs: { in: { media: audio({ layout: 'planar', channels: 2 }) } },
  outputs: {
    out: {
      media: audio({ rate: sameAs('in'), format: sameAs('in'), layout: 'planar', channels: 2 }),
      view: () => ({ first: 1, downwards: true }),
    },
  },
  deterministic: 'yes',
})

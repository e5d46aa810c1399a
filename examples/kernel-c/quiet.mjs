// Node example::quiet: the ports, param and reference of quiet.c.
import { audio, defineNode } from 'millrace'

/** Nothing was changed; the same call may be made again with more room. */
const NO_ROOM = -3

export const quiet = defineNode({
  type: 'example::quiet', version: '1.0.0', title: 'Quiet', doc: 'Multiplies by an amount up to 1.', family: 'example',
  params: { amount: { type: 'number', min: 0, max: 1, default: 0.5, main: true, rate: 'init', doc: 'What samples are multiplied with.' } },
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } },
  outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'quiet', export: 'quiet' },
  reference: {
    init: ({ params }) => ({ amount: params.amount }),
    process(state, { frames, inputs, outputs }) {
      const [out] = outputs
      if (out.connected && out.frames < frames) return NO_ROOM
      if (out.connected) inputs[0].channels.forEach((x, c) => { for (let n = 0; n < frames; n++) out.channels[c][n] = x[n] * state.amount })
      return frames
    },
    reset: () => undefined,
  },
})

/**
 * The channels of several streams as one stream, in input order. An input that ends early goes on as silence. It is a kernel, not a view:
 * channels of one stream stand at equal distances in memory, those of several do not (ADR 0009); every sample is written once. It does not
 * mix.
 */
import { defineNode } from '../../graph/define-node.js'
import type { PortMedia } from '../../graph/node-definition.js'
import type { Reference } from '../../graph/reference.js'
import { STATUS } from '../../kernels/contract.js'
import { audio, sameAs } from '../../media/media-type.js'
import { rateProblems } from './least-rate.js'

export const merge = /* @__PURE__ */ defineNode({
  type: 'audio::merge', version: '1.0.0', title: 'Merge', family: 'level', tags: ['channels', 'multichannel'],
  doc: 'The channels of several streams as one stream, in input order.',
  params: {},
  inputs: { in: { media: audio(), multi: true, doc: '1 to 64 inputs of one rate, 64 channels together.' } },
  outputs: { out: { media: audio({ rate: sameAs('in'), channels: (_, media) => allChannels(media) }), frames: 'same' } },
  kernel: { module: 'level', export: 'merge' },
  deterministic: 'yes', parity: 'exact', stateful: false, costNs: 0.1,
  validate: (_, media) => rateProblems('audio::merge', media),
  reference: {
    init: () => ({}),
    process(_: object, io) {
      const to = io.outputs[0]!
      if (!to.connected) return io.frames
      if (to.frames < io.frames) return STATUS.NO_ROOM
      let c = 0
      for (const input of io.inputs) for (const x of input.channels) {
        const y = to.channels[c++]!
        for (let n = 0; n < io.frames; n++) y[n] = n < input.frames ? x[n]! : 0
      }
      return io.frames
    },
    reset() { /* holds nothing */ },
  } satisfies Reference,
})

function allChannels(media: PortMedia): number {
  let all = 0
  for (let n = 0; ; n++) {
    const input = media[`in.${n}`]
    if (input === undefined) return all
    all += input.kind === 'audio' ? input.channels : 0
  }
}

/**
 * Scales audio by a factor given in decibels, or by a stream of decibels. A change ramps linearly in the factor (AU-03); at −120 dB the
 * factor is 0 and the output silence, whatever comes in. It does not clip and has no memory.
 */
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import type { Reference } from '../../graph/reference.js'
import { STATUS } from '../../kernels/contract.js'
import { audio } from '../../media/media-type.js'
import { rateProblems } from './least-rate.js'
import { LEAST_DB, MOST_DB, MOST_GAIN, toGain } from './gain/decibels.js'

const params = {
  gainDb: {
    type: 'number', unit: 'dB', min: LEAST_DB, max: MOST_DB, default: 0, curve: 'db', rate: 'sample', input: true,
    doc: 'Gain; −120 is silence.',
  },
  invert: { type: 'boolean', default: false, rate: 'init', doc: 'Turns the sign of every sample.' },
} as const satisfies ParamTable

interface State { readonly sign: number; readonly first: number; last: number }

export const gain = /* @__PURE__ */ defineNode({
  type: 'audio::gain', version: '1.0.0', title: 'Gain', family: 'level', tags: ['volume', 'level'], aliases: ['AudioGainNode'],
  doc: 'Makes audio louder or softer, and may invert it.',
  params,
  inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: {
    module: 'level', export: 'gain', inPlace: [[0, 0]],
    slots: (p) => [toGain(p['gainDb'] as number), p['invert'] === true ? 1 : 0],
    controls: (p) => [toGain(p['gainDb'] as number)],
  },
  deterministic: 'yes', parity: 'exact', stateful: false, costNs: 0.1,
  validate: (_, media) => rateProblems('audio::gain', media),
  // y = fround(x · g) + 0: the added 0 makes −0 into +0, so that skipped silence and computed silence are the same bits
  reference: {
    init: ({ params: p }): State => {
      const first = Math.fround(toGain(p['gainDb'] as number))
      return { sign: p['invert'] === true ? -1 : 1, first, last: first }
    },
    process(s: State, io) {
      const from = io.inputs[0]!, to = io.outputs[0]!, value = io.control('gainDb')
      const gainAt = io.driven('gainDb') ? (n: number): number => toGain(value(n)) : value
      if (!to.connected) return io.frames
      if (to.frames < io.frames) return STATUS.NO_ROOM
      for (let n = 0; n < io.frames; n++) {
        const now = gainAt(n)
        if (Number.isNaN(now)) io.count.nonfinite++
        else s.last = Math.min(Math.max(Math.fround(now), 0), MOST_GAIN)
        for (let c = 0; c < to.channels.length; c++) {
          to.channels[c]![n] = s.last === 0 ? 0 : Math.fround(from.channels[c]![n]! * (s.last * s.sign)) + 0
        }
      }
      return io.frames
    },
    reset(s: State) { s.last = s.first },
  } satisfies Reference,
})

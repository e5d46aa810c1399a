/**
 * Changes the number of channels: by the speaker tables of the Web Audio API, channel by channel, by the mean, or by a matrix. It is what
 * negotiation inserts when two ports differ in channels. It does not move sound in the stereo image (that is the mixer's pan).
 */
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable, ParamValues } from '../../graph/node-definition.js'
import type { PortArray, Reference } from '../../graph/reference.js'
import { STATUS } from '../../kernels/contract.js'
import { audio, sameAs, type AudioMedia, type Media } from '../../media/media-type.js'
import { rateProblems } from './least-rate.js'
import { isCopy, mixTable, type ChannelMode } from './channels/tables.js'

const MODES = ['speakers', 'discrete', 'mean', 'matrix'] as const

const params = {
  to: { type: 'integer', unit: 'channels', min: 1, max: 64, required: true, rate: 'init', doc: 'Channels of the output.' },
  mode: {
    type: 'enum', values: MODES, default: 'speakers', rate: 'init',
    doc: 'speakers: Web Audio tables for 1, 2, 4 and 6 channels, else discrete. discrete: channel by channel. mean: to mono only. matrix: the given weights.',
  },
  matrix: {
    type: 'array', items: { type: 'number', doc: 'Weight.' }, maxItems: 4_096, rate: 'init',
    doc: 'For mode matrix: weights, one row of input channels per output channel, row after row.',
  },
} as const satisfies ParamTable

interface State { readonly mean: boolean; readonly inputs: number; readonly weights: Float32Array }

export const channels = /* @__PURE__ */ defineNode({
  type: 'audio::channels', version: '1.0.0', title: 'Channels', family: 'level', tags: ['down-mix', 'up-mix', 'mono', 'converter'],
  aliases: ['AudioChannelsNode'],
  doc: 'Changes the number of channels.',
  references: ['Web Audio API 1.1, section 4.1.2: up-mixing and down-mixing'],
  params,
  inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ rate: sameAs('in'), channels: (p) => p['to'] as number }), frames: 'same' } },
  kernel: {
    module: 'level', export: 'channels',
    slots: (p) => [p['to'] as number, MODES.indexOf(p['mode'] as ChannelMode), p['mode'] === 'matrix' ? 0 : -1],
    assets: (p) => p['mode'] === 'matrix' ? [{ dtype: 'f32', data: matrixOf(p) }] : [],
  },
  deterministic: 'yes', parity: 'exact', stateful: false, costNs: 0.15,
  identity: (p, media) => isAudio(media['in']) && media['in'].channels === p['to'] && p['mode'] !== 'matrix',
  converter: {
    cost: 2,
    lossless: (from, to) => isAudio(from) && isAudio(to) && to.channels > from.channels,
    params: (from, to) => isAudio(from) && isAudio(to) && from.rate === to.rate && from.channels !== to.channels && from.format === 'f32'
      && from.layout === 'planar'
      ? { to: to.channels, ...(to.channels === 1 ? { mode: 'mean' } : {}) }
      : null,
  },
  validate: (p, media) => {
    const to = p['to'] as number, from = isAudio(media['in']) ? media['in'].channels : undefined
    const slow = rateProblems('audio::channels', media)
    if (slow.length > 0) return slow
    const wrong = (param: string, limit: string, got: unknown, range: string) =>
      [graphErrors.PARAM_INVALID.diagnostic({ node: 'audio::channels', param, constraint: 'other', limit, got, range }, {
        port: param, constraint: 'other', expected: limit, got,
      })]
    const matrix = p['matrix'] as readonly number[] | undefined, weights = matrix ?? []
    if (p['mode'] !== 'matrix' && matrix !== undefined) {
      return wrong('matrix', 'no weights without mode matrix', matrix.length, 'with mode matrix only')
    }
    if (p['mode'] === 'mean' && to !== 1) return wrong('to', '1 with mode mean', to, '1, or another mode')
    if (p['mode'] !== 'matrix') return []
    if (from !== undefined && weights.length !== from * to) {
      return wrong('matrix', `${from * to} weights`, weights.length, `${to} rows of ${from} weights`)
    }
    const beyond = weights.find((weight) => !Number.isFinite(Math.fround(weight)))
    return beyond === undefined ? [] : wrong('matrix', 'weights that are finite in f32', beyond, 'weights up to 3.4e38')
  },
  // one output frame = ((0 + x₀·w₀) + x₁·w₁) + …, rounded to f32 at every step; one input at weight 1 is a copy;
  // mean = f32 sum in order × f32(1 ÷ channels)
  reference: {
    init: ({ params: p, inputs }): State => {
      const from = inputs[0]!.channels, mode = p['mode'] as ChannelMode
      return { mean: mode === 'mean', inputs: from, weights: mode === 'matrix' ? matrixOf(p) : mixTable(mode, from, p['to'] as number) }
    },
    process(s: State, io) {
      const x = io.inputs[0]!.channels, to = io.outputs[0]!
      if (!to.connected) return io.frames
      if (to.frames < io.frames) return STATUS.NO_ROOM
      if (s.mean) mean(x, to.channels[0]!, io.frames)
      else to.channels.forEach((y, c) => weigh(x, y, s.weights.subarray(c * s.inputs, (c + 1) * s.inputs), io.frames))
      return io.frames
    },
    reset() { /* holds nothing */ },
  } satisfies Reference,
})

function mean(x: readonly PortArray[], y: PortArray, frames: number): void {
  const factor = Math.fround(1 / x.length)
  for (let n = 0; n < frames; n++) {
    let acc = x[0]![n]!
    for (let c = 1; c < x.length; c++) acc = Math.fround(acc + x[c]![n]!)
    y[n] = Math.fround(acc * factor)
  }
}

function weigh(x: readonly PortArray[], y: PortArray, weights: Float32Array, frames: number): void {
  const only = isCopy(weights)
  for (let n = 0; n < frames; n++) {
    let acc = only < 0 ? 0 : x[only]![n]!
    if (only < 0) {
      for (let c = 0; c < weights.length; c++) if (weights[c] !== 0) acc = Math.fround(acc + Math.fround(x[c]![n]! * weights[c]!))
    }
    y[n] = acc
  }
}

function matrixOf(p: ParamValues): Float32Array { return Float32Array.from((p['matrix'] as readonly number[] | undefined) ?? []) }
function isAudio(media: Media | undefined): media is AudioMedia { return media?.kind === 'audio' }

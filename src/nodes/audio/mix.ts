/**
 * Adds any number of inputs in input order, each with gain, pan, mute and solo; sums in f32 in that order, so the bits do not depend on
 * anything else. An input that has ended counts as silence. It does not align clocks (that is `audio::live-mix`) and does not limit.
 */
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable, ParamValues, PortMedia } from '../../graph/node-definition.js'
import type { Reference, ReferenceIo } from '../../graph/reference.js'
import { cosPi, sinPi } from '../../kernels/approx.js'
import { STATUS } from '../../kernels/contract.js'
import { audio } from '../../media/media-type.js'
import { rateProblems } from './least-rate.js'
import { LEAST_DB, MOST_DB, MOST_GAIN, toGain } from './gain/decibels.js'

/** Most inputs of a mixer. */
const MOST_INPUTS = 256

const params = {
  gainDb: {
    type: 'array', items: { type: 'number', unit: 'dB', min: LEAST_DB, max: MOST_DB, doc: 'Gain; −120 is silence.' }, maxItems: MOST_INPUTS,
    default: [], rate: 'sample',
    doc: 'Gain per input, in input order; missing ones are 0 dB.',
  },
  pan: {
    type: 'array', items: { type: 'number', min: -1, max: 1, doc: '−1 left, 1 right.' }, maxItems: MOST_INPUTS, default: [], rate: 'sample',
    doc: 'Pan per input, stereo only, by the StereoPanner equations; missing ones are 0: untouched.',
  },
  mute: {
    type: 'array', items: { type: 'boolean', doc: 'Silent.' }, maxItems: MOST_INPUTS, default: [], rate: 'block', doc: 'Mute per input.',
  },
  solo: {
    type: 'array', items: { type: 'boolean', doc: 'Heard alone.' }, maxItems: MOST_INPUTS, default: [], rate: 'block',
    doc: 'Solo per input: any solo mutes the rest.',
  },
} as const satisfies ParamTable

const KINDS = ['gainDb', 'pan', 'mute', 'solo'] as const
/** Range of each control as the kernel sees it: linear gain, pan, mute and solo as 0…1. */
const RANGE = { gainDb: [0, MOST_GAIN], pan: [-1, 1], mute: [0, 1], solo: [0, 1] } as const

interface State { readonly inputs: number; readonly first: Float32Array; readonly good: Float32Array }

export const mix = /* @__PURE__ */ defineNode({
  type: 'audio::mix', version: '1.0.0', title: 'Mix', family: 'level', tags: ['sum', 'pan', 'mixer'], aliases: ['AudioMixNode'],
  doc: 'Adds inputs with gain, pan, mute and solo.',
  references: ['Web Audio API 1.1, StereoPannerNode'],
  params,
  inputs: { in: { media: audio(), multi: true, doc: '1 to 256 inputs of one rate and channel count.' } },
  outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'level', export: 'mix', slots: controlValues, controls: controlValues },
  deterministic: 'yes', parity: 'exact', stateful: false, costNs: 0.3,
  validate: (p, media) => {
    const count = inputCount(media) // 0: not known before the first packet
    const first = media['in.0']
    const wrong = (param: string, constraint: string, limit: unknown, got: unknown) =>
      graphErrors.PARAM_INVALID.diagnostic({ node: 'audio::mix', param, constraint, limit, got, range: undefined }, {
        port: param, constraint, expected: limit, got,
      })
    return [
      ...rateProblems('audio::mix', media),
      ...KINDS.flatMap((kind) =>
        count > 0 && listOf(p, kind).length > count ? [wrong(kind, 'maxItems', count, listOf(p, kind).length)] : []),
      ...(first?.kind === 'audio' && first.channels !== 2 && listOf(p, 'pan').some((pan) => pan !== 0)
        ? [wrong('pan', 'other', '0 for inputs that are not stereo', listOf(p, 'pan').find((pan) => pan !== 0))]
        : []),
    ]
  },
  // acc = 0; per input in order: weight = gain · (1 − mute) · (1 − strongest solo · (1 − own solo)), acc +=
  // fround(x · fround(weight · share)); all f32
  reference: {
    init: ({ params: p, inputs }): State => {
      const first = Float32Array.from(valuesFor(p, inputs.length))
      return { inputs: inputs.length, first, good: first.slice() }
    },
    process(s: State, io) {
      const to = io.outputs[0]!
      if (!to.connected) return io.frames
      if (to.frames < io.frames) return STATUS.NO_ROOM
      const controls = KINDS.flatMap((kind) => Array.from({ length: s.inputs }, (_, i) => io.control(`${kind}.${i}`)))
      for (let n = 0; n < io.frames; n++) {
        settle(s, io, controls, n)
        const solo = s.good.subarray(3 * s.inputs).reduce((most, one) => Math.max(most, one), 0)
        to.channels.forEach((y, c) => { y[n] = sumAt(s, io, solo, c, n) })
      }
      return io.frames
    },
    reset(s: State) { s.good.set(s.first) },
  } satisfies Reference,
})

/** Driven values keep to their range; a driven NaN holds the last good value and counts (AU-10). */
function settle(s: State, io: ReferenceIo, controls: readonly ((frame: number) => number)[], n: number): void {
  controls.forEach((at, index) => {
    const now = at(n), [low, high] = RANGE[KINDS[Math.floor(index / s.inputs)]!]
    if (Number.isNaN(now)) io.count.nonfinite++
    else s.good[index] = Math.min(Math.max(now, low), high)
  })
}

function sumAt(s: State, io: ReferenceIo, solo: number, c: number, n: number): number {
  let acc = 0
  io.inputs.forEach((input, i) => {
    const [gain, pan, mute, own] = [s.good[i]!, s.good[s.inputs + i]!, s.good[2 * s.inputs + i]!, s.good[3 * s.inputs + i]!]
    const weight = Math.fround(Math.fround(gain * Math.fround(1 - mute)) * Math.fround(1 - Math.fround(solo * Math.fround(1 - own))))
    if (weight === 0 || n >= input.frames) return
    const sides = input.channels.length === 2 ? [c, 1 - c] : [c]
    for (const k of sides) {
      const w = Math.fround(weight * share(input.channels.length, k, c, pan))
      if (w !== 0) acc = Math.fround(acc + Math.fround(input.channels[k]![n]! * w))
    }
  })
  return acc
}

/** Share of source channel k in output channel c: the StereoPanner equations for stereo, else channel to channel. */
function share(count: number, k: number, c: number, pan: number): number {
  if (count !== 2 || pan === 0) return k === c ? 1 : 0
  const toLeft = pan < 0, x = (toLeft ? pan + 1 : pan) * 0.5, kept = toLeft ? 0 : 1
  if (k === kept) return c === kept ? 1 : 0
  return Math.fround(c === 0 ? cosPi(x) : sinPi(x))
}

function listOf(p: ParamValues, kind: typeof KINDS[number]): readonly (number | boolean)[] {
  return (p[kind] as readonly (number | boolean)[] | undefined) ?? []
}
function inputCount(media: PortMedia): number { return Object.keys(media).filter((name) => name.startsWith('in.')).length }
/** Param by param, input by input: linear gain, pan, mute, solo. */
function controlValues(p: ParamValues, media: PortMedia): readonly number[] { return valuesFor(p, inputCount(media)) }
function valuesFor(p: ParamValues, count: number): number[] {
  return KINDS.flatMap((kind) => Array.from({ length: count }, (_, i) =>
    kind === 'gainDb' ? toGain(Number(listOf(p, kind)[i] ?? 0)) : Number(listOf(p, kind)[i] ?? 0)))
}

/**
 * Changes the sampling rate by an exact ratio. Linear phase, no delay: output frame k stands at input time k·in/out. A polyphase filter
 * bank, or overlap-save where that is faster; which of the two depends on rates and quality only. It does not follow a drifting clock (that
 * is resample-variable) and does not change format or channels.
 */
import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { defineNode } from '../../graph/define-node.js'
import { graphErrors } from '../../graph/errors.js'
import type { ParamTable, ParamValues, PortMedia } from '../../graph/node-definition.js'
import { audio, sameAs, type AudioMedia, type Media } from '../../media/media-type.js'
import { LEAST_RATE } from './least-rate.js'
import { METHODS, MOST_RATE, MOST_RATIO, QUALITIES, geometryOf, type Geometry, type Method, type Quality } from './resample/geometry.js'
import { resampleReference } from './resample/reference.js'

const params = {
  rate: {
    type: 'integer', unit: 'Hz', min: LEAST_RATE, max: MOST_RATE, default: 16_000, main: true, rate: 'init',
    alias: ['target_sample_rate', 'output_rate', 'targetRate'],
    doc: 'Sampling rate of the output.',
  },
  quality: {
    type: 'enum', values: QUALITIES, default: 'high', rate: 'init',
    doc: 'Passband to 80, 90, 92 or 95.5 % of half the lower rate; beyond that half nothing above −70, −98, −120 or −140 dB.',
  },
  method: {
    type: 'enum', values: METHODS, default: 'auto', rate: 'init',
    doc: 'direct: filter bank. fft: overlap-save, for high and best where the reduced ratio has no prime factor above 7. '
      + 'auto: fft where its blocks take at most 20 ms (best: 30 ms).',
  },
  phase: { type: 'enum', values: ['linear'], default: 'linear', rate: 'init', doc: 'Phase response.' },
  inputRate: {
    type: 'integer', unit: 'Hz', min: 1, max: MOST_RATE, rate: 'init',
    doc: 'Accepted for other systems’ graphs; must equal the rate of the input.',
  },
} as const satisfies ParamTable

export const resample = /* @__PURE__ */ defineNode({
  type: 'audio::resample', version: '1.0.0', title: 'Resample', family: 'rate', tags: ['sample rate', 'converter', 'src'],
  aliases: ['AudioResampleNode', 'RustResampleNode'],
  doc: 'Changes the sampling rate.',
  references: [
    'R. E. Crochiere and L. R. Rabiner, Multirate Digital Signal Processing, 1983',
    'A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, sections 7.5 and 8.7',
  ],
  params,
  inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ rate: (p) => p['rate'] as number, channels: sameAs('in') }), frames: mostOutputs } },
  kernel: { module: 'core', export: 'resample', flush: true, shared: true },
  deterministic: 'yes', parity: { peak: 2e-6, rms: 3e-7 }, costNs: 4, latencyFrames: 0, tailFrames: 0,
  holdFrames: (p, media) => heldFrames(geometryFor(p, media)),
  planNote: (p, media) => geometryFor(p, media) === null ? undefined : resampleMethod(p, media),
  identity: (p, media) => isAudio(media['in']) && media['in'].rate === p['rate'],
  converter: {
    cost: 4, lossless: false,
    params: (from, to) => isAudio(from) && isAudio(to) && from.rate !== to.rate && from.channels === to.channels
      && from.format === 'f32' && from.layout === 'planar' && isServed(from.rate, to.rate) ? { rate: to.rate } : null,
  },
  validate,
  reference: resampleReference,
})

/** Method that runs for these params and rates: it is part of the plan, whatever the driver. */
export function resampleMethod(p: ParamValues, media: PortMedia): 'direct' | 'fft' {
  return (geometryFor(p, media)?.hop ?? 0) > 0 ? 'fft' : 'direct'
}

function mostOutputs(frames: number, p: ParamValues, media: PortMedia): number {
  const g = geometryFor(p, media)
  return g === null ? frames : Math.ceil((frames + g.hop) * g.l / g.m) + 1
}

function heldFrames(g: Geometry | null): number { return g === null ? 0 : Math.max(g.ahead, g.behind) + g.hop }

/** Null where the rates are unknown or not served. */
function geometryFor(p: ParamValues, media: PortMedia): Geometry | null {
  const from = isAudio(media['in']) ? media['in'].rate : 0, to = p['rate'] as number
  const quality = p['quality'] as Quality, method = p['method'] as Method
  if (asked === undefined || asked.from !== from || asked.to !== to || asked.quality !== quality || asked.method !== method) {
    asked = { from, to, quality, method, geometry: isServed(from, to) ? geometryOf(from, to, quality, method) : null }
  }
  return asked.geometry
}

/** The last answer: one plan asks the same several times for every resampler. */
let asked: Question | undefined
interface Question {
  readonly from: number
  readonly to: number
  readonly quality: Quality
  readonly method: Method
  readonly geometry: Geometry | null
}

function isServed(from: number, to: number): boolean {
  const whole = [from, to].every((rate) => Number.isInteger(rate) && rate >= LEAST_RATE && rate <= MOST_RATE)
  return whole && Math.max(from, to) <= MOST_RATIO * Math.min(from, to)
}

function validate(p: ParamValues, media: PortMedia): readonly Diagnostic[] {
  const from = isAudio(media['in']) ? media['in'].rate : undefined, to = p['rate'] as number
  if (from === undefined) return []
  const problems: Diagnostic[] = []
  if (!Number.isInteger(from) || from < LEAST_RATE) {
    const alternative = `Use whole rates from ${LEAST_RATE} Hz on.`
    problems.push(commonErrors.UNSUPPORTED.diagnostic({ feature: `audio::resample from ${from} Hz`, runtime: 'this version', alternative }))
  }
  const told = p['inputRate']
  if (told !== undefined && told !== from) problems.push(wrong('inputRate', 'the rate of the input', from, told))
  if (Math.max(from, to) > MOST_RATIO * Math.min(from, to)) {
    const low = Math.max(LEAST_RATE, Math.ceil(from / MOST_RATIO)), high = Math.min(MOST_RATE, from * MOST_RATIO)
    problems.push(wrong('rate', `at most a factor of ${MOST_RATIO} from`, from, to, `${low} to ${high} Hz`))
  } else if (problems.length === 0 && geometryFor(p, media) === null) {
    const range = 'fft takes qualities high and best, ratios without prime factors above 7, and transforms of at most 16384 samples'
    problems.push(wrong('method', 'auto or direct for these rates and quality', undefined, p['method'], range))
  }
  return problems
}

function wrong(param: string, constraint: string, limit: unknown, got: unknown, range?: string): Diagnostic {
  const fault = { node: 'audio::resample', param, constraint, limit, got, ...(range !== undefined && { range }) }
  return graphErrors.PARAM_INVALID.diagnostic(fault, { port: param, constraint, expected: limit, got })
}

function isAudio(media: Media | undefined): media is AudioMedia { return media?.kind === 'audio' }

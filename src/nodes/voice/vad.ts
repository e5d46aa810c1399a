/**
 * Energy voice activity: a frame of 10, 20 or 30 ms is speech when its mean square is above the square of a threshold. Loud tones and noise
 * are speech to it; where that matters take a spectral, adaptive or neural detector. Decisions are identical in every tier and for every
 * chunking.
 */
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable, ParamValues, PortMedia } from '../../graph/node-definition.js'
import { audio, events, tensor } from '../../media/media-type.js'
import { rateProblems } from '../audio/least-rate.js'
import { vadReference } from './vad/reference.js'

const params = {
  frameMs: { type: 'integer', unit: 'ms', min: 10, max: 30, step: 10, default: 30, rate: 'init', doc: 'Length of a frame.' },
  threshold: { type: 'number', min: 0, max: 1, default: 0.02, rate: 'init', doc: 'RMS, linear, above which a frame is speech.' },
  filter: { type: 'boolean', default: false, rate: 'init', doc: 'Output `audio` holds only the speech frames.' },
} as const satisfies ParamTable

export const vad = /* @__PURE__ */ defineNode({
  type: 'voice::vad', version: '1.0.0', title: 'Voice activity', family: 'voice', tags: ['speech', 'energy', 'detector'],
  aliases: ['VADNode', 'RustVADNode'],
  doc: 'Finds speech by energy: segments, one decision per frame, and the audio itself.',
  params,
  inputs: { in: { media: audio() } },
  outputs: {
    audio: {
      media: audio({ like: 'in' }), doc: 'The input, or with `filter` its speech frames.',
      frames: (n, p, media) => p['filter'] === true ? wholeFrames(n, p, media) * frameLength(p, media) : 'passThrough',
    },
    segments: {
      media: events({ schema: 'vad', timebase: (_, inputs) => rateOf(inputs) }), doc: 'One event per run of speech frames.',
      frames: (n, p, media) => Math.ceil(wholeFrames(n, p, media) / 2) + 1,
    },
    frames: {
      media: tensor({ dtype: 'bool', shape: [null] }),
      doc: 'One byte per frame: 1 is speech. Metadata: hopFrames, rate; of a run output also isSpeech, speechFrames, totalFrames, ignoredFrames.',
      frames: wholeFrames, metadata: (p, media) => ({ hopFrames: frameLength(p, media), rate: rateOf(media) }),
    },
  },
  main: 'audio',
  kernel: { module: 'detect', export: 'vad', flush: true },
  deterministic: 'yes', parity: 'exact', stateful: true, costNs: 0.4,
  latencyFrames: 0, tailFrames: 0,
  holdFrames: (p, media) => frameLength(p, media) - 1,
  validate: (p, media = {}) =>
    [10, 20, 30].includes(p['frameMs'] as number) ? rateProblems('voice::vad', media) : [graphErrors.PARAM_INVALID.diagnostic(
      { node: 'voice::vad', param: 'frameMs', constraint: 'enum', limit: '10, 20, 30', got: p['frameMs'], range: '10, 20 or 30 ms' },
      { port: 'frameMs', constraint: 'enum', expected: [10, 20, 30], got: p['frameMs'] })],
  summary: (views, p, media) => {
    const frames = views.outputs['frames']?.[0] ?? [], length = frameLength(p, media)
    let speechFrames = 0
    for (let n = 0; n < frames.length; n++) speechFrames += frames[n]!
    return {
      frames: {
        isSpeech: speechFrames > 0, speechFrames, totalFrames: frames.length, ignoredFrames: views.inputFrames - frames.length * length,
      },
    }
  },
  reference: vadReference,
})

/** Most frames that can become whole in a call of `n` samples. */
function wholeFrames(n: number, p: ParamValues, media: PortMedia): number {
  const length = frameLength(p, media)
  return Math.floor((n + length - 1) / length)
}
function frameLength(p: ParamValues, media: PortMedia): number {
  return Math.max(1, Math.floor((rateOf(media) ?? 0) * (p['frameMs'] as number) / 1000))
}
function rateOf(media: PortMedia): number | undefined { const input = media['in']; return input?.kind === 'audio' ? input.rate : undefined }

/**
 * Changes sample format and layout in one step, by the normative table of spec audio.md section 3; bit-exact in every tier. It stands at
 * the head or the end of a segment: between kernels audio is planar f32. It changes neither rate nor channels, and it does not dither (that
 * is AU-23).
 */
import { commonErrors } from '../../errors/common-errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { ParamTable } from '../../graph/node-definition.js'
import type { PortArray, PortView, Reference } from '../../graph/reference.js'
import { STATUS } from '../../kernels/contract.js'
import { convertSamples } from '../../media/convert-samples.js'
import { audio, sameAs, type AudioMedia, type Media, type SampleFormat } from '../../media/media-type.js'
import type { SampleArray } from '../../media/audio-buffer.js'
import { rateProblems } from './least-rate.js'

const FORMATS = ['f32', 'i16', 'i32', 'u8'] as const
const LAYOUTS = ['planar', 'interleaved'] as const

const params = {
  format: { type: 'enum', values: FORMATS, default: 'f32', rate: 'init', doc: 'Sample format of the output.' },
  layout: { type: 'enum', values: LAYOUTS, default: 'planar', rate: 'init', doc: 'One run of samples per channel, or one run of frames.' },
  dither: {
    type: 'enum', values: ['none', 'rect', 'tpdf', 'tpdf-hp', 'shaped'], default: 'none', rate: 'init',
    doc: 'Only `none` until dithers exist; others are UNSUPPORTED.',
  },
  rule: {
    type: 'enum', values: ['standard', 'asymmetric'], default: 'standard', rate: 'init',
    doc: 'How f32 becomes integers. Only `standard`; `asymmetric` is UNSUPPORTED.',
  },
} as const satisfies ParamTable

/** Bits of a format that f32 arithmetic and the shifts keep: u8 8, i16 16, f32 24 beside its exponent, i32 32. */
const BITS: Readonly<Record<SampleFormat, number>> = { u8: 8, i16: 16, f32: 24, i32: 32 }

export const convert = /* @__PURE__ */ defineNode({
  type: 'audio::convert', version: '1.0.0', title: 'Convert', family: 'level', tags: ['format', 'layout', 'converter'],
  aliases: ['AudioConvertNode', 'RustFormatConverterNode'],
  doc: 'Changes sample format and layout: f32, i16, i32 or u8, planar or interleaved.',
  references: ['ITU-R BS.2088 (PCM in files)'],
  params,
  inputs: { in: { media: audio({ format: FORMATS, layout: LAYOUTS }) } },
  outputs: {
    out: {
      media: audio({
        rate: sameAs('in'), channels: sameAs('in'), format: (p) => p['format'] as SampleFormat,
        layout: (p) => p['layout'] as AudioMedia['layout'],
      }),
      frames: 'same',
    },
  },
  kernel: { module: 'convert', export: 'convert' },
  deterministic: 'yes', parity: 'exact', stateful: false, costNs: 0.3,
  identity: (_, media) =>
    isAudio(media['in']) && isAudio(media['out']) && media['in'].format === media['out'].format && sameLayout(media['in'], media['out']),
  converter: {
    cost: 1,
    lossless: (from, to) => isAudio(from) && isAudio(to)
      && (from.format === to.format || (to.format !== 'u8' && BITS[to.format] > BITS[from.format] && from.format !== 'f32')),
    params: (from, to) => isAudio(from) && isAudio(to) && from.rate === to.rate && from.channels === to.channels
      && (from.format !== to.format || from.layout !== to.layout)
      ? { format: to.format, layout: to.layout }
      : null,
  },
  validate: (p, media = {}) => [
    ...rateProblems('audio::convert', media),
    ...(p['dither'] === 'none' ? [] : [commonErrors.UNSUPPORTED.diagnostic({
      feature: `audio::convert with dither ${String(p['dither'])}`, runtime: 'this version', alternative: 'Use dither none.',
    })]),
    ...(p['rule'] === 'standard' ? [] : [commonErrors.UNSUPPORTED.diagnostic({
      feature: `audio::convert with rule ${String(p['rule'])}`, runtime: 'this version', alternative: 'Use rule standard.',
    })]),
  ],
  reference: {
    init: () => ({}),
    process(_: object, io) {
      const from = io.inputs[0]!, to = io.outputs[0]!
      if (!to.connected) return io.frames
      if (to.frames < io.frames) return STATUS.NO_ROOM
      const { clipped, nan } = convertFrames(from, to, io.frames)
      io.count.clipped += clipped
      io.count.nonfinite += nan
      return io.frames
    },
    reset() { /* holds nothing */ },
  } satisfies Reference,
})

/** `x` as 16-bit interleaved PCM: what files and devices take. The same as `convert(x, { format: 'i16', layout: 'interleaved' })`. */
/* @__NO_SIDE_EFFECTS__ */
export function toPcm16(x: Parameters<typeof convert>[0]): ReturnType<typeof convert> {
  return convert(x, { format: 'i16', layout: 'interleaved' })
}

/** Every sample through the table, then every sample to its place. */
function convertFrames(from: PortView, to: PortView, frames: number): { clipped: number; nan: number } {
  const count = { clipped: 0, nan: 0 }
  const planarIn = from.channels.length, planarOut = to.channels.length
  const each = (x: PortArray, y: PortArray): void => {
    const one = convertSamples(x as SampleArray, y as SampleArray)
    count.clipped += one.clipped
    count.nan += one.nan
  }
  if (planarIn === planarOut) {
    for (let c = 0; c < planarIn; c++) {
      const samples = planarIn === 1 ? frames * widthOf(from) : frames
      each(from.channels[c]!.subarray(0, samples), to.channels[c]!.subarray(0, samples))
    }
    return count
  }
  const all = Math.max(planarIn, planarOut)
  for (let c = 0; c < all; c++) {
    const x = planarIn > 1 ? from.channels[c]!.subarray(0, frames) : everyNth(from.channels[0]!, c, all, frames)
    const y = planarOut > 1 ? to.channels[c]!.subarray(0, frames) : to.channels[0]!.slice(0, frames)
    each(x, y)
    if (planarOut === 1) for (let n = 0; n < frames; n++) to.channels[0]![n * all + c] = y[n]!
  }
  return count
}

/** Elements per frame of an unsplit port: its array holds frames · width. */
function widthOf({ channels, frames }: PortView): number { return frames === 0 ? 1 : Math.floor(channels[0]!.length / frames) }

function everyNth(x: PortArray, first: number, step: number, frames: number): PortArray {
  const y = x.slice(0, frames)
  for (let n = 0; n < frames; n++) y[n] = x[n * step + first]!
  return y
}

function isAudio(media: Media | undefined): media is AudioMedia { return media?.kind === 'audio' }
/** One channel has the same bytes in both layouts. */
function sameLayout(a: AudioMedia, b: AudioMedia): boolean { return a.layout === b.layout || (a.channels === 1 && b.channels === 1) }

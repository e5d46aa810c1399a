/**
 * Turns the values of any detector, one per hop, into speech segments: hysteresis, shortest speech and silence, padding, longest segment
 * (spec audio.md, AU-48 and AU-49). It sees no samples: levels in its events are 0. For plain runs of an energy detector take that
 * detector's own segments.
 */
import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { graphErrors } from '../../graph/errors.js'
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { events, tensor } from '../../media/media-type.js'
import type { Packet, PacketStream, SegmentEvent } from '../../media/packet.js'
import { scheduleErrors } from '../../schedule/errors.js'
import { RatioWindow } from './segmenter/ratio-window.js'
import { SegmentMachine, type SegmentMark, type SegmentRules } from './segment-machine.js'

/** Default distance of `leave` below `enter`, and its least value. */
const HYSTERESIS = 0.15, LEAST_LEAVE = 0.01

const params = {
  enter: { type: 'number', min: 0, max: 1, default: 0.5, rate: 'init', doc: 'Probability that opens a segment.' },
  leave: {
    type: 'number', min: LEAST_LEAVE, max: 1, rate: 'init',
    doc: 'Below it a value is silence; default enter − 0.15, at least 0.01.',
  },
  minSpeechMs: { type: 'number', unit: 'ms', min: 0, max: 60_000, default: 250, rate: 'init', doc: 'Shorter segments are dropped.' },
  minSilenceMs: { type: 'number', unit: 'ms', min: 0, max: 60_000, default: 100, rate: 'init', doc: 'Silence that ends a segment.' },
  padMs: { type: 'number', unit: 'ms', min: 0, max: 10_000, default: 30, rate: 'init', doc: 'Added before and after each segment.' },
  maxSpeechMs: {
    type: 'number', unit: 'ms', min: 0, max: 3_600_000, default: 0, rate: 'init',
    doc: 'Longest segment, cut at its least likely place; 0: none.',
  },
  emit: {
    type: 'enum', values: ['confirmed', 'early'], default: 'confirmed', rate: 'init',
    doc: 'When a start is told: after minSpeechMs, or at once with a cancel if it was too short.',
  },
  aggregate: {
    type: 'enum', values: ['none', 'ratio'], default: 'none', rate: 'init',
    doc: 'ratio: the share of ones among the last values becomes the probability.',
  },
  ratio: { type: 'number', min: 0, max: 1, default: 0.3, rate: 'init', doc: 'With aggregate ratio: share of ones that counts as `enter`.' },
  window: {
    type: 'integer', unit: 'values', min: 1, max: 1_000, default: 10, rate: 'init', doc: 'With aggregate ratio: values looked at.',
  },
} as const satisfies ParamTable

export const segmenter = /* @__PURE__ */ defineNode({
  type: 'voice::segmenter', version: '1.0.0', title: 'Segmenter', family: 'voice', tags: ['speech', 'hysteresis'],
  aliases: ['SegmenterNode'],
  doc: 'Turns speech probabilities, or a bitmap of decisions, into segments.',
  params,
  inputs: {
    probability: {
      media: tensor({ dtype: ['f32', 'f64', 'bool', 'u8'], shape: [null] }),
      doc: 'One value per hop; packet metadata `hopFrames` and `rate` say how long a hop is.',
    },
  },
  outputs: { events: { media: events({ schema: 'vad', discovered: true }), doc: 'start, end (with both borders), cancel.' } },
  deterministic: 'yes', stateful: true, costUs: 50,
  validate: (p) => {
    const leave = p['leave'] as number | undefined, enter = p['enter'] as number
    return leave === undefined || leave <= enter ? [] : [graphErrors.PARAM_INVALID.diagnostic(
      {
        node: 'voice::segmenter', param: 'leave', constraint: 'max', limit: `enter, ${enter}`, got: leave, range: `${LEAST_LEAVE} to enter`,
      },
      { port: 'leave', constraint: 'max', expected: enter, got: leave })]
  },
  process: (inputs, p, ctx) => segment(inputs['probability'] as PacketStream, p, ctx),
})

async function* segment(
  stream: PacketStream, p: ParamValues, ctx: NodeContext,
): AsyncGenerator<{ readonly events: Packet<readonly SegmentEvent[]> }> {
  const window = p['aggregate'] === 'ratio' ? new RatioWindow(p['window'] as number, p['ratio'] as number, p['enter'] as number) : null
  let machine: SegmentMachine | undefined, hop: Hop = { hopFrames: 1, rate: 1 }, seq = 0
  const packetOf = (marks: readonly SegmentMark[]): { readonly events: Packet<readonly SegmentEvent[]> } => {
    const first = marks[0]?.from ?? machine?.position ?? 0
    return {
      events: {
        media: { kind: 'events', schema: 'vad', timebase: hop.rate }, data: marks.map((mark) => eventOf(mark, hop.rate)), position: first,
        duration: Math.max(0, (machine?.position ?? 0) - first), streamId: ctx.node.id, seq: seq++, arrivalUs: ctx.nowUs(),
        metadata: { ...hop },
      },
    }
  }
  for await (const packet of stream) {
    ctx.signal.throwIfAborted()
    const now = hopOf(packet)
    if (machine === undefined) machine = new SegmentMachine(rulesOf(p, hop = now), packet.position * now.hopFrames)
    else if (now.hopFrames !== hop.hopFrames || now.rate !== hop.rate) {
      throw scheduleErrors.MEDIA_CHANGED({ port: `${ctx.node.id}.probability`, expected: describe(hop), got: describe(now) })
    }
    const marks: SegmentMark[] = []
    for (const value of packet.data as ArrayLike<number> & Iterable<number>) {
      for (const mark of machine.push(window === null ? value : window.push(value))) marks.push(mark)
    }
    if (marks.length > 0) yield packetOf(marks)
  }
  yield packetOf(machine?.flush() ?? [])
}

interface Hop { readonly hopFrames: number; readonly rate: number }

function hopOf({ metadata }: Packet): Hop {
  const { hopFrames, rate } = metadata as Partial<Hop>
  if (Number.isInteger(hopFrames) && hopFrames! > 0 && typeof rate === 'number' && rate > 0) return { hopFrames: hopFrames!, rate }
  throw commonErrors.INVALID_ARGUMENT({
    function: 'voice::segmenter', expected: 'packets with metadata hopFrames and rate', got: show({ hopFrames, rate }),
  })
}
function describe({ hopFrames, rate }: Hop): string { return `${hopFrames} frames a value at ${rate} Hz` }

function rulesOf(p: ParamValues, { hopFrames, rate }: Hop): SegmentRules {
  const frames = (name: string): number => Math.floor(rate * (p[name] as number) / 1000), enter = p['enter'] as number
  return {
    enter, leave: (p['leave'] as number | undefined) ?? Math.max(LEAST_LEAVE, enter - HYSTERESIS), minSpeech: frames('minSpeechMs'),
    minSilence: frames('minSilenceMs'),
    pad: frames('padMs'), maxSpeech: frames('maxSpeechMs'), hop: hopFrames, early: p['emit'] === 'early',
  }
}

function eventOf({ type, from, to, probability }: SegmentMark, rate: number): SegmentEvent {
  return { type, from, ...(to === undefined ? {} : { to }), timestampUs: Math.round(from / rate * 1e6), probability, rms: 0, peak: 0 }
}

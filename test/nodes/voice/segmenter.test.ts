import { describe, expect, test } from 'vitest'
import { SegmentMachine, type SegmentMark, type SegmentRules } from '../../../src/nodes/voice/segment-machine.js'
import { RatioWindow } from '../../../src/nodes/voice/segmenter/ratio-window.js'
import { segmenter } from '../../../src/nodes/voice/segmenter.js'
import { resolveParams } from '../../../src/graph/params.js'
import type { NodeContext, PacketRecord } from '../../../src/graph/node-definition.js'
import type { Packet, PacketStream, SegmentEvent } from '../../../src/media/packet.js'
import { randomNumbers } from '../../support/kernel-rig.js'

const RULES: SegmentRules = { enter: 0.5, leave: 0.35, minSpeech: 3, minSilence: 2, pad: 0, maxSpeech: 0, hop: 1, early: false }
function run(p: readonly number[], rules: Partial<SegmentRules> = {}, origin = 0): SegmentMark[] {
  const machine = new SegmentMachine({ ...RULES, ...rules }, origin)
  return [...p.flatMap((value) => machine.push(value)), ...machine.flush()]
}
/** `1` speech, `0` silence, `-` between the thresholds. */
function values(text: string): number[] { return [...text].map((one) => one === '1' ? 1 : one === '-' ? 0.4 : 0) }
/** `s0 e5 c9` style: type, from, and to after a dash. */
function short(marks: readonly SegmentMark[]): string {
  return marks.map(({ type, from, to }) => `${type[0]}${from}${to === undefined ? '' : `-${to}`}`).join(' ')
}

describe('the machine of AU-49', () => {
  test.each<[string, string, Partial<SegmentRules>, string]>([
    ['nothing', '', {}, ''],
    ['silence', '00000', {}, ''],
    ['speech to the end', '0111', {}, 's1 e1-4'],
    ['speech from the start', '1110', {}, 's0 e0-4'],
    ['too short, silence after', '011000', {}, ''],
    ['too short, but the stream ends in its silence: closed at the last frame', '0110', {}, 's1 e1-4'],
    ['a pause shorter than minSilence goes on', '111011100', {}, 's0 e0-7'],
    ['a pause of minSilence ends at its first frame', '111001110', {}, 's0 e0-3 s5 e5-9'],
    ['between the thresholds keeps a segment but does not open one', '--1----00-', {}, 's2 e2-7'],
    ['a value at leave closes the silence run', '1110-0100', {}, 's0 e0-7'],
    ['padding on both sides', '000111000', { pad: 1 }, 's2 e2-7'],
    ['padding stops at 0 and at the end of the stream', '111', { pad: 5 }, 's0 e0-3'],
    ['padding longer than the pause: the second starts where the first ends', '0001110011100000', { pad: 3 }, 's0 e0-9 s9 e9-14'],
    ['early: start at once, cancel over the whole segment', '01000111100', { early: true }, 's1 c1-2 s5 e5-9'],
    ['early: cancel at the end of the stream', '00011', { early: true }, 's3 c3-5'],
    ['minSpeech 0 keeps single values', '0100100', { minSpeech: 0 }, 's1 e1-2 s4 e4-5'],
    ['minSilence 0: every silent value ends', '11101110', { minSilence: 0 }, 's0 e0-3 s4 e4-7'],
    ['hop and padding in frames', '0111100', { hop: 10, minSpeech: 30, minSilence: 20, pad: 15 }, 's0 e0-65'],
  ])('%s', (_, text, rules, expected) => { expect(short(run(values(text), rules))).toBe(expected) })

  test('probability exactly at both thresholds: enter opens, leave goes on', () => {
    expect(short(run([0.5, 0.35, 0.35, 0.35 - 2 ** -54, 0.349, 0.5 - 2 ** -54]))).toBe('s0 e0-3')
    expect(short(run([0.5 - 2 ** -54, 0.5 - 2 ** -54, 0.5 - 2 ** -54]))).toBe('')
  })
  test('maxSpeech cuts at the lowest value of the last half; parts are contiguous', () => {
    const p = [0.9, 0.2, 0.9, 0.9, 0.9, 0.6, 0.9, 0.9, 0.9, 0.9, 0.9, 0, 0]
    expect(short(run(p, { maxSpeech: 8 }))).toBe('s0 e0-5 s5 e5-11')
    expect(short(run(p, { maxSpeech: 8, pad: 1 }))).toBe('s0 e0-6 s6 e6-12')
  })
  test('a start is told when minSpeech is reached, an end once its padding has been heard', () => {
    const machine = new SegmentMachine({ ...RULES, pad: 3 }), told = values('0111000000').map((p) => short(machine.push(p)))
    expect(told).toEqual(['', '', '', 's0', '', '', 'e0-7', '', '', ''])
    const early = new SegmentMachine({ ...RULES, early: true })
    expect(values('01').map((p) => short(early.push(p)))).toEqual(['', 's1'])
  })
  test('positions count from the origin, and padding stops there', () => {
    expect(short(run(values('1110011100'), { pad: 1 }, 2 ** 40)))
      .toBe(`s${2 ** 40} e${2 ** 40}-${2 ** 40 + 4} s${2 ** 40 + 4} e${2 ** 40 + 4}-${2 ** 40 + 9}`)
  })
  test('probabilities: of the opening value, then the mean without the silence that ended it', () => {
    expect(run([0.6, 0.8, 1, 0, 0]).map((mark) => mark.probability)).toEqual([0.6, (0.6 + 0.8 + 1) / 3])
  })
  test('NaN counts as 0', () => { expect(short(run([1, 1, 1, NaN, NaN, 1]))).toBe('s0 e0-3') })

  test('10⁵ random sequences against the oracle', () => {
    const next = randomNumbers(1), levels = [0, 0.1, 0.35 - 2 ** -54, 0.35, 0.4, 0.5 - 2 ** -54, 0.5, 0.7, 1]
    for (let round = 0; round < 100_000; round++) {
      const calm = next(), rules: SegmentRules = {
        enter: 0.5, leave: 0.35, hop: 1 + Math.floor(next() * 3), minSpeech: Math.floor(next() * 8), minSilence: Math.floor(next() * 6),
        pad: Math.floor(next() * 6),
        maxSpeech: next() < 0.5 ? 0 : 4 + Math.floor(next() * 12), early: next() < 0.5,
      }
      let last = 0
      const p = Array.from({ length: Math.floor(next() * 30) }, () =>
        last = next() < calm ? last : levels[Math.floor(next() * levels.length)]!)
      const got = short(run(p, rules)), expected = short(oracle(p, rules))
      if (got !== expected) throw new Error(`round ${round}: ${JSON.stringify({ rules, p })}: expected ${expected}, got ${got}`)
    }
  })
})

/**
 * The rules over a whole list at once: runs first, lengths next, padding last. Independent of the machine, which sees one value at a time.
 */
function oracle(p: readonly number[], r: SegmentRules): SegmentMark[] {
  const raw: { s: number; e: number; told: boolean }[] = [], marks: SegmentMark[] = []
  for (let i = 0; i < p.length;) {
    if (!(p[i]! >= r.enter)) { i++; continue }
    let s = i, quiet = -1, told = r.early, j = i
    for (;; j++) {
      if (j === p.length) { raw.push({ s, e: j, told }); break }
      if (p[j]! < r.leave) {
        quiet = quiet < 0 ? j : quiet
        if ((j + 1 - quiet) * r.hop >= r.minSilence) { raw.push({ s, e: quiet, told }); j++; break }
      } else {
        quiet = -1
        told ||= (j + 1 - s) * r.hop >= r.minSpeech
      }
      if (r.maxSpeech === 0 || (j + 1 - s) * r.hop < r.maxSpeech) continue
      const half = s + Math.max(1, Math.floor((j + 1 - s) / 2)), last = p.slice(half, j + 1)
      const cut = last.length === 0 ? j + 1 : half + last.indexOf(Math.min(...last))
      raw.push({ s, e: cut, told })
      if (cut > j) { j++; break }
      s = cut
      quiet = quiet < 0 ? -1 : Math.max(quiet, cut)
      const spoken = (quiet < 0 ? j + 1 : quiet) - s
      told = r.early || (spoken > 0 && spoken * r.hop >= r.minSpeech)
    }
    i = j
  }
  let before = 0
  for (const { s, e, told } of raw) {
    const long = e > s && (e - s) * r.hop >= r.minSpeech, from = Math.max(0, before, s * r.hop - r.pad)
    if (!long && !told) continue
    const to = long ? Math.min(e * r.hop + r.pad, p.length * r.hop) : Math.max(from, e * r.hop)
    marks.push({ type: 'start', from, probability: 0 }, { type: long ? 'end' : 'cancel', from, to, probability: 0 })
    if (long) before = to
  }
  return marks
}

describe('bitmap to probability', () => {
  test('the share of ones, bent so that `ratio` gives `enter`', () => {
    const window = new RatioWindow(10, 0.3, 0.5), p = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0].map((one) => window.push(one))
    expect(p[0]).toBeCloseTo(0.5 / 3, 12)
    expect(p[2]).toBe(0.5)
    expect(p[9]).toBe(0.5)
    expect(p[10]).toBeCloseTo(1 / 3, 12)
  })
  test('ends: ratio 0, ratio 1, window 1', () => {
    expect([0, 1].map((one) => new RatioWindow(1, 0, 0.5).push(one))).toEqual([0.5, 1])
    expect([0, 1].map((one) => new RatioWindow(1, 1, 0.5).push(one))).toEqual([0, 1])
    const all = new RatioWindow(2, 1, 0.5)
    expect([1, 1].map((one) => all.push(one))).toEqual([0.25, 1])
  })
})

describe('the node', () => {
  const hop = { hopFrames: 160, rate: 16_000 }
  async function play(
    packets: readonly (readonly number[])[], given: Record<string, unknown> = {},
    metadata: (n: number) => Record<string, unknown> = () => hop,
  ): Promise<SegmentEvent[]> {
    const { values: params } = resolveParams(segmenter.definition, given)
    async function* feed(): AsyncGenerator<Packet> {
      let position = 0
      for (const [seq, data] of packets.entries()) {
        yield {
          media: { kind: 'tensor', dtype: 'f32', shape: [null] }, data: Float32Array.from(data), position, duration: data.length,
          streamId: 's', seq, arrivalUs: 0, metadata: metadata(seq),
        }
        position += data.length
      }
    }
    const ctx = {
      signal: new AbortController().signal, nowUs: () => 0,
      node: { id: 'segmenter-1', type: 'voice::segmenter', runId: 'r' },
    } as unknown as NodeContext
    const events: SegmentEvent[] = [], stream = { [Symbol.asyncIterator]: () => feed() } as unknown as PacketStream
    for await (const packet of segmenter.definition.process!({ probability: stream }, params, ctx) as AsyncIterable<PacketRecord>) {
      events.push(...packet['events']!.data as SegmentEvent[])
    }
    return events
  }
  const p = [...new Array(10).fill(0), ...new Array(40).fill(0.9), ...new Array(30).fill(0.1)] as number[]

  test('defaults: 250 ms, 100 ms, 30 ms, in absolute frames and µs; packets do not matter', async () => {
    const expected = [
      { type: 'start', from: 1_120, timestampUs: 70_000 },
      { type: 'end', from: 1_120, to: 8_480, timestampUs: 70_000 },
    ]
    expect(await play([p])).toMatchObject(expected)
    expect(await play([p.slice(0, 7), p.slice(7, 50), [], p.slice(50)])).toMatchObject(expected)
  })
  test('a bitmap through aggregate ratio', async () => {
    const bits = [...new Array(20).fill(0), ...new Array(60).fill(0).map((_, n) => n % 2), ...new Array(40).fill(0)] as number[]
    const events = await play([bits], { aggregate: 'ratio', padMs: 0 })
    expect(events.map(({ type }) => type)).toEqual(['start', 'end'])
    expect(events[0]!.from).toBe(25 * 160) // the third one among ten values
  })
  test('without hopFrames and rate: INVALID_ARGUMENT; another hop in mid-stream: MEDIA_CHANGED', async () => {
    await expect(play([p], {}, () => ({}))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(play([p, p], {}, (n) => ({ ...hop, hopFrames: 160 + n }))).rejects.toMatchObject({ code: 'MEDIA_CHANGED' })
  })
  test('leave above enter is PARAM_INVALID', () => {
    expect(segmenter.definition.validate!({ enter: 0.5, leave: 0.6 }, {}).map((d) => d.code)).toEqual(['PARAM_INVALID'])
    expect(segmenter.definition.validate!({ enter: 0.5, leave: 0.5 }, {})).toEqual([])
  })
})

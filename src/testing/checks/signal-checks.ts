import type { PortSpec } from '../../kernels/kernel-spec.js'
import { difference } from '../compare.js'
import { noise } from '../signals.js'
import type { Part } from '../part.js'
import type { RunResult } from '../stream-run.js'
import type { Subject } from '../subject.js'

/** Below this a sample is what is left of a state that should have been set to 0 (AU-04: 1e-20). */
const REMNANT = 1e-30
const REMNANTS_ALLOWED = 64

/** Where a frame of the first stream input stands in an output: frames per frame, and whether the output keeps time (a gate does not). */
interface Place { readonly index: number; readonly port: PortSpec; readonly ratio: number; readonly keepsTime: boolean }

/** Outputs of floating-point audio. */
function soundOutputs(subject: Subject): readonly Place[] {
  const spec = subject.kase.spec(1), input = spec.inputs.find((port) => port.connected && port.framesPerSecond > 0)
  if (!input) return []
  return spec.outputs.flatMap((port, index) => {
    if (!port.connected || port.kind !== 'audio' || (port.dtype !== 'f32' && port.dtype !== 'f64')) return []
    const ratio = port.framesPerSecond / input.framesPerSecond
    const keepsTime =
      Math.abs(subject.whole.tracks[index]!.frames - (subject.frames * ratio + subject.kase.latency + subject.kase.tail)) <= 1
    return [{ index, port, ratio, keepsTime }]
  })
}

function finite(result: RunResult, places: readonly Place[]): boolean {
  return places.every(({ index }) => result.tracks[index]!.channels.every((samples) => samples.every((value) => Number.isFinite(value))))
}

/** Zeros: finite, and the same whether or not they are flagged, from the start and after sound (KE-07). */
export function checkSilence(subject: Subject): void {
  const places = soundOutputs(subject)
  const half = subject.frames >> 1
  const late = noise(4)
  for (const [what, signal] of [
    ['silence', subject.signal(() => 0)],
    ['silence after sound', subject.signal((input, channel, frame) => frame < half ? late(input, channel, frame) : 0)],
  ] as const) {
    const plain = subject.run('silence', signal, { chunks: [subject.frames] }, what)
    if (!finite(plain, places)) subject.fault('silence', `${what}: the output is not finite`)
    if (what !== 'silence') continue
    for (const seed of [2, 3]) {
      const flagged = subject.run('silence', signal, { chunks: subject.chunking(seed), silent: true }, 'flagged silence')
      const where = difference(plain, flagged, subject.kase.outputs)
      if (where !== null) subject.fault('silence', `flagged silence differs from zeros at ${where}`)
    }
  }
  subject.log.note('silence', 'zeros, flagged and not, and after sound')
}

/** A step and full scale stay finite. */
export function checkLevels(subject: Subject): void {
  const places = soundOutputs(subject)
  const coin = noise(6, 1)
  const shapes = [
    ['step', () => 0.5],
    ['full-scale', (input: number, channel: number, frame: number) => coin(input, channel, frame) < 0 ? -1 : 1],
  ] as const
  for (const [check, shape] of shapes) {
    const run = subject.run(check, subject.signal(shape), { chunks: subject.chunking(1), watch: true }, check)
    if (!finite(run, places)) subject.fault(check, 'the output is not finite')
    subject.log.note(check, check === 'step' ? 'a step to 0.5' : 'samples of ±1')
  }
}

/**
 * An impulse lands on the frame that `latencyFrames` promises; nothing follows later than `tailFrames` and `holdFrames` allow; the output
 * is as long as declared (KE-09, AU-06).
 */
export function checkTiming(subject: Subject): void {
  const { kase, log } = subject
  const at = Math.floor(subject.frames / 3)
  const silent = subject.run('impulse', subject.signal(() => 0), { chunks: [subject.frames] }, 'silence')
  const hit = subject.run('impulse', subject.signal((_, __, frame) => frame === at ? 0.9 : 0), { chunks: subject.chunking(1) }, 'impulse')
  if (!finite(hit, soundOutputs(subject))) return subject.fault('impulse', `an impulse at frame ${at}: the output is not finite`)
  let heard = 0
  for (const place of soundOutputs(subject)) {
    const response = responseOf(hit, silent, place)
    if (response === null || response.peak === 0) continue
    heard++
    const expected = at * place.ratio + kase.latency, slack = place.ratio === 1 ? 0 : 1, before = kase.hold * place.ratio
    const name = `output ${place.port.name}`
    if (response.onset > expected + slack) {
      subject.fault('latency', `${name}: an impulse at frame ${at} begins at ${response.onset}, declared ${expected.toFixed(1)}`)
    }
    if (place.keepsTime && response.onset < expected - before - slack) {
      subject.fault('latency', `${name}: an impulse at frame ${at} begins at ${response.onset}, declared ${expected.toFixed(1)}`)
    }
    if (place.keepsTime && kase.hold > 0 && Math.abs(response.at - expected) > 1) {
      subject.fault('latency', `${name}: an impulse at frame ${at} peaks at ${response.at}, declared ${expected.toFixed(1)}`)
    }
    const last = Math.ceil(expected + (kase.tail + kase.hold) * place.ratio) + 1
    if (response.end > last) {
      subject.fault('tail', `${name}: frame ${response.end} still answers an impulse at ${at}, declared until ${last}`)
    }
  }
  log.note('impulse', `an impulse at frame ${at}, heard on ${heard} outputs`)
  log.note('latency', heard === 0 ? 'no output of sound answers' : `${kase.latency} frames as declared`)
  checkLengths(subject)
}

/** Flush gives exactly latency and tail of outputs declared `same`, and no output of sound is longer than declared. */
function checkLengths(subject: Subject): void {
  const { kase, whole, log } = subject
  const first = kase.definition.outputs[kase.outputs[0]!]
  if ((first?.frames ?? 'same') === 'same' && kase.spec(1).outputs[0]?.connected && whole.flushed !== kase.latency + kase.tail) {
    subject.fault('tail', `flush gave ${whole.flushed} frames, declared ${kase.latency} of latency and ${kase.tail} of tail`)
  }
  for (const { index, port, ratio } of soundOutputs(subject)) {
    const most = Math.ceil(subject.frames * ratio) + kase.latency + kase.tail + (ratio === 1 ? 0 : 1)
    if (whole.tracks[index]!.frames > most) {
      subject.fault('tail', `output ${port.name} has ${whole.tracks[index]!.frames} frames, declared at most ${most}`)
    }
  }
  log.note('tail', `${kase.tail} frames as declared`)
}

interface Response { readonly peak: number; readonly at: number; readonly onset: number; readonly end: number }

/**
 * What an impulse changed: its largest sample, the first of at least 1e-4 of that, the last of at least 1e-3. Null when the lengths differ.
 */
function responseOf(hit: RunResult, silent: RunResult, { index, port }: Place): Response | null {
  const a = hit.tracks[index]!, b = silent.tracks[index]!
  if (a.frames !== b.frames) return null
  const size = new Float64Array(a.frames)
  a.channels.forEach((samples, channel) => samples.forEach((value, i) => {
    const frame = Math.floor(i / port.width)
    size[frame] = Math.max(size[frame]!, Math.abs(value - b.channels[channel]![i]!))
  }))
  const peak = size.reduce((most, value) => Math.max(most, value), 0)
  return {
    peak, at: size.indexOf(peak),
    onset: size.findIndex((value) => value > peak * 1e-4),
    end: size.findLastIndex((value) => value > peak * 1e-3),
  }
}

/** NaN and infinities, at 16 places: finite again within what the node remembers, and nothing before (AU-05). */
export function checkNaN(subject: Subject, part: Part): void {
  const { kase } = subject
  const spec = kase.spec(1), floats = spec.inputs.some((port) => port.connected && port.dtype === 'f32')
  if (!floats) return subject.log.note('nan', 'no input of floats')
  for (let n = part.first; n < 16; n += subject.onlyHere ? part.of : 5) {
    const at = Math.floor(subject.frames / 3) + n, bad = [Number.NaN, Infinity, -Infinity][n % 3]!, base = noise(20 + n)
    const signal = subject.signal((input, channel, frame) => {
      const value = base(input, channel, frame)
      return frame === at && channel === 0 ? bad : value
    })
    const run = subject.run('nan', signal, { chunks: subject.chunking(n) }, `${bad} at frame ${at}`)
    for (const { index, port, ratio } of soundOutputs(subject)) {
      const from = Math.floor((at - kase.hold) * ratio) - 1, to = Math.ceil((at + kase.latency + kase.tail + kase.hold) * ratio) + 1
      for (const samples of run.tracks[index]!.channels) {
        const stray = samples.findIndex((value, i) => (i < from * port.width || i >= (to + 1) * port.width) && !Number.isFinite(value))
        if (stray >= 0) return subject.fault('nan', `${bad} at frame ${at}: output ${port.name} is ${samples[stray]} at frame ${Math.floor(stray / port.width)}, declared memory ${from} to ${to}`)
      }
    }
  }
  subject.log.note('nan', 'NaN, +∞ and −∞ at 16 places')
}

/** After very soft sound, silence: a state that fades must end at 0, not among numbers that slow the machine down (AU-04). */
export function checkDenormals(subject: Subject): void {
  const places = soundOutputs(subject)
  const soft = 256
  const frames = Math.min(40_000, Math.max(6_000, 2 * (subject.kase.tail + subject.kase.latency) + soft))
  const base = noise(8, 1e-19)
  const run = subject.run('denormals', subject.signal((input, channel, frame) => frame < soft ? base(input, channel, frame) : 0, frames), {
    chunks: [frames],
  }, 'soft sound, then silence')
  for (const { index, port, ratio } of places) for (const samples of run.tracks[index]!.channels) {
    const after = samples.subarray((Math.ceil((soft + subject.kase.latency + subject.kase.hold) * ratio) + 64) * port.width) as Float32Array
    const remnants = after.reduce((count, value) => count + (value !== 0 && Math.abs(value) < REMNANT ? 1 : 0), 0)
    if (remnants > REMNANTS_ALLOWED) {
      return subject.fault('denormals', `output ${port.name} has ${remnants} samples below ${REMNANT} in ${after.length} frames of silence`)
    }
  }
  subject.log.note('denormals', `${frames - soft} frames of silence after sound of 1e-19`)
}

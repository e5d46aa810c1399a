import type { PortArray, PortView, Reference, ReferenceIo } from '../../../graph/reference.js'
import { STATUS } from '../../../kernels/contract.js'

/** Longest run that one event can tell: its length is a u32. */
const LONGEST = 0xfffffffe
const KIND_SEGMENT = 3
/** Output ports in order of declaration. */
const AUDIO = 0, SEGMENTS = 1, FRAMES = 2

interface State {
  readonly length: number; readonly limit: number; readonly filter: boolean; readonly held: Float32Array[]
  /** Sums of squares by sample index mod 4 within the frame. */
  readonly lanes: Float64Array
  samples: number; peak: number; next: number; skip: number; started: boolean
  inRun: boolean; runFrom: number; runEnergy: number; runPeak: number
}

/**
 * Energy detector of spec audio.md, AU-45 and AU-51: frame = ⌊rate·ms/1000⌋ samples on the absolute grid; energy = f64 sum of squares in
 * four lanes, added (0+1)+(2+3); speech iff energy > N·threshold². Several channels: the mean of section 3. Runs of speech frames become
 * events; flush closes the last.
 */
export const vadReference: Reference = {
  init: ({ params, inputs }): State => {
    const { rate, channels } = inputs[0]!
    const length = Math.floor(rate * (params['frameMs'] as number) / 1000)
    const threshold = params['threshold'] as number
    return {
      length, limit: length * (threshold * threshold), filter: params['filter'] === true,
      held: Array.from({ length: channels }, () => new Float32Array(length)),
      lanes: new Float64Array(4), ...START,
    }
  },
  process(s: State, io) {
    const input = io.inputs[0]!, [audio, segments, frames] = [io.outputs[AUDIO]!, io.outputs[SEGMENTS]!, io.outputs[FRAMES]!]
    if (!s.started && io.frames > 0) begin(s, io.position)
    const skipped = Math.min(io.frames, s.skip), most = Math.floor((s.samples + io.frames - skipped) / s.length)
    if ((most > 0 && lacks(segments, Math.floor((most + 1) / 2) + 1)) || lacks(frames, most)
      || (s.filter && lacks(audio, most * s.length))) {
      return STATUS.NO_ROOM
    }
    s.skip -= skipped
    s.next += skipped
    let decided = 0, spoken = 0
    segments.done = 0
    for (let n = skipped; n < io.frames; n++) {
      add(s, input.channels, n)
      if (s.samples < s.length) continue
      const voiced = energyOf(s) > s.limit
      decide(s, segments, voiced)
      if (frames.connected) frames.channels[0]![decided] = voiced ? 1 : 0
      if (s.filter && voiced) emitFrame(s, audio, s.length * spoken++)
      decided++
      clear(s)
    }
    frames.done = decided
    return s.filter ? spoken * s.length : io.frames
  },
  flush(s: State, io: ReferenceIo) {
    const segments = io.outputs[SEGMENTS]!
    segments.done = io.outputs[FRAMES]!.done = 0
    if (!s.inRun) return 0
    if (lacks(segments, 1)) return STATUS.NO_ROOM
    emitRun(s, segments, s.next - s.samples)
    s.inRun = false
    return 0
  },
  reset(s: State) {
    clear(s)
    Object.assign(s, START)
  },
}

const START = { samples: 0, peak: 0, next: 0, skip: 0, started: false, inRun: false, runFrom: 0, runEnergy: 0, runPeak: 0 }

/** First samples: those before the next frame of the absolute grid belong to no whole frame. */
function begin(s: State, position: number): void {
  s.started = true
  s.next = position
  s.skip = (s.length - position % s.length) % s.length
}

function lacks(port: PortView, room: number): boolean { return port.connected && port.frames < room }
function energyOf({ lanes }: State): number { return (lanes[0]! + lanes[1]!) + (lanes[2]! + lanes[3]!) }
function clear(s: State): void { s.lanes.fill(0); s.samples = 0; s.peak = 0 }

function add(s: State, x: readonly PortArray[], n: number): void {
  let sample = x[0]![n]!
  if (x.length > 1) {
    for (let c = 1; c < x.length; c++) sample = Math.fround(sample + x[c]![n]!)
    sample = Math.fround(sample * Math.fround(1 / x.length))
  }
  for (let c = 0; c < x.length; c++) s.held[c]![s.samples] = x[c]![n]!
  s.lanes[s.samples & 3]! += sample * sample
  if (Math.abs(sample) > s.peak) s.peak = Math.abs(sample)
  s.samples++
  s.next++
}

function decide(s: State, segments: PortView, voiced: boolean): void {
  const from = s.next - s.length
  if (s.inRun && (!voiced || s.next - s.runFrom > LONGEST)) {
    emitRun(s, segments, from)
    s.inRun = false
  }
  if (!voiced) return
  if (!s.inRun) Object.assign(s, { inRun: true, runFrom: from, runEnergy: 0, runPeak: 0 })
  s.runEnergy += energyOf(s)
  s.runPeak = Math.max(s.runPeak, s.peak)
}

/** Event of AU-50: position = from, kind 3, id = length in samples, values probability, rms, peak, energy. */
function emitRun(s: State, port: PortView, to: number): void {
  if (port.connected) {
    const words = port.channels[0]!, floats = new Float32Array(words.buffer, words.byteOffset, words.length), at = port.done * 8
    words[at] = s.runFrom | 0
    words[at + 1] = Math.floor(s.runFrom / 2 ** 32) | 0
    words[at + 2] = KIND_SEGMENT
    words[at + 3] = (to - s.runFrom) | 0
    floats.set([1, Math.sqrt(s.runEnergy / (to - s.runFrom)), s.runPeak, s.runEnergy], at + 4)
  }
  port.done++
}

function emitFrame(s: State, port: PortView, at: number): void {
  if (port.connected) s.held.forEach((held, c) => port.channels[c]!.set(held, at))
}

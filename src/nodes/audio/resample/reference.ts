import type { PortView, Reference, ReferenceInit, ReferenceIo } from '../../../graph/reference.js'
import { STATUS } from '../../../kernels/contract.js'
import { fillRow, prototypeOf, type Prototype } from './design.js'
import { GRADES, geometryOf, hopOut, placeOf, readyOutputs, totalOutputs, type Geometry, type Method, type Quality } from './geometry.js'

/** Rows of taps, made when first needed. */
interface Bank {
  readonly prototype: Prototype
  readonly rows: number
  readonly taps: number
  /** Frames before an output's own that a row covers. */
  readonly behind: number
  readonly values: Float32Array
  /** Per row: 1 when its values are made. */
  readonly made: Uint8Array
}
interface State {
  readonly geometry: Geometry
  readonly bank: Bank
  /** The last frames of every channel, first of them at `start`. */
  readonly kept: Float32Array[]
  start: number
  /** Next input frame and next output; −1 before the first call. */
  input: number
  output: number
  /** Frames of the whole stream once it has ended, else −1. */
  frames: number
}

/**
 * Plain f64 evaluation of the taps: output k at input time k·m/l = Σ tap·frame over the row of its phase, rounded to f32 once; 4-point
 * Lagrange between rows where the bank is interpolated. An fft resampler has the same taps; its reference hands out frames hop by hop as it
 * does.
 */
export const resampleReference: Reference = {
  init({ params, inputs, outputs, maxFrames }: ReferenceInit): State {
    const quality = params['quality'] as Quality
    const geometry = geometryOf(inputs[0]!.rate, params['rate'] as number, quality, params['method'] as Method)
    if (geometry === null) throw new RangeError(`Resample: expected rates that fft serves, got ${inputs[0]!.rate} and ${outputs[0]!.rate}.`)
    return {
      geometry, bank: bankOf(geometry, quality), start: 0, input: -1, output: 0, frames: -1,
      kept: Array.from({ length: inputs[0]!.channels }, () => new Float32Array(geometry.window + geometry.hop + Math.max(1, maxFrames))),
    }
  },
  process(s: State, io) {
    begin(s, io)
    if (s.frames >= 0) return STATUS.BAD_STATE
    const to = io.outputs[0]!, end = Math.max(s.output, readyOutputs(s.geometry, s.input + io.frames)), count = end - s.output
    if (to.connected && to.frames < count) return STATUS.NO_ROOM
    s.kept.forEach((kept, c) => kept.set(io.inputs[0]!.channels[c]!.subarray(0, io.frames) as Float32Array, s.input - s.start))
    s.input += io.frames
    write(s, to, count)
    keep(s)
    return count
  },
  flush(s: State, io) {
    begin(s, io)
    if (s.frames < 0) s.frames = s.input
    const to = io.outputs[0]!, left = Math.max(0, totalOutputs(s.geometry, s.frames) - s.output)
    const count = to.connected ? Math.min(left, to.frames) : left
    write(s, to, count)
    return count
  },
  reset(s: State) {
    s.input = -1
    s.frames = -1
    s.output = 0
  },
}

/** A stream starts at the position of its first call; output k stands at k·m/l on the absolute grid. */
function begin(s: State, io: ReferenceIo): void {
  if (s.input >= 0) return
  s.input = io.position
  s.start = io.position
  s.output = totalOutputs(s.geometry, io.position)
}

function write(s: State, to: PortView, count: number): void {
  if (to.connected) for (let n = 0; n < count; n++) writeOutput(s, to, n)
  s.output += count
}

/** Forgets the frames that no later output needs. */
function keep(s: State): void {
  const { geometry: g } = s, next = g.hop > 0 ? Math.floor(s.output / hopOut(g)) * g.hop : placeOf(g, s.output).frame
  const from = Math.min(s.input, Math.max(s.start, next - g.behind))
  for (const kept of s.kept) kept.copyWithin(0, from - s.start, s.input - s.start)
  s.start = from
}

/** Output `s.output + n` of every channel. */
function writeOutput(s: State, to: PortView, n: number): void {
  const { geometry: g, bank: { rows }, kept } = s, { frame, phase } = placeOf(g, s.output + n)
  if (g.l === g.m) return kept.forEach((frames, c) => { to.channels[c]![n] = frames[frame - s.start]! })
  const sums = new Float64Array(kept.length)
  if (!g.interpolated) addRow(s, frame, phase, 1, sums)
  else {
    const first = Math.floor(phase * rows / g.l), t = phase * rows % g.l / g.l
    const weights = [-t * (t - 1) * (t - 2) / 6, (t + 1) * (t - 1) * (t - 2) / 2, -(t + 1) * t * (t - 2) / 2, (t + 1) * t * (t - 1) / 6]
    // Row −1 is the last row one frame earlier, row `rows` the first one later.
    weights.forEach((weight, j) => { addRow(s, frame + Math.floor((first + j - 1) / rows), (first + j - 1 + rows) % rows, weight, sums) })
  }
  sums.forEach((sum, c) => { to.channels[c]![n] = sum })
}

/**
 * Adds weight · Σ tap·frame to each channel's sum; before and after the stream the input counts as zeros. Two channels at a time,
 * which do not wait for each other's additions.
 */
function addRow({ geometry, bank, kept, start, input }: State, frame: number, row: number, weight: number, sums: Float64Array): void {
  const taps = rowOf(bank, geometry, row), oldest = frame - bank.behind, from = Math.max(oldest, start)
  const end = Math.min(oldest + bank.taps, input)
  for (let c = 0; c < kept.length; c += 2) {
    const one = kept[c]!, other = kept[c + 1] ?? one
    let sum = 0, second = 0
    for (let i = from; i < end; i++) {
      const tap = taps[i - oldest]!
      sum += tap * one[i - start]!
      second += tap * other[i - start]!
    }
    sums[c]! += weight * sum
    if (c + 1 < kept.length) sums[c + 1]! += weight * second
  }
}

/** The bank that was made last: streams of one kind share its rows, which are filled as they are needed. */
let last: { readonly key: string; readonly bank: Bank } | undefined

function bankOf(g: Geometry, quality: Quality): Bank {
  const key = JSON.stringify([g, quality])
  if (last?.key !== key) last = { key, bank: emptyBank(g, quality) }
  return last.bank
}

function emptyBank(g: Geometry, quality: Quality): Bank {
  const taps = g.hop > 0 ? g.behind + 1 + g.ahead : g.taps, rows = g.hop > 0 ? g.l : g.phases
  const behind = g.interpolated ? g.behind - 1 : g.behind
  return { prototype: prototypeOf(GRADES[quality]), rows, taps, behind, values: new Float32Array(rows * taps), made: new Uint8Array(rows) }
}

function rowOf({ prototype, rows, taps, behind, values, made }: Bank, g: Geometry, row: number): Float32Array {
  const view = values.subarray(row * taps, (row + 1) * taps)
  if (made[row] === 0) {
    made[row] = 1
    if (taps === 1) view[0] = 1
    else fillRow(prototype, g, row, rows, behind, view)
  }
  return view
}

// Kernel `mix` (AU-58): N inputs added in input order, f32. Twin of src/nodes/audio/mix.ts. Controls: gain (linear) per input, then pan,
// mute, solo per input. Where all of them stand still a list of terms is added over the whole run; where one moves the list is made anew
// for every frame. @realtime
import {
  CONTROL_BYTES, CONTROL_LENGTH, CONTROL_STREAM, CONTROL_TO_F32, PORT_BYTES, PORT_DATA, PORT_FLAGS_U16, PORT_FLAG_SILENT, PORT_FRAMES,
  PORT_STRIDE, STATUS_BAD_MEDIA, STATUS_BAD_PARAM, STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, begin, checkInit, checkPlanar, connected,
  control, controlRecord, cosPi, countNonfinite, foreign, hasControls, hasRoom, initInput, initOutput, inRange, inputPort, inputs,
  io_frames, io_inputs, isWhole, markSilent, open, output, outputChannels, own, param, portChannels, portConnected, portRate, produced,
  readable, scratch, sinPi, sized, steady,
} from '../../sdk'
import { TERM_BYTES, addTerm, weightedSum } from './sum'

const VERSION: u32 = 1
const MOST_INPUTS: u32 = 256
/** 48 dB; Init may be a rounding above it. */
const MOST: f64 = 251.18864315095823, SLACK: f64 = 1e-9
const GAIN: u32 = 0, PAN: u32 = 1, MUTE: u32 = 2, SOLO: u32 = 3, KINDS: u32 = 4
/** A ramp ends within so many frames of where it may be looked for again. */
const TILE: u32 = 128
/** State behind the header: u32 inputs; from 16 on f32 values of Init in control order, then the last good driven values. */
const VALUES: usize = 16

export function mix_size(init: usize): i32 {
  const status = check(init)
  return status != STATUS_OK ? status : sized(init, <u32>VALUES + inputs(init) * KINDS * 8, inputs(init) * 2 * <u32>TERM_BYTES)
}

export function mix_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  const at = open(state, VERSION), count = inputs(init) * KINDS
  store<u32>(at, inputs(init))
  for (let i: u32 = 0; i < count; i++) store<f32>(at + VALUES + (<usize>i << 2), <f32>param(init, i))
  mix_reset(state)
  return STATUS_OK
}

export function mix_reset(state: usize): i32 {
  const at = own(state), bytes = <usize>load<u32>(at) * KINDS << 2
  memory.copy(at + VALUES + bytes, at + VALUES, bytes)
  return STATUS_OK
}

export function mix_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION) || io_inputs(io) != load<u32>(own(state))) return STATUS_BAD_STATE
  const frames = io_frames(io)
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  begin(state)
  if (!connected(io, 0) || frames == 0) return produced(io, 0, frames)
  let zero = true
  for (let f: u32 = 0; f < frames;) {
    let next = nextBorder(io, f, frames), still = settle(state, io, f, next - 1, false)
    if (!still) {
      next = min(next, f + TILE)
      still = settle(state, io, f, next - 1, false)
    }
    if (still) zero = add(state, io, f, next - f) && zero
    else for (let at = f; at < next; at++) {
      settle(state, io, at, at, true)
      zero = add(state, io, at, 1) && zero
    }
    f = next
  }
  markSilent(io, 0, zero, true)
  return produced(io, 0, frames)
}

/** Up to where the same inputs have samples: an input that ended earlier counts as silence from there on. */
function nextBorder(io: usize, f: u32, frames: u32): u32 {
  let next = frames
  for (let i: u32 = 0; i < io_inputs(io); i++) { const has = readable(io, i); if (has > f && has < next) next = has }
  return next
}

/**
 * Reads every control at frame `first` into the state; false when one moves before `last` (then what was read is read again). Driven values
 * keep to the param's range; a driven NaN holds the last good value, and counts when the frame is one of its own (`single`, AU-10).
 */
function settle(state: usize, io: usize, first: u32, last: u32, single: bool): bool {
  if (!hasControls(io)) return true
  const count = io_inputs(io)
  let good = goodValues(state, count), record = controlRecord(io, 0), index: u32 = 0
  for (let kind: u32 = 0; kind < KINDS; kind++) {
    const low: f32 = kind == PAN ? -1 : 0, high: f32 = kind == GAIN ? <f32>MOST : 1
    for (const end = index + count; index < end; index++, good += 4, record += CONTROL_BYTES) {
      let now = load<f32>(record, CONTROL_TO_F32) // the constant, unless it moves
      if ((load<u32>(record, CONTROL_STREAM) | load<u32>(record, CONTROL_LENGTH)) != 0) {
        if (!single && !steady(io, index, first, last)) return false
        now = control(io, index, first)
      }
      if (now == now) store<f32>(good, now < low ? low : now > high ? high : now)
      else if (single) countNonfinite(state, 1)
    }
  }
  return true
}
// @ts-ignore: decorator
@inline function goodValues(state: usize, count: u32): usize { return own(state) + VALUES + (<usize>count * KINDS << 2) }
// @ts-ignore: decorator
@inline function settled(good: usize, count: u32, kind: u32, i: u32): f32 { return load<f32>(good + (<usize>(kind * count + i) << 2)) }

function strongestSolo(good: usize, count: u32): f32 {
  let most: f32 = 0
  for (let i: u32 = 0; i < count; i++) { const solo = settled(good, count, SOLO, i); if (solo > most) most = solo }
  return most
}

/** Share of source channel `k` of a stereo input in output channel `c`, pan ≠ 0: the StereoPanner equations of the Web Audio API. */
function share(k: u32, c: u32, pan: f32): f32 {
  const toLeft = pan < 0, x = (toLeft ? <f64>pan + 1 : <f64>pan) * 0.5, kept: u32 = toLeft ? 0 : 1
  if (k == kept) return c == kept ? 1 : 0
  return <f32>(c == 0 ? cosPi(x) : sinPi(x))
}

/** Lists what output channel `c` hears at frame `f`: input by input, its own side first, then the other. Returns the end of the list. */
function listTerms(state: usize, io: usize, c: u32, f: u32, solo: f32): usize {
  const count = io_inputs(io), stereo = outputChannels(io, 0) == 2, kind = <usize>count << 2
  let last = scratch(io), port = inputPort(io, 0), mine = goodValues(state, count)
  for (let i: u32 = 0; i < count; i++, port += PORT_BYTES, mine += 4) {
    // gain · (1 − mute) · (1 − strongest solo · (1 − own solo))
    const all = load<f32>(mine) * (<f32>1 - load<f32>(mine + 2 * kind)) * (<f32>1 - solo * (<f32>1 - load<f32>(mine + 3 * kind)))
    const pan = load<f32>(mine + kind)
    if (all == 0 || load<u32>(port, PORT_FRAMES) <= f || (load<u16>(port, PORT_FLAGS_U16) & PORT_FLAG_SILENT) != 0) continue
    const x = <usize>load<u32>(port, PORT_DATA), step = <usize>load<u32>(port, PORT_STRIDE)
    if (!stereo || pan == 0) { last = addTerm(last, x + <usize>c * step, all); continue }
    for (let n: u32 = 0; n < 2; n++) {
      const w = all * share(c ^ n, c, pan)
      if (w != 0) last = addTerm(last, x + <usize>(c ^ n) * step, w)
    }
  }
  return last
}

/** Adds `frames` frames through which nothing moves. True when nothing sounds. */
function add(state: usize, io: usize, first: u32, frames: u32): bool {
  const solo = strongestSolo(goodValues(state, io_inputs(io)), io_inputs(io)), terms = scratch(io)
  let zero = true
  for (let c: u32 = 0; c < outputChannels(io, 0); c++) {
    const last = listTerms(state, io, c, first, solo), y = output(io, 0, c) + (<usize>first << 2)
    if (last == terms) memory.fill(y, 0, <usize>frames << 2)
    else { weightedSum(y, terms, last, first, frames); zero = false }
  }
  return zero
}

function check(init: usize): i32 {
  const count = inputs(init)
  if (count == 0 || count > MOST_INPUTS) return STATUS_BAD_MEDIA
  let status = checkInit(init, count, 1, count * KINDS)
  if (status != STATUS_OK) return status
  for (let i: u32 = 0; i < count; i++) {
    if (!inRange(init, GAIN * count + i, 0, MOST + SLACK) || !inRange(init, PAN * count + i, -1, 1)) return STATUS_BAD_PARAM
    if (!isWhole(init, MUTE * count + i, 0, 1) || !isWhole(init, SOLO * count + i, 0, 1)) return STATUS_BAD_PARAM
  }
  const to = initOutput(init, 0), known = portConnected(to)
  if (known) { status = checkPlanar(to); if (status != STATUS_OK) return status }
  for (let i: u32 = 0; i < count; i++) {
    const from = initInput(init, i)
    status = checkPlanar(from)
    if (status != STATUS_OK) return status
    if (portRate(from) != portRate(initInput(init, 0))) return STATUS_BAD_MEDIA
    if (known && portChannels(from) != portChannels(to)) return STATUS_BAD_MEDIA
  }
  return !known || portRate(to) == portRate(initInput(init, 0)) ? STATUS_OK : STATUS_BAD_MEDIA
}

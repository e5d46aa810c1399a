// Kernel `gain` (AU-54): y = x·g + 0, g linear. Twin of src/nodes/audio/gain.ts. A gain of 0 gives +0 whatever comes in, so a closed gain
// is silence. The added 0 turns −0 into +0: what is computed and what is skipped as silence then have the same bits. @realtime
import {
  STATUS_BAD_PARAM, STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, begin, channels, checkSame, connected, control, countNonfinite, driven,
  exp, foreign, hasControls, hasRoom, inRange, input, io_frames, isWhole, markSilent, open, output, own, param, produced, scratch, silent,
  sized, steady,
} from '../../sdk'

const VERSION: u32 = 1
/** Slots: linear gain, invert. */
const GAIN: u32 = 0, INVERT: u32 = 1, PARAMS: u32 = 2
/** 48 dB; Init may be a rounding above it. */
const MOST: f64 = 251.18864315095823, SLACK: f64 = 1e-9
/** State behind the header: f32 gain of Init, f32 last driven gain, f32 sign. */
const FIRST: usize = 0, LAST: usize = 4, SIGN: usize = 8, STATE: u32 = 16
/** Frames per table of moving gains. */
const TILE: u32 = 256

export function gain_size(init: usize): i32 {
  const status = check(init)
  return status != STATUS_OK ? status : sized(init, STATE, TILE << 2)
}

export function gain_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  const at = open(state, VERSION)
  store<f32>(at, <f32>param(init, GAIN), FIRST)
  store<f32>(at, <f32>param(init, GAIN), LAST)
  store<f32>(at, param(init, INVERT) != 0 ? -1 : 1, SIGN)
  return STATUS_OK
}

export function gain_reset(state: usize): i32 {
  store<f32>(own(state), load<f32>(own(state), FIRST), LAST)
  return STATUS_OK
}

export function gain_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const frames = io_frames(io)
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  const at = begin(state), sign = load<f32>(at, SIGN)
  if (!connected(io, 0) || frames == 0) return produced(io, 0, frames)
  const quiet = silent(io, 0)
  let zero = true
  for (let f: u32 = 0; f < frames;) {
    const left = frames - f
    let now = left, moving = false, gain = load<f32>(at, FIRST)
    if (hasControls(io)) {
      if (!steady(io, 0, f, frames - 1)) {
        now = min(left, TILE)
        moving = !steady(io, 0, f, f + now - 1)
      }
      if (!moving) {
        const value = control(io, 0, f)
        gain = driven(io, 0) ? toGain(value) : value
        if (gain != gain) { now = min(left, TILE); moving = true } // counted frame by frame
        else { gain = min<f32>(max<f32>(gain, 0), <f32>MOST); store<f32>(at, gain, LAST) }
      }
    }
    if (moving) {
      fillTable(state, io, f, now, sign) // also when silent: the last good gain is state
      for (let c: u32 = 0; c < channels(io, 0); c++) {
        const y = output(io, 0, c) + (<usize>f << 2)
        if (quiet) memory.fill(y, 0, <usize>now << 2); else scaleMoving(y, input(io, 0, c) + (<usize>f << 2), scratch(io), now)
      }
      zero = zero && quiet
    } else {
      for (let c: u32 = 0; c < channels(io, 0); c++) {
        const y = output(io, 0, c) + (<usize>f << 2)
        if (quiet || gain == 0) memory.fill(y, 0, <usize>now << 2); else scale(y, input(io, 0, c) + (<usize>f << 2), gain * sign, now)
      }
      zero = zero && (quiet || gain == 0)
    }
    f += now
  }
  markSilent(io, 0, zero, true)
  return produced(io, 0, frames)
}

/** ln 10 ÷ 20, and the decibels from which the factor is 0. */
const PER_DECIBEL: f64 = 0.11512925464970229, LEAST_DB: f64 = -120

/** Decibels that an edge gives, as a factor; NaN stays NaN. */
function toGain(decibels: f64): f32 { return decibels != decibels ? NaN : decibels <= LEAST_DB ? 0 : <f32>exp(decibels * PER_DECIBEL) }

/**
 * Gains of `frames` frames with their sign. A driven NaN holds the last good value and counts
 * (AU-10); driven values keep to the param's range.
 */
function fillTable(state: usize, io: usize, first: u32, frames: u32, sign: f32): void {
  const table = scratch(io)
  const decibels = driven(io, 0)
  let last = load<f32>(own(state), LAST), seen: f32 = NaN, factor: f32 = NaN
  for (let f: u32 = 0; f < frames; f++) {
    let gain = control(io, 0, first + f)
    if (decibels) {
      if (gain != seen) { factor = toGain(gain); seen = gain } // a held value is turned once
      gain = factor
    }
    if (gain != gain) countNonfinite(state, 1); else last = min<f32>(max<f32>(gain, 0), <f32>MOST)
    store<f32>(table + (<usize>f << 2), last * sign)
  }
  store<f32>(own(state), last, LAST)
}

export function scale(y: usize, x: usize, gain: f32, frames: usize): void {
  const g = f32x4.splat(gain), zero = f32x4.splat(0), end = x + (frames << 2)
  for (const last = x + (frames >> 5 << 7); x < last; x += 128, y += 128) {
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x), g), zero))
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 16), g), zero), 16)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 32), g), zero), 32)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 48), g), zero), 48)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 64), g), zero), 64)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 80), g), zero), 80)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 96), g), zero), 96)
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x, 112), g), zero), 112)
  }
  for (const last = x + (end - x >> 4 << 4); x < last; x += 16, y += 16) v128.store(y, f32x4.add(f32x4.mul(v128.load(x), g), zero))
  for (; x < end; x += 4, y += 4) store<f32>(y, load<f32>(x) * gain + <f32>0)
}

function scaleMoving(y: usize, x: usize, gains: usize, frames: usize): void {
  const zero = f32x4.splat(0), end = x + (frames << 2)
  for (const last = x + (frames >> 2 << 4); x < last; x += 16, y += 16, gains += 16) {
    const g = v128.load(gains)
    v128.store(y, f32x4.add(v128.and(f32x4.mul(v128.load(x), g), f32x4.ne(g, zero)), zero))
  }
  for (; x < end; x += 4, y += 4, gains += 4) {
    const g = load<f32>(gains)
    store<f32>(y, g != 0 ? load<f32>(x) * g + <f32>0 : <f32>0)
  }
}

function check(init: usize): i32 {
  const status = checkSame(init, PARAMS)
  if (status != STATUS_OK) return status
  return inRange(init, GAIN, 0, MOST + SLACK) && isWhole(init, INVERT, 0, 1) ? STATUS_OK : STATUS_BAD_PARAM
}

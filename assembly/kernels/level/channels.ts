// Kernel `channels` (AU-55): speakers, discrete, mean, matrix. Twin of src/nodes/audio/channels.ts. Every mode but `mean` is a matrix whose
// non-zero weights are gathered at init; an output that is one input at weight 1 is a copy of its bits. @realtime
import {
  LIMIT_CHANNELS, STATUS_BAD_MEDIA, STATUS_BAD_PARAM, STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, asset, assetF32, begin, channels,
  checkInit, checkPlanar, connected, foreign, hasRoom, initInput, initOutput, input, io_frames, isWhole, markSilent, open, output,
  outputChannels, param, portChannels, portConnected, portRate, produced, scratch, silent, sized, stride,
} from '../../sdk'
import { addTerm, weightedSum } from './sum'

const VERSION: u32 = 1
const TO: u32 = 0, MODE: u32 = 1, MATRIX: u32 = 2, PARAMS: u32 = 3
const SPEAKERS: u32 = 0, MEAN: u32 = 2, MATRIX_MODE: u32 = 3
/** State behind the header: u32 mode; from 16 on f32 [outputs][inputs]. */
const WEIGHTS: usize = 16
const HALF_POWER: f32 = 0.7071067811865476

export function channels_size(init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  const from = portChannels(initInput(init, 0))
  return sized(init, <u32>WEIGHTS + (outputsOf(init) * from << 2), from << 3)
}

export function channels_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  const at = open(state, VERSION), mode = <u32>param(init, MODE), from = portChannels(initInput(init, 0))
  const to = outputsOf(init), weights = at + WEIGHTS
  store<u32>(at, mode)
  if (mode == MATRIX_MODE) memory.copy(weights, asset(init, <u32>param(init, MATRIX)), <usize>from * to << 2)
  else if (mode == MEAN) for (let i: u32 = 0; i < from; i++) set(weights, from, 0, i, <f32>(1.0 / <f64>from))
  else if (mode != SPEAKERS || !speakers(weights, from, to)) for (let i: u32 = 0; i < min(from, to); i++) set(weights, from, i, i, 1)
  return STATUS_OK
}

export function channels_reset(state: usize): i32 { return STATUS_OK }

export function channels_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const frames = io_frames(io)
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  const at = begin(state), from = channels(io, 0)
  if (!connected(io, 0) || frames == 0) return produced(io, 0, frames)
  const quiet = silent(io, 0)
  if (quiet) for (let c: u32 = 0; c < outputChannels(io, 0); c++) memory.fill(output(io, 0, c), 0, <usize>frames << 2)
  else if (load<u32>(at) == MEAN) mean(output(io, 0, 0), input(io, 0, 0), stride(io, 0), from, load<f32>(at, WEIGHTS), frames)
  else for (let c: u32 = 0; c < outputChannels(io, 0); c++) row(io, at + WEIGHTS + (<usize>(c * from) << 2), c, from, frames)
  markSilent(io, 0, quiet, true)
  return produced(io, 0, frames)
}

/** One output channel from its row of weights. */
function row(io: usize, weights: usize, c: u32, from: u32, frames: u32): void {
  const terms = scratch(io), y = output(io, 0, c)
  let last = terms
  for (let i: u32 = 0; i < from; i++) {
    const weight = load<f32>(weights + (<usize>i << 2))
    if (weight != 0) last = addTerm(last, input(io, 0, i), weight)
  }
  if (last == terms) memory.fill(y, 0, <usize>frames << 2)
  else if (last == terms + 8 && load<f32>(terms, 4) == 1) memory.copy(y, load<u32>(terms), <usize>frames << 2)
  else weightedSum(y, terms, last, 0, frames)
}

/** acc = f32 sum in channel order; acc × f32(1 ÷ channels) (section 3). Sixteen frames in registers while all channels are added. */
export function mean(y: usize, x: usize, stride: usize, from: u32, factor: f32, frames: usize): void {
  if (from == 2) { meanOfTwo(y, x, x + stride, factor, frames); return }
  const k = f32x4.splat(factor), end = y + (frames << 2)
  for (const last = y + (frames >> 4 << 6); y < last; y += 64, x += 64) {
    let a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48)
    for (let p = x + stride, n = from - 1; n > 0; n--, p += stride) {
      a = f32x4.add(a, v128.load(p))
      b = f32x4.add(b, v128.load(p, 16))
      c = f32x4.add(c, v128.load(p, 32))
      d = f32x4.add(d, v128.load(p, 48))
    }
    v128.store(y, f32x4.mul(a, k))
    v128.store(y, f32x4.mul(b, k), 16)
    v128.store(y, f32x4.mul(c, k), 32)
    v128.store(y, f32x4.mul(d, k), 48)
  }
  for (; y < end; y += 4, x += 4) {
    let acc = load<f32>(x)
    for (let p = x + stride, n = from - 1; n > 0; n--, p += stride) acc += load<f32>(p)
    store<f32>(y, acc * factor)
  }
}

function meanOfTwo(y: usize, left: usize, right: usize, factor: f32, frames: usize): void {
  const k = f32x4.splat(factor), end = y + (frames << 2)
  for (const last = y + (frames >> 4 << 6); y < last; y += 64, left += 64, right += 64) {
    v128.store(y, f32x4.mul(f32x4.add(v128.load(left), v128.load(right)), k))
    v128.store(y, f32x4.mul(f32x4.add(v128.load(left, 16), v128.load(right, 16)), k), 16)
    v128.store(y, f32x4.mul(f32x4.add(v128.load(left, 32), v128.load(right, 32)), k), 32)
    v128.store(y, f32x4.mul(f32x4.add(v128.load(left, 48), v128.load(right, 48)), k), 48)
  }
  for (; y < end; y += 4, left += 4, right += 4) store<f32>(y, (load<f32>(left) + load<f32>(right)) * factor)
}

// @ts-ignore: decorator
@inline function set(weights: usize, from: u32, to: u32, i: u32, weight: f32): void {
  store<f32>(weights + (<usize>(to * from + i) << 2), weight)
}

/** Web Audio API, section "Up-mixing and down-mixing channel layouts": 1, 2, 4 and 6 channels. False for other pairs. */
function speakers(w: usize, from: u32, to: u32): bool {
  if (to > 6) return false
  const pair = from * 8 + to
  switch (pair) {
    case 8 + 2: case 8 + 4: set(w, 1, 0, 0, 1); set(w, 1, 1, 0, 1); return true
    case 8 + 6: set(w, 1, 2, 0, 1); return true
    case 16 + 4: case 16 + 6: set(w, 2, 0, 0, 1); set(w, 2, 1, 1, 1); return true
    case 32 + 6: set(w, 4, 0, 0, 1); set(w, 4, 1, 1, 1); set(w, 4, 4, 2, 1); set(w, 4, 5, 3, 1); return true
    case 16 + 1: set(w, 2, 0, 0, 0.5); set(w, 2, 0, 1, 0.5); return true
    case 32 + 1: for (let i: u32 = 0; i < 4; i++) set(w, 4, 0, i, 0.25); return true
    case 48 + 1:
      set(w, 6, 0, 0, HALF_POWER); set(w, 6, 0, 1, HALF_POWER); set(w, 6, 0, 2, 1); set(w, 6, 0, 4, 0.5); set(w, 6, 0, 5, 0.5)
      return true
    case 32 + 2: set(w, 4, 0, 0, 0.5); set(w, 4, 0, 2, 0.5); set(w, 4, 1, 1, 0.5); set(w, 4, 1, 3, 0.5); return true
    case 48 + 2:
      set(w, 6, 0, 0, 1); set(w, 6, 0, 2, HALF_POWER); set(w, 6, 0, 4, HALF_POWER)
      set(w, 6, 1, 1, 1); set(w, 6, 1, 2, HALF_POWER); set(w, 6, 1, 5, HALF_POWER)
      return true
    case 48 + 4:
      set(w, 6, 0, 0, 1); set(w, 6, 0, 2, HALF_POWER); set(w, 6, 1, 1, 1); set(w, 6, 1, 2, HALF_POWER); set(w, 6, 2, 4, 1); set(
        w, 6, 3, 5, 1,
      )
      return true
    default: return false
  }
}

function outputsOf(init: usize): u32 { return <u32>param(init, TO) }

function check(init: usize): i32 {
  let status = checkInit(init, 1, 1, PARAMS)
  if (status != STATUS_OK) return status
  if (!isWhole(init, TO, 1, LIMIT_CHANNELS) || !isWhole(init, MODE, 0, 3)) return STATUS_BAD_PARAM
  const mode = <u32>param(init, MODE), from = initInput(init, 0), to = initOutput(init, 0)
  if (mode == MEAN && outputsOf(init) != 1) return STATUS_BAD_PARAM
  status = checkPlanar(from)
  if (status != STATUS_OK) return status
  if (mode == MATRIX_MODE) {
    if (!isWhole(init, MATRIX, 0, 255)) return STATUS_BAD_PARAM
    status = assetF32(init, <u32>param(init, MATRIX), portChannels(from) * outputsOf(init))
    if (status != STATUS_OK) return status
  }
  if (!portConnected(to)) return STATUS_OK
  status = checkPlanar(to)
  if (status != STATUS_OK) return status
  return portChannels(to) == outputsOf(init) && portRate(from) == portRate(to) ? STATUS_OK : STATUS_BAD_MEDIA
}

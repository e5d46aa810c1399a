// Kernel `convert`: sample formats and layouts (audio page section 3, AU-16, AU-19). Twin of
// src/nodes/audio/convert.ts. No state behind the header. @realtime
import {
  DTYPE_ID_F32, DTYPE_ID_I16, DTYPE_ID_I32, DTYPE_ID_U8, LIMIT_CHANNELS, STATUS_BAD_MEDIA, STATUS_BAD_PARAM, STATUS_BAD_STATE,
  STATUS_NO_ROOM, STATUS_OK, STATUS_UNSUPPORTED, begin, channels, checkAudio, checkInit, connected, dtype, foreign, hasRoom, initInput,
  initOutput, input, io_frames, isWhole, markSilent, open, output, outputChannels, outputDtype, outputStride, outputWidth, param,
  portChannels, portConnected, portDtype, portRate, portWidth, produced, scratch, silent, sized, stride, width,
} from '../sdk'
import { convertRun, silenceOf } from './convert/run'
import { deinterleave, interleave } from './convert/layout'

export { millrace_abi, millrace_layout } from '../sdk'

const VERSION: u32 = 1
/** Params in order of declaration; format and layout are read from the ports. */
const FORMAT: u32 = 0, LAYOUT: u32 = 1, DITHER: u32 = 2, RULE: u32 = 3, PARAMS: u32 = 4
/** Working bytes when format and layout change in one step: stays in the first-level cache beside source and destination. */
const TILE_BYTES: u32 = 8192

export function convert_size(init: usize): i32 {
  const status = check(init)
  return status != STATUS_OK ? status : sized(init, 0, TILE_BYTES)
}

export function convert_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  open(state, VERSION)
  return STATUS_OK
}

export function convert_reset(state: usize): i32 { return STATUS_OK }

export function convert_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const frames = io_frames(io)
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  begin(state)
  if (!connected(io, 0) || frames == 0) return produced(io, 0, frames)
  const from = dtype(io, 0), to = outputDtype(io, 0)
  if (silent(io, 0) && from != DTYPE_ID_U8) fillSilence(io, frames, to)
  else {
    markSilent(io, 0, false)
    const planarIn = channels(io, 0), planarOut = outputChannels(io, 0), all = max(planarIn, width(io, 0))
    if (planarIn == planarOut) {
      for (let c: u32 = 0; c < planarIn; c++) convertRun(output(io, 0, c), input(io, 0, c), <usize>frames * width(io, 0), from, to, state)
    } else if (planarIn > planarOut) {
      toInterleaved(state, io, frames, all, from, to)
    } else {
      toPlanar(state, io, frames, all, from, to)
    }
  }
  return produced(io, 0, frames)
}

/** Zeros stay zeros in every format; u8 has them at 128. */
function fillSilence(io: usize, frames: u32, to: u32): void {
  const perChannel = <usize>frames * outputWidth(io, 0) * bytesOf(to)
  for (let c: u32 = 0; c < outputChannels(io, 0); c++) memory.fill(output(io, 0, c), silenceOf(to), perChannel)
  markSilent(io, 0, to != DTYPE_ID_U8, true)
}

/** Planar → interleaved in tiles: the narrower of the two formats is the one that is reordered. */
function toInterleaved(state: usize, io: usize, frames: u32, all: u32, from: u32, to: u32): void {
  const source = input(io, 0, 0), target = output(io, 0, 0), inBytes = bytesOf(from), outBytes = bytesOf(to), tile = scratch(io)
  const step = stride(io, 0), between = min(inBytes, outBytes)
  if (from == to) { interleave(target, source, step, all, frames, inBytes); return }
  const most = tileFrames(all, between)
  for (let done: u32 = 0; done < frames; done += most) {
    const now = min(most, frames - done), x = source + <usize>done * inBytes, y = target + <usize>done * all * outBytes
    if (outBytes <= inBytes) {
      for (let c: u32 = 0; c < all; c++) convertRun(tile + <usize>c * now * outBytes, x + <usize>c * step, now, from, to, state)
      interleave(y, tile, now * outBytes, all, now, outBytes)
    } else {
      interleave(tile, x, step, all, now, inBytes)
      convertRun(y, tile, <usize>now * all, from, to, state)
    }
  }
}

/** Interleaved → planar in tiles. */
function toPlanar(state: usize, io: usize, frames: u32, all: u32, from: u32, to: u32): void {
  const source = input(io, 0, 0), target = output(io, 0, 0), inBytes = bytesOf(from), outBytes = bytesOf(to), tile = scratch(io)
  const step = outputStride(io, 0), between = min(inBytes, outBytes)
  if (from == to) { deinterleave(target, source, step, all, frames, inBytes); return }
  const most = tileFrames(all, between)
  for (let done: u32 = 0; done < frames; done += most) {
    const now = min(most, frames - done), x = source + <usize>done * all * inBytes, y = target + <usize>done * outBytes
    if (outBytes <= inBytes) {
      convertRun(tile, x, <usize>now * all, from, to, state)
      deinterleave(y, tile, step, all, now, outBytes)
    } else {
      deinterleave(tile, x, now * inBytes, all, now, inBytes)
      for (let c: u32 = 0; c < all; c++) convertRun(y + <usize>c * step, tile + <usize>c * now * inBytes, now, from, to, state)
    }
  }
}

// @ts-ignore: decorator
@inline function bytesOf(dtype: u32): u32 { return dtype == DTYPE_ID_U8 ? 1 : dtype == DTYPE_ID_I16 ? 2 : 4 }
/** Frames of a tile: whole vectors, at least 16. */
// @ts-ignore: decorator
@inline function tileFrames(all: u32, bytes: u32): u32 { return max(16, TILE_BYTES / (all * bytes) & ~15) }
// @ts-ignore: decorator
@inline function isSample(dtype: u32): bool {
  return dtype == DTYPE_ID_F32 || dtype == DTYPE_ID_I16 || dtype == DTYPE_ID_I32 || dtype == DTYPE_ID_U8
}

function check(init: usize): i32 {
  let status = checkInit(init, 1, 1, PARAMS)
  if (status != STATUS_OK) return status
  if (!isWhole(init, FORMAT, 0, 3) || !isWhole(init, LAYOUT, 0, 1) || !isWhole(init, DITHER, 0, 4) || !isWhole(init, RULE, 0, 1)) {
    return STATUS_BAD_PARAM
  }
  if (param(init, DITHER) != 0 || param(init, RULE) != 0) return STATUS_UNSUPPORTED
  const from = initInput(init, 0), to = initOutput(init, 0)
  status = checkAudio(from)
  if (status != STATUS_OK || !portConnected(to)) return status
  status = checkAudio(to)
  if (status != STATUS_OK) return status
  const all = portChannels(from) * portWidth(from)
  if (!isSample(portDtype(from)) || !isSample(portDtype(to)) || portRate(from) != portRate(to)) return STATUS_BAD_MEDIA
  return all == portChannels(to) * portWidth(to) && all <= LIMIT_CHANNELS ? STATUS_OK : STATUS_BAD_MEDIA
}

// Reading the Init block in K_size and K_init (spec kernels.md section 2), and refusing what a kernel cannot take
// (KE-10): every check gives a status, none traps.
import {
  ABI_VERSION, ASSET_ADDRESS, ASSET_BYTES, ASSET_BYTES_U32, ASSET_COUNT, ASSET_DTYPE, DTYPE_ID_BOOL, DTYPE_ID_EVENT, DTYPE_ID_F32,
  INIT_ASSETS, INIT_ASSET_COUNT, INIT_INPUTS, INIT_MAX_FRAMES, INIT_OUTPUTS, INIT_PARAMS, INIT_PARAM_COUNT, INIT_PORTS, INIT_RATE_F64,
  INIT_SCRATCH_BYTES, INIT_SEED_U64, INIT_SHARED_BYTES, INIT_VERSION, INIT_BYTES, LIMIT_CHANNELS, MEDIA_ID_AUDIO, MEDIA_ID_EVENTS,
  PORT_BYTES, PORT_CHANNELS, PORT_DTYPE_U8, PORT_FLAGS_U16, PORT_FLAG_CONNECTED, PORT_FPS_F64, PORT_MEDIA_U8, PORT_WIDTH, STATUS_BAD_DATA,
  STATUS_BAD_MEDIA, STATUS_BAD_PARAM, STATUS_OK, STATUS_UNSUPPORTED,
} from './generated'

/** Least rate that nodes of the audio page process, Hz (AU-11). */
// @ts-ignore: decorator
@inline export const LEAST_RATE: f64 = 100
/** Highest rate that is carried, Hz. */
// @ts-ignore: decorator
@inline export const HIGHEST_RATE: f64 = 768000
/** Most frames of a call that kernels take: byte offsets of one channel stay within 32 bits. */
// @ts-ignore: decorator
@inline export const MOST_FRAMES: u32 = 1 << 28

/** Rate of the first stream port, Hz; 0: none. */
// @ts-ignore: decorator
@inline export function rate(init: usize): f64 { return load<f64>(init, INIT_RATE_F64) }
/** Most frames that any call will have. */
// @ts-ignore: decorator
@inline export function maxFrames(init: usize): u32 { return load<u32>(init, INIT_MAX_FRAMES) }
/** Run seed mixed with the node's hash (AU-09): key of {@link philox}. */
// @ts-ignore: decorator
@inline export function seed(init: usize): u64 { return load<u64>(init, INIT_SEED_U64) }
/** Value of param `i` in order of declaration; NaN when absent. */
// @ts-ignore: decorator
@inline export function param(init: usize, i: u32): f64 {
  return i < load<u32>(init, INIT_PARAM_COUNT) ? load<f64>(<usize>load<u32>(init, INIT_PARAMS) + (<usize>i << 3)) : NaN
}
/** Number of params that Init carries. */
// @ts-ignore: decorator
@inline export function paramCount(init: usize): u32 { return load<u32>(init, INIT_PARAM_COUNT) }
/** Number of inputs, number of outputs. */
// @ts-ignore: decorator
@inline export function inputs(init: usize): u32 { return load<u32>(init, INIT_INPUTS) }
// @ts-ignore: decorator
@inline export function outputs(init: usize): u32 { return load<u32>(init, INIT_OUTPUTS) }
/** Address of the record of input `i` as Init gives it. */
// @ts-ignore: decorator
@inline export function initInput(init: usize, i: u32): usize { return <usize>load<u32>(init, INIT_PORTS) + <usize>i * PORT_BYTES }
/** Address of the record of output `i` as Init gives it. */
// @ts-ignore: decorator
@inline export function initOutput(init: usize, i: u32): usize { return initInput(init, inputs(init) + i) }
// @ts-ignore: decorator
@inline export function portChannels(port: usize): u32 { return load<u32>(port, PORT_CHANNELS) }
// @ts-ignore: decorator
@inline export function portWidth(port: usize): u32 { return load<u32>(port, PORT_WIDTH) }
// @ts-ignore: decorator
@inline export function portDtype(port: usize): u32 { return load<u8>(port, PORT_DTYPE_U8) }
// @ts-ignore: decorator
@inline export function portMedia(port: usize): u32 { return load<u8>(port, PORT_MEDIA_U8) }
// @ts-ignore: decorator
@inline export function portRate(port: usize): f64 { return load<f64>(port, PORT_FPS_F64) }
// @ts-ignore: decorator
@inline export function portConnected(port: usize): bool { return (load<u16>(port, PORT_FLAGS_U16) & PORT_FLAG_CONNECTED) != 0 }

/** True when `bytes` bytes from `address` lie in the memory and above the null page. */
export function inMemory(address: usize, bytes: u64): bool {
  return address > 0 && <u64>address + bytes <= <u64>memory.size() << 16
}

/** The fields that every kernel checks: version, counts, that the tables lie in memory. 0 or a status. */
export function checkInit(init: usize, inputCount: u32, outputCount: u32, params: u32): i32 {
  if (!inMemory(init, INIT_BYTES) || load<u32>(init, INIT_VERSION) != ABI_VERSION) return STATUS_UNSUPPORTED
  if (maxFrames(init) == 0 || maxFrames(init) > MOST_FRAMES) return STATUS_BAD_PARAM
  if (inputs(init) != inputCount || outputs(init) != outputCount) return STATUS_BAD_MEDIA
  if (!inMemory(load<u32>(init, INIT_PORTS), (<u64>inputCount + outputCount) * PORT_BYTES)) return STATUS_BAD_MEDIA
  if (paramCount(init) != params) return STATUS_BAD_PARAM
  if (params > 0 && !inMemory(load<u32>(init, INIT_PARAMS), <u64>params << 3)) return STATUS_BAD_PARAM
  return STATUS_OK
}

/** A connected port that carries audio at a rate that is carried, 1–64 channels in all, of any dtype and layout. 0 or a status. */
export function checkAudio(port: usize): i32 {
  if (!portConnected(port) || portMedia(port) != MEDIA_ID_AUDIO) return STATUS_BAD_MEDIA
  const channels = portChannels(port), width = portWidth(port)
  if (channels == 0 || width == 0 || channels > LIMIT_CHANNELS || width > LIMIT_CHANNELS || (channels > 1 && width > 1)) {
    return STATUS_BAD_MEDIA
  }
  const hertz = portRate(port)
  if (!(hertz >= 1 && hertz <= HIGHEST_RATE)) return STATUS_BAD_MEDIA
  return hertz < LEAST_RATE ? STATUS_UNSUPPORTED : STATUS_OK
}

/** As {@link checkAudio}, and planar f32: what flows between kernels of a segment (AU-01). */
export function checkPlanar(port: usize): i32 {
  const status = checkAudio(port)
  if (status != STATUS_OK) return status
  return portDtype(port) == DTYPE_ID_F32 && portWidth(port) == 1 ? STATUS_OK : STATUS_BAD_MEDIA
}

/** One planar audio input and, when connected, one output like it, with `params` params: what most kernels take. 0 or a status. */
export function checkSame(init: usize, params: u32): i32 {
  let status = checkInit(init, 1, 1, params)
  if (status != STATUS_OK) return status
  const from = initInput(init, 0), to = initOutput(init, 0)
  status = checkPlanar(from)
  if (status != STATUS_OK || !portConnected(to)) return status
  status = checkPlanar(to)
  if (status != STATUS_OK) return status
  return portChannels(from) == portChannels(to) && portRate(from) == portRate(to) ? STATUS_OK : STATUS_BAD_MEDIA
}

/** A port that carries event records, if it is connected. 0 or a status. */
export function checkEvents(port: usize): i32 {
  if (!portConnected(port)) return STATUS_OK
  return portMedia(port) == MEDIA_ID_EVENTS && portDtype(port) == DTYPE_ID_EVENT && portChannels(port) == 1 && portWidth(port) == 8
    ? STATUS_OK
    : STATUS_BAD_MEDIA
}

/** A port that carries one bool per frame, if it is connected. 0 or a status. */
export function checkFlags(port: usize): i32 {
  if (!portConnected(port)) return STATUS_OK
  return portDtype(port) == DTYPE_ID_BOOL && portChannels(port) == 1 && portWidth(port) == 1 ? STATUS_OK : STATUS_BAD_MEDIA
}

/** True when param `i` is a number from `low` to `high`, both included. */
// @ts-ignore: decorator
@inline export function inRange(init: usize, i: u32, low: f64, high: f64): bool {
  const value = param(init, i)
  return value >= low && value <= high
}
/** As {@link inRange}, as a status. */
// @ts-ignore: decorator
@inline export function checkRange(init: usize, i: u32, low: f64, high: f64): i32 {
  return inRange(init, i, low, high) ? STATUS_OK : STATUS_BAD_PARAM
}
/** As {@link inRange}, and whole: an integer, a boolean, the index of an enum's value. */
// @ts-ignore: decorator
@inline export function isWhole(init: usize, i: u32, low: f64, high: f64): bool {
  return inRange(init, i, low, high) && Math.floor(param(init, i)) == param(init, i)
}

/** Checks f32 asset `i` : 0 when it has exactly `count` of them in memory, else a status. */
export function assetF32(init: usize, i: u32, count: u32): i32 {
  if (i >= load<u32>(init, INIT_ASSET_COUNT) || !inMemory(load<u32>(init, INIT_ASSETS), (<u64>i + 1) * ASSET_BYTES)) return STATUS_BAD_DATA
  const entry = <usize>load<u32>(init, INIT_ASSETS) + <usize>i * ASSET_BYTES, address = load<u32>(entry, ASSET_ADDRESS)
  if (load<u32>(entry, ASSET_DTYPE) != DTYPE_ID_F32 || load<u32>(entry, ASSET_COUNT) != count
    || load<u32>(entry, ASSET_BYTES_U32) != count << 2) {
    return STATUS_BAD_DATA
  }
  return inMemory(address, <u64>count << 2) ? STATUS_OK : STATUS_BAD_DATA
}
/** Address of asset `i`, once its check has passed. */
// @ts-ignore: decorator
@inline export function asset(init: usize, i: u32): usize {
  return load<u32>(<usize>load<u32>(init, INIT_ASSETS) + <usize>i * ASSET_BYTES, ASSET_ADDRESS)
}

/** What K_size returns: bytes of state behind the header, and how much scratch a call needs. */
export function sized(init: usize, stateBytes: u32, scratchBytes: u32 = 0): i32 {
  store<u32>(init, scratchBytes, INIT_SCRATCH_BYTES)
  store<u32>(init, 0, INIT_SHARED_BYTES)
  return stateBytes + 32
}

// Kernel `vad` (AU-45, AU-51): energy per frame on the absolute grid, one bool per frame, one event per maximal run of speech frames. Twin
// of src/nodes/voice/vad.ts. Outputs: audio (written only with `filter`), segments, frames. @realtime
import {
  EVENT_BYTES, EVENT_CHANNEL_U16, EVENT_ID, EVENT_KIND_U16, EVENT_POSITION_U64, EVENT_VALUES_F32, PORT_DATA, STATUS_BAD_MEDIA,
  STATUS_BAD_PARAM, STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, begin, checkEvents, checkFlags, checkInit, checkPlanar, connected, foreign,
  hasRoom, initInput, initOutput, inRange, input, io_frames, io_position, isWhole, markSilent, open, output, outputPort, own, param,
  portChannels, portConnected, portRate, produced, silent, sized, stride,
} from '../../sdk'
import { FRAME_BYTES, FRAME_COUNT, FRAME_PEAK, addEnergy, addSilence, clearFrame, energyOf } from './energy'

const VERSION: u32 = 1
const FRAME_MS: u32 = 0, THRESHOLD: u32 = 1, FILTER: u32 = 2, PARAMS: u32 = 3
const AUDIO: u32 = 0, SEGMENTS: u32 = 1, FRAMES: u32 = 2
const KIND_SEGMENT: u16 = 3
/** Longest run that one event can tell: its length is a u32. */
const LONGEST: u64 = 0xfffffffe

// State behind the header: what Init fixed, then what reset clears, then held samples per channel (with filter).
const LIMIT: usize = 0, LENGTH: usize = 8, CHANNELS: usize = 12, FACTOR: usize = 16, FILTERED: usize = 20
const NEXT: usize = 24, FRAME: usize = 32, RUN_FROM: usize = 72, RUN_ENERGY: usize = 80, RUN_PEAK: usize = 88
const STARTED: usize = 92, IN_RUN: usize = 96, SKIP: usize = 100
const HELD: usize = 112

/** VAD frame in samples: ⌊rate · ms ÷ 1000⌋. */
function frameLength(init: usize): u32 { return <u32>Math.floor(portRate(initInput(init, 0)) * param(init, FRAME_MS) / 1000) }

export function vad_size(init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  return sized(init, <u32>HELD + (param(init, FILTER) != 0 ? frameLength(init) * portChannels(initInput(init, 0)) << 2 : 0))
}

export function vad_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  const at = open(state, VERSION), length = frameLength(init), threshold = param(init, THRESHOLD)
  const channels = portChannels(initInput(init, 0))
  store<f64>(at, <f64>length * (threshold * threshold), LIMIT)
  store<u32>(at, length, LENGTH)
  store<u32>(at, channels, CHANNELS)
  store<f32>(at, <f32>(1.0 / <f64>channels), FACTOR)
  store<u32>(at, <u32>param(init, FILTER), FILTERED)
  return vad_reset(state)
}

export function vad_reset(state: usize): i32 {
  memory.fill(own(state) + NEXT, 0, HELD - NEXT)
  return STATUS_OK
}

export function vad_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const at = own(state), samples = io_frames(io), length = load<u32>(at, LENGTH)
  if (load<u32>(at, STARTED) == 0 && samples > 0) start(at, io_position(io), length)
  const skipped = min(samples, load<u32>(at, SKIP)), most = (load<u32>(at + FRAME, FRAME_COUNT) + (samples - skipped)) / length
  const filter = load<u32>(at, FILTERED) != 0
  if (!hasRoom(io, SEGMENTS, (most + 1) / 2 + 1) && most > 0 || !hasRoom(io, FRAMES, most)
    || filter && !hasRoom(io, AUDIO, most * length)) {
    return STATUS_NO_ROOM
  }
  begin(state)
  store<u32>(at, load<u32>(at, SKIP) - skipped, SKIP)
  store<u64>(at, load<u64>(at, NEXT) + skipped, NEXT)
  const quiet = silent(io, 0)
  let events: u32 = 0, frames: u32 = 0, speech: u32 = 0
  for (let done = skipped; done < samples;) {
    const before = load<u32>(at + FRAME, FRAME_COUNT), now = min(samples - done, length - before), x = input(io, 0, 0) + (<usize>done << 2)
    if (quiet) addSilence(at + FRAME, now)
    else addEnergy(at + FRAME, x, stride(io, 0), load<u32>(at, CHANNELS), load<f32>(at, FACTOR), now)
    store<u64>(at, load<u64>(at, NEXT) + now, NEXT)
    if (before + now == length) {
      const voiced = energyOf(at + FRAME) > load<f64>(at, LIMIT)
      events = decide(at, io, voiced, events, length)
      if (connected(io, FRAMES)) store<u8>(<usize>load<u32>(outputPort(io, FRAMES), PORT_DATA) + frames, voiced ? 1 : 0)
      frames++
      if (filter && voiced) { emitFrame(at, io, speech * length, before, done, now); speech++ }
      clearFrame(at + FRAME)
    } else if (filter) hold(at, io, before, done, now)
    done += now
  }
  produced(io, SEGMENTS, events)
  produced(io, FRAMES, frames)
  if (!filter) return produced(io, AUDIO, samples)
  markSilent(io, AUDIO, false)
  return produced(io, AUDIO, speech * length)
}

/** Closes the open run; the samples of a partial last frame are ignored. */
export function vad_flush(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const at = own(state)
  let events: u32 = 0
  if (load<u32>(at, IN_RUN) != 0) {
    if (!hasRoom(io, SEGMENTS, 1)) return STATUS_NO_ROOM
    begin(state)
    events = emitRun(at, io, load<u64>(at, NEXT) - load<u32>(at + FRAME, FRAME_COUNT), 0)
    store<u32>(at, 0, IN_RUN)
  } else begin(state)
  produced(io, SEGMENTS, events)
  produced(io, FRAMES, 0)
  return produced(io, AUDIO, 0)
}

/** First samples after init or reset: those before the next frame of the absolute grid belong to no whole frame. */
function start(at: usize, position: u64, length: u32): void {
  const into = <u32>(position % <u64>length)
  store<u32>(at, 1, STARTED)
  store<u64>(at, position, NEXT)
  store<u32>(at, into == 0 ? 0 : length - into, SKIP)
}

/** A frame is whole: continue, open or close the run. Returns how many events stand on the output. */
function decide(at: usize, io: usize, voiced: bool, events: u32, length: u32): u32 {
  const to = load<u64>(at, NEXT), from = to - length
  if (!voiced) {
    if (load<u32>(at, IN_RUN) == 0) return events
    store<u32>(at, 0, IN_RUN)
    return emitRun(at, io, from, events)
  }
  if (load<u32>(at, IN_RUN) != 0 && to - load<u64>(at, RUN_FROM) > LONGEST) {
    events = emitRun(at, io, from, events)
    store<u32>(at, 0, IN_RUN)
  }
  if (load<u32>(at, IN_RUN) == 0) {
    store<u32>(at, 1, IN_RUN)
    store<u64>(at, from, RUN_FROM)
    store<f64>(at, 0, RUN_ENERGY)
    store<f32>(at, 0, RUN_PEAK)
  }
  store<f64>(at, load<f64>(at, RUN_ENERGY) + energyOf(at + FRAME), RUN_ENERGY)
  store<f32>(at, max<f32>(load<f32>(at, RUN_PEAK), load<f32>(at + FRAME, FRAME_PEAK)), RUN_PEAK)
  return events
}

/** Event of AU-50: position = from, kind 3, id = length in samples, values probability, rms, peak, energy. */
function emitRun(at: usize, io: usize, to: u64, events: u32): u32 {
  if (connected(io, SEGMENTS)) {
    const from = load<u64>(at, RUN_FROM), energy = load<f64>(at, RUN_ENERGY)
    const y = <usize>load<u32>(outputPort(io, SEGMENTS), PORT_DATA) + <usize>events * EVENT_BYTES
    store<u64>(y, from, EVENT_POSITION_U64)
    store<u16>(y, KIND_SEGMENT, EVENT_KIND_U16)
    store<u16>(y, 0, EVENT_CHANNEL_U16)
    store<u32>(y, <u32>(to - from), EVENT_ID)
    store<f32>(y, 1, EVENT_VALUES_F32)
    store<f32>(y, <f32>Math.sqrt(energy / <f64>(to - from)), EVENT_VALUES_F32 + 4)
    store<f32>(y, load<f32>(at, RUN_PEAK), EVENT_VALUES_F32 + 8)
    store<f32>(y, <f32>energy, EVENT_VALUES_F32 + 12)
  }
  return events + 1
}

// @ts-ignore: decorator
@inline function held(at: usize, c: u32): usize { return at + HELD + (<usize>c * load<u32>(at, LENGTH) << 2) }

/** With `filter`: samples of an undecided frame wait in the state. */
function hold(at: usize, io: usize, before: u32, done: u32, now: u32): void {
  for (let c: u32 = 0; c < load<u32>(at, CHANNELS); c++) {
    memory.copy(held(at, c) + (<usize>before << 2), input(io, 0, c) + (<usize>done << 2), <usize>now << 2)
  }
}
function emitFrame(at: usize, io: usize, position: u32, before: u32, done: u32, now: u32): void {
  if (!connected(io, AUDIO)) return
  for (let c: u32 = 0; c < load<u32>(at, CHANNELS); c++) {
    const y = output(io, AUDIO, c) + (<usize>position << 2)
    memory.copy(y, held(at, c), <usize>before << 2)
    memory.copy(y + (<usize>before << 2), input(io, 0, c) + (<usize>done << 2), <usize>now << 2)
  }
}

function check(init: usize): i32 {
  let status = checkInit(init, 1, 3, PARAMS)
  if (status != STATUS_OK) return status
  const ms = param(init, FRAME_MS)
  if (!(ms == 10 || ms == 20 || ms == 30) || !inRange(init, THRESHOLD, 0, 1) || !isWhole(init, FILTER, 0, 1)) return STATUS_BAD_PARAM
  const from = initInput(init, 0), audio = initOutput(init, AUDIO)
  status = checkPlanar(from)
  if (status == STATUS_OK) status = checkEvents(initOutput(init, SEGMENTS))
  if (status == STATUS_OK) status = checkFlags(initOutput(init, FRAMES))
  if (status != STATUS_OK || param(init, FILTER) == 0 || !portConnected(audio)) return status
  status = checkPlanar(audio)
  return status == STATUS_OK && portChannels(audio) != portChannels(from) ? STATUS_BAD_MEDIA : status
}

// Kernel `merge` (AU-55): the channels of all inputs, in input order, as one stream. Twin of src/nodes/audio/merge.ts. @realtime
import {
  LIMIT_CHANNELS, STATUS_BAD_MEDIA, STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, begin, channels, checkInit, checkPlanar, connected,
  foreign, hasRoom, initInput, initOutput, input, inputs, io_frames, io_inputs, markSilent, open, output, portChannels, portConnected,
  portRate, produced, readable, silent, sized,
} from '../../sdk'

const VERSION: u32 = 1

export function merge_size(init: usize): i32 {
  const status = check(init)
  return status != STATUS_OK ? status : sized(init, 16)
}

export function merge_init(state: usize, init: usize): i32 {
  const status = check(init)
  if (status != STATUS_OK) return status
  store<u32>(open(state, VERSION), inputs(init))
  return STATUS_OK
}

export function merge_reset(state: usize): i32 { return STATUS_OK }

export function merge_process(state: usize, io: usize): i32 {
  const frames = io_frames(io)
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  if (load<u32>(begin(state)) != io_inputs(io)) return STATUS_BAD_STATE
  if (!connected(io, 0) || frames == 0) return produced(io, 0, frames)
  const bytes = <usize>frames << 2
  let to: u32 = 0, zero = true
  for (let i: u32 = 0; i < io_inputs(io); i++) {
    const quiet = silent(io, i), has = quiet ? <usize>0 : <usize>min(readable(io, i), frames) << 2
    zero = zero && quiet
    for (let c: u32 = 0; c < channels(io, i); c++, to++) {
      const y = output(io, 0, to)
      if (has > 0) memory.copy(y, input(io, i, c), has)
      if (has < bytes) memory.fill(y + has, 0, bytes - has)
    }
  }
  markSilent(io, 0, zero, true)
  return produced(io, 0, frames)
}

function check(init: usize): i32 {
  const count = inputs(init)
  if (count == 0 || count > LIMIT_CHANNELS) return STATUS_BAD_MEDIA
  let status = checkInit(init, count, 1, 0), all: u32 = 0
  if (status != STATUS_OK) return status
  for (let i: u32 = 0; i < count; i++) {
    const from = initInput(init, i)
    status = checkPlanar(from)
    if (status != STATUS_OK) return status
    if (portRate(from) != portRate(initInput(init, 0))) return STATUS_BAD_MEDIA
    all += portChannels(from)
  }
  if (all > LIMIT_CHANNELS) return STATUS_BAD_MEDIA
  const to = initOutput(init, 0)
  if (!portConnected(to)) return STATUS_OK
  status = checkPlanar(to)
  if (status != STATUS_OK) return status
  return portChannels(to) == all && portRate(to) == portRate(initInput(init, 0)) ? STATUS_OK : STATUS_BAD_MEDIA
}

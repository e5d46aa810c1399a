// The Io block of one call: frames, ports, scratch (spec kernels.md section 2). All inlined; none allocates,
// traps on valid blocks, or calls out. @realtime
import {
  IO_FLAGS, IO_FLAG_DISCONTINUITY, IO_FLAG_LAST, IO_FRAMES, IO_INPUTS, IO_OUTPUTS, IO_PORTS, IO_POSITION_U64, IO_SCRATCH, IO_SHARED,
  IO_CANCEL, IO_BEAT, PORT_BYTES, PORT_CHANNELS, PORT_DATA, PORT_DONE, PORT_DTYPE_U8, PORT_FLAGS_U16, PORT_FLAG_CONNECTED,
  PORT_FLAG_CONSTANT, PORT_FLAG_ENDED, PORT_FLAG_SETTLED, PORT_FLAG_SILENT, PORT_FRAMES, PORT_STRIDE, PORT_WIDTH,
} from './generated'

/** Input frames of this call; without stream inputs: frames wanted. */
// @ts-ignore: decorator
@inline export function io_frames(io: usize): u32 { return load<u32>(io, IO_FRAMES) }
/** Absolute index of the first frame, at the rate of input 0. */
// @ts-ignore: decorator
@inline export function io_position(io: usize): u64 { return load<u64>(io, IO_POSITION_U64) }
/** True when the driver knows that no frame follows; a hint that no output bit may depend on. */
// @ts-ignore: decorator
@inline export function io_last(io: usize): bool { return (load<u32>(io, IO_FLAGS) & IO_FLAG_LAST) != 0 }
/** True when the position jumped and the state was reset. */
// @ts-ignore: decorator
@inline export function io_discontinuity(io: usize): bool { return (load<u32>(io, IO_FLAGS) & IO_FLAG_DISCONTINUITY) != 0 }
/** Number of inputs of the call. */
// @ts-ignore: decorator
@inline export function io_inputs(io: usize): u32 { return load<u32>(io, IO_INPUTS) }
/** Number of outputs of the call. */
// @ts-ignore: decorator
@inline export function io_outputs(io: usize): u32 { return load<u32>(io, IO_OUTPUTS) }
/** Working bytes, valid during this call only; as many as K_size asked for. */
// @ts-ignore: decorator
@inline export function scratch(io: usize): usize { return load<u32>(io, IO_SCRATCH) }
/** Read-only tables that K_shared wrote; 0: none. */
// @ts-ignore: decorator
@inline export function shared(io: usize): usize { return load<u32>(io, IO_SHARED) }
/** True when the run wants to stop: poll it in work longer than 10 ms, and beat. */
// @ts-ignore: decorator
@inline export function cancelled(io: usize): bool {
  const word = load<u32>(io, IO_CANCEL)
  return word != 0 && atomic.load<u32>(word) != 0
}
/** Tells the supervisor that a long call is alive. */
// @ts-ignore: decorator
@inline export function beat(io: usize): void { const word = load<u32>(io, IO_BEAT); if (word != 0) atomic.add<u32>(word, 1) }

/** Address of the record of input `i`. */
// @ts-ignore: decorator
@inline export function inputPort(io: usize, i: u32): usize { return <usize>load<u32>(io, IO_PORTS) + <usize>i * PORT_BYTES }
/** Address of the record of output `i`. */
// @ts-ignore: decorator
@inline export function outputPort(io: usize, i: u32): usize { return inputPort(io, io_inputs(io) + i) }
/** Address of the first readable sample of channel `c` of input `i`: aligned to its element only. */
// @ts-ignore: decorator
@inline export function input(io: usize, i: u32, c: u32): usize {
  const port = inputPort(io, i)
  return <usize>load<u32>(port, PORT_DATA) + <usize>c * load<u32>(port, PORT_STRIDE)
}
/** Address of the first free sample of channel `c` of output `i`: aligned to its element only. */
// @ts-ignore: decorator
@inline export function output(io: usize, i: u32, c: u32): usize {
  const port = outputPort(io, i)
  return <usize>load<u32>(port, PORT_DATA) + <usize>c * load<u32>(port, PORT_STRIDE)
}
/** Channels of input `i`. */
// @ts-ignore: decorator
@inline export function channels(io: usize, i: u32): u32 { return load<u32>(inputPort(io, i), PORT_CHANNELS) }
/** Channels of output `i`. */
// @ts-ignore: decorator
@inline export function outputChannels(io: usize, i: u32): u32 { return load<u32>(outputPort(io, i), PORT_CHANNELS) }
/** Elements per frame and channel of input `i`. */
// @ts-ignore: decorator
@inline export function width(io: usize, i: u32): u32 { return load<u32>(inputPort(io, i), PORT_WIDTH) }
/** Bytes from one channel to the next of input `i`. */
// @ts-ignore: decorator
@inline export function stride(io: usize, i: u32): u32 { return load<u32>(inputPort(io, i), PORT_STRIDE) }
/** Elements per frame and channel of output `i`. */
// @ts-ignore: decorator
@inline export function outputWidth(io: usize, i: u32): u32 { return load<u32>(outputPort(io, i), PORT_WIDTH) }
/** Bytes from one channel to the next of output `i`. */
// @ts-ignore: decorator
@inline export function outputStride(io: usize, i: u32): u32 { return load<u32>(outputPort(io, i), PORT_STRIDE) }
/** Element type of output `i`. */
// @ts-ignore: decorator
@inline export function outputDtype(io: usize, i: u32): u32 { return load<u8>(outputPort(io, i), PORT_DTYPE_U8) }
/** Element type of input `i`. */
// @ts-ignore: decorator
@inline export function dtype(io: usize, i: u32): u32 { return load<u8>(inputPort(io, i), PORT_DTYPE_U8) }
/** Flags of input `i`. */
// @ts-ignore: decorator
@inline export function flags(io: usize, i: u32): u32 { return load<u16>(inputPort(io, i), PORT_FLAGS_U16) }
/** True when nothing but zeros can be read from input `i` in this call: flagged silent, ended, or not connected. */
// @ts-ignore: decorator
@inline export function silent(io: usize, i: u32): bool {
  const all = flags(io, i)
  return (all & PORT_FLAG_CONNECTED) == 0 || (all & PORT_FLAG_SILENT) != 0 || readable(io, i) == 0
}
/** True when no frame follows on input `i`: it counts as silence of any length. */
// @ts-ignore: decorator
@inline export function ended(io: usize, i: u32): bool { return (flags(io, i) & PORT_FLAG_ENDED) != 0 }
/** Frames readable on input `i`; fewer than `io_frames` only when it has ended. */
// @ts-ignore: decorator
@inline export function readable(io: usize, i: u32): u32 { return load<u32>(inputPort(io, i), PORT_FRAMES) }
/** True when something reads output `i`; else it has no data and nothing may be written. */
// @ts-ignore: decorator
@inline export function connected(io: usize, i: u32): bool {
  return (load<u16>(outputPort(io, i), PORT_FLAGS_U16) & PORT_FLAG_CONNECTED) != 0
}
/** True when output `i` can take `n` frames (an unconnected one takes any number). */
// @ts-ignore: decorator
@inline export function hasRoom(io: usize, i: u32, n: u32): bool {
  return !connected(io, i) || load<u32>(outputPort(io, i), PORT_FRAMES) >= n
}
/** Notes that output `i` got `n` frames; returns `n`, which K_process returns for output 0. */
// @ts-ignore: decorator
@inline export function produced(io: usize, i: u32, n: u32): i32 { store<u32>(outputPort(io, i), n, PORT_DONE); return <i32>n }
/**
 * Sets or clears the flags that say that the frames just written to output `i` are all zero. `settled`: n frames of silence on every input
 * would give n frames of silence and change nothing in the state, whatever the controls do; the engine then leaves such calls out (KE-07).
 */
// @ts-ignore: decorator
@inline export function markSilent(io: usize, i: u32, zero: bool, settled: bool = false): void {
  const port = outputPort(io, i), kept = load<u16>(port, PORT_FLAGS_U16) & ~<u16>(PORT_FLAG_SILENT | PORT_FLAG_CONSTANT | PORT_FLAG_SETTLED)
  store<u16>(port, zero ? kept | <u16>(settled ? PORT_FLAG_SILENT | PORT_FLAG_SETTLED : PORT_FLAG_SILENT) : kept, PORT_FLAGS_U16)
}

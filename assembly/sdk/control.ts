// Control records: params that change while the kernel runs (AU-03, KE-15). A ramp is a pure function of absolute time, so
// any chunking sees the same bits. @realtime
import {
  CONTROL_BEGIN_I32, CONTROL_BYTES, CONTROL_DRIVEN, CONTROL_FROM_F32, CONTROL_LENGTH, CONTROL_STREAM, CONTROL_TO_F32, IO_CONTROLS,
} from './generated'

/** Address of control record `i`; there are some ({@link hasControls}). */
// @ts-ignore: decorator
@inline export function controlRecord(io: usize, i: u32): usize { return <usize>load<u32>(io, IO_CONTROLS) + <usize>i * CONTROL_BYTES }

/** False when the driver gave no control records: a kernel then goes by its Init params. */
// @ts-ignore: decorator
@inline export function hasControls(io: usize): bool { return load<u32>(io, IO_CONTROLS) != 0 }

/** True once an edge has given values of control `i`: they are in the param's own unit. */
// @ts-ignore: decorator
@inline export function driven(io: usize, i: u32): bool { return load<u32>(controlRecord(io, i), CONTROL_DRIVEN) != 0 }

/** Value of control `i` at frame `frame` of this call. */
// @ts-ignore: decorator
@inline export function control(io: usize, i: u32, frame: u32): f32 {
  const at = controlRecord(io, i)
  return load<u32>(at, CONTROL_STREAM) == 0 && load<u32>(at, CONTROL_LENGTH) == 0 ? load<f32>(at, CONTROL_TO_F32) : moving(at, frame)
}
function moving(at: usize, frame: u32): f32 {
  const stream = <usize>load<u32>(at, CONTROL_STREAM)
  if (stream != 0) return load<f32>(stream + (<usize>frame << 2))
  const length = load<u32>(at, CONTROL_LENGTH), from = load<f32>(at, CONTROL_FROM_F32), to = load<f32>(at, CONTROL_TO_F32)
  const t = <i64>frame - <i64>load<i32>(at, CONTROL_BEGIN_I32)
  if (t >= <i64>length) return to
  if (t <= 0) return from
  return <f32>(<f64>from + (<f64>to - <f64>from) * (<f64>t / <f64>length))
}

/** True when control `i` has one value over frames `first` to `last`, both included: then {@link control} at `first` is it. */
// @ts-ignore: decorator
@inline export function steady(io: usize, i: u32, first: u32, last: u32): bool {
  const at = controlRecord(io, i)
  return load<u32>(at, CONTROL_STREAM) == 0 && (load<u32>(at, CONTROL_LENGTH) == 0 || stands(at, first, last))
}
function stands(at: usize, first: u32, last: u32): bool {
  const length = load<u32>(at, CONTROL_LENGTH), begin = <i64>load<i32>(at, CONTROL_BEGIN_I32)
  return <i64>first - begin >= <i64>length || <i64>last - begin <= 0 || load<u32>(at, CONTROL_FROM_F32) == load<u32>(at, CONTROL_TO_F32)
}

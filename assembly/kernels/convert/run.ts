// A run of samples from one format to another: the table of section 3 of the audio page as a choice of loops.
import { DTYPE_ID_F32, DTYPE_ID_I16, DTYPE_ID_I32, DTYPE_ID_U8 } from '../../sdk/generated'
import { floatToI16, floatToI32, floatToU8 } from './from-float'
import { i16ToI32, i16ToU8, i32ToI16, i32ToU8, u8ToI16, u8ToI32 } from './integers'
import { i16ToFloat, i32ToFloat, u8ToFloat } from './to-float'

/** Converts `n` contiguous samples; `state` counts those that were clipped or not finite. */
export function convertRun(y: usize, x: usize, n: usize, from: u32, to: u32, state: usize): void {
  if (from == DTYPE_ID_F32) {
    if (to == DTYPE_ID_I16) floatToI16(y, x, n, state)
    else if (to == DTYPE_ID_I32) floatToI32(y, x, n, state)
    else if (to == DTYPE_ID_U8) floatToU8(y, x, n, state)
    else memory.copy(y, x, n << 2)
  } else if (from == DTYPE_ID_I16) {
    if (to == DTYPE_ID_F32) i16ToFloat(y, x, n)
    else if (to == DTYPE_ID_I32) i16ToI32(y, x, n)
    else if (to == DTYPE_ID_U8) i16ToU8(y, x, n)
    else memory.copy(y, x, n << 1)
  } else if (from == DTYPE_ID_I32) {
    if (to == DTYPE_ID_F32) i32ToFloat(y, x, n)
    else if (to == DTYPE_ID_I16) i32ToI16(y, x, n)
    else if (to == DTYPE_ID_U8) i32ToU8(y, x, n)
    else memory.copy(y, x, n << 2)
  } else {
    if (to == DTYPE_ID_F32) u8ToFloat(y, x, n)
    else if (to == DTYPE_ID_I16) u8ToI16(y, x, n)
    else if (to == DTYPE_ID_I32) u8ToI32(y, x, n)
    else memory.copy(y, x, n)
  }
}

/** Byte that fills silence in a format. */
// @ts-ignore: decorator
@inline export function silenceOf(dtype: u32): u8 { return dtype == DTYPE_ID_U8 ? 0x80 : 0 }

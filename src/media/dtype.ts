/** dtype numbers as they stand in ports, blocks and packets (spec memory-and-workers.md, MW-25). */
export const DTYPE_ID = { f32: 1, f16: 2, bf16: 3, i32: 4, i64: 5, i16: 6, i8: 7, u8: 8, bool: 9, f64: 10, event: 11 } as const
/** Bytes of one element. */
export const DTYPE_BYTES = { f32: 4, f16: 2, bf16: 2, i32: 4, i64: 8, i16: 2, i8: 1, u8: 1, bool: 1, f64: 8, event: 32 } as const
/** Name of an element type. */
export type Dtype = keyof typeof DTYPE_ID

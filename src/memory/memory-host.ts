/** Address in the engine's one memory; 0 is null. Stays below `src/kernels` and `src/memory` (STYLE 13) except inside programs. */
export type Address = number

/**
 * One memory with its views and an allocator, as kernels and programs need it. Views are made once: the memory never grows (MW-04).
 * Implemented by the arena (engine thread), by a transfer worker's private arena and by tests.
 */
export interface MemoryHost {
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
  /** Blocks are guarded: what could share one gets one of its own. */
  readonly debug?: boolean
  /** `bytes` zeroed bytes, aligned to 64 (or 256). Owner: the caller, who frees. Throws `ARENA_FULL`. Engine thread only. */
  allocate(bytes: number, align?: 64 | 256): Address
  free(address: Address): void
}

import type { Dtype } from '../media/dtype.js'

/** Any typed array over arena bytes. */
export type MemoryArray =
  Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array
    | BigUint64Array
/** Constructor of a typed array over a part of a buffer. */
export interface MemoryArrayConstructor<T extends MemoryArray = MemoryArray> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
  readonly BYTES_PER_ELEMENT: number
}

/** Views over a whole memory, made once: the memory never grows (MW-04, MW-74). */
export interface MemoryViews {
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
}

/** Makes the views of a buffer; its length is a multiple of 8. */
export function memoryViews(buffer: ArrayBufferLike): MemoryViews {
  return {
    buffer, u8: new Uint8Array(buffer), u16: new Uint16Array(buffer), i32: new Int32Array(buffer), u32: new Uint32Array(buffer),
    f32: new Float32Array(buffer), f64: new Float64Array(buffer),
  }
}

/** Typed arrays that show a dtype's elements as they are; halves and events are shown as their bits. */
const NATIVE: Readonly<Record<Dtype, readonly MemoryArrayConstructor[]>> = {
  f32: [Float32Array], f16: [Uint16Array], bf16: [Uint16Array], i32: [Int32Array, Uint32Array], i64: [BigInt64Array, BigUint64Array],
  i16: [Int16Array, Uint16Array], i8: [Int8Array], u8: [Uint8Array], bool: [Uint8Array], f64: [Float64Array],
  event: [Float32Array, Int32Array, Uint32Array, Uint16Array],
}

/** Array that shows elements of `dtype` as they are: halves as their bits, an event as eight words. */
export function arrayOfDtype(dtype: Dtype): MemoryArrayConstructor { return NATIVE[dtype][0]! }

/** May elements of `dtype` be viewed as `type`? Bytes of anything may be seen as Uint8Array. */
export function viewsDtype(type: MemoryArrayConstructor, dtype: Dtype): boolean {
  return (type as unknown) === Uint8Array || NATIVE[dtype].includes(type)
}

/**
 * Sees bytes as elements of another type: null (no throw, no copy) when the length is not a multiple of the element size or the address is
 * not aligned to it (MW-21). The copying variant is {@link copyAs}.
 */
export function tryView<T extends MemoryArray>(bytes: ArrayBufferView, type: MemoryArrayConstructor<T>): T | null {
  const size = type.BYTES_PER_ELEMENT
  if (bytes.byteLength % size !== 0 || bytes.byteOffset % size !== 0) return null
  return new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / size)
}

/** True for a SharedArrayBuffer; the name may not exist (MW-72). */
export function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer
}

import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { DTYPE_BYTES, type Dtype } from '../media/dtype.js'
import type { Arena } from './arena.js'
import { Block, shapeBytes } from './block.js'
import type { CopyLedger } from './copies.js'
import type { Handle } from './handle.js'
import type { Holder } from './leases.js'

/**
 * Elements in a block, said without the block (MW-26; after DLPack and the Arrow C data structure): what crosses threads and libraries in
 * O(1), whatever it describes. `strides` in elements, absent: compact rows; `byteOffset` from the block's start. Owner of the bytes:
 * whoever holds a lease on the handle.
 */
export interface TensorDescriptor {
  readonly handle: Handle
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
  readonly byteOffset: number
}

/**
 * What `block` shows, as a descriptor; raw bytes are `u8`. The block lives while its own lease does:
 * keep it until the other side has taken one.
 */
export function describeBlock(arena: Arena, block: Block): TensorDescriptor {
  const { handle, dtype, shape } = block
  return {
    handle, dtype: dtype ?? 'u8', shape: [...shape], strides: compactStrides(shape),
    byteOffset: block.address - arena.addressOf(arena.check(handle)),
  }
}

/**
 * A block over what a descriptor names: the same bytes under a lease of its own, no copy (MW-22). Throws `INVALID_HANDLE` for a stale or
 * foreign handle and for bytes outside the block, `INVALID_ARGUMENT` for another dtype than `expected` and for elements that are strided or
 * not aligned: {@link copyFrom} copies those, when asked.
 */
export function importDescriptor(
  arena: Arena, d: TensorDescriptor, o: { readonly expected?: Dtype; readonly holder?: Holder } = {},
): Block {
  const bytes = shapeBytes(d.dtype, d.shape), holder = o.holder ?? arena.engine, whole = arena.open(d.handle, holder)
  try {
    if (o.expected !== undefined && o.expected !== d.dtype) refuse('importDescriptor', o.expected, d.dtype)
    if (!isCompact(d)) refuse('importDescriptor', 'compact rows', `strides ${show(d.strides)} of shape ${show(d.shape)}`, 'Use copyFrom.')
    if (!(Number.isInteger(d.byteOffset) && d.byteOffset >= 0 && d.byteOffset % Math.min(8, DTYPE_BYTES[d.dtype]) === 0)) {
      refuse('importDescriptor', `an offset aligned to ${d.dtype}`, show(d.byteOffset), 'Use copyFrom.')
    }
    // As raw bytes first: its bounds check is the one of every slice.
    whole.slice(d.byteOffset, d.byteOffset + bytes).release()
    const index = arena.check(d.handle)
    arena.retainFor(holder, index)
    return new Block(arena, holder, { handle: d.handle, index, offset: d.byteOffset, bytes, dtype: d.dtype, shape: [...d.shape] }, true)
  } finally { whole.release() }
}

/** Elements anywhere, strided or not. */
export interface StridedSource {
  readonly data: ArrayBufferView
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
  readonly byteOffset?: number
}

/**
 * The explicit copy: elements with any strides, from a view or from a descriptor's block, as compact rows
 * in a new block. Charged once, reason `user`.
 */
export function copyFrom(
  arena: Arena, source: StridedSource | TensorDescriptor,
  o: { readonly ledger?: CopyLedger; readonly edge?: string; readonly holder?: Holder } = {},
): Block {
  const { dtype, shape } = source
  const strides = source.strides ?? compactStrides(shape)
  const element = DTYPE_BYTES[dtype], bytes = shapeBytes(dtype, shape), start = source.byteOffset ?? 0
  if (strides.length !== shape.length || !strides.every(Number.isInteger)) refuse('copyFrom', `${shape.length} strides`, show(strides))
  const opened = 'handle' in source ? arena.open(source.handle) : null
  try {
    const from = opened !== null ? opened.view(Uint8Array) : bytesOf((source as StridedSource).data), [least, most] = reach(shape, strides)
    if (bytes > 0 && !(start + least * element >= 0 && start + (most + 1) * element <= from.length)) {
      refuse('copyFrom', `elements inside ${from.length} bytes`, `bytes ${start + least * element}…${start + (most + 1) * element}`)
    }
    const block = arena.alloc({ dtype, shape }, o.holder === undefined ? {} : { holder: o.holder }), to = block.view(Uint8Array)
    gather(to, 0, from, start, shape, strides, element, 0)
    ;(o.ledger ?? arena.copies).add(o.edge ?? 'copyFrom', bytes, 'user')
    return block
  } finally { opened?.release() }
}

/** Elements from one row to the next, when all stand close. */
export function compactStrides(shape: readonly number[]): number[] {
  const strides: number[] = []
  for (let i = shape.length - 1, step = 1; i >= 0; step *= shape[i]!, i--) strides[i] = step
  return strides
}

/** The stride of a dimension of one element, or of none, means nothing. */
function isCompact({ shape, strides }: TensorDescriptor): boolean {
  if (strides === undefined || shape.includes(0)) return true
  const compact = compactStrides(shape)
  return strides.length === shape.length && shape.every((n, i) => n === 1 || strides[i] === compact[i])
}

/** Least and greatest element that a shape with strides touches. */
function reach(shape: readonly number[], strides: readonly number[]): [number, number] {
  let least = 0, most = 0
  shape.forEach((n, i) => {
    const span = (n - 1) * strides[i]!
    if (span < 0) least += span; else most += span
  })
  return [least, most]
}

/** Copies dimension `axis` and those inside it; gives where the next row goes. */
function gather(
  to: Uint8Array, at: number, from: Uint8Array, start: number, shape: readonly number[], strides: readonly number[], element: number,
  axis: number,
): number {
  const last = axis >= shape.length - 1, n = shape[axis] ?? 1, step = (strides[axis] ?? 1) * element
  if (last && step === element) { to.set(from.subarray(start, start + n * element), at); return at + n * element }
  let next = at
  for (let i = 0, place = start; i < n; i++, place += step) {
    if (last) { for (let b = 0; b < element; b++) to[next + b] = from[place + b]!; next += element } else next =
      gather(to, next, from, place, shape, strides, element, axis + 1)
  }
  return next
}

function bytesOf(view: ArrayBufferView): Uint8Array { return new Uint8Array(view.buffer, view.byteOffset, view.byteLength) }
function refuse(name: string, expected: string, got: string, hint?: string): never {
  throw commonErrors.INVALID_ARGUMENT({ function: name, expected, got, ...(hint !== undefined && { hint }) })
}

import { DTYPE_BYTES, type Dtype } from '../media/dtype.js'
import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { Arena, BlockSpec } from './arena.js'
import type { CopyLedger } from './copies.js'
import { memoryErrors } from './errors.js'
import type { Handle } from './handle.js'
import type { Holder } from './leases.js'
import type { Address } from './memory-host.js'
import { viewsDtype, type MemoryArray, type MemoryArrayConstructor } from './views.js'

/** What part of which block a {@link Block} shows; `offset`: bytes from the block's start. */
export interface BlockPart {
  readonly handle: Handle
  readonly index: number
  readonly offset: number
  readonly bytes: number
  readonly dtype: Dtype | null
  readonly shape: readonly number[]
}

/** Where `makeMut` charges its copy. Default: the arena's own ledger, edge `makeMut`. */
export interface MakeMutOptions { readonly ledger?: CopyLedger; readonly edge?: string }

/**
 * A reference to an arena block or to a part of it: one lease, given back by `release` or `dispose`. Clones and slices share bytes. Every
 * use after that, in any build, throws `INVALID_HANDLE` (MW-17). A typed array from {@link view} cannot be revoked: it stays readable and
 * shows whatever is put there next, so keep it no longer than the block (MW-19). A block that was shown stays where it is until the
 * reference is given up; others may be moved by a compaction while no job uses them (MW-11), so an address is good until the next
 * allocation, or while the block is pinned. Engine thread only.
 */
export class Block {
  /** Length of this part, bytes. */
  readonly bytes: number
  /** Element type, null for raw bytes. */
  readonly dtype: Dtype | null
  readonly shape: readonly number[]
  readonly #arena: Arena
  readonly #holder: Holder
  readonly #part: BlockPart
  /** Made with the first view: most blocks are only addresses. */
  #views: Map<MemoryArrayConstructor, MemoryArray> | undefined
  /** Leases that this object holds; 0 = given up. */
  #leases = 1
  /** A view was handed out: the block is pinned until this reference is given up. */
  #shown = false
  /** Of a block that someone outside the engine was given: what its finder of leaks knows, a second reference to the same lease. */
  readonly #twin: Block | undefined

  /** Called by the arena, which has already counted the lease. `watched`: warned of when it is collected before it was given up (MW-16). */
  constructor(arena: Arena, holder: Holder, part: BlockPart, watched = false) {
    this.#arena = arena
    this.#holder = holder
    this.#part = part
    this.bytes = part.bytes
    this.dtype = part.dtype
    this.shape = part.shape
    if (watched && arena.leaks !== undefined) {
      arena.leaks.watch(this, this.#twin = new Block(arena, holder, part), `Block of ${part.bytes} bytes was collected without release()`)
    }
  }

  /** Name of the whole block. Throws `INVALID_HANDLE` once given up. */
  get handle(): Handle { this.#check(); return this.#part.handle }
  /** Address of the first byte; for programs and kernels only. */
  get address(): Address { this.#check(); return this.#arena.addressOf(this.#part.index) + this.#part.offset }
  /** Leases of the whole block, of all holders. */
  get references(): number { this.#check(); return this.#arena.referencesOf(this.#part.index) }
  /** True once given up. */
  get closed(): boolean { return this.#leases === 0 }

  /** All elements as a typed array over the arena; the same object each time. `dtype` is refused when `type` cannot show it. */
  view<T extends MemoryArray>(type: MemoryArrayConstructor<T>): T {
    this.#check()
    const known = this.#views?.get(type)
    if (known !== undefined) return known as T
    const { dtype, bytes, handle } = this.#part, { address } = this, size = type.BYTES_PER_ELEMENT
    if (dtype !== null && !viewsDtype(type, dtype)) {
      throw memoryErrors.INVALID_HANDLE({ handle, reason: 'dtype', what: `${dtype} is not seen as ${type.name}` })
    }
    if (address % size !== 0 || bytes % size !== 0) {
      throw memoryErrors.INVALID_HANDLE({ handle, reason: 'dtype', what: `${bytes} bytes do not divide into ${type.name}` })
    }
    this.show()
    const view = new type(this.#arena.buffer, address, bytes / size)
    ;(this.#views ??= new Map<MemoryArrayConstructor, MemoryArray>()).set(type, view)
    return view
  }

  /** Rows `from` (included) to `to` (excluded) of the first dimension (raw: bytes). Shares bytes, holds a lease of its own. */
  slice(from: number, to: number, holder: Holder = this.#holder): Block {
    this.#check()
    const { shape, dtype, offset, handle } = this.#part, rows = shape[0] ?? 1
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= rows)) {
      throw memoryErrors.INVALID_HANDLE({ handle, reason: 'bounds', what: `${from}…${to} of ${rows}` })
    }
    const row = shape.slice(1).reduce((product, n) => product * n, dtype === null ? 1 : DTYPE_BYTES[dtype])
    return this.#share(holder, {
      ...this.#part, offset: offset + from * row, bytes: (to - from) * row, shape: [to - from, ...shape.slice(1)],
    })
  }

  /** Another reference to the same bytes, leased to `holder` (default: this one's). */
  clone(holder: Holder = this.#holder): Block { this.#check(); return this.#share(holder, this.#part) }

  /**
   * A reference that nobody shares: this one when it is the only lease, else one copy, charged to the ledger. Gives this reference up for
   * the result, so write `block = block.makeMut()`.
   */
  makeMut(options: MakeMutOptions = {}): Block {
    if (this.references === 1) return this
    const { dtype, shape, bytes } = this.#part
    const copy = this.sibling(dtype === null ? bytes : { dtype, shape })
    // Views for this call only: view() would pin the blocks.
    this.#arena.copy(copy.#raw, this.#raw, {
      edge: options.edge ?? 'makeMut', reason: 'user',
      ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
    })
    this[Symbol.dispose]()
    return copy
  }

  /** A new block of the same holder. */
  sibling(spec: BlockSpec): Block {
    this.#check()
    return this.#twin === undefined ? this.#arena.claim(spec, { holder: this.#holder }) : this.#arena.alloc(spec, { holder: this.#holder })
  }

  /** A view was handed out. */
  get shown(): boolean { return this.#shown }
  /** Keeps the block where it is for as long as this reference lives, because someone was given a view. */
  show(): void {
    if (this.#shown) return
    this.#check()
    this.#shown = true
    if (this.#twin !== undefined) this.#twin.#shown = true
    this.#arena.pin(this.#part.index, 1)
  }
  /** Keeps the block where it is until {@link unpin}; pins nest. */
  pin(): void { this.#check(); this.#arena.pin(this.#part.index, 1) }
  /** Takes one pin back. */
  unpin(): void { this.#check(); this.#arena.pin(this.#part.index, -1) }

  /** Adds a lease to this reference: it takes one more `release` to give it up. */
  retain(): void {
    this.#check()
    this.#arena.retainFor(this.#holder, this.#part.index)
    this.#leases++
    if (this.#twin !== undefined) this.#twin.#leases++
  }

  /** Gives one lease back. Throws `INVALID_HANDLE` when there is none left. */
  release(): void {
    this.#check()
    if (this.#twin !== undefined) this.#twin.#leases--
    if (--this.#leases === 0) this.#hide()
    this.#arena.releaseFor(this.#holder, this.#part.index)
  }

  /** Gives up all leases of this reference; does nothing when that has been done, or its holder dropped them. */
  [Symbol.dispose](): void {
    if (this.#leases > 0 && this.#arena.isLive(this.#part.handle)) this.#hide()
    if (this.#twin !== undefined) this.#twin.#leases = 0
    if (this.#leases > 0) this.#unwatch()
    for (; this.#leases > 0; this.#leases--) {
      if (this.#arena.isLive(this.#part.handle)) this.#arena.releaseIfHeld(this.#holder, this.#part.index)
    }
  }

  #hide(): void {
    if (this.#shown) this.#arena.pin(this.#part.index, -1)
    this.#shown = false
    this.#views = undefined
    this.#unwatch()
  }

  #unwatch(): void { if (this.#twin !== undefined) this.#arena.leaks?.forget(this) }

  get #raw(): Uint8Array { return new Uint8Array(this.#arena.buffer, this.address, this.bytes) }

  #share(holder: Holder, part: BlockPart): Block {
    this.#arena.retainFor(holder, part.index)
    return new Block(this.#arena, holder, part, this.#twin !== undefined)
  }

  #check(): void {
    if (this.#leases === 0) throw memoryErrors.INVALID_HANDLE({ handle: this.#part.handle, reason: 'freed' })
    if (!this.#arena.isLive(this.#part.handle)) this.#arena.check(this.#part.handle)
  }
}

/** Bytes of `shape` elements of `dtype`. Throws `INVALID_ARGUMENT` for a shape that is not up to 8 whole numbers. */
export function shapeBytes(dtype: Dtype, shape: readonly number[]): number {
  const size = Object.hasOwn(DTYPE_BYTES, dtype ?? '') ? DTYPE_BYTES[dtype] : 0
  if (size === 0 || !Array.isArray(shape) || shape.length > 8 || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'arena.alloc', expected: 'bytes, or a dtype and up to 8 lengths', got: `${show(dtype)} × ${show(shape)}`,
    })
  }
  return shape.reduce((product, n) => product * n, size)
}

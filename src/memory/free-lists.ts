/**
 * Two-level segregated free lists (Masmano, Ripoll, Crespo, Real: TLSF, 2004) over a range of 64-byte granules: 16 classes per power of
 * two, found by bitmaps, so taking and giving back are O(1). Every record stands in private typed arrays of the engine's thread; nothing is
 * written between blocks, so a stray write of a kernel cannot break the allocator (MW-07, MW-08).
 */
const CLASS_BITS = 4
const CLASSES = 1 << CLASS_BITS
const LEVELS = 24
const NIL = -1
const NONE = new Uint32Array(0)

/** Bytes of a granule: the least alignment and size step of a block. */
export const GRANULE_BYTES = 64

/** Allocator of granule spans. A span id is valid from {@link take} to {@link give}. */
export class FreeLists {
  /** Granules in all free spans. */
  freeGranules = 0
  #start = new Uint32Array(256)
  #size = new Uint32Array(256)
  #previous = new Int32Array(256)
  #next = new Int32Array(256)
  #listPrevious = new Int32Array(256)
  #listNext = new Int32Array(256)
  /** 1 = free. */
  #free = new Uint8Array(256)
  #ids = 0
  /** Recycled ids, linked through #listNext. */
  #spare = NIL
  readonly #heads = new Int32Array(LEVELS * CLASSES).fill(NIL)
  readonly #classMaps = new Uint32Array(LEVELS)
  #levelMap = 0
  readonly #from: number
  readonly #granules: number

  /** A free range of `granules`, 1…2²⁶, starting at granule `from` counted from address 0. */
  constructor(from: number, granules: number) {
    this.#from = from
    this.#granules = granules
    this.layOut(NONE, NONE)
  }

  /**
   * Forgets every span and takes the given ones (first granule and granules of each, ascending, apart) out of the same range. Returns their
   * new ids; what lies between them is free.
   */
  layOut(starts: Uint32Array, sizes: Uint32Array): Int32Array {
    const ids = new Int32Array(starts.length)
    this.#ids = 0
    this.#spare = NIL
    this.#heads.fill(NIL)
    this.#classMaps.fill(0)
    this.#levelMap = this.freeGranules = 0
    let at = this.#from, before = NIL
    const append = (size: number, free: boolean): number => {
      const id = this.#newId()
      this.#start[id] = at
      this.#size[id] = size
      this.#previous[id] = before
      this.#next[id] = NIL
      this.#free[id] = 0
      if (before !== NIL) this.#next[before] = id
      if (free) this.#insert(id)
      at += size
      return before = id
    }
    for (let i = 0; i < starts.length; i++) {
      if (starts[i]! > at) append(starts[i]! - at, true)
      ids[i] = append(sizes[i]!, false)
    }
    if (this.#from + this.#granules > at) append(this.#from + this.#granules - at, true)
    return ids
  }

  /** First granule of a span. */
  start(id: number): number { return this.#start[id]! }
  /** Granules of a span. */
  size(id: number): number { return this.#size[id]! }

  /** Takes `granules` ≥ 1 starting at a multiple of `align` granules (1 or 4). Returns the span's id, or −1 when no free span fits. */
  take(granules: number, align = 1): number {
    let id = this.#find(granules + align - 1)
    if (id === NIL) id = this.#search(granules, align)
    if (id === NIL) return NIL
    this.#remove(id)
    const lead = (align - (this.#start[id]! & (align - 1))) & (align - 1)
    if (lead > 0) {
      const rest = this.#split(id, lead)
      this.#insert(id)
      id = rest
    }
    if (this.#size[id]! > granules) this.#insert(this.#split(id, granules))
    return id
  }

  /** Gives a span back and merges it with free neighbours. */
  give(id: number): void {
    const next = this.#next[id]!, previous = this.#previous[id]!
    if (next !== NIL && this.#free[next] === 1) { this.#remove(next); this.#absorb(id, next) }
    if (previous !== NIL && this.#free[previous] === 1) { this.#remove(previous); this.#absorb(previous, id); id = previous }
    this.#insert(id)
  }

  /** Granules of the largest free span. O(length of one list). */
  largest(): number {
    if (this.#levelMap === 0) return 0
    const level = 31 - Math.clz32(this.#levelMap)
    const list = level * CLASSES + 31 - Math.clz32(this.#classMaps[level]!)
    let most = 0
    for (let id = this.#heads[list]!; id !== NIL; id = this.#listNext[id]!) most = Math.max(most, this.#size[id]!)
    return most
  }

  /** Head of the first list whose spans all hold `granules`; −1: none. */
  #find(granules: number): number {
    const rounded = granules < CLASSES ? granules : granules + (1 << (31 - Math.clz32(granules) - CLASS_BITS)) - 1
    const list = listOf(rounded), level = list >>> CLASS_BITS
    if (level >= LEVELS) return NIL
    let classes = this.#classMaps[level]! & (-1 << (list & (CLASSES - 1)))
    if (classes !== 0) return this.#heads[level * CLASSES + lowest(classes)]!
    const levels = level + 1 >= LEVELS ? 0 : this.#levelMap & (-1 << (level + 1))
    if (levels === 0) return NIL
    const higher = lowest(levels)
    classes = this.#classMaps[higher]!
    return this.#heads[higher * CLASSES + lowest(classes)]!
  }

  /**
   * The classes round down: a span that just fits may stand in the request's own list, or need no lead for its
   * alignment. Only when memory is nearly full.
   */
  #search(granules: number, align: number): number {
    const end = Math.min(listOf(granules + align - 1) + 1, LEVELS * CLASSES - 1)
    for (let list = listOf(granules); list <= end; list++) {
      for (let id = this.#heads[list]!; id !== NIL; id = this.#listNext[id]!) {
        const lead = (align - (this.#start[id]! & (align - 1))) & (align - 1)
        if (this.#size[id]! >= granules + lead) return id
      }
    }
    return NIL
  }

  /** Cuts a span after `granules`; returns the id of the rest. Neither part is in a list. */
  #split(id: number, granules: number): number {
    const rest = this.#newId(), next = this.#next[id]!
    this.#start[rest] = this.#start[id]! + granules
    this.#size[rest] = this.#size[id]! - granules
    this.#size[id] = granules
    this.#previous[rest] = id
    this.#next[rest] = next
    this.#next[id] = rest
    if (next !== NIL) this.#previous[next] = rest
    return rest
  }

  /** Appends the following span `next` to `id` and recycles its record. */
  #absorb(id: number, next: number): void {
    const after = this.#next[next]!
    this.#size[id]! += this.#size[next]!
    this.#next[id] = after
    if (after !== NIL) this.#previous[after] = id
    this.#listNext[next] = this.#spare
    this.#spare = next
  }

  #insert(id: number): void {
    const size = this.#size[id]!, list = listOf(size), head = this.#heads[list]!
    this.#free[id] = 1
    this.#listPrevious[id] = NIL
    this.#listNext[id] = head
    if (head !== NIL) this.#listPrevious[head] = id
    this.#heads[list] = id
    this.#classMaps[list >>> CLASS_BITS]! |= 1 << (list & (CLASSES - 1))
    this.#levelMap |= 1 << (list >>> CLASS_BITS)
    this.freeGranules += size
  }

  #remove(id: number): void {
    const size = this.#size[id]!, list = listOf(size), before = this.#listPrevious[id]!, after = this.#listNext[id]!
    if (after !== NIL) this.#listPrevious[after] = before
    if (before !== NIL) this.#listNext[before] = after
    else {
      this.#heads[list] = after
      if (after === NIL) {
        const level = list >>> CLASS_BITS
        this.#classMaps[level]! &= ~(1 << (list & (CLASSES - 1)))
        if (this.#classMaps[level] === 0) this.#levelMap &= ~(1 << level)
      }
    }
    this.#free[id] = 0
    this.freeGranules -= size
  }

  #newId(): number {
    const spare = this.#spare
    if (spare !== NIL) { this.#spare = this.#listNext[spare]!; this.#free[spare] = 0; return spare }
    if (this.#ids === this.#start.length) this.#grow()
    return this.#ids++
  }

  #grow(): void {
    const length = this.#start.length * 2
    const copy = <T extends Uint32Array | Int32Array | Uint8Array>(from: T, to: T): T => { to.set(from); return to }
    this.#start = copy(this.#start, new Uint32Array(length))
    this.#size = copy(this.#size, new Uint32Array(length))
    this.#previous = copy(this.#previous, new Int32Array(length))
    this.#next = copy(this.#next, new Int32Array(length))
    this.#listPrevious = copy(this.#listPrevious, new Int32Array(length))
    this.#listNext = copy(this.#listNext, new Int32Array(length))
    this.#free = copy(this.#free, new Uint8Array(length))
  }
}

/** List of spans of a size: below 16 granules one per size, then 16 per power of two. */
function listOf(granules: number): number {
  if (granules < CLASSES) return granules
  const log = 31 - Math.clz32(granules)
  return (log - CLASS_BITS + 1) * CLASSES + ((granules >>> (log - CLASS_BITS)) & (CLASSES - 1))
}

/** Index of the lowest set bit. */
function lowest(bits: number): number { return 31 - Math.clz32(bits & -bits) }

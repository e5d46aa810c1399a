/**
 * Sums over several owners. A block that two of them hold counts twice. `allocs`, `frees`: blocks whose first
 * lease was one of theirs, whose last one was.
 */
export interface LeaseGroup { bytes: number; peakBytes: number; allocs: number; frees: number }

/** Whose leases these are, and the sums that its owner reports. */
export interface LeaseOwner {
  readonly id: number
  bytes: number
  peakBytes: number
  blocks: number
  readonly group?: LeaseGroup | undefined
  /** Record of its first lease, −1 without; the table's own. */
  firstLease: number
}

const NIL = -1

/**
 * Counted leases (block, holder) as records of typed arrays, each in two lists: those of its block (mostly one) and those of its holder. No
 * hashing: a Map whose entries come and go is compacted again and again, which costs microseconds when it is nearly full. Engine thread
 * only.
 */
export class LeaseTable {
  readonly #ofBlock: Int32Array
  #block = new Int32Array(64)
  #holder = new Int32Array(64)
  #count = new Int32Array(64)
  #nextOfBlock = new Int32Array(64)
  #nextOfHolder = new Int32Array(64)
  #previousOfHolder = new Int32Array(64)
  #records = 0
  #spare = NIL

  /** `capacity`: block indices 0 … capacity − 1. */
  constructor(capacity: number) { this.#ofBlock = new Int32Array(capacity).fill(NIL) }

  /** Adds a lease of a block of `bytes`. */
  add(block: number, bytes: number, owner: LeaseOwner): void {
    for (let record = this.#ofBlock[block]!; record !== NIL; record = this.#nextOfBlock[record]!) {
      if (this.#holder[record] === owner.id) { this.#count[record]!++; return }
    }
    const record = this.#take(), first = owner.firstLease
    this.#block[record] = block
    this.#holder[record] = owner.id
    this.#count[record] = 1
    this.#nextOfBlock[record] = this.#ofBlock[block]!
    this.#ofBlock[block] = record
    this.#nextOfHolder[record] = first
    this.#previousOfHolder[record] = NIL
    if (first !== NIL) this.#previousOfHolder[first] = record
    owner.firstLease = record
    owner.blocks++
    owner.bytes += bytes
    if (owner.bytes > owner.peakBytes) owner.peakBytes = owner.bytes
    const { group } = owner
    if (group === undefined) return
    if (this.#nextOfBlock[record] === NIL) group.allocs++
    group.bytes += bytes
    if (group.bytes > group.peakBytes) group.peakBytes = group.bytes
  }

  /** Removes one lease; false when the owner has none. */
  remove(block: number, bytes: number, owner: LeaseOwner): boolean {
    for (let record = this.#ofBlock[block]!; record !== NIL; record = this.#nextOfBlock[record]!) {
      if (this.#holder[record] !== owner.id) continue
      if (--this.#count[record]! === 0) this.#unlink(record, bytes, owner)
      return true
    }
    return false
  }

  /** Removes all leases of an owner, giving (block, leases) of each to `each`. `bytesOf`: size of a block. */
  removeAll(owner: LeaseOwner, bytesOf: (block: number) => number, each: (block: number, leases: number) => void): void {
    while (owner.firstLease !== NIL) {
      const record = owner.firstLease, block = this.#block[record]!, leases = this.#count[record]!
      this.#unlink(record, bytesOf(block), owner)
      each(block, leases)
    }
  }

  #unlink(record: number, bytes: number, owner: LeaseOwner): void {
    const block = this.#block[record]!, next = this.#nextOfHolder[record]!, previous = this.#previousOfHolder[record]!
    if (next !== NIL) this.#previousOfHolder[next] = previous
    if (previous !== NIL) this.#nextOfHolder[previous] = next
    else owner.firstLease = next
    let before = NIL
    for (let other = this.#ofBlock[block]!; other !== record; other = this.#nextOfBlock[other]!) before = other
    if (before === NIL) this.#ofBlock[block] = this.#nextOfBlock[record]!
    else this.#nextOfBlock[before] = this.#nextOfBlock[record]!
    owner.blocks--
    owner.bytes -= bytes
    if (owner.group !== undefined) {
      owner.group.bytes -= bytes
      if (this.#ofBlock[block] === NIL) owner.group.frees++
    }
    this.#nextOfBlock[record] = this.#spare
    this.#spare = record
  }

  #take(): number {
    const spare = this.#spare
    if (spare !== NIL) { this.#spare = this.#nextOfBlock[spare]!; return spare }
    if (this.#records === this.#block.length) this.#grow()
    return this.#records++
  }

  #grow(): void {
    const larger = (
      from: Int32Array<ArrayBuffer>,
    ): Int32Array<ArrayBuffer> => { const to = new Int32Array(from.length * 2); to.set(from); return to }
    this.#block = larger(this.#block)
    this.#holder = larger(this.#holder)
    this.#count = larger(this.#count)
    this.#nextOfBlock = larger(this.#nextOfBlock)
    this.#nextOfHolder = larger(this.#nextOfHolder)
    this.#previousOfHolder = larger(this.#previousOfHolder)
  }
}

/**
 * States that were seen, as bytes of one length each, numbered in the order in which they came: an open table of numbers over one array, so
 * nothing is made per state. Exact: bytes are compared.
 */
export class StateSet {
  size = 0
  readonly #length: number
  #bytes: Uint8Array
  #table = new Int32Array(2 ** 12).fill(-1)

  constructor(length: number) {
    this.#length = length
    this.#bytes = new Uint8Array(length * 2 ** 11)
  }

  /** A state's number; it is new when that was {@link size}. */
  add(state: Uint8Array): number {
    if (2 * this.size >= this.#table.length) this.#grow()
    const mask = this.#table.length - 1
    for (let at = hash(state, 0, this.#length) & mask; ; at = at + 1 & mask) {
      const known = this.#table[at]!
      if (known >= 0) { if (this.#is(known, state)) return known; continue }
      this.#bytes.set(state, this.size * this.#length)
      return this.#table[at] = this.size++
    }
  }

  #is(known: number, state: Uint8Array): boolean {
    for (let i = 0, at = known * this.#length; i < this.#length; i++) if (this.#bytes[at + i] !== state[i]) return false
    return true
  }

  #grow(): void {
    const table = new Int32Array(2 * this.#table.length).fill(-1)
    const bytes = new Uint8Array(this.#length * table.length / 2)
    const mask = table.length - 1
    bytes.set(this.#bytes)
    for (let state = 0; state < this.size; state++) {
      let at = hash(bytes, state * this.#length, this.#length) & mask
      while (table[at]! >= 0) at = at + 1 & mask
      table[at] = state
    }
    this.#table = table
    this.#bytes = bytes
  }
}

/** FNV-1a, and the high bits once more into the low ones. */
function hash(bytes: Uint8Array, from: number, length: number): number {
  let sum = 0x811c9dc5
  for (let i = from; i < from + length; i++) sum = Math.imul(sum ^ bytes[i]!, 0x01000193)
  return (sum ^ sum >>> 15) >>> 0
}

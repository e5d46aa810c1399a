import { isInstance } from '../errors/is-instance.js'
import { commonErrors } from '../errors/common-errors.js'
import { DEEPEST } from './check-text.js'
import { copyDigest, Sha256 } from './sha256.js'
import { compareUtf8, writeUtf8 } from './utf8.js'

/** Tags of values inside a record; each is followed by its bytes, lengths as u32 LE, so that no two values share an encoding. */
const VALUE = { null: 0, false: 1, true: 2, number: 3, u64: 4, string: 5, bytes: 6, array: 7, object: 8 } as const

const HASHER = /* @__PURE__ */ new Sha256()

/**
 * Growing buffer of records `tag u8 · length u32 LE · bytes` (spec graph.md section 6). Records nest: the length of an outer one is filled
 * in when it ends. One writer serves all nodes of a graph.
 */
export class HashWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0
  readonly #open: number[] = []

  constructor(bytes = 1_024) {
    this.#bytes = new Uint8Array(bytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Forgets everything written. */
  clear(): this { this.#length = 0; this.#open.length = 0; return this }

  /** Everything written: a view, valid until more is written. */
  get bytes(): Uint8Array { return this.#bytes.subarray(0, this.#length) }

  /**
   * Pads what was written since `start`, a multiple of four, to whole blocks as SHA-256 wants it;
   * `before`: bytes of the message that are not here.
   */
  pad(start: number, before = 0): this {
    const bytes = this.#length - start, end = start + Math.ceil((bytes + 9) / 64) * 64
    this.#room(end - this.#length)
    const view = this.#view, target = this.#bytes
    let at = this.#length
    target[at++] = 0x80
    while ((at & 3) !== 0) target[at++] = 0
    for (; at < end - 8; at += 4) view.setUint32(at, 0)
    view.setUint32(end - 8, Math.floor((before + bytes) / 0x2000_0000))
    view.setUint32(end - 4, before + bytes << 3)
    this.#length = end
    return this
  }

  /** Starts a record; what is written until {@link end} is its content. */
  begin(tag: number): this {
    this.#room(5)
    this.#bytes[this.#length] = tag
    this.#length += 5
    this.#open.push(this.#length)
    return this
  }

  /** Ends the record started last. */
  end(): this {
    const start = this.#open.pop()!
    this.#view.setUint32(start - 4, this.#length - start, true)
    return this
  }

  /** A record of text. Throws `INVALID_ARGUMENT` for a lone surrogate, which has no UTF-8 form. */
  text(tag: number, text: string): this { this.#byte(tag); return this.counted(text) }
  /** A record of bytes. */
  record(tag: number, bytes: Uint8Array): this { return this.begin(tag).raw(bytes).end() }
  /** A record of one u32. */
  index(tag: number, value: number): this { return this.begin(tag).u32(value).end() }

  /** Bytes without tag. */
  raw(bytes: Uint8Array): this {
    const at = this.#length
    this.skip(bytes.length).#bytes.set(bytes, at)
    return this
  }

  /** Puts a u32 at `at`, which was written before. */
  setU32(at: number, value: number): this { this.#view.setUint32(at, value, true); return this }
  /** Puts digest number `n` at `at`, where there were as many bytes before. */
  setDigest(at: number, digests: Uint8Array, n: number): void { copyDigest(this.#bytes, at, digests, n) }

  /** Bytes that are filled in later. */
  skip(bytes: number): this {
    this.#room(bytes)
    this.#length += bytes
    return this
  }

  /** UTF-8 of `text` without tag. */
  utf8(text: string): this {
    this.#room(3 * text.length)
    const end = writeUtf8(this.#bytes, this.#length, text)
    if (end < 0) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'hashGraph', expected: 'well-formed Unicode', got: 'a string with a lone surrogate' })
    }
    this.#length = end
    return this
  }

  /** UTF-8 of `text` behind its length in bytes. */
  counted(text: string): this {
    const at = this.#length
    this.u32(0).utf8(text).#view.setUint32(at, this.#length - at - 4, true)
    return this
  }

  /** Replaces the last eight bytes by a number. */
  lastNumber(value: number): this { this.#putNumber(this.#length - 8, value); return this }

  u32(value: number): this {
    this.#room(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
    return this
  }

  u64(value: bigint): this {
    this.#room(8)
    this.#view.setBigUint64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /**
   * A value: null, booleans, numbers (1 = 1.0, −0 = 0, one NaN), bigint as u64, text, bytes, arrays in order, objects sorted by key without
   * undefined fields; `toJSON` and `href` objects (dates, URLs) as that text. False when something in it cannot be hashed (a function, a
   * Blob).
   */
  value(value: unknown, depth = 0): boolean {
    if (depth > DEEPEST) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'hashGraph', expected: `values nested at most ${DEEPEST} deep`, got: 'deeper' })
    }
    switch (typeof value) {
      case 'undefined': this.#byte(VALUE.null); return true
      case 'boolean': this.#byte(value ? VALUE.true : VALUE.false); return true
      case 'number': this.#number(value); return true
      case 'bigint': this.#byte(VALUE.u64); this.u64(BigInt.asUintN(64, value)); return true
      case 'string': this.#byte(VALUE.string); this.counted(value); return true
      case 'object': return this.#object(value, depth)
      default: return false
    }
  }

  /** Digest of what was written since `mark`, which is taken back out. */
  takeDigest(mark: number): Uint8Array {
    const digest = HASHER.reset().update(this.#bytes, mark, this.#length).digest()
    this.#length = mark
    return digest
  }

  /** Position for {@link takeDigest} and {@link rewind}. */
  get mark(): number { return this.#length }
  /** Takes back what was written since `mark`. */
  rewind(mark: number): void { this.#length = mark }

  #object(value: object | null, depth: number): boolean {
    if (value === null) { this.#byte(VALUE.null); return true }
    const bytes = bytesOf(value)
    if (bytes !== undefined) {
      this.#byte(VALUE.bytes)
      this.u32(bytes.length).raw(bytes)
      return true
    }
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      const items = value as unknown as ArrayLike<unknown>
      this.#byte(VALUE.array)
      this.u32(items.length)
      for (let i = 0; i < items.length; i++) if (!this.value(items[i], depth + 1)) return false
      return true
    }
    const { href, toJSON } = value as { readonly href?: unknown; readonly toJSON?: unknown }
    if (typeof href === 'string') return this.value(href, depth + 1)
    if (typeof toJSON === 'function') return this.value((toJSON as () => unknown).call(value), depth + 1)
    if (Symbol.asyncIterator in value) return false // a stream, however it was made
    if (isInstance(value)) return false
    const record = value as Readonly<Record<string, unknown>>
    const keys = Object.keys(record).filter((key) => record[key] !== undefined).sort(compareUtf8)
    this.#byte(VALUE.object)
    this.u32(keys.length)
    for (const key of keys) {
      this.counted(key)
      if (!this.value(record[key], depth + 1)) return false
    }
    return true
  }

  #number(value: number): void {
    this.#byte(VALUE.number)
    this.#room(8)
    this.#putNumber(this.#length, value)
    this.#length += 8
  }

  #putNumber(at: number, value: number): void {
    if (Number.isNaN(value)) {
      this.#view.setUint32(at, 0, true)
      this.#view.setUint32(at + 4, 0x7ff8_0000, true)
    } else this.#view.setFloat64(at, value === 0 ? 0 : value, true)
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Bytes given as a param: `Uint8Array`, `ArrayBuffer` or shared memory. Other typed arrays are lists of numbers. */
function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (value instanceof DataView) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  const tag = Object.prototype.toString.call(value)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
    ? (value as ArrayBuffer).byteLength === 0 ? new Uint8Array() : new Uint8Array(value as ArrayBuffer)
    : undefined
}

/**
 * First 32 bits of the fractional parts of the roots of degree `degree` of the first primes (FIPS 180-4, sections 4.2.2 and
 * 5.3.3), exact whatever `Math` the host has.
 */
function fractions(count: number, degree: bigint): Int32Array {
  const words = new Int32Array(count)
  for (let n = 2, i = 0, d: number; i < count; n++) {
    for (d = 2; n % d > 0;) d++
    if (d !== n) continue
    let root = BigInt(Math.round(n ** (1 / Number(degree)) * 2 ** 32))
    const power = BigInt(n) << 32n * degree
    while (root ** degree > power) root--
    while ((root + 1n) ** degree <= power) root++
    words[i++] = Number(root & 0xffff_ffffn)
  }
  return words
}
const K = /* @__PURE__ */ fractions(64, 3n), START = /* @__PURE__ */ fractions(8, 2n)

/** Bytes of a block and of a digest. */
export const BLOCK_BYTES = 64, DIGEST_BYTES = 32

/** The words that a hash starts with, and room for those of one message. */
export function startWords(): Int32Array { return START.slice() }

/** Schedule of the block under way: nothing between two calls. */
const WORDS = /* @__PURE__ */ new Int32Array(64)

/** Takes one block of 64 bytes at `at` into `state`. Twin of wasm/crates/engine/src/sha256.rs. */
export function compress(state: Int32Array, data: DataView, at: number): void {
  const w = WORDS, k = K // locals: a bundler's module variables are looked up at every use, which costs a third of the speed
  for (let i = 0; i < 16; i++) w[i] = data.getInt32(at + 4 * i)
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!, y = w[i - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!
  for (let i = 0; i < 64; i++) {
    const t1 =
      (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + k[i]! + w[i]!) | 0
    const t2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)))) | 0
    h = g; g = f; f = e
    e = (d + t1) | 0
    d = c; c = b; b = a
    a = (t1 + t2) | 0
  }
  state[0] = (state[0]! + a) | 0; state[1] = (state[1]! + b) | 0; state[2] = (state[2]! + c) | 0; state[3] = (state[3]! + d) | 0
  state[4] = (state[4]! + e) | 0; state[5] = (state[5]! + f) | 0; state[6] = (state[6]! + g) | 0; state[7] = (state[7]! + h) | 0
}

/**
 * SHA-256 (FIPS 180-4) in plain TypeScript, synchronous, fed in pieces. Twin and oracle of the compiled hash; used where a
 * WebAssembly module is not loaded yet. About 200 MB/s, so files are hashed by their reader, not here.
 */
export class Sha256 {
  #state = startWords()
  readonly #tail = new Uint8Array(BLOCK_BYTES)
  readonly #view = new DataView(this.#tail.buffer)
  #held = 0
  #bytes = 0

  /** Back to the empty message, so that one instance hashes many. */
  reset(): this {
    this.#state = startWords()
    this.#held = 0
    this.#bytes = 0
    return this
  }

  /** Adds `data[from]` to `data[to - 1]`. */
  update(data: Uint8Array, from = 0, to = data.length): this {
    this.#bytes += to - from
    let at = from
    if (this.#held > 0) {
      const take = Math.min(BLOCK_BYTES - this.#held, to - at)
      this.#tail.set(data.subarray(at, at + take), this.#held)
      this.#held += take
      at += take
      if (this.#held < BLOCK_BYTES) return this
      compress(this.#state, this.#view, 0)
      this.#held = 0
    }
    if (at + BLOCK_BYTES <= to) {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
      for (; at + BLOCK_BYTES <= to; at += BLOCK_BYTES) compress(this.#state, view, at)
    }
    if (at < to) {
      this.#tail.set(data.subarray(at, to), 0)
      this.#held = to - at
    }
    return this
  }

  /** Ends the message and writes the 32 digest bytes to `target` at `offset`. Call {@link reset} before the next message. */
  digestInto(target: Uint8Array, offset = 0): void {
    const tail = this.#tail
    let held = this.#held
    tail[held++] = 0x80
    if (held > 56) {
      tail.fill(0, held)
      compress(this.#state, this.#view, 0)
      held = 0
    }
    tail.fill(0, held)
    this.#view.setUint32(56, Math.floor(this.#bytes / 0x2000_0000))
    this.#view.setUint32(60, this.#bytes << 3)
    compress(this.#state, this.#view, 0)
    putDigest(target, offset, this.#state)
  }

  /** Ends the message; 32 new bytes. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(DIGEST_BYTES)
    this.digestInto(bytes)
    return bytes
  }
}

/** Writes the words of a finished hash as bytes, most significant first. */
export function putDigest(target: Uint8Array, offset: number, state: Int32Array): void {
  for (let i = 0; i < DIGEST_BYTES; i++) target[offset + i] = state[i >> 2]! >>> (24 - 8 * (i & 3))
}

/** Copies digest number `n` to `at`: so few bytes are copied faster one by one than a view of them is made. */
export function copyDigest(target: Uint8Array, at: number, digests: Uint8Array, n: number): void {
  for (let i = 0, from = n * DIGEST_BYTES; i < DIGEST_BYTES; i++) target[at + i] = digests[from + i]!
}

/** SHA-256 of one piece: 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array { return new Sha256().update(data).digest() }

/** Lower-case hex of bytes `from` to `to`. */
export function hexOf(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ''
  for (let i = from; i < to; i++) text += HEX[bytes[i]!]!
  return text
}
const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, section 4.2.2). */
const K = /* @__PURE__ */ Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2)

/** Bytes of a block and of a digest. */
export const BLOCK_BYTES = 64, DIGEST_BYTES = 32

/** The words that a hash starts with, and room for those of one message. */
export function startWords(): Int32Array {
  return Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19)
}

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
    const t1 = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + k[i]! + w[i]!) | 0
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

/** SHA-256 of one piece: 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array { return new Sha256().update(data).digest() }

/** Lower-case hex of bytes `from` to `to`. */
export function hexOf(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ''
  for (let i = from; i < to; i++) text += HEX[bytes[i]!]!
  return text
}
const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

/**
 * Philox4x32-10: a random generator that is a pure function of key and counter (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3,
 * SC 2011), so that seeking to sample n gives what running to n gives (AU-09). Twin of `assembly/sdk/philox.ts`.
 */

/** Four random words for a counter of four words and a key of two; all u32. */
export function philox(
  counter: readonly [number, number, number, number], key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter, [k, l] = key
  for (let round = 0; round < 10; round++) {
    const p = BigInt(a) * 0xd2511f53n, q = BigInt(c) * 0xcd9e8d57n
    a = (Number(q >> 32n) ^ b ^ k) >>> 0
    b = Number(q & 0xffff_ffffn)
    c = (Number(p >> 32n) ^ d ^ l) >>> 0
    d = Number(p & 0xffff_ffffn)
    k = (k + 0x9e3779b9) >>> 0
    l = (l + 0xbb67ae85) >>> 0
  }
  return [a, b, c, d]
}

/** A random word as a number from 0 (included) to 1 (excluded), on a grid of 2⁻²⁴. */
export function uniform(word: number): number { return (word >>> 8) * 2 ** -24 }

/** Uniform number of sample `n` of a channel and stream: word n mod 4 of block ⌊n/4⌋; key = the seed's halves. */
export function uniformAt(seed: bigint, n: number, channel: number, stream: number): number {
  const block = Math.floor(n / 4)
  const words =
    philox([block >>> 0, Math.floor(block / 2 ** 32), channel, stream], [Number(seed & 0xffff_ffffn), Number((seed >> 32n) & 0xffff_ffffn)])
  return uniform(words[n % 4]!)
}

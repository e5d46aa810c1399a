// Philox4x32-10: a random generator that is a pure function of key and counter (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3,
// SC 2011), so that seeking to sample n gives what running to n gives (AU-09). Twin of src/kernels/philox.ts. @realtime

/** One block of four random words for counter (c0, c1, c2, c3) and key (k0, k1), written to `out`. */
export function philox(out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>0xd2511f53 * <u64>c0, p1 = <u64>0xcd9e8d57 * <u64>c2
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0
    c1 = <u32>p1
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1
    c3 = <u32>p0
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  store<u32>(out, c0)
  store<u32>(out, c1, 4)
  store<u32>(out, c2, 8)
  store<u32>(out, c3, 12)
}

/**
 * The four words of samples 4·block … 4·block + 3 of a channel and stream: counter (block low, block high,
 * channel, stream), key = the seed's halves.
 */
// @ts-ignore: decorator
@inline export function randomBlock(out: usize, seed: u64, block: u64, channel: u32, stream: u32): void {
  philox(out, <u32>block, <u32>(block >> 32), channel, stream, <u32>seed, <u32>(seed >> 32))
}

/** A random word as a number from 0 (included) to 1 (excluded), on a grid of 2⁻²⁴. */
// @ts-ignore: decorator
@inline export function uniform(word: u32): f32 { return <f32>(word >>> 8) * <f32>5.9604644775390625e-8 }

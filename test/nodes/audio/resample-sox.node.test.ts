import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { kernelHost, randomNumbers } from '../../support/kernel-rig.js'
import { decibels, resampled, rms } from '../../support/resample-rig.js'

const installed = spawnSync('sox', ['--version']).status === 0
if (!installed) console.warn('\nSKIP comparison with soxr: the program sox is not installed.\n')

/** libsoxr at its very high quality, as the program sox offers it. */
function sox(x: Float32Array, from: number, to: number): Float32Array {
  const raw = ['-t', 'raw', '-e', 'floating-point', '-b', '32', '-c', '1']
  const { status, stdout, stderr } = spawnSync('sox', ['-D', ...raw, '-r', String(from), '-', ...raw, '-', 'rate', '-v', String(to)], {
    input: new Uint8Array(x.buffer), maxBuffer: 1e9,
  })
  expect(status, stderr.toString()).toBe(0)
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength))
}

/** Many sines of random phase below `limit` Hz: noise without anything above. */
function limitedNoise(count: number, rate: number, limit: number): Float32Array {
  const next = randomNumbers(5)
  const waves = Array.from({ length: 200 }, () => ({ hertz: 20 + next() * (limit - 20), phase: 2 * Math.PI * next() }))
  return Float32Array.from({ length: count }, (_, n) =>
    waves.reduce((sum, { hertz, phase }) => sum + Math.sin(2 * Math.PI * (hertz / rate * n % 1) + phase), 0) * 0.02)
}

describe.runIf(installed)('an independent resampler (AU-28)', () => {
  test.each([
    [44_100, 16_000], [48_000, 16_000], [16_000, 48_000], [44_100, 48_000], [44_100, 16_001],
  ] as const)('soxr VHQ from %i to %i Hz differs by less than −100 dB', async (from, to) => {
    const host = await kernelHost(), x = limitedNoise(from, from, 0.8 * Math.min(from, to) / 2)
    const theirs = sox(x, from, to), cut = Math.ceil(to / 10)
    for (const quality of ['high', 'best']) {
      const ours = resampled(host, { from, to, quality }, x)
      expect(Math.abs(ours.length - theirs.length)).toBeLessThanOrEqual(1)
      const middle = ours.subarray(cut, -cut), difference = middle.map((value, n) => value - theirs[cut + n]!)
      expect(decibels(rms(difference) / rms(middle)), quality).toBeLessThanOrEqual(-100)
    }
  })
})

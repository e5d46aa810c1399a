/** A run that is cancelled while threads start does not wait for them (EX-52). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

const files = mkdtempSync(join(tmpdir(), 'millrace-starts-'))
afterAll(() => { rmSync(files, { recursive: true, force: true }) })

test.each([
  'wasm-threads', 'wasm',
] as const)('threads that say nothing: a cancel ends the run, and close the threads (%s)', async (tier) => {
  const mute = join(files, 'mute.mjs'), stop = new AbortController()
  writeFileSync(mute, 'setInterval(() => {}, 1000)')
  // The test would be over long before the start is given up.
  const engine = await createEngine({
    tier, workers: 1, arenaBytes: 2 ** 24, workerURL: mute, startTimeoutMs: 600_000, logger: () => undefined,
  })
  const run = engine.run({ out: gain(audioBuffer({ data: [new Float32Array(50_000)], rate: 16_000 })) }, { signal: stop.signal })
  setTimeout(() => { stop.abort('enough') }, 50)
  await expect(run).rejects.toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('enough') as string })
  await engine.close()
})

/** Node warns of the eleventh listener on one signal; a run may have any number of segments. */
import { afterAll, expect, test } from 'vitest'
import { createEngine, type AnyHandle } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

const host = process.getBuiltinModule('node:process'), warnings: string[] = []
const hear = ({ message }: Error): void => { warnings.push(message) }
host.on('warning', hear)
afterAll(() => { host.off('warning', hear) })

test.each(['wasm-threads', 'wasm'] as const)('%s: a run of 16 segments hears of its end without a warning', async (tier) => {
  await using engine = await createEngine({ tier, workers: 2, arenaBytes: 2 ** 26, logger: () => undefined })
  const tone = Float32Array.from({ length: 50_000 }, (_, i) => Math.sin(i / 20))
  const outs = Object.fromEntries(Array.from({ length: 16 }, (_, n) =>
    [`o${n}`, gain(audioBuffer({ data: [tone], rate: 16_000 }), { gainDb: n }) as unknown as AnyHandle]))
  expect((await engine.plan(outs)).segments).toHaveLength(16)
  using result = await engine.run(outs)
  expect(Object.keys(result.outputs)).toHaveLength(16)
  // A warning is told in a later turn.
  await new Promise((resolve) => { setImmediate(resolve) })
  expect(warnings).toEqual([])
})

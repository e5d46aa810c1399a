import { describe, test } from 'vitest'
import { resample } from '../../../src/nodes/audio/resample.js'
import { registerConformance } from '../../../src/testing/index.js'

/** The first test runs the whole suite. Banks are designed per instance here (no engine, so no cache), which is most of its time. */
const patient = (name: string, body: () => Promise<void>): void => { test(name, body, 300_000) }

registerConformance(resample, { describe, test: patient }, {
  chunkings: 300,
  setups: [{ params: { rate: 16_000 } }, { params: { rate: 48_000, quality: 'best' } }, { params: { rate: 11_003, quality: 'low' } }],
})

/**
 * Code that has given its one record and whose `dispose` never ends: its run has the record and a warning after the grace time of a
 * cancel, its thread is replaced (EX-52, MW-50).
 */
import { expect, test } from 'vitest'
import { json } from '../../../src/index.js'
import { loose } from './script-nodes.js'
import { open } from './script-rig.js'

const packet = "{ media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }"
const node = (dispose: string): ReturnType<typeof loose> => loose({
  type: 'test::keeps', version: '1.0.0', title: 'K', doc: 'K.', family: 'test', params: {}, inputs: {}, outputs: { out: { media: json() } },
  thread: 'worker',
  codeURL: `data:text/javascript,${encodeURIComponent(`export const init = () => ({}), process = async () => ({ out: ${packet} }), dispose = ${dispose}`)}`,
})

test('a dispose that never ends holds its run no longer than code that was stopped', async () => {
  await using engine = await open(true)
  const result = await engine.run({ out: node('() => new Promise(() => undefined)')() })
  expect(result.outputs['out']!.data).toBe(1)
  expect(result.diagnostics).toEqual([expect.objectContaining({ code: 'HEARTBEAT_LOST', severity: 'warning', node: 'keeps-1' })])
  expect(engine.parts.scripts!.stats()).toMatchObject({ busy: 0, lost: 1 })
  const next = await engine.run({ out: node('() => undefined')() })
  expect([next.outputs['out']!.data, next.diagnostics]).toEqual([1, []])
  expect(engine.parts.scripts!.stats()).toMatchObject({ count: 1, busy: 0, lost: 1, respawns: 1 })
}, 20_000)

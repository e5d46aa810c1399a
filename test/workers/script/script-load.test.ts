/** Modules of nodes (`codeURL`) that never finish loading: their run fails in time, the thread is replaced, the engine closes. */
import { expect, test } from 'vitest'
import { createEngine, isMillraceError, json } from '../../../src/index.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'
import { loose, scripted } from './script-nodes.js'

const url = (text: string): string =>
  hostFacts().node ? `data:text/javascript,${encodeURIComponent(text)}` : URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
const BODY = "export const process = async () => ({ out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })"

test.each([
  ['loops', 'for (;;);'],
  ['waits at its top level', 'await new Promise(() => undefined);'],
])('a module that %s', async (_name, first) => {
  const engine = await createEngine({ workers: 1, startTimeoutMs: 1_000, logger: () => undefined })
  const node = loose({
    type: 'test::endless', version: '1.0.0', title: 'E', doc: 'E.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: json() } }, thread: 'worker', codeURL: url(`${first}\n${BODY}`),
  })
  const error: unknown = await engine.run({ out: node() }).then(() => undefined, (e: unknown) => e)
  expect(isMillraceError(error) && error).toMatchObject({ code: 'NETWORK', message: expect.stringContaining('did not load in 1000 ms') })
  const good = scripted(async () => ({
    out: { media: { kind: 'json' }, data: 7, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
  }))
  expect((await engine.run({ out: good() })).outputs['out']!.data).toBe(7)
  await engine.close()
}, 20_000)

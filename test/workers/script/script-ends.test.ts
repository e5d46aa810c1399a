/**
 * Every way in which a node's code, or its module, can end its thread or itself (MW-46, MW-49, MW-52): coded, in Node and in Chromium
 * isolated and not. A loop without end and a node that ignores its signal are in script-losses, modules that never finish loading in
 * script-load, unreadable messages and blocked scripts in script-server, pages with a policy in test/browser/policies.
 */
import { describe, expect, test } from 'vitest'
import { json, type NodeDefinition } from '../../../src/index.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'
import { loose, scripted, type Loose } from './script-nodes.js'
import { failure, modes, open } from './script-rig.js'

const inNode = hostFacts().node
const url = (text: string): string =>
  inNode ? `data:text/javascript,${encodeURIComponent(text)}` : URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
const fromModule = (text: string): Loose => loose({
  type: 'test::module', version: '1.0.0', title: 'M', doc: 'M.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: json() } }, thread: 'worker', codeURL: url(text),
})
const GOOD = "export const process = async () => ({ out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })"
type Process = NonNullable<NodeDefinition['process']>

describe.each(modes)('shared memory %s', (shared) => {
  const ends: readonly (readonly [name: string, process: Process, expected: object])[] = [
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the case itself
    ['a thrown string', async () => { throw 'no error object' },
      { code: 'NODE_FAILED', message: expect.stringContaining('no error object') }],
    ['a stack overflow', async () => { const deeper = (): number => deeper() + 1; return { out: deeper() } as never },
      { code: 'NODE_FAILED', message: expect.stringContaining('call stack') }],
    [
      'something that cannot be cloned',
      async () => ({
        out: { media: { kind: 'json' }, data: () => 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
      }),
      { nodeId: 'scripted-1', kind: expect.any(String) },
    ],
  ]
  test.each(ends)('%s fails the node; its thread goes on', async (_name, process, expected) => {
    await using engine = await open(shared)
    expect(await failure(engine.run({ out: scripted(process)() }))).toMatchObject({ nodeId: 'scripted-1', ...expected })
    expect((await engine.run({ out: fromModule(GOOD)() })).outputs['out']!.data).toBe(1)
    expect(engine.parts.scripts!.stats()).toMatchObject({ count: 1, busy: 0, lost: 0 })
  })

  test('a thread that its code ends every time: WORKER_LOST after three more deliveries', async () => {
    await using engine = await open(shared)
    // Browsers do not tell of a worker that closes itself: its silence does.
    const node = inNode
      ? scripted(async () => globalThis.process.exit(5))
      : scripted(async () => { (globalThis as unknown as { close(): void }).close(); await new Promise(() => undefined); return {} })
    const error = await failure(engine.run({ out: node.with({ policy: { hangMs: 400 } })() }))
    expect(error).toMatchObject({
      code: 'WORKER_LOST', nodeId: 'scripted-1', delivery: 4, retryable: false,
      ...(inNode ? { message: expect.stringContaining('exit code 5') } : { cause: { code: 'HEARTBEAT_LOST' } }),
    })
    expect(engine.parts.scripts!.stats()).toMatchObject({ busy: 0, lost: 4 })
    expect((await engine.run({ out: fromModule(GOOD)() })).outputs['out']!.data).toBe(1)
  }, 30_000)

  test('a module that ends its thread while it loads: WORKER_LOST where the host tells of it, else NETWORK in time', async () => {
    await using engine = await open(shared, { startTimeoutMs: 1_000 })
    const error = await failure(engine.run({
      out: fromModule(`${inNode ? 'globalThis.process.exit(6)' : 'close(); await new Promise(() => undefined)'}\n${GOOD}`)(),
    }))
    expect(error).toMatchObject(inNode ? {
      code: 'WORKER_LOST', nodeId: 'module-1', retryable: false,
      details: { delivery: 4, deliveries: 4, reason: expect.stringContaining('exit code 6') },
    } : { code: 'NETWORK', nodeId: 'module-1' })
    expect((await engine.run({ out: fromModule(GOOD)() })).outputs['out']!.data).toBe(1)
  }, 30_000)

  test('a run that is cancelled while code loads ends then, not when the loading does', async () => {
    // The start may take longer than this test.
    await using engine = await open(shared, { startTimeoutMs: 25_000 })
    const abort = new AbortController()
    const run = failure(engine.run({ out: fromModule(`await new Promise((resolve) => setTimeout(resolve, 20000))\n${GOOD}`)() }, {
      signal: abort.signal,
    }))
    while (engine.parts.scripts!.stats().count === 0) await new Promise((resolve) => { setTimeout(resolve, 5) })
    setTimeout(() => { abort.abort('enough') }, 50)
    expect(await run).toMatchObject({ code: 'CANCELLED' })
  }, 15_000)

  test.runIf(inNode)('memory without end: the thread dies of its resourceLimits, WORKER_LOST says so', async () => {
    await using engine = await open(shared, { resourceLimits: { maxOldGenerationSizeMb: 24 } })
    const node = scripted(async () => { const keep: unknown[] = []; for (;;) keep.push(new Array(1e5).fill({})) })
    expect(await failure(engine.run({ out: node() })))
      .toMatchObject({ code: 'WORKER_LOST', nodeId: 'scripted-1', delivery: 4, message: expect.stringContaining('out of memory') })
  }, 30_000)
})

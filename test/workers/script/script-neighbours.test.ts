/**
 * Jobs that share a thread with one that ends it (MW-47, "others untouched"), and what a thread throws,
 * gives back and costs when its engine closes.
 */
import { describe, expect, test } from 'vitest'
import type { EngineEvent, NodeDefinition } from '../../../src/index.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'
import { scripted, type Loose } from './script-nodes.js'
import { failure, modes, open } from './script-rig.js'

const inNode = hostFacts().node
/** Tells how often it was delivered, after some time. */
const fine = (ms: 20 | 600): Loose => scripted(ms === 20
  ? async (_inputs, _params, ctx) => {
    await ctx.clock.sleep(20)
    return {
      out: { media: { kind: 'json' }, data: ctx.delivery, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
    }
  }
  : async (_inputs, _params, ctx) => {
    await ctx.clock.sleep(600)
    return {
      out: { media: { kind: 'json' }, data: ctx.delivery, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
    }
  }, { type: `test::fine${ms}` })
/** Ends its thread every time, once its neighbours have begun. */
const poison =
  scripted(async (_inputs, _params, ctx) => { await ctx.clock.sleep(30); return globalThis.process.exit(1) }, { type: 'test::poison' })

describe.concurrent.each(modes)('shared memory %s', (shared) => {
  test.runIf(inNode)('a node that has given its result does not care what becomes of its thread', async () => {
    const events: EngineEvent[] = []
    await using engine = await open(shared, { workers: 1, onEvent: (event) => { events.push(event) } })
    const innocent = Promise.all(['a', 'b', 'c'].map((id) => engine.run({ out: fine(20).named(id)() })))
    expect(await failure(engine.run({ out: poison.named('poison')() })))
      .toMatchObject({ code: 'WORKER_LOST', nodeId: 'poison', delivery: 4 })
    expect((await innocent).map(({ status }) => status)).toEqual(['success', 'success', 'success'])
    expect(events.filter(({ type }) => type === 'worker.lost').map(({ payload }) => payload)).toEqual(Array.from({ length: 4 }, () =>
      expect.objectContaining({ worker: expect.stringMatching(/^script \d+$/), nodes: expect.arrayContaining(['poison']) })))
  })

  test.runIf(
    inNode,
  )('jobs that were lost together twice get threads of their own, which end with them: only the poison job fails', async () => {
    await using engine = await open(shared, { workers: 1, limiters: { many: 8 } })
    const policy = { policy: { limiters: ['many'] } }
    const innocent = Promise.all(['a', 'b', 'c'].map((id) => engine.run({ out: fine(600).with(policy).named(id)() })))
    expect(await failure(engine.run({ out: poison.with(policy).named('poison')() })))
      .toMatchObject({ code: 'WORKER_LOST', nodeId: 'poison', delivery: 4 })
    expect((await innocent).every(({ outputs }) => (outputs['out']!.data as number) <= 3)).toBe(true)
    expect(engine.parts.scripts!.stats()).toMatchObject({ busy: 0 })
    expect(engine.parts.scripts!.stats().count).toBeLessThanOrEqual(1)
  })

  test('an engine that closes after a loop without end was given up does not wait for it again', async () => {
    const engine = await open(shared, { workers: 1 }), abort = new AbortController()
    const run =
      failure(engine.run({ out: scripted(async () => { for (;;); }).with({ policy: { hangMs: 0 } })() }, { signal: abort.signal }))
    while (engine.parts.scripts!.stats().busy === 0) await new Promise((resolve) => { setTimeout(resolve, 5) })
    abort.abort('enough')
    expect(await run).toMatchObject({ code: 'CANCELLED' })
    const from = performance.now()
    await engine.close()
    // Ending a thread takes Chromium up to two seconds where it is busy.
    if (inNode) expect(performance.now() - from).toBeLessThan(1_500)
  })

  test('whatever is thrown, wherever: NODE_FAILED, as on the engine\'s thread', async () => {
    await using engine = await open(shared)
    type Code = Pick<Partial<NodeDefinition>, 'process' | 'init' | 'dispose'>
    const good: NonNullable<NodeDefinition['process']> = async () => ({
      out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
    })
    /* eslint-disable @typescript-eslint/only-throw-error, @typescript-eslint/prefer-promise-reject-errors -- the case itself */
    const nodes: Readonly<Record<string, readonly [operation: string, code: Code, thrown?: unknown]>> = {
      undefined: ['process', { process: async () => { throw undefined } }, undefined],
      null: ['process', { process: async () => { throw null } }, null],
      zero: ['process', { process: async () => { throw 0 } }, 0],
      function: ['process', { process: async () => { throw () => 1 } }],
      'a rejection with nothing': ['process', { process: () => Promise.reject() }, undefined],
      'a throw without a promise': ['process', { process: () => { throw undefined } }, undefined],
      'a generator, first': ['process', { async *process() { if (Math.abs(0) === 0) throw undefined; yield {} } }, undefined],
      'a generator, later': [
        'process',
        { async *process() {
          yield { out: { media: { kind: 'json' }, data: [1], position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
          throw null
        } },
        null,
      ],
      init: ['init', { process: good, init: () => { throw undefined } }, undefined],
      'init, later': ['init', { process: good, init: () => Promise.reject() }, undefined],
      dispose: ['dispose', { process: good, init: () => ({}), dispose: () => { throw undefined } }, undefined],
      'dispose, later': ['dispose', { process: good, init: () => ({}), dispose: () => Promise.reject(null) }, null],
    }
    /* eslint-enable @typescript-eslint/only-throw-error, @typescript-eslint/prefer-promise-reject-errors */
    for (const thread of ['worker', 'engine'] as const) {
      await Promise.all(Object.entries(nodes).map(async ([name, [operation, code, ...thrown]]) => {
        const error = await failure(engine.run({ out: scripted(good, { ...code, thread }).named('bad')() }))
        expect([thread, name, error.code, error.operation, error.nodeId]).toEqual([thread, name, 'NODE_FAILED', operation, 'bad'])
        expect(error.message).toContain('threw ')
        if (thrown.length > 0) expect([name, (error.details as { thrown?: unknown }).thrown]).toEqual([name, thrown[0]])
      }))
    }
    expect(engine.parts.scripts!.stats()).toMatchObject({ busy: 0, lost: 0 })
  })
})

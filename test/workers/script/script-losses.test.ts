import { describe, expect, test } from 'vitest'
import type { MillraceError, PacketStream } from '../../../src/index.js'
import type { FlightRecord } from '../../../src/memory/recorder.js'
import { audioBuffer } from '../../../src/nodes/index.js'
import { loose, peak, scripted } from './script-nodes.js'
import { failure, modes, open, tone } from './script-rig.js'

describe.each(modes)('losses and ends of nodes on threads, shared memory %s', (shared) => {
  test('a node that loops for ever: its thread is ended and replaced, at the fourth time the node fails', async () => {
    const lost: unknown[] = []
    await using engine = await open(shared, { logger: (_level, text, details) => { if (text === 'a thread was lost') lost.push(details) } })
    const before = engine.stats().arena.usedBytes
    const error = await failure(engine.run({ out: scripted(async () => { for (;;); }).with({ policy: { hangMs: 300 } })() }))
    expect(error).toMatchObject({
      code: 'WORKER_LOST', nodeId: 'scripted-1', attempt: 1, delivery: 4, retryable: false, cause: { code: 'HEARTBEAT_LOST' },
    })
    expect(error.details).toMatchObject({ delivery: 4, deliveries: 4 })
    // The thread's last entries, its own or what the engine saw of it (MW-06): its code was loaded, began and never came back.
    const { records, worker } = error.details as unknown as { readonly records: readonly FlightRecord[]; readonly worker: string }
    expect(records.map(({ kind }) => kind)).toEqual(['boot', 'end boot', 'script', 'end script', 'script', 'lost'])
    expect(new Set(records.map(({ thread }) => thread))).toEqual(new Set([worker]))
    expect(error.result.metrics.nodes[0]).toMatchObject({ status: 'failed', attempts: 1, deliveries: 4 })
    expect(lost).toHaveLength(4)
    expect(engine.parts.scripts!.stats()).toMatchObject({ lost: 4, busy: 0 })
    expect(engine.stats().arena.usedBytes).toBe(before)
    using fine = await engine.run({ out: peak(audioBuffer({ data: [tone], rate: 8_000 })) })
    expect(fine.status).toBe('success')
  })

  test('ctx.beat() keeps a long loop alive', async () => {
    await using engine = await open(shared)
    const node = scripted(async (_inputs, _params, ctx) => {
      for (const end = Date.now() + 900; Date.now() < end;) ctx.beat()
      return { out: { media: { kind: 'json' }, data: 'done', position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    })
    const result = await engine.run({ out: node.with({ policy: { hangMs: 400 } })() })
    expect([result.outputs['out']!.data, engine.parts.scripts!.stats().lost]).toEqual(['done', 0])
  })

  test('attempts and deliveries are counted apart; what was read is read again', async () => {
    await using engine = await open(shared)
    const node = loose({
      ...peak.definition, type: 'test::shaky',
      process: async (inputs, _params, ctx) => {
        const packet = await (inputs['in'] as PacketStream<{ readonly frames: number }>).whole()
        if (ctx.attempt === 1) throw new Error('not yet')
        if (ctx.delivery === 1) {
          setTimeout(() => { throw new Error('the thread ends') }, 0)
          await new Promise(() => undefined)
        }
        return {
          out: {
            media: { kind: 'json' }, data: [packet.data.frames, ctx.attempt, ctx.delivery], position: 0, duration: 0, streamId: '', seq: 0,
            arrivalUs: 0, metadata: {},
          },
        }
      },
    })
    using result = await engine.run({
      out: node.with({ policy: { retry: { kind: 'fixed', retries: 2, delayMs: 5 } } })(audioBuffer({ data: [tone], rate: 8_000 })),
    })
    expect(result.outputs.out!.data).toEqual([tone.length, 2, 2])
    expect(result.metrics.nodes.find(({ type }) => type === 'test::shaky')).toMatchObject({ status: 'retried', attempts: 2, deliveries: 3 })
  })

  test('what was given out is not given twice: the node fails at once', async () => {
    await using engine = await open(shared)
    const node = scripted(async function* (_inputs, _params, ctx) {
      yield {
        out: { media: { kind: 'json' as const }, data: [1], position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
      }
      await ctx.clock.sleep(20)
      setTimeout(() => { throw new Error('the thread ends') }, 0)
      await new Promise(() => undefined)
    })
    expect(await failure(engine.run({ out: node() }))).toMatchObject({ code: 'WORKER_LOST', delivery: 1 })
  })

  test('cancel: a node that listens ends at once, one that does not loses its thread after the grace', async () => {
    await using engine = await open(shared)
    const listens = scripted(async (_inputs, _params, ctx) => {
      await new Promise((_, reject) => { ctx.signal.addEventListener('abort', () => { reject(ctx.signal.reason as Error) }) })
      return {}
    }), deaf = scripted(async () => new Promise<never>(() => undefined))
    for (const [node, least, most, lost] of [[listens, 0, 500, 0], [deaf, 1_900, 3_000, 1]] as const) {
      const abort = new AbortController(), run = failure(engine.run({ out: node() }, { signal: abort.signal }))
      // Its code is on the thread.
      while (engine.parts.scripts!.stats().busy === 0) await new Promise((resolve) => { setTimeout(resolve, 5) })
      await new Promise((resolve) => { setTimeout(resolve, 50) })
      const started = performance.now()
      abort.abort('enough')
      const error = await run, ms = performance.now() - started
      expect(error).toMatchObject({ code: 'CANCELLED' })
      expect(ms).toBeGreaterThanOrEqual(least)
      expect(ms).toBeLessThan(most)
      for (let i = 0; i < 50 && engine.parts.scripts!.stats().lost < lost; i++) await new Promise((resolve) => { setTimeout(resolve, 10) })
      expect(engine.parts.scripts!.stats()).toMatchObject({ lost, busy: 0 })
    }
  })

  test('a timeout is told to the node; its error names it', async () => {
    await using engine = await open(shared)
    const node = scripted(async (_inputs, _params, ctx) => {
      await ctx.clock.sleep(5_000)
      throw ctx.signal.reason
    })
    const error: MillraceError = await failure(engine.run({ out: node.with({ policy: { timeoutMs: 120 } })() }))
    expect(error).toMatchObject({ code: 'NODE_TIMEOUT', nodeId: 'scripted-1', details: { timeoutMs: 120 } })
  })

  test('an engine that closes ends what waits there with CLOSED', async () => {
    const engine = await open(shared)
    const waiting = Array.from({ length: 20 }, () =>
      failure(engine.run({ out: scripted(async (_inputs, _params, ctx) => { await ctx.clock.sleep(60_000); return {} })() })))
    await new Promise((resolve) => { setTimeout(resolve, 300) })
    await engine.close()
    for (const error of await Promise.all(waiting)) expect(error.code).toBe('CLOSED')
  })
})

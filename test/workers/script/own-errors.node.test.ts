/**
 * Errors of what a node asks the engine for, and stops, keep what they are on a script thread: in `init`,
 * `process` and `flush` alike (GR-26, MW-70).
 */
import { describe, expect, test } from 'vitest'
import { createEngine, createRegistry, defineNode, isMillraceError, json, type MillraceError } from '../../../src/index.js'
import type { NodeContext, PacketRecord } from '../../../src/graph/node-definition.js'

const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test' } as const
/** What a call fails with on the engine's thread: another try may mend it. */
const flaky = defineNode({
  ...base, type: 'test::flaky', params: {}, inputs: {}, outputs: { out: { media: json() } },
  process: () => Promise.reject(Object.assign(new TypeError('busy'), { retryable: true })),
})
/** Does `what` in the call `where`. Self-contained: its text runs on a thread too. */
const asker = (thread: 'engine' | 'worker') => defineNode({
  ...base, type: 'test::asker', thread,
  params: { where: { type: 'string', default: '', doc: 'Where.' }, what: { type: 'string', default: '', doc: 'What.' } }, inputs: {},
  outputs: { out: { media: json() } },
  // One way to ask, which all three take along.
  init: async (params, ctx) => {
    const ask = async (what: unknown, own: NodeContext): Promise<void> => {
      if (what === 'unknown type') await own.callOp('no::such')
      if (what === 'too large') await own.allocAudio({ rate: 48_000, channels: 1, frames: 2 ** 40 })
      if (what === 'a node that fails') await own.callOp('test::flaky')
      // The first rejection is what is thrown, the second comes before the end is told.
      if (what === 'two at once') {
        await Promise.all([own.callOp('no::such'), own.allocAudio({ rate: 48_000, channels: 1, frames: 2 ** 40 })])
      }
      if (what === 'its own') throw new Error('not the engine\'s')
      if (what === 'a stop') {
        own.log('warn', 'waits')
        await own.clock.sleep(60_000).catch(() => undefined)
        own.signal.throwIfAborted()
      }
    }
    if (params['where'] === 'init') await ask(params['what'], ctx as NodeContext)
    return { ask }
  },
  process: async (_inputs, params, ctx) => {
    if (params['where'] === 'process') {
      await (ctx.instance as { ask(what: unknown, own: NodeContext): Promise<void> }).ask(params['what'], ctx)
    }
    return {} as PacketRecord
  },
  flush: async (params, ctx) => {
    if (params['where'] === 'flush') {
      await (ctx.instance as { ask(what: unknown, own: NodeContext): Promise<void> }).ask(params['what'], ctx)
    }
    return undefined
  },
})

async function failureOn(thread: 'engine' | 'worker', where: string, what: string): Promise<MillraceError> {
  const stop = new AbortController(), registry = createRegistry(flaky)
  await using engine =
    await createEngine({ registry, arenaBytes: 2 ** 24, workers: 1, logger: (_level, text) => { if (text === 'waits') stop.abort() } })
  try {
    await engine.run({ out: asker(thread)({ where, what }) }, { signal: stop.signal })
  } catch (error) {
    if (isMillraceError(error)) return error
  }
  throw new Error('expected a failure, got none')
}
const facts = ({ code, operation, retryable, hint }: MillraceError): unknown => ({ code, operation, retryable, hint })

describe.each(['init', 'process', 'flush'])('in %s', (where) => {
  test.each([
    ['unknown type', 'NODE_TYPE_UNKNOWN'], ['too large', 'INVALID_ARGUMENT'], ['a node that fails', 'NODE_FAILED'],
    ['two at once', 'NODE_TYPE_UNKNOWN'], ['its own', 'NODE_FAILED'], ['a stop', 'CANCELLED'],
  ])('%s is %s on a thread of its own as on the engine\'s', async (what, code) => {
    const [own, there] = await Promise.all([failureOn('engine', where, what), failureOn('worker', where, what)])
    expect(own.code).toBe(code)
    expect(facts(there)).toEqual(facts(own))
    if (what === 'a node that fails') expect(there.retryable).toBe(true)
  })
})

/**
 * Code of nodes on the engine's own thread that does not end: who waits for it no longer than its grace time, and who is told when it
 * blocked the thread (EX-52, MW-51, graph page section 3).
 */
import { describe, expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, json, type AnyHandle, type Engine, type EngineEvent, type NodeDefinition, type PacketRecord,
  type PacketStream,
} from '../../src/index.js'

interface Loose { (...args: readonly unknown[]): AnyHandle; with(settings: object): Loose; named(id: string): Loose }
const base = { version: '1.0.0', title: 'Test', doc: 'Test.', family: 'test', params: {} } as const
const packet = (data: unknown): PacketRecord => ({
  out: { media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
})
const node = (more: Partial<NodeDefinition>): Loose => defineNode({
  ...base, type: 'test::node', inputs: {}, outputs: { out: { media: json() } }, process: async () => packet(1), ...more,
} as NodeDefinition) as unknown as Loose
const source = (more: Partial<NodeDefinition>): Loose =>
  node({ type: 'test::source', process: undefined, async *pull() { yield packet([1]) }, ...more })
const never = (): Promise<never> => new Promise<never>(() => undefined)
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: { code?: string }) =>
  error.code ?? String(error))
const quiet = { tier: 'js', workers: 0, logger: () => undefined } as const

const HANGS: Readonly<Record<string, () => Loose>> = {
  'a probe': () => source({ probe: never }),
  'an init': () => node({ init: never }),
  'an init of a source that is started early': () => source({ outputs: { out: { media: audio({ discovered: true }) } }, init: never }),
  'a first packet': () => source({ outputs: { out: { media: audio({ discovered: true }) } }, async *pull() { await never(); yield {} } }),
  'a process': () => node({ process: never }),
  'a dispose': () => node({ init: () => ({}), dispose: never }),
  'a dispose after a failure': () => node({ init: () => ({}), dispose: never, process: () => { throw new Error('over') } }),
  'a reset': () => node({ init: () => ({}), reset: never }),
}

// Each waits for a grace time of 2 s: together.
describe.concurrent('hangs end with their run', () => {
  test.each(['cancel', 'close', 'drain'] as const)('%s: a probe, an init, a process, a reset, a dispose that never settle', async (how) => {
    await Promise.all(Object.entries(HANGS).map(async ([name, make]) => {
      const engine = await createEngine(quiet), abort = new AbortController()
      const run = codeOf(engine.run({ out: make()() }, { signal: abort.signal }))
      await new Promise((resolve) => { setTimeout(resolve, 20) })
      if (how === 'cancel') abort.abort('enough')
      const closed = how === 'cancel' ? undefined : how === 'close' ? engine.close() : engine.drain(30)
      expect([name, await run]).toEqual([name, how === 'cancel' ? 'CANCELLED' : 'CLOSED'])
      await closed
      await engine.close()
    }))
  }, 9_000)

  test('a plan whose probe hangs: cancelled, closed, drained', async () => {
    const planned = async (end: (engine: Engine, abort: AbortController) => unknown): Promise<string> => {
      const engine = await createEngine(quiet), abort = new AbortController()
      const plan = codeOf(engine.plan({ out: source({ probe: never })() }, { signal: abort.signal }))
      const ended = end(engine, abort), code = await plan
      await ended
      await engine.close()
      return code
    }
    expect(await Promise.all([
      planned((_engine, abort) => { abort.abort('enough') }),
      planned((engine) => engine.close()), planned((engine) => engine.drain(20)),
    ])).toEqual(['CANCELLED', 'CLOSED', 'CLOSED'])
  }, 9_000)

  test('an instance that comes after its run was given up is disposed of; an idle one whose dispose hangs does not hold up close, nor the others', async () => {
    const lines: string[] = []
    const engine = await createEngine({ ...quiet, logger: (_level, text) => { lines.push(text) } })
    const abort = new AbortController(), disposed: string[] = []
    let born = (_value: unknown): void => undefined
    const late = node({ init: () => new Promise((resolve) => { born = resolve }), dispose: () => { disposed.push('late') } })
    const run = codeOf(engine.run({ out: late() }, { signal: abort.signal }))
    await new Promise((resolve) => { setTimeout(resolve, 10) })
    abort.abort('enough')
    expect(await run).toBe('CANCELLED')
    born({})
    await new Promise((resolve) => { setTimeout(resolve, 10) })
    expect(disposed).toEqual(['late'])
    await engine.run({ out: node({ type: 'test::stuck', init: () => ({}), reset: () => undefined, dispose: never })() })
    await engine.run({
      out: node({ type: 'test::idle', init: () => ({}), reset: () => undefined, dispose: () => { disposed.push('idle') } })(),
    })
    await engine.close()
    expect([disposed, lines]).toEqual([['late', 'idle'], ['a dispose did not end']])
  }, 9_000)
})

describe('code that blocks the thread is told when it is over', () => {
  /** Has the thread for `ms`. */
  const block = (ms: number): void => { for (const from = performance.now(); performance.now() - from < ms;); }
  const policy = { policy: { hangMs: 40 } }, BUSY = 60
  const CASES: Readonly<Record<string, () => Loose>> = {
    'in a call': () => node({ process: async () => { block(BUSY); return packet(1) } }),
    'after an await': () => node({ process: async () => { await Promise.resolve(); block(BUSY); return packet(1) } }),
    'after a sleep': () => node({ process: async (_inputs, _params, ctx) => { await ctx.clock.sleep(5); block(BUSY); return packet(1) } }),
    'after a packet': () => Object.assign(
      () => (node({
        inputs: { in: { media: json() } },
        process: async ({ in: input }) => { await (input as PacketStream).whole(); block(BUSY); return packet(1) },
      }).named('blocks').with(policy))(source({})()),
      { named: () => CASES['after a packet']!(), with: () => CASES['after a packet']!() },
    ) as unknown as Loose,
    'between two packets': () => source({ async *pull() { yield packet([1]); block(BUSY); yield packet([2]) } }),
    'in init': () => node({ init: () => { block(BUSY); return {} } }),
    'in dispose': () => node({ init: () => ({}), dispose: () => { block(BUSY) } }),
    'in probe': () => source({ probe: async () => { block(BUSY); return { media: {} } } }),
    'in a first packet': () =>
      source({ outputs: { out: { media: json({ discovered: true } as never) } }, async *pull() { block(BUSY); yield packet([1]) } }),
  }
  test.each(Object.keys(CASES))('%s', async (name) => {
    const events: EngineEvent[] = [], lines: unknown[] = []
    await using engine =
      await createEngine({ ...quiet, logger: (level, text) => { lines.push([level, text]) }, onEvent: (event) => { events.push(event) } })
    const { status, diagnostics, runId } = await engine.run({ out: CASES[name]!().named('blocks').with(policy)() })
    const message = expect.stringMatching(/^Worker engine: silent for \d+ ms in blocks\.$/) as unknown
    expect([status, diagnostics])
      .toEqual(['success', [expect.objectContaining({ code: 'HEARTBEAT_LOST', severity: 'warning', node: 'blocks', message })]])
    expect(lines).toEqual([['warn', message]])
    expect(events).toEqual([expect.objectContaining({
      type: 'warning', nodeId: 'blocks', runId, payload: expect.objectContaining({ code: 'HEARTBEAT_LOST' }),
    })])
  })

  test('nobody is told of code that waits, beats, is allowed to, or stands beside an application that blocks', async () => {
    await using engine = await createEngine(quiet)
    const waits = node({
      type: 'test::waits',
      process: async () => { await new Promise((resolve) => { setTimeout(resolve, 450) }); return packet(1) },
    }).with({ policy: { hangMs: 300 } })
    const beats = node({
      type: 'test::beats',
      process: async (
        _inputs, _params, ctx,
      ) => { await ctx.clock.sleep(1); for (let n = 0; n < 6; n++) { block(60); ctx.beat() } return packet(1) },
    }).with({ policy: { hangMs: 300 } })
    const may = node({ type: 'test::may', process: async () => { block(60); return packet(1) } }).with({ policy: { hangMs: 0 } })
    const run = engine.run({ a: waits(), b: beats(), c: may() })
    setTimeout(() => { block(350) }, 20)
    expect((await run).diagnostics).toEqual([])
  })
})

/** `flush` of nodes written in TypeScript: called once, at the end of input (GR-26). */
import { describe, expect, test } from 'vitest'
import { createEngine, defineNode, json, type NodeDefinition, type Packet, type PacketStream } from '../../src/index.js'
import { callCode } from '../../src/schedule/batch/node-code.js'
import { listSource } from '../../src/nodes/index.js'

const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test' } as const
const packet = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
/** Sums by twos; what is left over comes at the end. Self-contained: its text runs on a thread too. */
const byTwo = (thread: 'engine' | 'worker', how: 'record' | 'records' | 'none' = 'record') => defineNode({
  ...base, type: `test::by-two-${how}`, thread, params: { how: { type: 'string', default: how, doc: 'How.' } },
  inputs: { in: { media: json() } }, outputs: { out: { media: json(), list: true } },
  init: () => ({ left: [] as number[], calls: [] as string[] }),
  async *process(inputs, _params, ctx) {
    const own = ctx.instance as { left: number[]; calls: string[] }
    own.calls.push('process')
    for await (const { data } of inputs['in'] as PacketStream) {
      own.left.push(data as number)
      if (own.left.length === 2) {
        yield {
          out: {
            media: { kind: 'json' }, data: [own.left.splice(0).reduce((a, b) => a + b)], position: 0, duration: 1, streamId: '', seq: 0,
            arrivalUs: 0, metadata: {},
          },
        }
      }
    }
  },
  flush: async (params, ctx) => {
    const own = ctx.instance as { left: number[]; calls: string[] }
    own.calls.push('flush')
    if (params['how'] === 'none') return undefined
    return {
      out: {
        media: { kind: 'json' }, data: [...own.left, own.calls.join()], position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0,
        metadata: {},
      },
    }
  },
})

describe('flush', () => {
  test.each([
    'engine', 'worker',
  ] as const)('on the thread of the %s: its record follows those of process, same instance, once', async (thread) => {
    await using engine = await createEngine({ arenaBytes: 2 ** 24 })
    const node = byTwo(thread), again = await engine.run({ out: node(listSource([1, 2, 3, 4, 5])) })
    expect(again.outputs.out.data).toEqual([3, 7, 5, 'process,flush'])
    expect(again.metrics.nodes.find(({ type }) => type === 'test::by-two-record'))
      .toMatchObject({ where: thread, itemsOut: 3, attempts: 1 })
    const silent = await engine.run({ out: byTwo(thread, 'none')(listSource([1, 2, 3])) })
    expect(silent.outputs.out.data).toEqual([3])
  })

  const counted = (calls: string[], parts: Partial<NodeDefinition> = {}) => defineNode({
    ...base, type: 'test::counted', params: {}, inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
    process: async (inputs: Readonly<Record<string, PacketStream>>) => {
      calls.push('process')
      return { out: packet((await inputs['in']!.whole()).data) }
    },
    async *flush() { calls.push('flush'); yield { out: packet('a') }; yield { out: packet('b') } },
    ...parts,
  } as never) as unknown as (input: unknown) => never

  test('gives as many records as it likes after a promise of one, and may be the only one to give', async () => {
    await using engine = await createEngine({ workers: 0 })
    const calls: string[] = [], result = await engine.run({ out: counted(calls)(listSource([1])) } as never)
    expect((result.outputs as Record<string, Packet>)['out']!.data).toBe('b')
    expect(result.metrics.nodes.find(({ type }) => type === 'test::counted')!.itemsOut).toBe(3)
    const only = await engine.run({
      out: counted(calls, { process: async (inputs) => { await (inputs['in'] as PacketStream).whole(); return {} } })(listSource([1])),
    } as never)
    expect((only.outputs as Record<string, Packet>)['out']!.data).toBe('b')
    expect(calls).toEqual(['process', 'flush', 'flush'])
  })

  test('not after a failure, which is the node\'s; not when the run is cancelled; its own failure names it', async () => {
    await using engine = await createEngine({ workers: 0 })
    const calls: string[] = []
    const run = (node: (input: unknown) => never, signal?: AbortSignal) =>
      engine.run({ out: node(listSource([1])) } as never, signal && { signal }).then(() => 'done', (error: unknown) => error)
    expect(await run(counted(calls, { process: async () => { throw new Error('no') } })))
      .toMatchObject({ code: 'NODE_FAILED', operation: 'process' })
    const stop = new AbortController()
    expect(await run(
      counted(calls, { async *process(
        _inputs, _params, { signal },
      ) { stop.abort(); await Promise.resolve(); signal.throwIfAborted(); yield {} } }),
      stop.signal,
    )).toMatchObject({ code: 'CANCELLED' })
    expect(calls).toEqual([])
    expect(await run(counted(calls, { flush: async () => { throw new Error('late') } })))
      .toMatchObject({ code: 'NODE_FAILED', operation: 'flush' })
    expect(await run(counted(calls, { flush: async () => ({ out: 1 as never }) }))).toMatchObject({ code: 'OUTPUT_INVALID' })
  })

  test('fed by a list: once per call', async () => {
    await using engine = await createEngine({ workers: 0 })
    const calls: string[] = []
    const list = defineNode({
      ...base, type: 'test::list', params: {}, inputs: {}, outputs: { out: { media: json(), list: true } },
      process: () => Promise.resolve({ out: packet([1, 2, 3]) }),
    })
    const result = await engine.run({ out: counted(calls)(list()) } as never)
    expect((result.outputs as Record<string, Packet>)['out']!.data).toEqual(['b', 'b', 'b'])
    expect(calls).toEqual(['process', 'flush', 'process', 'flush', 'process', 'flush'])
  })

  test('a source has none', () => {
    expect(() => defineNode({
      ...base, type: 'test::source', params: {}, inputs: {}, outputs: { out: { media: json() } }, async *pull() { yield {} },
      flush: async () => undefined,
    } as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(callCode({ process: undefined, flush: undefined, pull: () => 'asked' as never }, {}, {}, {} as never)).toBe('asked')
  })
})

import { expect, test } from 'vitest'
import { blocker, createEngine, createRegistry, defineNode, json, type Packet, type PacketStream } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const packet = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})

test('forty nodes at once cause no warning of the process; stopping reaches all of them', async () => {
  const warnings: string[] = [], aborted: unknown[] = [], listen = (warning: Error): void => { warnings.push(warning.name) }
  process.on('warning', listen)
  try {
    await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
    const all = <T>(of: (i: number) => T): Record<string, T> => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x${i}`, of(i)]))
    const node = defineNode({
      ...base, type: 'test::waits', params: { ms: { type: 'json', default: 0, doc: 'How long.' } }, inputs: {},
      outputs: { out: { media: json() } },
      process: async (_inputs, params, ctx) => {
        await ctx.clock.sleep(params['ms'] as number)
        if (ctx.signal.aborted) aborted.push(ctx.node.id)
        return { out: packet(1) }
      },
    }) as unknown as (params: { ms: number }) => never
    await engine.run(all((i) => node({ ms: 5 + i })) as never)
    const stop = new AbortController(), running = engine.run(all((i) => node({ ms: 30_000 + i })) as never, { signal: stop.signal })
    setTimeout(() => { stop.abort() }, 50)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(aborted).toHaveLength(40)
    await new Promise((resolve) => { setImmediate(resolve) })
    expect(warnings).toEqual([])
  } finally { process.off('warning', listen) }
})

test.each(['engine', 'worker'] as const)('a node that wraps the error of a blocked input is blocked, not failed (%s)', async (thread) => {
  await using engine = await createEngine({ registry, tier: 'js' })
  const some = defineNode({ ...base, type: 'test::some', inputs: {}, outputs: { out: { media: json() } }, async *pull(_params, ctx) {
    yield { out: packet(1) }
    await ctx.clock.sleep(5)
    yield { out: blocker }
  } })
  const careful = defineNode({
    ...base, type: 'test::careful', thread, inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
    process: async (inputs) => {
      try {
        for await (const one of inputs['in'] as unknown as PacketStream) void one
      } catch (error) {
        throw new Error('could not read', { cause: new Error('again', { cause: error }) })
      }
      return {}
    },
  })
  const result = await engine.run({ x: careful(some()) } as never)
  expect(result.status).toBe('success')
  expect(result.metrics.nodes.find(({ type }) => type === 'test::careful')).toMatchObject({ status: 'skipped', reason: 'blocked' })
})

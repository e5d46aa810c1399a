/**
 * What counts as a hang: the node's own word, else its type's, else the engine's, else 3 s; on threads of kernels, of nodes written
 * in TypeScript, and on the engine's (MW-45).
 */
import { describe, expect, test, vi } from 'vitest'
import { audio, createEngine, defineNode, json, type Engine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'

const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {}, inputs: {} } as const
type Said = { readonly hangMs?: number }
const scripted = (said: Said): Loose => defineNode({
  ...base, ...said, type: 'test::code', thread: 'worker', outputs: { out: { media: json() } },
  process: async () => ({
    out: { media: { kind: 'json' }, data: 1, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
  }),
}) as Loose
/** What it gives, only its first packet tells: it starts before the run is compiled. */
const early = (said: Said): Loose => defineNode({
  ...base, ...said, type: 'test::early', thread: 'worker', outputs: { out: { media: audio({ discovered: true }) } },
  async *pull(_params, ctx) {
    const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 10 })
    yield {
      out: {
        media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' },
        data, position: 0, duration: 10, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      } as never,
    }
  },
}) as Loose
const open = (hangMs: number | undefined): Promise<Engine> =>
  createEngine({ arenaBytes: 2 ** 24, workers: 1, logger: () => undefined, ...(hangMs !== undefined && { hangMs }) })
const ENGINES = [undefined, 700, 9_000]
const TYPES: readonly Said[] = [{}, { hangMs: 5_000 }]
const NODES: readonly Said[] = [{}, { hangMs: 3_000 }, { hangMs: 0 }]
const cases = TYPES.flatMap((type) => NODES.map((node) => [type, node] as const))

describe.each(ENGINES)('an engine that says %s', (said) => {
  test('nodes on threads of their own, also those that start early', async () => {
    await using engine = await open(said)
    const run = vi.spyOn(engine.parts.scripts!, 'run')
    for (const make of [scripted, early]) for (const [type, node] of cases) {
      run.mockClear()
      ;(await engine.run({ out: make(type).with({ policy: node })() })).close()
      expect(run.mock.calls.map(([{ hangMs }]) => hangMs)).toEqual([node.hangMs ?? type.hangMs ?? said ?? 3_000])
    }
  })

  test('kernels: a segment waits as long as its most patient node', async () => {
    await using engine = await open(said)
    const open_ = vi.spyOn(engine.parts.workers.executor!, 'runValues')
    const asked = vi.spyOn(engine.parts.workers.executor!, 'open')
    const common = said ?? 3_000
    for (const first of NODES) for (const second of NODES) {
      open_.mockClear()
      asked.mockClear()
      const source = audioBuffer({ data: [new Float32Array(100)], rate: 8_000 })
      ;(await engine.run({
        out: (gain as Loose).with({ policy: second })((gain as Loose).with({ policy: first })(source, { gainDb: -1 }), { gainDb: -1 }),
      })).close()
      const plans = [...open_.mock.calls.flatMap(([list]) => list), ...asked.mock.calls.map(([plan]) => plan)] as readonly {
        readonly hangMs?: number
      }[]
      // What is not said is the pool's, which is the engine's.
      expect(plans.map(({ hangMs }) => hangMs ?? common))
        .toEqual([Math.max(...[first, second].map(({ hangMs }) => hangMs === 0 ? Infinity : hangMs ?? common))])
    }
  })
})

test('code on the engine\'s thread: told of when it held that longer than the engine says', async () => {
  await using engine = await createEngine({ arenaBytes: 2 ** 24, workers: 0, hangMs: 40, logger: () => undefined })
  const holds = defineNode({ ...base, type: 'test::holds', outputs: { out: { media: json() } }, process: async () => {
    for (const end = performance.now() + 60; performance.now() < end;);
    return { out: { media: { kind: 'json' }, data: 1, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  } })
  using result = await engine.run({ out: holds() })
  expect(result.diagnostics.map(({ code }) => code)).toEqual(['HEARTBEAT_LOST'])
})

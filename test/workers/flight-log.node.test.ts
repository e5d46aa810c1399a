/**
 * The flight recorder of threads with memories of their own (MW-06): they write it themselves where the host shares
 * memory, else the engine writes what it sees.
 */
import { afterEach, expect, test, vi } from 'vitest'
import { audio, createEngine, defineNode, type AnyHandle } from '../../src/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { postable, readRecords } from '../../src/memory/recorder.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { craftModule } from '../kernels/craft-module.js'
import { scripted } from './script/script-nodes.js'

afterEach(() => { vi.unstubAllGlobals() })

const EXPORTS = ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process']
const traps = defineNode({
  type: 'test::traps', version: '1.0.0', title: 'Traps', doc: 'Traps.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'traps', export: 'bad' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as unknown as (input: AnyHandle) => AnyHandle
const tone = (): AnyHandle => audioBuffer({ data: [new Float32Array(2_000).fill(0.5)], rate: 8_000 }) as never

test.each([
  [true, ['queue', 'end queue', 'kernel']], [false, ['queue']],
])('entries of one worker and one script thread, written by themselves %s', async (itself, before) => {
  if (!itself) vi.stubGlobal('crossOriginIsolated', false)
  await using engine = await createEngine({
    tier: 'wasm', workers: 1, logger: () => undefined,
    kernels: { traps: craftModule({ exports: EXPORTS, body: [0x00], layout: layoutHash() }) },
  })
  const { flights } = engine.parts.arena
  const of = (name: string): unknown[][] => readRecords(flights).filter(({ thread }) => thread === name).map(({ kind, task, value }) =>
    [kind, task, value])
  expect(postable(flights) !== undefined).toBe(itself);
  (await engine.run({ out: gain(tone() as never, { gainDb: -6 }) })).close()
  const first = of('worker 1'), count = (what: string): number => first.filter(([kind]) => kind === what).length
  expect(first.slice(0, before.length + 2)).toEqual([['boot', -1, 1], ['end boot', -1, 1], ...before.map((kind) => [kind, 1, 0])])
  expect(first.at(-1)).toEqual(['end kernel', 1, 0])
  // The engine asks ahead: for more than there may be, and without knowing when that begins.
  if (itself) expect([count('queue'), count('end queue'), count('kernel')]).toEqual(Array(3).fill(count('end kernel')))
  else expect(count('kernel') + count('end queue')).toBe(0)
  await expect(engine.run({ out: traps(tone()) })).rejects.toMatchObject({ code: 'KERNEL_TRAP' })
  const second = of('worker 1').slice(first.length)
  expect(second.slice(0, before.length)).toEqual(before.map((kind) => [kind, 2, 0]))
  expect(second.slice(-2)).toEqual([['trap', 2, -1], ['lost', -1, 1]])
  await expect(engine.run({ out: scripted(() => Promise.reject(new Error('broken')))() })).rejects.toMatchObject({ code: 'NODE_FAILED' })
  expect(of('script 1')).toEqual([
    ['boot', -1, 1], ['end boot', -1, 1], ['script', -1, 1], ['end script', -1, 1], ['script', 1, 0], ['trap', 1, 0],
  ])
})

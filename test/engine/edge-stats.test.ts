/** MW-23: every copy stands at an edge, with its reason, in `engine.stats().edges`. */
import { describe, expect, test } from 'vitest'
import { createEngine, hostFacts, type EdgeStats, type EngineOptions } from '../../src/index.js'
import { audioBuffer, gain, toPcm16, vad } from '../../src/nodes/index.js'

const FRAMES = 30_000, BYTES = 4 * FRAMES, samples = Float32Array.from({ length: FRAMES }, (_, i) => Math.sin(i / 9))
const sum = (edges: readonly EdgeStats[]): number =>
  edges.reduce((all, { copyBytes }) => all + Object.values(copyBytes).reduce((a, b) => a + b, 0), 0)

describe.each([
  ['one thread', { workers: 0 }], ['shared', { workers: 2 }], ['private', { workers: 2, tier: 'wasm' }],
] as const)('%s', (name, options: EngineOptions) => {
  test('copies of runs, by edge and reason; kernels of one memory copy nothing', async () => {
    await using engine = await createEngine({ arenaBytes: 2 ** 25, ...options })
    expect(engine.stats().edges).toEqual([])
    // Where hosts share no memory, threads never do.
    const moved = name !== 'one thread' && (name === 'private' || !hostFacts().sab)
    const source = audioBuffer({ data: [samples], rate: 16_000 }), loud = gain(source, { gainDb: 3 })
    const { runId, metrics, outputs, ...result } = await engine.run({ frames: vad(loud).frames, pcm: toPcm16(loud) })
    const { edges } = engine.stats()
    expect(edges.every((edge) => edge.runId === runId)).toBe(true)
    expect(sum(edges)).toBe(metrics.copyBytes)
    expect(metrics.edges.reduce((all, { copyBytes }) => all + copyBytes, 0)).toBe(metrics.copyBytes)
    expect(metrics.edges.filter(({ to }) => to !== '' && !to.includes('.'))).toEqual([])
    expect(metrics.edges.filter(({ from }) => from.startsWith('audio-buffer'))).toHaveLength(1)
    if (moved) {
      expect(metrics.edges.find(({ from }) => from.startsWith('audio-buffer')))
        .toMatchObject({ transport: 'transfer', copyBytes: 3 * BYTES })
    }
    const at = (from: string): EdgeStats => edges.find((edge) => edge.from.startsWith(from))!
    expect(at('audio-buffer')).toMatchObject({ copyBytes: { platform: BYTES, thread: moved ? 2 * BYTES : 0, convert: 0, user: 0 } })
    expect(edges.filter(({ from }) => from.startsWith('gain'))).toHaveLength(2)
    expect(sum(edges.filter(({ from, transport }) => from.startsWith('gain') && transport === 'address'))).toBe(0)
    // What a user asks for outside of runs is told too.
    engine.audio.from([samples], { rate: 8_000, channels: 1 }, { copy: true }).close()
    expect(engine.stats().edges.find(({ from }) => from === 'audio.from'))
      .toMatchObject({ runId: '', to: '', transport: '', copyBytes: { user: BYTES } })
    result.close()
    void outputs
  })

  test('queues count packets and frames; the last 8 runs are kept', async () => {
    await using engine = await createEngine({ arenaBytes: 2 ** 25, ...options })
    const ids: string[] = []
    for (let round = 0; round < 10; round++) {
      using result = await engine.run({ out: gain(audioBuffer({ data: [samples], rate: 16_000 })) })
      ids.push(result.runId)
    }
    const { edges } = engine.stats()
    // Rows are made once; the list is the caller's own.
    ;(engine.stats().edges as EdgeStats[]).splice(0)
    expect(engine.stats().edges.length).toBe(edges.length)
    expect(engine.stats().edges.every((edge, i) => edge === edges[i])).toBe(true)
    expect([...new Set(edges.map(({ runId }) => runId))]).toEqual(ids.slice(2))
    expect(edges.every(({ transport, items, frames }) => transport !== 'queue' || (items === 1 && frames === FRAMES))).toBe(true)
  })
})

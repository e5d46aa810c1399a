import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { audioBuffer } from '../../src/nodes/io/audio-buffer.js'

describe('option metrics', () => {
  test('false leaves nodes, edges and path out and changes no sample; the option wins over the graph', async () => {
    await using engine = await createEngine({ workers: 0 })
    const samples = Float32Array.from({ length: 20_000 }, (_, n) => Math.sin(n))
    const graph = (metrics?: boolean): ReturnType<typeof graphFrom> => {
      const made = graphFrom({ out: gain(gain(audioBuffer(samples), { gainDb: -3 }), { gainDb: -1 }) })
      return metrics === undefined ? made : { ...made, config: { ...made.config, metrics } }
    }
    const seen: {
      readonly nodes: number
      readonly edges: number
      readonly path: number
      readonly total: number
      readonly data: unknown
    }[] = []
    for (const [own, option] of [[undefined, undefined], [undefined, false], [false, undefined], [false, true]] as const) {
      const result = await engine.run(graph(own), option === undefined ? {} : { metrics: option })
      const { nodes, edges, criticalPath, nodesTotal } = result.metrics
      seen.push({
        nodes: nodes.length, edges: edges.length, path: criticalPath.length, total: nodesTotal,
        data: (result.outputs['out']!.data as { toArray(): unknown }).toArray(),
      })
      result.close()
    }
    expect(seen.map(({ data: _data, ...rest }) => rest)).toEqual([
      { nodes: 3, edges: 1, path: 3, total: 3 }, { nodes: 0, edges: 0, path: 0, total: 3 }, { nodes: 0, edges: 0, path: 0, total: 3 },
      { nodes: 3, edges: 1, path: 3, total: 3 },
    ])
    for (const { data } of seen) expect(data).toEqual(seen[0]!.data)
  })
})

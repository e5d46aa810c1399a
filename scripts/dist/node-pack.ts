/**
 * A package of nodes as its author writes it: the types of what it exports name only what the library exports, or
 * `declaration: true` fails (TS2742, TS4023).
 */
import { audio, defineNode, graphFrom, hashGraph, json, text, topologicalOrder } from 'millrace'
import { importDocument } from 'millrace/graph'
import { gain, mix, vad, wavFile } from 'millrace/nodes'

export const peak = defineNode({
  type: 'mine::peak', version: '1.0.0', title: 'Peak', doc: 'The largest sample.', family: 'analysis',
  params: { floor: { type: 'number', default: 0, doc: 'At least this.' } },
  inputs: { in: { media: audio() }, note: { media: text(), optional: true } }, outputs: { peak: { media: json() } },
  process: async (inputs, { floor }) => {
    const { data } = await inputs.in.whole()
    return {
      peak: {
        media: { kind: 'json' },
        data: data.channel(0).reduce((most, x) => Math.max(most, Math.abs(x)), floor),
        position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      },
    }
  },
})
export const louder = (x: ReturnType<typeof wavFile>) => gain(x, { gainDb: 3 })
export const speech = vad(wavFile('talk.wav'))
export const both = mix([louder(wavFile('a.wav')), wavFile('b.wav')])
export const hashes = hashGraph(graphFrom({ peak: peak(both) }))
export const order = topologicalOrder(graphFrom({ both }))
export const read = importDocument({})

/** Node types whose code runs on threads: their functions use nothing but arguments and globals. */
import { audio, defineNode, json, type AnyHandle, type AudioBuffer, type NodeDefinition, type PacketStream } from '../../../src/index.js'

const base = { version: '1.0.0', title: 'Test', doc: 'Test.', family: 'test', params: {}, thread: 'worker' } as const
const sound = audio({ format: 'f32', layout: 'planar' })

/** Loudest sample, packet by packet. */
export const peak = /* @__PURE__ */ defineNode({
  ...base, type: 'test::peak', inputs: { in: { media: sound } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    let loudest = 0, packets = 0
    for await (const packet of inputs['in'] as PacketStream<AudioBuffer>) {
      packets++
      for (let c = 0; c < packet.data.channels; c++) for (const x of packet.data.channel(c)) loudest = Math.max(loudest, Math.abs(x))
    }
    return {
      out: {
        media: { kind: 'json' }, data: { loudest, packets }, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      },
    }
  },
})

/** Halves samples: in place where it may, in fresh audio, or hands on halves of its input, by `how`. */
export const half = /* @__PURE__ */ defineNode({
  ...base, type: 'test::half', params: { how: { type: 'enum', values: ['fresh', 'mutate', 'slices'], default: 'fresh', doc: 'How.' } },
  inputs: { in: { media: sound } }, outputs: { out: { media: audio({ like: 'in' }) } },
  async *process(inputs, params, ctx) {
    for await (const { seq: _seq, ...packet } of inputs['in'] as PacketStream<AudioBuffer>) {
      const from = packet.data, { rate, channels, frames } = from
      if (params['how'] === 'slices') {
        const middle = frames >> 1
        yield { out: { ...packet, seq: 0, data: from.slice(0, middle), duration: middle } }
        yield {
          out: { ...packet, seq: 0, data: from.slice(middle, frames), position: packet.position + middle, duration: frames - middle },
        }
        continue
      }
      const to = params['how'] === 'mutate' ? from.clone().makeMut() : await ctx.allocAudio({ rate, channels, frames })
      for (let c = 0; c < channels; c++) {
        const a = from.channel(c), b = to.channel(c)
        for (let n = 0; n < frames; n++) b[n] = a[n]! / 2
      }
      yield { out: { ...packet, seq: 0, data: to } }
    }
  },
})

/** Counts from 0, one number a packet; tells how far it is. */
export const counter = /* @__PURE__ */ defineNode({
  ...base, type: 'test::counter', params: { to: { type: 'integer', min: 0, default: 5, doc: 'End.' } }, inputs: {},
  outputs: { out: { media: json() } },
  async *pull(params, ctx) {
    for (let n = 0; n < (params['to'] as number); n++) {
      ctx.progress(n, params['to'] as number)
      yield {
        out: { media: { kind: 'json' as const }, data: [n], position: n, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: { n } },
      }
    }
  },
})

/** A node factory of which only the run knows the ports. */
export interface Loose {
  (...args: readonly unknown[]): AnyHandle
  with(settings: { readonly policy: Readonly<Record<string, unknown>> }): Loose
  named(id: string): Loose
  readonly definition: NodeDefinition
}

/** A definition as a factory. */
export function loose(definition: NodeDefinition): Loose { return defineNode(definition) as unknown as Loose }

/** A node without inputs whose code is that function. */
export function scripted(process: NonNullable<NodeDefinition['process']>, more: Partial<NodeDefinition> = {}): Loose {
  return loose({ ...base, type: 'test::scripted', inputs: {}, outputs: { out: { media: json() } }, process, ...more })
}

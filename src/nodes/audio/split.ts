/**
 * Every channel of a stream as a stream of its own: `split(x).c1` is the second channel. Views of the samples where they stand: nothing is
 * copied and no code runs. It does not change samples; channels that the input does not have are PORT_NOT_FOUND when something reads them.
 */
import { defineNode } from '../../graph/define-node.js'
import type { OutputDeclaration } from '../../graph/node-definition.js'
import { audio, sameAs } from '../../media/media-type.js'

/** Most channels of a stream. */
const CHANNELS = 64

export const split = /* @__PURE__ */ defineNode({
  type: 'audio::split', version: '1.0.0', title: 'Split', family: 'level', tags: ['channels', 'mono', 'view'],
  doc: 'Every channel of a stream as a mono stream.',
  params: {},
  inputs: { in: { media: audio({ layout: 'planar' }) } },
  outputs: /* @__PURE__ */ channelPorts(), main: 'c0',
  deterministic: 'yes',
})

/** The numbers below N: `Record<`c${number}`, …>` would say of every port that it may be absent. */
type Below<N extends number, A extends readonly number[] = []> = A['length'] extends N ? A[number] : Below<N, readonly [...A, A['length']]>

function channelPorts(): Readonly<Record<`c${Below<typeof CHANNELS>}`, OutputDeclaration & { readonly media: ReturnType<typeof audio> }>> {
  const port = (first: number): OutputDeclaration & { readonly media: ReturnType<typeof audio> } => ({
    media: audio({ rate: sameAs('in'), format: sameAs('in'), layout: 'planar', channels: 1 }), view: () => ({ first }),
  })
  return Object.fromEntries(Array.from({ length: CHANNELS }, (_, c) => [`c${c}`, port(c)])) as ReturnType<typeof channelPorts>
}

/**
 * Gives one of its inputs: only that one's branch is computed (GR-29). `which` may come along an edge, its nth value for the nth packet.
 * Not a mixer: the others are declined, so that a stream that runs for somebody else passes there unread.
 */
import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import { defineNode } from '../../graph/define-node.js'
import type { NodeContext, ParamTable, ParamValues } from '../../graph/node-definition.js'
import { match } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import { passedOn } from './items.js'

const params = {
  which: {
    type: 'json', default: 0, input: true, main: true,
    doc: 'Which input: its place from 0, or false for the first and true for the second. Along an edge: the nth value for the nth packet.',
  },
} as const satisfies ParamTable

export const switchTo = /* @__PURE__ */ defineNode({
  type: 'core::switch', version: '1.0.0', title: 'Switch', family: 'core', tags: ['switch', 'lazy', 'branch'], aliases: ['SwitchNode'],
  doc: 'Gives the chosen one of its inputs; what only the others want does not run.', params,
  inputs: { in: { media: match('T'), multi: true, lazy: true, doc: 'What there is to choose from.' } },
  outputs: { out: { media: match('T'), doc: 'The chosen one.' } }, costUs: 10, memoryBytes: 0,
  validate: ({ which }): readonly Diagnostic[] =>
    placeOf(which) === undefined ? [commonErrors.INVALID_ARGUMENT.diagnostic(fault(which))] : [],
  process: (_inputs, p: ParamValues, ctx) => forward(p, ctx),
})

const fault = (which: unknown): { readonly function: string; readonly expected: string; readonly got: string } => ({
  function: 'core::switch which', expected: 'a place from 0, true or false', got: show(which),
})

function placeOf(which: unknown): number | undefined {
  return typeof which === 'boolean' ? Number(which) : Number.isInteger(which) && (which as number) >= 0 ? which as number : undefined
}

async function* forward(p: ParamValues, ctx: NodeContext): AsyncGenerator<{ readonly out: Packet }> {
  let chosen: number | undefined, packets: AsyncIterator<Packet> | undefined
  for (;;) {
    const { which } = p, place = placeOf(which)
    if (place === undefined) throw commonErrors.INVALID_ARGUMENT(fault(which))
    if (place !== chosen) {
      ctx.decline('in')
      packets = (await ctx.need(`in.${chosen = place}`))[Symbol.asyncIterator]()
    }
    const next = await packets!.next()
    if (next.done === true) return
    ctx.signal.throwIfAborted()
    yield { out: passedOn(next.value) }
  }
}

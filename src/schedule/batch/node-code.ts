import type { NodeContext, NodeDefinition, PacketRecord, ParamValues } from '../../graph/node-definition.js'
import { wrapNodeFailure } from '../node-failure.js'
import type { InputStreams } from './node-inputs.js'

/** What the code of a node gives: one record, or one after the other. */
export type CodeResult = Promise<PacketRecord> | AsyncIterable<PacketRecord>

/**
 * Calls the code of a node: `pull`, or `process` and, once that has come to its end by itself, `flush` (GR-26).
 * What is left early, or fails, is not flushed.
 */
export function callCode(
  { process, pull, flush }: Pick<NodeDefinition, 'process' | 'pull' | 'flush'>,
  inputs: InputStreams, params: ParamValues, ctx: NodeContext,
): CodeResult {
  if (pull !== undefined) return pull(params, ctx)
  const own = process!(inputs, params, ctx)
  return flush === undefined ? own : flushed(own, flush, params, ctx)
}

async function* flushed(
  own: CodeResult, flush: NonNullable<NodeDefinition['flush']>, params: ParamValues, ctx: NodeContext,
): AsyncGenerator<PacketRecord> {
  // What is no record is the driver's to refuse.
  if (isStream(own)) yield* own; else yield await own
  try {
    const rest = flush(params, ctx)
    if (isStream(rest)) { yield* rest; return }
    const last = await rest
    if (last !== undefined) yield last
  } catch (error) { throw wrapNodeFailure(error, { node: ctx.node.id, type: ctx.node.type, operation: 'flush' }) }
}

function isStream(given: unknown): given is AsyncIterable<PacketRecord> {
  return typeof given === 'object' && given !== null && Symbol.asyncIterator in given
}

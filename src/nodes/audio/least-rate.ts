import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import type { PortMedia } from '../../graph/node-definition.js'

/** Least rate that audio nodes process, Hz; lower ones are only carried (AU-11). */
export const LEAST_RATE = 100

/**
 * `UNSUPPORTED` where the audio input `in` (or the first of several) has a known rate below
 * {@link LEAST_RATE}. `type`: the node's id, for the message.
 */
export function rateProblems(type: string, media: PortMedia): readonly Diagnostic[] {
  const input = media['in'] ?? media['in.0']
  if (input?.kind !== 'audio' || input.rate >= LEAST_RATE) return []
  return [commonErrors.UNSUPPORTED.diagnostic({
    feature: `${type} from ${input.rate} Hz`, runtime: 'this version', alternative: `Use rates from ${LEAST_RATE} Hz on.`,
  })]
}

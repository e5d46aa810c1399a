import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { lateOutput, outputFacts, type OutputFacts, type OutputRef } from './output-ref.js'

/** Shortest delay of a feedback edge, frames: one quantum (GR-12). */
export const LEAST_DELAY_FRAMES = 128

/**
 * A loop in a graph (GR-12): `loop` gets what its own result was `delayFrames` frames ago, zeros at first, wires it wherever it wants, and
 * returns the result. Frames count at the rate of the input that reads them, at least 128; only audio goes round. The loop ends with what
 * comes into it from outside: what would still ring is not played. Throws `INVALID_ARGUMENT`.
 * @example
 * const echo = feedback({ delayFrames: 12_000 }, (late) => mix([dry, gain(late, { gainDb: -6 })]))
 */
export function feedback<T extends OutputRef<'audio'>>(
  options: { readonly delayFrames: number }, loop: (late: OutputRef<'audio'>) => T,
): T {
  const delayFrames = (options as Partial<typeof options> | null | undefined)?.delayFrames as number
  if (!Number.isInteger(delayFrames) || delayFrames < LEAST_DELAY_FRAMES) {
    throw wrong(`delayFrames of at least ${LEAST_DELAY_FRAMES}`, show(delayFrames))
  }
  if (typeof loop !== 'function') throw wrong('a function as loop', show(loop))
  const made: { end?: OutputFacts } = {}
  const late = lateOutput(delayFrames, () => {
    if (made.end === undefined) throw wrong('its loop to return before a graph is made of it', 'a graph made inside')
    return made.end
  })
  const result = loop(late), facts = outputFacts(result)
  if (facts === undefined || facts.delayFrames !== undefined) {
    throw wrong('its loop to return an output of a node', facts === undefined ? show(result) : 'what goes round')
  }
  made.end = facts
  return result
}

function wrong(expected: string, got: string): Error { return commonErrors.INVALID_ARGUMENT({ function: 'feedback', expected, got }) }

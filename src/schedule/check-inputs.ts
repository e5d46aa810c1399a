import { commonErrors } from '../errors/common-errors.js'
import type { GraphInput } from '../graph/graph.js'
import { admitsMedia, describeConstraint, describeMedia } from '../graph/negotiate/describe.js'
import type { Media } from '../media/media-type.js'

/**
 * Checks values given to a graph's inputs against the `media` that the inputs declare. `known`: media of the sources that stand for them,
 * by port. Throws `INVALID_ARGUMENT` naming the input, what it takes and what came.
 */
export function checkInputs(inputs: ReadonlyMap<string, GraphInput>, known: ReadonlyMap<string, Media>): void {
  for (const [name, { media, to }] of inputs) {
    if (media === undefined) continue
    for (const [node, port] of to) {
      const came = known.get(`~${name}.${node}.${port}.out`)
      if (came !== undefined && !admitsMedia(media, came)) {
        throw commonErrors.INVALID_ARGUMENT({
          function: `run input ${name}`, expected: describeConstraint(media), got: describeMedia(came),
        })
      }
    }
  }
}

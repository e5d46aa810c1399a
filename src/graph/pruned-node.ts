import type { Diagnostic } from '../errors/diagnostic.js'
import { graphErrors } from './errors.js'

/** What is said of a node that no end of the run needs (GR-09, GR-10). */
export function prunedNode(node: string, pointer: string): Diagnostic {
  return graphErrors.PRUNED_NODE.diagnostic(
    { node, what: 'left out: no output of the run needs it', todo: 'Declare one of its outputs as a run output, or set output: true.' },
    { node, pointer },
  )
}

import { commonErrors } from '../errors/common-errors.js'
import type { Diagnostic } from '../errors/diagnostic.js'
import { show } from '../errors/show.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'

/**
 * What a function of a definition gives. One that throws, or gives what `fits` refuses, is the fault of its author: throws `INTERNAL` with
 * the type's and the function's names, the cause along.
 * @example
 * ask(definition, 'planNote', () => definition.planNote?.(params, media))
 */
export function ask<T>({ type }: Pick<NodeDefinition, 'type'>, name: string, call: () => T, fits?: (answer: T) => boolean): T {
  let said: string, cause: unknown
  try {
    const answer = call()
    if (fits?.(answer) !== false) return answer
    said = `gave ${show(answer)}`
  } catch (error) {
    cause = error
    said = error instanceof Error ? error.message : show(error)
  }
  throw commonErrors.INTERNAL({ what: `Node type ${type}: ${name} failed: ${said}` }, { cause, nodeType: type })
}

/** A number from 0 that frames can be counted with. */
export const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < Infinity

/** What {@link ask} threw, as a finding. */
export function internal(error: unknown): Diagnostic {
  return commonErrors.INTERNAL.diagnostic({ what: error instanceof Error ? error.message : show(error) })
}

/** Whether a source is known whole before the run. */
export function isWhole(definition: NodeDefinition, params: ParamValues): boolean {
  return definition.whole !== undefined && ask(definition, 'whole', () => definition.whole!(params)) === true
}

import { show } from '../errors/show.js'
import type { NodeDefinition } from './node-definition.js'

/**
 * What a condition is asked of: values of the node's params, undefined when nobody knows before the
 * run; whether something is linked to an input.
 */
export interface SkipQuestion {
  readonly value: (param: string) => { readonly is: unknown } | undefined
  readonly linked: (input: string) => boolean
}

/** The forms that `skipIf` may have. */
export const SKIP_FORMS = 'true, false, { param, is } or { absent } naming a param or input of the node'

/**
 * What `policy.skipIf` comes to (EX-58): `true`; `{ param, is }`: a param has that value; `{ absent }`: an input is linked to nothing.
 * `not: true` turns the last two round. Answers the reason why the node is left out (`reason`, else one made of the condition), false when
 * it runs or nobody knows yet, null for any other form.
 */
export function skipReason(when: unknown, definition: NodeDefinition | undefined, { value, linked }: SkipQuestion): string | false | null {
  if (typeof when === 'boolean') return when && 'skipIf'
  const { param, is, absent, not = false, reason } = (typeof when === 'object' && when !== null ? when : {}) as {
    readonly param?: unknown
    readonly is?: unknown
    readonly absent?: unknown
    readonly not?: unknown
    readonly reason?: unknown
  }
  let holds: boolean, what: string
  if (typeof param === 'string' && Object.hasOwn(definition?.params ?? {}, param)) {
    const has = value(param)
    if (has === undefined) return false
    holds = JSON.stringify(has.is) === JSON.stringify(is)
    what = `${param} is ${show(has.is)}`
  } else if (typeof absent === 'string' && Object.hasOwn(definition?.inputs ?? {}, absent)) {
    const is = linked(absent)
    holds = !is
    what = `${absent} is ${is ? 'linked' : 'absent'}`
  } else return null
  return holds !== (not === true) && (typeof reason === 'string' ? reason : `skipIf: ${what}`)
}

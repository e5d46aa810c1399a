import type { FromParams, Media } from '../../media/media-type.js'
import type { ParamValues } from '../node-definition.js'
import { fieldAt, fieldIndex, type Domain } from './domain.js'
import { onlyValue } from './field-domain.js'
import { mediaOf } from './constraints.js'

/** What evaluating a field function found: its result, or that it read something not known yet. */
export interface Evaluation {
  readonly result: unknown
  /** Read a field that is still undecided. */
  readonly undecided: boolean
  /** Read a field that waits for the first packet. */
  readonly open: boolean
  /** Message of what it threw. */
  readonly failed?: string
}

/** Domain of an input by link name (`in`, or `in.0`); undefined = nothing linked there. */
export type InputDomains = (link: string) => Domain | undefined

/**
 * Calls a field function with views of the inputs that record what it reads, so that its result is used exactly when all of that is known.
 * A function that throws constrains nothing and is reported.
 */
export function evaluate(of: FromParams<unknown>, params: ParamValues, domains: InputDomains): Evaluation {
  const seen = { undecided: false, open: false }
  const inputs = new Proxy(NOTHING, { get: (_, link) => typeof link === 'string' ? viewOf(domains(link), seen) : undefined })
  try {
    return { result: of(params, inputs), ...seen }
  } catch (error) {
    // A view gives undefined for what is not known yet: code that does not expect it is asked again later.
    if (seen.undecided || seen.open) return { result: undefined, ...seen }
    return { result: undefined, ...seen, failed: error instanceof Error ? error.message : String(error) }
  }
}

const NOTHING: Readonly<Record<string, Media>> = {}

function viewOf(domain: Domain | undefined, seen: { undecided: boolean; open: boolean }): Media | undefined {
  if (domain === undefined) return undefined
  const whole = mediaOf(domain)
  if (whole !== undefined) return whole
  if (domain === null || domain.length !== 1) { seen.undecided = true; return undefined }
  const [one] = domain
  return new Proxy({}, {
    get(_, name) {
      if (name === 'kind') return one!.kind
      const at = typeof name === 'string' ? fieldIndex(one!.kind, name) : -1
      if (at < 0) { if (name === 'shape') seen.undecided = true; return undefined }
      const field = fieldAt(one!, at)
      const value = field.open ? undefined : onlyValue(field)
      if (field.open) seen.open = true
      else if (value === undefined) seen.undecided = true
      return value
    },
  }) as unknown as Media
}

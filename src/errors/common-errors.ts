import { defineErrors } from './define-errors.js'

/** Codes that any folder may raise (spec execution.md section 7). */
export const commonErrors = /* @__PURE__ */ defineErrors({
  INVALID_ARGUMENT: {
    kind: 'usage', httpStatus: 400,
    message: (d: { readonly function: string; readonly expected: string; readonly got: string; readonly hint?: string }) =>
      `${d.function}: expected ${d.expected}, got ${d.got}.`,
    hint: (d) => d.hint ?? '',
  },
  CLOSED: {
    kind: 'usage', httpStatus: 409,
    message: (d: { readonly thing: string; readonly id?: string; readonly event?: string; readonly state?: string }) =>
      `${d.thing}${d.id === undefined ? '' : ` ${d.id}`}: ${d.event ?? 'used'} in state ${d.state ?? 'closed'}.`,
    hint: () => 'Create a new one.',
  },
  CONFIG_INVALID: {
    kind: 'usage', httpStatus: 400,
    message: (d: { readonly key: string; readonly source: string; readonly expected: string; readonly got: string }) =>
      `Config ${d.key} from ${d.source}: expected ${d.expected}, got ${d.got}.`,
    hint: (d) => `Set ${d.key} to ${d.expected}.`,
  },
  UNSUPPORTED: {
    kind: 'environment', httpStatus: 501,
    message: (d: { readonly feature: string; readonly runtime: string; readonly alternative?: string }) =>
      `${d.feature}: not available in ${d.runtime}.`,
    hint: (d) => d.alternative ?? '',
  },
  PEER_MISSING: {
    kind: 'environment', httpStatus: 501,
    message: (d: { readonly feature: string; readonly name: string; readonly range: string }) =>
      `${d.feature}: optional package ${d.name} ${d.range} is not installed.`,
    hint: (d) => `npm install ${d.name}@"${d.range}"`,
  },
  LIMIT_EXCEEDED: {
    kind: 'validation', httpStatus: 413, stage: 1,
    message: (d: { readonly what: string; readonly limit: number; readonly got: number }) => `${d.what}: limit ${d.limit}, got ${d.got}.`,
    hint: () => 'Raise the limit option.',
  },
  NOT_FOUND: {
    kind: 'usage', httpStatus: 404,
    message: (d: { readonly thing: string; readonly id: string; readonly why: string }) => `${d.thing} ${d.id}: ${d.why}.`,
    hint: (d) => /ENOENT/.test(d.why) ? 'Check the path: a relative one starts at the working directory.' : '',
  },
  NETWORK: {
    kind: 'transport', httpStatus: 502, retryable: true,
    message: (d: { readonly host: string; readonly reason: string; readonly hint?: string }) => `${d.host}: ${d.reason}.`,
    hint: (d) => d.hint ?? '',
  },
  CANCELLED: {
    kind: 'cancelled', httpStatus: 409,
    message: (d: { readonly id: string; readonly reason: string }) => `Run ${d.id}: cancelled (${d.reason}).`,
  },
  INTERNAL: {
    kind: 'internal', httpStatus: 500,
    message: (d: { readonly what: string }) => d.what,
    hint: () => 'Please report.',
  },
})

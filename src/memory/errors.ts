import { defineErrors } from '../errors/define-errors.js'

/** What the arena and its handles can raise (spec execution.md section 7). Sizes are bytes. */
export const memoryErrors = /* @__PURE__ */ defineErrors({
  ARENA_FULL: {
    kind: 'resource', httpStatus: 507, retryable: true,
    message: (
      d: { readonly need: number; readonly largest: number; readonly fragmentation: number; readonly reason: 'bytes' | 'entries' },
    ) =>
      `Arena: expected ${d.need} free bytes, largest block ${d.largest}, fragmentation ${d.fragmentation.toFixed(3)}` +
      `${d.reason === 'entries' ? '; every entry of the block table is taken' : ''}.`,
    hint: () => 'Free results or enlarge.',
  },
  ARENA_CORRUPT: {
    kind: 'integrity', httpStatus: 500,
    message: (d: { readonly expected: string; readonly got: string; readonly offset: number }) =>
      `Arena: expected ${d.expected}, got ${d.got} at ${d.offset}.`,
    hint: () => 'Engine is closed; report it.',
  },
  SHARED_MEMORY: {
    kind: 'environment', httpStatus: 500,
    message: (d: { readonly bytes: number; readonly cause: string }) => `Arena: cannot create or map ${d.bytes} bytes: ${d.cause}.`,
    hint: () => 'Smaller arenaBytes, or transfer mode.',
  },
  INVALID_HANDLE: {
    kind: 'integrity', httpStatus: 500,
    message: (d: {
      readonly handle: number | string
      readonly reason: 'freed' | 'generation' | 'bounds' | 'dtype' | 'arena'
      readonly what?: string
    }) =>
      `Handle ${d.handle}: ${d.reason}${d.what === undefined ? '' : ` (${d.what})`}.`,
    hint: () => 'Copy the value or keep the handle.',
  },
})

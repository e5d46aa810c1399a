import { defineErrors } from '../errors/define-errors.js'

/**
 * Memory of a run, known before it starts (spec graph.md section 5, stage 13): an engine's alone to
 * say, so graphs and documents do without.
 */
export const engineErrors = /* @__PURE__ */ defineErrors({
  RESOURCE_EXHAUSTED: {
    kind: 'resource', httpStatus: 507, stage: 13,
    message: (d: { readonly run: string; readonly need: number; readonly have: number; readonly largest: number }) =>
      `Run ${d.run}: needs ${d.need} bytes, has ${d.have}, largest free ${d.largest}.`,
    hint: () => 'Stream the output or end it in a writer node; smaller blocks, fewer workers or a larger arena also help.',
  },
  MEMORY_TIGHT: {
    kind: 'validation', httpStatus: 200, stage: 13, severity: 'warning',
    message: (d: { readonly node: string; readonly what: string; readonly todo: string }) => `Node ${d.node}: ${d.what}.`,
    hint: (d) => d.todo,
  },
})

import { defineErrors } from '../errors/define-errors.js'

/** What loading and calling compiled code can raise (spec execution.md section 7). */
export const kernelErrors = /* @__PURE__ */ defineErrors({
  KERNEL_ABI: {
    kind: 'integrity', httpStatus: 500,
    message: (d: { readonly module: string; readonly what: string; readonly expected: string; readonly got: string }) =>
      `Module ${d.module}: ${d.what} expected ${d.expected}, got ${d.got}.`,
    hint: (d) => /^source\b/.test(d.what) ? 'Correct the option wasm or kernels.' : 'Rebuild the kernels.',
  },
  KERNEL_STATUS: {
    kind: 'execution', httpStatus: 500,
    message: (d: { readonly node: string; readonly kernel: string; readonly status: number; readonly name: string }) =>
      `Node ${d.node}: kernel ${d.kernel} returned ${d.status} (${d.name}).`,
  },
  KERNEL_TRAP: {
    kind: 'execution', httpStatus: 500, retryable: true,
    message: (d: { readonly node: string; readonly kernel: string; readonly reason: string; readonly block: number }) =>
      `Node ${d.node}: kernel ${d.kernel} trapped: ${d.reason} at block ${d.block}.`,
    hint: () => 'Report with `millrace doctor`.',
  },
})

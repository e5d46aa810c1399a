import { defineErrors } from '../errors/define-errors.js'
import { showList } from '../errors/show.js'

/** Port faults of a running graph; `port` is written `node.port`, `field` as in the packet. */
interface PortFault {
  readonly port: string
  readonly field?: string | undefined
  readonly expected: string
  readonly got: string
  readonly edge?: string
  /** All edges of an output, of which `edge` names at most three. */
  readonly edges?: readonly string[]
}
const portFault = (d: PortFault): string =>
  `Port ${d.port}${d.field === undefined ? '' : `, ${d.field}`}: expected ${d.expected}, got ${d.got}${d.edge === undefined ? '' : `; edge ${d.edge}`}.`

/**
 * What executing a plan can raise (spec execution.md section 7). Memory shortfalls before a run are
 * `RESOURCE_EXHAUSTED` of the engine's table.
 */
export const scheduleErrors = /* @__PURE__ */ defineErrors({
  OUTPUT_NOT_FOUND: {
    kind: 'validation', httpStatus: 400,
    message: (d: { readonly name: string; readonly names: readonly string[] }) => `Run: no output ${d.name}; has ${showList(d.names)}.`,
    hint: () => 'Choose one of them.',
  },
  NODE_FAILED: {
    kind: 'execution', httpStatus: 500,
    message: (d: {
      readonly node: string
      readonly type: string
      readonly operation: string
      readonly cause: string
      readonly causeHint?: string
      readonly thrown?: unknown
    }) =>
      `Node ${d.node} (${d.type}) ${d.operation}: ${d.cause}${/[.!?]$/.test(d.cause) ? '' : '.'}`,
    hint: (d) => d.causeHint ?? '',
  },
  OUTPUT_INVALID: {
    kind: 'execution', httpStatus: 500, message: (d: PortFault) => portFault(d),
    hint: (d) => String(d.field).startsWith('media.')
      ? 'Declare at the port what it gives; `discovered: true` where only its first packet tells.'
      : 'Return a packet for every declared, connected output.',
  },
  MEDIA_CHANGED: {
    kind: 'execution', httpStatus: 500, message: (d: PortFault) => portFault(d),
    hint: () => 'End the stream and start a new one with the new media.',
  },
  NODE_TIMEOUT: {
    kind: 'timeout', httpStatus: 504, retryable: true,
    message: (d: { readonly node: string; readonly timeoutMs: number }) => `Node ${d.node}: expected to finish in ${d.timeoutMs} ms.`,
    hint: () => 'Raise timeoutMs.',
  },
  RETRY_LIMIT: {
    kind: 'execution', httpStatus: 500,
    message: (d: { readonly node: string; readonly attempts: number; readonly last: string }) =>
      `Node ${d.node}: ${d.attempts} attempts failed, last: ${d.last}`,
  },
  DEPENDENCY_FAILED: {
    kind: 'execution', httpStatus: 500, message: (d: { readonly node: string; readonly port: string; readonly failed: string }) =>
      `Node ${d.node}: input ${d.port} failed at ${d.failed}.`,
    hint: () => 'See that node.',
  },
})

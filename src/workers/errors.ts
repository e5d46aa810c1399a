import { defineErrors } from '../errors/define-errors.js'
import type { FlightRecord } from '../memory/recorder.js'

/** What starting, losing and talking to threads can raise (spec execution.md section 7). */
export const workerErrors = /* @__PURE__ */ defineErrors({
  WORKER_SPAWN: {
    kind: 'environment', httpStatus: 500, retryable: true,
    message: (d: { readonly worker: string | number; readonly timeoutMs: number; readonly cause: string; readonly step?: string }) =>
      `Worker ${d.worker}: did not start in ${d.timeoutMs} ms: ${d.cause}${d.step === undefined ? '' : ` (step ${d.step})`}.`,
    hint: () => 'Content security policy? Allow `worker-src blob:` or set workerURL; if it is set, is the file there?',
  },
  WORKER_LOST: {
    kind: 'worker', httpStatus: 500, retryable: true,
    message: (d: {
      readonly worker: string | number
      readonly reason: string
      readonly node: string
      readonly delivery: number
      readonly deliveries: number
      readonly records?: readonly FlightRecord[]
    }) =>
      `Worker ${d.worker}: ended (${d.reason}) during ${d.node}, delivery ${d.delivery} of ${d.deliveries}.`,
    hint: () => 'Poison job? Run it alone.',
  },
  HEARTBEAT_LOST: {
    kind: 'worker', httpStatus: 500, retryable: true,
    message: (d: { readonly worker: string | number; readonly ms: number; readonly node: string }) =>
      `Worker ${d.worker}: silent for ${d.ms} ms in ${d.node}.`,
    hint: () => 'Call ctx.beat() or set hangMs.',
  },
  ILLEGAL_TRANSITION: {
    kind: 'usage', httpStatus: 409,
    message: (d: { readonly thing: string; readonly id: string; readonly event: string; readonly state: string }) =>
      `${d.thing} ${d.id}: ${d.event} in state ${d.state}.`,
    hint: () => 'Create a new one.',
  },
  PROTOCOL_MISMATCH: {
    kind: 'transport', httpStatus: 500,
    message: (d: { readonly worker: string | number; readonly expected: number | string; readonly got: number | string }) =>
      `Worker ${d.worker}: expected protocol ${d.expected}, got ${d.got}.`,
    hint: () => 'Use the same version on both sides.',
  },
  IPC_ERROR: {
    kind: 'transport', httpStatus: 500, retryable: true,
    message: (d: { readonly channel: string; readonly reason: string }) => `Channel ${d.channel}: ${d.reason}.`,
  },
  DRIVER_ERROR: {
    kind: 'execution', httpStatus: 500,
    message: (d: { readonly driver: string; readonly cause: string }) =>
      `Driver ${d.driver}: ${d.cause}${/[.!?]$/.test(d.cause) ? '' : '.'}`,
  },
  SLOTS_EXHAUSTED: {
    kind: 'resource', httpStatus: 503, retryable: true,
    message: (d: { readonly limit: number; readonly retryAfterS?: number }) => `Worker slots: limit ${d.limit} reached.`,
    hint: (d) => d.retryAfterS === undefined ? 'Close another engine or use fewer workers.' : `Retry after ${d.retryAfterS} s.`,
  },
})

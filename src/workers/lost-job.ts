import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import type { FlightRecord } from '../memory/recorder.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { MOST_REDELIVERIES } from '../schedule/policy/redelivery.js'
import { workerErrors } from './errors.js'

/** Entries of the flight recorder that a loss tells. */
export const RECORDS_TOLD = 16

/** True for the end of a worker that is no fault of what it executed, as far as anybody knows. */
export function isLoss(error: unknown): error is MillraceError { return isMillraceError(error) && error.code === 'WORKER_LOST' }

/** What a loss tells of the thread's last entries (MW-06), for the error that comes of it. */
export function flightOf({ details: { records } }: MillraceError): { readonly records?: readonly FlightRecord[] } {
  return records === undefined ? {} : { records: records as readonly FlightRecord[] }
}

/** The last delivery is lost too: the error names what was executed. */
export function poisonSegment(lost: MillraceError, plan: SegmentPlan, worker: number, delivery: number): MillraceError {
  const { spec } = plan.nodes[0]!
  return workerErrors.WORKER_LOST({
    worker, reason: String(lost.details['reason']), node: spec.nodeId, delivery, deliveries: MOST_REDELIVERIES + 1, ...flightOf(lost),
  }, {
    cause: lost.cause ?? lost, nodeId: spec.nodeId, nodeType: spec.type, retryable: false })
}

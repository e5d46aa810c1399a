import type { Diagnostic } from '../errors/diagnostic.js'
import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import type { Graph } from '../graph/graph.js'
import { wrapNodeFailure } from '../schedule/node-failure.js'
import type { RunFailure, RunResult } from '../schedule/run-types.js'

/** What a run that was cancelled rejects with: `CLOSED` when its engine was, else `CANCELLED`. */
export function cancelledRun(runId: string, signal: AbortSignal): MillraceError {
  const reason: unknown = signal.reason
  if (isMillraceError(reason) && reason.code === 'CLOSED') return reason
  return commonErrors.CANCELLED(
    { id: runId, reason: reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'by the caller' },
    { runId, cause: reason },
  )
}

/** A source that could not tell its media: its own error, with its place. */
export function probeFailure(id: string, failure: unknown, graph: Graph): MillraceError {
  return wrapNodeFailure(failure, { node: id, type: graph.nodes.find((node) => node.id === id)?.type ?? '', operation: 'probe' })
}

/** The same fact as a warning of a plan that can still be made. */
export function warningOf({ code, message, hint, nodeId }: MillraceError): Diagnostic {
  return { code, severity: 'warning', stage: 12, message, hint, docs: `errors/${code}`, ...(nodeId !== undefined && { node: nodeId }) }
}

/** Gives back the audio of a failed run's outputs when nobody looks at them any more. */
const forgotten = new FinalizationRegistry<() => void>((release) => { release() })

/** Hangs the result on the error. Its outputs are given back by `result.close()`, or once the result is unreachable. */
export function withResult(error: MillraceError, result: RunResult): RunFailure {
  forgotten.register(result, result.close)
  return Object.defineProperty(error, 'result', { value: result, enumerable: false, configurable: true }) as RunFailure
}

import type { Diagnostic } from '../errors/diagnostic.js'
import { workerErrors } from '../workers/errors.js'
import type { EngineParts } from './engine-parts.js'

/**
 * A node's own code had the engine's thread for longer than its `hangMs`, which can only be told when it is over: a line in the log, an
 * event `warning`, and the warning of the plan or run.
 */
export function hungNode(
  { options, events }: Pick<EngineParts, 'options' | 'events'>, node: string, ms: number, runId?: string,
): Diagnostic {
  const found = workerErrors.HEARTBEAT_LOST.diagnostic({ worker: 'engine', ms, node }, { severity: 'warning', node })
  const { code, message, hint } = found
  options.logger('warn', message, { code, node, ms })
  events.emit('warning', { code, message, hint, ms }, { nodeId: node, ...(runId !== undefined && { runId }) })
  return found
}

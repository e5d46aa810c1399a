import type { Diagnostic } from '../errors/diagnostic.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { Packet } from '../media/packet.js'
import type { RunMetrics } from '../schedule/metrics.js'
import { releasePacket } from '../schedule/packet-data.js'
import type { RunResult } from '../schedule/run-types.js'

/** Puts a run's result together; `close` releases the audio of its outputs once. */
export function makeRunResult(
  runId: string, status: RunResult['status'], outputs: Readonly<Record<string, Packet>>, metrics: RunMetrics,
  diagnostics: readonly Diagnostic[], error?: MillraceError,
  nodeOutputs: Readonly<Record<string, Packet>> = {},
): RunResult {
  let open = true
  const close = (): void => {
    if (open) for (const packet of [...Object.values(outputs), ...Object.values(nodeOutputs)]) releasePacket(packet)
    open = false
  }
  return {
    runId, status, outputs, ...(Object.keys(nodeOutputs).length > 0 && { nodeOutputs }), metrics, diagnostics,
    ...(error === undefined ? {} : { error }), close, [Symbol.dispose]: close,
  }
}

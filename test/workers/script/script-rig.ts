import { createEngine, isMillraceError, type Engine, type RunFailure } from '../../../src/index.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'

/** Shared memory or not, as far as this host has it. */
export const modes = hostFacts().sab ? [true, false] : [false]
export const tone = Float32Array.from({ length: 200_000 }, (_, i) => Math.sin(i / 30))

/** A silent engine with two workers. */
export function open(shared: boolean, more: Parameters<typeof createEngine>[0] = {}): Promise<Engine> {
  return createEngine({ workers: 2, shared: shared ? 'auto' : false, logger: () => undefined, ...more })
}

/** What a run rejects with; throws when it does not. */
export async function failure(promise: Promise<unknown>): Promise<RunFailure> {
  try { await promise } catch (error) {
    if (isMillraceError(error)) return error as RunFailure
    throw error
  }
  throw new Error('expected a failure, got a result')
}

import { commonErrors } from '../errors/common-errors.js'
import { loadPart } from '../errors/load-part.js'
import type { Registry } from '../graph/registry.js'
import { loadTexts } from '../kernels/builtin-modules.js'
import type { Engine } from './engine.js'
import type { EngineOptions } from './engine-options.js'

/** Options of {@link createEngine}, with the node types that documents and negotiation may use. */
export interface CreateEngineOptions extends EngineOptions {
  /** Node types for documents; the converters of negotiation are always there. */
  readonly registry?: Registry
}

/**
 * Creates an engine: probes the host, chooses the tier, makes the arena, compiles the modules. Workers start with the first run that needs
 * them. Throws `CONFIG_INVALID`, `TIER_UNAVAILABLE`, `SHARED_MEMORY`, `KERNEL_ABI`;
 * `NETWORK` when a bundler put the engine into a file of its own and that does not load.
 * @example
 * await using engine = await createEngine()
 * const speech = resample(wavFile('talk.wav'), { rate: 16_000, quality: 'high' })
 * const { outputs } = await engine.run({ segments: vad(speech).segments, pcm: toPcm16(speech) })
 */
export async function createEngine(options: CreateEngineOptions = {}): Promise<Engine> {
  if (typeof options !== 'object' || options === null) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'createEngine', expected: 'an object of options', got: String(options) })
  }
  if (options.wasm === undefined && options.tier !== 'js') loadTexts()
  const { startEngine } = await loadPart('engine', () => import('./start-engine.js'))
  return startEngine(options)
}

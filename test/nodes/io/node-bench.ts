import { createArena, type Arena } from '../../../src/memory/arena.js'
import { createAudioApi, type AudioApi } from '../../../src/memory/audio-api.js'
import type { Diagnostic } from '../../../src/errors/diagnostic.js'
import type { NodeContext, NodeDefinition, PacketRecord, ParamValues } from '../../../src/graph/node-definition.js'
import { resolveParams } from '../../../src/graph/params.js'
import type { AudioBuffer } from '../../../src/media/audio-buffer.js'
import type { Media } from '../../../src/media/media-type.js'
import type { Packet, PacketStream } from '../../../src/media/packet.js'

/** An arena and a context: what a TypeScript node needs to run outside an engine. */
export interface NodeBench {
  readonly arena: Arena
  readonly audio: AudioApi
  readonly ctx: NodeContext
  readonly warnings: Diagnostic[]
  readonly progress: (readonly [number, number | undefined])[]
  readonly abort: AbortController
  /** Frames asked for by `allocAudio`, call by call. */
  readonly allocated: number[]
}

export function nodeBench(): NodeBench {
  const arena = createArena({ bytes: 16 * 2 ** 20, shared: typeof SharedArrayBuffer === 'function', wasm: false })
  const audio = createAudioApi(arena)
  const warnings: Diagnostic[] = [], progress: [number, number | undefined][] = [], allocated: number[] = []
  const abort = new AbortController()
  const ctx: NodeContext = {
    signal: abort.signal, progress: (done, total) => { progress.push([done, total]) }, log: () => {},
    warn: (diagnostic) => { warnings.push(diagnostic) },
    preview: () => undefined, need: () => Promise.reject(new Error('no lazy inputs')), decline: () => undefined, blocker: {} as never,
    callOp: () => Promise.reject(new Error('not here')), expand: () => Promise.reject(new Error('not here')), nowUs: () => 7,
    node: { id: 'n', type: 't', runId: 'r' }, instance: undefined, attempt: 1, delivery: 1, beat: () => {},
    rng: { next: () => 0.5, at: () => 0.5 },
    clock: { nowUs: () => 7, nowMs: () => 7, sleep: () => Promise.resolve() }, alloc: () => Promise.reject(new Error('no memory here')),
    allocAudio: (spec) => {
      allocated.push(spec.frames)
      return Promise.resolve(audio.alloc(spec, { zero: false }))
    },
  }
  return { arena, audio, ctx, warnings, progress, abort, allocated }
}

/** Params as the engine gives them; throws the first diagnostic. */
export function paramsOf(definition: NodeDefinition, given: Readonly<Record<string, unknown>>): ParamValues {
  const { values, diagnostics } = resolveParams(definition, given)
  if (diagnostics[0]) throw new Error(diagnostics[0].message)
  return values
}

/** Packets of a source, in order; the caller closes their buffers. */
export async function pulled(
  definition: NodeDefinition, given: Readonly<Record<string, unknown>>, ctx: NodeContext,
): Promise<Packet<AudioBuffer>[]> {
  const packets: Packet<AudioBuffer>[] = []
  for await (const record of definition.pull!(paramsOf(definition, given), ctx)) {
    packets.push((record as PacketRecord)['out'] as Packet<AudioBuffer>)
  }
  return packets
}

/** A stream over packets that are there already. */
export function streamOf(media: Media, packets: readonly Packet[]): PacketStream {
  return { media, async* [Symbol.asyncIterator]() { yield* packets }, whole: () => Promise.reject(new Error('not joined here')) }
}

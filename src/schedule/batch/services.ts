import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Document } from '../../graph/document/document.js'
import type { Graph } from '../../graph/graph.js'
import type { Outputs } from '../../graph/graph-from.js'
import type { NodeBlock, ParamValues } from '../../graph/node-definition.js'
import type { AudioBuffer, AudioSpec } from '../../media/audio-buffer.js'
import type { Dtype } from '../../media/dtype.js'
import type { Media } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import type { RunMemory } from '../../memory/run-memory.js'
import type { Clock } from '../clock.js'
import type { NodeInstances } from '../node-instances.js'
import type { Limiters } from '../policy/limiters.js'
import type { ValueId } from '../segment-plan.js'
import type { ScriptHost } from './script-host.js'

/** Receives log lines of nodes; the engine's logger. */
export type LogSink = (level: 'debug' | 'info' | 'warn' | 'error', text: string, details?: Readonly<Record<string, unknown>>) => void

/** What a run needs of its engine. */
export interface RunServices {
  readonly clock: Clock
  /** Silence that is a hang where a node says nothing, ms. */
  readonly hangMs?: number
  readonly log: LogSink
  /** Audio in the arena for a node, which writes it once: charged as its copy from outside. Throws `ARENA_FULL`. */
  allocAudio(spec: AudioSpec & { readonly frames: number }, node: string): AudioBuffer
  /** Cleared bytes in the arena, or elements. Throws `ARENA_FULL`. */
  alloc(bytes: number, dtype: Dtype | undefined, node: string): NodeBlock
  /** What the run's nodes lease and copy; undefined when nobody asks. */
  readonly memory: RunMemory | undefined
  /** True for audio in the engine's own arena. */
  owns(buffer: AudioBuffer): boolean
  readonly instances: NodeInstances
  readonly limiters: Limiters
  /** Threads for nodes with `thread: 'worker'`; undefined where there are none. */
  readonly scripts: ScriptHost | undefined
  /** Runs a graph within this run, for one of its nodes; its outputs are the caller's. */
  nested(graph: Graph | Outputs | Document, node: string, signal: AbortSignal): Promise<Readonly<Record<string, Packet>>>
  /** As {@link nested}: one node of the registry on values by port. */
  call(
    type: string, inputs: Readonly<Record<string, unknown>>, params: ParamValues, node: string, signal: AbortSignal,
  ): Promise<Readonly<Record<string, Packet>>>
  /** The run's graph as it was given. */
  document(): Document
  preview(media: Pick<Packet, 'media' | 'data'>, node: string): void
  /** A node's code had the engine's thread for longer than its `hangMs`: told to all who hear of hangs; the run's warning. */
  hung(node: string, ms: number): Diagnostic
  /** Joins the parts of one stream; owns them. Audio is joined in the arena with one counted copy; one part is returned as it is. */
  join(media: Media, parts: Packet[]): Packet
}

/** One run's shared state, given to its tasks. */
export interface RunFrame {
  readonly runId: string
  readonly signal: AbortSignal
  readonly services: RunServices
  readonly diagnostics: Diagnostic[]
  /** ms of own time per packet when a node names no limit; 0: none. */
  readonly nodeTimeoutMs: number
  /** Key of a node's random numbers. */
  random(node: number): readonly [number, number]
  /** Calls back when the run cannot go on unless tasks that wait for all their inputs start with what there is. Returns how to stop. */
  onStuck(callback: () => void): () => void
  /** Names of what an output is connected to: edges, and outputs of the run. */
  edges(value: ValueId): readonly string[]
  /** Starts what a lazy link (`node.link`) wants. */
  ask(link: string): void
  /** These lazy links are not read until they are asked for again. */
  decline(links: readonly string[]): void
  /** µs without what segments took of this thread: what a node's own time is counted in. */
  ownUs(): number
  progress(nodeId: string, done: number, total?: number): void
}

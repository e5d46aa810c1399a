import type { Diagnostic } from '../../errors/diagnostic.js'
import type { AudioBuffer, AudioSpec } from '../../media/audio-buffer.js'
import type { Media } from '../../media/media-type.js'
import type { Packet } from '../../media/packet.js'
import type { Clock } from '../clock.js'
import type { NodeInstances } from '../node-instances.js'

/** Receives log lines of nodes; the engine's logger. */
export type LogSink = (level: 'debug' | 'info' | 'warn' | 'error', text: string, details?: Readonly<Record<string, unknown>>) => void

/** What a run needs of its engine. */
export interface RunServices {
  readonly clock: Clock
  readonly log: LogSink
  /** Audio in the arena. Throws `ARENA_FULL`. */
  allocAudio(spec: AudioSpec & { readonly frames: number }): AudioBuffer
  /** True for audio in the engine's own arena. */
  owns(buffer: AudioBuffer): boolean
  readonly instances: NodeInstances
  /** Joins the parts of one stream; owns them. Audio is joined in the arena with one counted copy; one part is returned as it is. */
  join(media: Media, parts: Packet[]): Packet
}

/** One run's shared state, given to its tasks. */
export interface RunFrame {
  readonly runId: string
  readonly signal: AbortSignal
  readonly services: RunServices
  readonly diagnostics: Diagnostic[]
  /** µs without what segments took of this thread: what a node's own time is counted in. */
  ownUs(): number
  progress(nodeId: string, done: number, total?: number): void
}

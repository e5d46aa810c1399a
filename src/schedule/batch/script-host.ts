import type { NodeContext, NodeDefinition, PacketRecord, ParamValues } from '../../graph/node-definition.js'
import type { RunMemory } from '../../memory/run-memory.js'
import type { PacketStream } from '../../media/packet.js'

/** One delivery of a node's code to a thread of its own. */
export interface ScriptCall {
  readonly definition: NodeDefinition
  /** Those that edges drive (`driven`) change while it runs. */
  readonly params: ParamValues
  readonly driven?: readonly string[]
  readonly inputs: Readonly<Record<string, PacketStream | readonly PacketStream[] | undefined>>
  /** The engine's side of the context: what the thread asks for, this gives. */
  readonly ctx: NodeContext
  /** Key of its random numbers. */
  readonly random: readonly [number, number]
  /** ms without a beat after which the thread is ended; 0: never. */
  readonly hangMs: number
  /** Who pays for its memory and copies; the engine, when absent. */
  readonly memory?: RunMemory
  /** Deliveries that there may be, for the error of the last one. */
  readonly deliveries: number
  /** Called before the only record of code that gives one: its code has ended then, and what becomes of the thread is nothing to it. */
  readonly onLast?: () => void
}

/**
 * Numbers of threads for nodes written in TypeScript: those alive, those with jobs, and of all so far those
 * lost and those started in a lost one's place.
 */
export interface ScriptStats { readonly count: number; readonly busy: number; readonly lost: number; readonly respawns: number }

/** Runs code of nodes on threads that the engine watches (graph page, `thread: 'worker'`). */
export interface ScriptHost {
  /**
   * Brings the code of nodes to their threads before any node runs. Throws `INVALID_ARGUMENT` for code that uses more than its arguments,
   * `WORKER_SPAWN`, `WORKER_LOST`, the signal's reason.
   */
  prepare(definitions: readonly NodeDefinition[], signal: AbortSignal): Promise<void>
  /** Starts with the first record asked for. A lost thread throws `WORKER_LOST`; leaving early ends the node. */
  run(call: ScriptCall): AsyncIterable<PacketRecord>
  stats(): ScriptStats
  close(): Promise<void>
}

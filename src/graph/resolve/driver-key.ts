import type { GraphNode } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'

/** True for what runs on the engine's own thread only (EX-59). */
export function isPinned(node: GraphNode, definition: NodeDefinition): boolean {
  return node.place === 'main' || definition.pin === 'main' || node.policy?.['pin'] === 'main'
}

/** What only the driver can see to. */
export interface DriverNeeds {
  readonly limits: readonly string[]
  readonly exclusive: boolean | readonly string[]
  readonly timeoutMs: number | undefined
  readonly main: boolean
}

/** Reads these parts of a node's policy over its type's defaults. */
export function driverNeeds(node: GraphNode, definition: NodeDefinition): DriverNeeds {
  const p = node.policy ?? {}, main = isPinned(node, definition)
  const onWorker = definition.thread === 'worker' && definition.kernel === undefined
  // Code on the engine's own thread takes turns by itself; what asks for nothing there waits for nothing.
  const limits = (p['limiters'] ?? definition.limiters ?? (onWorker && !main ? ['cpu'] : [])) as readonly string[]
  // A kernel's thread is its permit.
  return {
    limits: definition.kernel === undefined ? limits : limits.filter((name) => name !== 'cpu'),
    exclusive: (p['exclusive'] ?? false) as boolean | readonly string[],
    timeoutMs: p['timeoutMs'] as number | undefined, main,
  }
}

/** Key of {@link driverNeeds}, '' for none: kernels of a key are not left to the task table, and those of unequal keys share no segment. */
export function driverKey({ limits, exclusive, timeoutMs, main }: DriverNeeds, id: string): string {
  const own = (timeoutMs ?? 0) > 0 ? id : ''
  return limits.length === 0 && exclusive === false && own === '' && !main ? '' : JSON.stringify([[...limits].sort(), exclusive, main, own])
}

/** What a key says of its nodes: they are pinned to the engine's own thread. */
export function keyIsPinned(key = ''): boolean { return key !== '' && (JSON.parse(key) as readonly unknown[])[2] === true }

import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Graph, GraphConfig, GraphNode } from '../../graph/graph.js'
import type { NodeDefinition } from '../../graph/node-definition.js'
import { driverNeeds } from '../../graph/resolve/driver-key.js'
import { originOf } from '../../graph/subgraph/origin.js'
import { tagOf } from '../../graph/tiers.js'
import { LANES, type Claim } from './limiters.js'
import { readRetry, type RetryPolicy } from './retry.js'

/** What a node's `policy` asks for, with its type's defaults (spec execution.md sections 5 and 6). */
export interface NodePolicy {
  /** ms of the node's own time per attempt; 0: none; undefined: the run's default. */
  readonly timeoutMs: number | undefined
  readonly retry: RetryPolicy | undefined
  readonly claim: Claim
  /** True: on the engine's thread only (EX-59). */
  readonly main: boolean
  /** ms without a beat after which its thread is taken for hung; 0: never. */
  readonly hangMs: number
  /** Capability tags that its thread must have, canonical, in order. */
  readonly tags: readonly string[]
}

/** Silence that is taken for a hang when nothing is said, ms (MW-45). */
export const HANG_MS = 3_000

/** Policy of a node that says nothing. */
export const NO_POLICY: NodePolicy = {
  timeoutMs: undefined, retry: undefined, claim: { limits: [], exclusive: false, lane: 1 }, main: false, hangMs: HANG_MS, tags: [],
}

/** Fields of a node's policy that ask for something that is not carried out yet. */
const LATER: Readonly<Record<string, (value: unknown) => boolean>> = {
  breaker: () => true, always: (value) => value === true, cache: (value) => value === 'on',
}

/** Reads a node's policy over its type's defaults and the graph's. `hangMs`: the engine's. */
export function readPolicy(node: GraphNode, definition: NodeDefinition, config: GraphConfig, hangMs = HANG_MS): NodePolicy {
  const p = node.policy ?? {}, { limits, exclusive, timeoutMs, main } = driverNeeds(node, definition)
  const lane = LANES.indexOf((p['priority'] ?? 'normal') as (typeof LANES)[number])
  const tags = { ...definition.requires, ...node.requires }['tags']
  return {
    tags: Array.isArray(tags) ? [...new Set(tags.map((tag) => tagOf(String(tag))))].sort() : [],
    timeoutMs, retry: readRetry(p['retry'] ?? config.retry), main, hangMs: (p['hangMs'] ?? definition.hangMs ?? hangMs) as number,
    claim: { limits, exclusive, lane: lane < 0 ? 1 : lane },
  }
}

/** What nodes may count on. */
interface PolicyHost { readonly threads: boolean; readonly hasLimiter: (name: string) => boolean }

function later(feature: string, alternative: string, place: Partial<Diagnostic>): Diagnostic {
  return commonErrors.UNSUPPORTED.diagnostic({ feature, runtime: 'this version', alternative }, { severity: 'warning', ...place })
}

/**
 * What a document says of a node that is not carried out, one warning per field: nothing is silently ignored. Limiters without
 * permits, and code that has no thread, are errors.
 */
export function policyDiagnostics(node: GraphNode, definition: NodeDefinition, host: PolicyHost): Diagnostic[] {
  const found: Diagnostic[] = [], policy = node.policy ?? {}, { kernel, codeURL } = definition, name = `Node ${node.id}`
  const say = (field: string, alternative = 'Leave it out.'): void => {
    found.push(later(`${name}: ${field}`, alternative, placeOf(node, field.replace('.', '/'))))
  }
  for (const [field, asks] of Object.entries(LATER)) if (policy[field] !== undefined && asks(policy[field])) say(`policy.${field}`)
  if (kernel !== undefined && readRetry(policy['retry']) !== undefined) say('policy.retry', 'Kernels fail the same way each time.')
  for (const field of ['matrix', 'produces', 'consumes'] as const) if (node[field] !== undefined) say(field)
  if (definition.thread === 'worker' && !host.threads) {
    const own = definition.process ?? definition.pull
    found.push(commonErrors.UNSUPPORTED.diagnostic({
      feature: `${name}: thread 'worker'`, runtime: 'an engine without threads for it',
      alternative: own
        ? "It runs on the engine's thread, where a hang cannot be ended."
        : `Its code is in ${String(codeURL)} only: use workers.`,
    },
      { severity: own ? 'warning' : 'error', node: node.id }))
  }
  for (const limiter of ((policy['limiters'] ?? definition.limiters ?? []) as readonly string[])) {
    if (!host.hasLimiter(limiter)) {
      found.push(commonErrors.CONFIG_INVALID.diagnostic({
        key: `limiters.${limiter}`, source: `node ${node.id}`, expected: 'permits in createEngine({ limiters })', got: 'none',
      }, placeOf(node, 'policy/limiters')))
    }
  }
  return found
}

/** A field of a node. Where planning knows the node's place in the document (parts of subgraphs, chosen outputs), with its pointer. */
function placeOf(node: GraphNode, field: string): Pick<Diagnostic, 'node' | 'pointer'> {
  const origin = originOf(node)
  return { node: node.id, ...(origin !== undefined && { pointer: `${origin}/${field}` }) }
}

/** The same for edges and the run's defaults. */
export function configDiagnostics({ config, edges }: Graph): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const [field, asks] of [
    ['breaker', config.breaker !== undefined], ['timeoutMs', (config.timeoutMs ?? 0) > 0], ['cache', config.cache === 'on'],
  ] as const) {
    if (asks) {
      found.push(later(`config.${field}`, field === 'timeoutMs' ? 'Pass a signal that times out.' : 'Leave it out.', {
        pointer: `/config/${field}`,
      }))
    }
  }
  for (const { from, to, whenFull, capacity } of edges) {
    const edge = `${from.join('.')} -> ${to.join('.')}`
    if (whenFull !== undefined && whenFull !== 'block') {
      found.push(later(`Edge ${edge}: whenFull ${whenFull}`, 'Batch runs wait: block.', { edge }))
    }
    if (capacity !== undefined) found.push(later(`Edge ${edge}: capacity`, 'Leave it out.', { edge }))
  }
  return found
}

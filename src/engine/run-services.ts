import type { Diagnostic } from '../errors/diagnostic.js'
import { graphErrors } from '../graph/errors.js'
import { nearest } from '../graph/nearest.js'
import { fromDocument } from '../graph/document/from-document.js'
import { toDocument } from '../graph/document/to-document.js'
import type { Graph, GraphNode } from '../graph/graph.js'
import type { NodeBlock, NodeContext } from '../graph/node-definition.js'
import { graphFrom, type Outputs } from '../graph/graph-from.js'
import { resolveParams } from '../graph/params.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import type { RunMemory } from '../memory/run-memory.js'
import { SAMPLE_BYTES } from '../media/convert-samples.js'
import { nodeContext, randomKey } from '../schedule/batch/node-context.js'
import { withPatience } from '../schedule/batch/patience.js'
import type { RunServices } from '../schedule/batch/services.js'
import { BlockWatch } from '../schedule/block-watch.js'
import type { NodeInstances } from '../schedule/node-instances.js'
import { readPolicy } from '../schedule/policy/node-policy.js'
import type { StartSource } from '../schedule/prime-sources.js'
import { joinPackets } from './audio-join.js'
import type { HashFacts } from './hash-facts.js'
import { hungNode } from './hung-node.js'
import { literalSource } from './literal-source.js'
import { callGraph, type NestedRuns } from './nested-runs.js'
import type { EngineParts } from './engine-parts.js'

/** What the services of one run know of it. */
export interface RunFacts { readonly runId: string; readonly graph: Graph; readonly nested: NestedRuns }

/** What a run of an engine offers its nodes. */
export function runServices(p: EngineParts, instances: NodeInstances, run: RunFacts, memory?: RunMemory): RunServices {
  const { clock, options, arena, audio, registry, events } = p
  return {
    clock, log: options.logger, hangMs: options.pool.hangMs,
    instances, limiters: p.limiters, scripts: p.scripts,
    memory,
    alloc: (bytes, dtype, node) => arena.claim(dtype === undefined ? bytes : { dtype, shape: [bytes] }, {
      zero: true, ...(memory && { holder: memory.holder(node) }),
    }) as unknown as NodeBlock,
    allocAudio: (spec, node) => {
      const buffer = audio.alloc(spec, { zero: false, ...(memory && { holder: memory.holder(node) }) })
      memory?.copies.add(`${node}.*`, buffer.samples * SAMPLE_BYTES[buffer.format], 'platform')
      return buffer
    },
    nested: (target, node, signal) => run.nested.run(
      'millrace' in target ? fromDocument(target, registry)
        : 'nodes' in target && Array.isArray(target.nodes) ? target as Graph
        : graphFrom(target as Outputs),
      node, signal,
    ),
    call: (type, inputs, params, node, signal) => {
      const definition = registry.get(type)
      if (definition === undefined) {
        throw graphErrors.NODE_TYPE_UNKNOWN({ node, type, near: nearest(type, registry.list().map((one) => one.type)) })
      }
      return run.nested.run(
        callGraph({ id: 'op', type: definition.type, definition, params }, Object.entries(inputs), literalSource),
        node, signal,
      )
    },
    document: () => toDocument(run.graph),
    preview: ({ media, data }, node) => { events.emit('node.preview', { media, data }, { runId: run.runId, nodeId: node }) },
    hung: (node, ms) => hungNode(p, node, ms, run.runId),
    owns: (buffer) => buffer instanceof ArenaAudio && buffer.isIn(arena),
    join: (media, parts) => joinPackets(arena, audio, memory, media, parts),
  }
}

/** The context of a source that starts before its run is compiled. */
export async function startSource(
  facts: Pick<HashFacts, 'lookAt'>, instances: NodeInstances, node: GraphNode, services: RunServices, runId: string, signal: AbortSignal,
  diagnostics: Diagnostic[], seed: bigint,
): ReturnType<StartSource> {
  const definition = node.definition!
  const log = (level: 'debug' | 'info' | 'warn' | 'error', text: string, details?: Readonly<Record<string, unknown>>): void => {
    services.log(level, text, { node: node.id, ...details })
  }
  const random = randomKey(seed, node.id), { scripts } = services
  const policy = readPolicy(node, definition, {}, services.hangMs)
  const threaded = definition.thread === 'worker' && !policy.main && scripts !== undefined
  const context = (instance: unknown): NodeContext => nodeContext({
    node: { id: node.id, type: node.type, runId }, services, signal, diagnostics, random, instance, progress: () => undefined,
  }).ctx
  if (threaded) {
    // It starts before the run's hashes are known.
    await facts.lookAt(definition, signal)
    await scripts.prepare([definition], signal)
    return {
      lease: { instance: undefined, release: () => Promise.resolve() },
      ctx: context(undefined),
      pull: (params, ctx) => scripts.run({ definition, params, inputs: {}, ctx, random, hangMs: policy.hangMs, deliveries: 1 }),
    }
  }
  const watch =
    new BlockWatch({ clock: services.clock, hangMs: policy.hangMs, blocked: (ms) => { diagnostics.push(services.hung(node.id, ms)) } })
  const lease = await withPatience(
    watch.call(() => instances.take(definition, resolveParams(definition, node.params).values, node.id, { signal, log })),
    signal, services.clock, (late) => late.release(false),
  )
  return { lease, ctx: context(lease.instance) }
}

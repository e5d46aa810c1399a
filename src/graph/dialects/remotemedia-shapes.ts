import { any, anyObject, choice, flag, integer, list, number, object, text } from '../schema/shape.js'

/** What documents of both RemoteMedia dialects look like: one table of shapes per dialect. */

/** Words of `runtime_hint` that mean Python. */
export const PYTHON = ['python', 'rust_python', 'cpython', 'cpython_wasm'] as const

const id = text({ min: 1, max: 64, noControl: true })
/** A node of the seed dialect. */
export const seedNodeShape = object('node', {
  id: { shape: id, required: true }, type: { shape: text({ min: 1, max: 255 }), required: true }, params: { shape: anyObject },
  runtime_hint: { shape: choice('auto', 'rust', 'python') },
})
/** An edge of the seed dialect. */
export const seedEdgeShape = object('edge', {
  from: { shape: id, required: true }, to: { shape: id, required: true }, output_key: { shape: id }, input_key: { shape: id },
})
/** `config` of the seed dialect. */
export const configShape = object('config', {
  enable_metrics: { shape: flag }, retry_policy: { shape: choice('none', 'fixed', 'exponential') }, max_retries: { shape: integer(0) },
  circuit_breaker_threshold: { shape: integer(1) },
})
/** A document of the seed dialect. */
export const seedShape = object('remotemedia-seed', {
  version: { shape: text(), required: true }, nodes: { shape: list(seedNodeShape), required: true },
  edges: { shape: list(seedEdgeShape), required: true }, config: { shape: configShape },
})

const ID = '[A-Za-z0-9_-]+'
const v1Id = text({ min: 1, max: 64, pattern: ID, name: `text of 1 to 64 characters that match ^${ID}$` })
const key = text({ min: 1, max: 64, noControl: true })
/** `capabilities` of a node of v1. */
export const capabilitiesShape = object('capabilities', {
  gpu: { shape: object('gpu', {
    type: { shape: choice('cuda', 'rocm', 'metal', 'vulkan', 'webgpu', 'any'), required: true }, min_memory_gb: { shape: number(0) },
    required: { shape: flag },
  }) },
  cpu: { shape: object('cpu', { cores: { shape: integer(1) }, arch: { shape: choice('x86_64', 'aarch64', 'arm', 'any') } }) },
  memory_gb: { shape: number(0) },
})
/** `execution` of a node of v1. */
export const executionShape = object('execution', {
  placement: { shape: choice('local', 'remote', 'prefer_local', 'prefer_remote', 'auto') },
})
/** A node of v1. */
export const v1NodeShape = object('node', {
  id: { shape: v1Id, required: true }, node_type: { shape: text({ min: 1, max: 255 }), required: true }, params: { shape: anyObject },
  is_streaming: { shape: flag }, is_output_node: { shape: flag }, capabilities: { shape: capabilitiesShape },
  media_capabilities: { shape: any },
  host: { shape: text({ pattern: '[^:]+:\\d+', name: 'a host and port, ^[^:]+:\\d+$' }) },
  runtime_hint: { shape: choice('auto', 'rust', ...PYTHON) }, execution: { shape: executionShape }, fast_path: { shape: flag },
})
/** A connection of v1. */
export const v1EdgeShape = object('connection', {
  from: { shape: v1Id, required: true }, to: { shape: v1Id, required: true }, output_key: { shape: key }, input_key: { shape: key },
})
/** `metadata` of v1. */
export const metadataShape = object('metadata', {
  name: { shape: text({ min: 1, max: 255 }), required: true }, description: { shape: text() }, created_at: { shape: text() },
  auto_negotiate: { shape: flag },
})
/** A manifest v1. */
export const v1Shape = object('remotemedia-v1', {
  version: { shape: choice('v1'), required: true }, metadata: { shape: metadataShape, required: true },
  nodes: { shape: list(v1NodeShape, 1), required: true },
  connections: { shape: list(v1EdgeShape), required: true },
})

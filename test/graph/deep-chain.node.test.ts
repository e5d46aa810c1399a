/** Chains of 100 000 nodes through every graph algorithm, in a worker with a stack of 256 KiB: a recursive one would overflow (GR-61). */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { inlineEsbuild } from '../../scripts/inline.mjs'

/** Node keeps 192 KiB of a worker's stack for itself: this leaves 256 KiB to the script. */
const STACK_MB = (192 + 256) / 1_024

const SCRIPT = `
  import { parentPort } from 'node:worker_threads'
  import { findCycles } from './src/graph/cycles.ts'
  import { edgeListOf } from './src/graph/edge-list.ts'
  import { pruneGraph } from './src/graph/ends.ts'
  import { createGraph } from './src/graph/graph.ts'
  import { hashGraph } from './src/graph/hash.ts'
  import { applyModes } from './src/graph/modes.ts'
  import { negotiate } from './src/graph/negotiate/index.ts'
  import { topologicalOrder } from './src/graph/order.ts'
  import { validate } from './src/graph/validate/index.ts'
  import { pass, registryOf, source } from './test/support/graph-nodes.ts'

  const COUNT = 100_000
  const give = source('test::give', { rate: 48_000, channels: 2 })
  const nodes = Array.from({ length: COUNT }, (_, n) => {
    const definition = n === 0 ? give : pass
    return { id: 'n' + n, type: definition.type, definition, params: {} }
  })
  const edges = Array.from({ length: COUNT - 1 }, (_, n) => ({ from: ['n' + n, 'out'], to: ['n' + (n + 1), 'in'] }))
  const chain = createGraph({ nodes, edges, outputs: new Map([['y', ['n' + (COUNT - 1), 'out']]]) })
  const limits = { nodes: COUNT, edges: COUNT }, registry = registryOf(give, pass)
  const backwards = { ...chain, nodes: [...nodes].reverse() }
  const adaptive = { ...chain, nodes: nodes.map((node, n) => n === 0 ? { ...node, definition: source('test::free', {}) } : node) }
  const bypassed = { ...chain, nodes: nodes.map((node, n) => n === 0 ? node : { ...node, mode: 'bypass' }) }
  const ring = { ...chain, edges: [...edges, { from: ['n' + (COUNT - 1), 'out'], to: ['n1', 'in'] }] }
  let overflow = ''
  try { (function down(n) { return n === 0 ? 0 : 1 + down(n - 1) })(COUNT) } catch (error) { overflow = error.name }
  parentPort.postMessage({
    overflow,
    order: [...topologicalOrder(backwards).order.subarray(0, 3)], level: Math.max(...topologicalOrder(chain).levels.subarray(COUNT - 2)),
    hash: hashGraph(chain).graph === hashGraph(backwards).graph,
    valid: validate(chain, registry, { wasm: true, simd: true, sab: true }, { limits }).length,
    media: negotiate(adaptive, registry).media.get('n' + (COUNT - 1) + '.out'),
    pruned: pruneGraph({ ...chain, outputs: new Map([['y', ['n0', 'out']]]) }).pruned.length,
    bypassed: applyModes(bypassed).graph.outputs.get('y'),
    muted: applyModes({ ...chain, nodes: nodes.map((node, n) => n === 0 ? { ...node, mode: 'mute' } : node) }).skipped.length,
    ring: findCycles(edgeListOf(ring))[0].length,
    cycle: validate(ring, registry, undefined, { limits }).map((one) => one.code),
  })
`

/** Nodes of the planned chain (GR-61): above 32 768, a list of them does not fit the stack as arguments of a call. */
const PLANNED = Number(process.env['MILLRACE_DEEP_PLAN'] ?? 40_000)

const PLAN = `
  import { parentPort } from 'node:worker_threads'
  import { createGraph } from './src/graph/graph.ts'
  import { plainPasses } from './src/graph/passes.ts'
  import { examineGraph } from './src/graph/validate/validate-graph.ts'
  import { gain } from './src/nodes/audio/gain.ts'
  import { compilePlan } from './src/schedule/compile-plan.ts'
  import { CostHistory } from './src/schedule/estimates.ts'
  import { registryOf, source } from './test/support/graph-nodes.ts'

  const COUNT = ${PLANNED}, give = source('test::give', { rate: 48_000, channels: 1 }), registry = registryOf(give, gain.definition)
  const nodes = Array.from({ length: COUNT }, (_, n) => ({ id: 'n' + n, type: n === 0 ? give.type : gain.definition.type, definition: n === 0 ? give : gain.definition, params: {} }))
  const edges = Array.from({ length: COUNT - 1 }, (_, n) => ({ from: ['n' + n, 'out'], to: ['n' + (n + 1), 'in'] }))
  const examined = examineGraph(createGraph({ nodes, edges }), registry, undefined, { nodes: COUNT, edges: COUNT }), { solved, diagnostics } = examined.settle({})
  const { plan } = compilePlan(examined.graph, {
    registry, negotiate: 'auto', solved, passes: plainPasses, known: new Map(), lengths: new Map(), tierOf: () => ({ tier: 'js', why: 'test' }), workers: 0, forceWorkers: false,
    blockFrames: 4_096, seed: 0n, history: new CostHistory(), diagnostics,
  })
  parentPort.postMessage({ nodes: plan.nodes.length, segments: plan.segments.length, level: plan.levels.at(-1), hash: plan.graphHash.length, diagnostics: diagnostics.length })
`

const NESTED = `
  import { parentPort } from 'node:worker_threads'
  import { fromDocument } from './src/graph/document/from-document.ts'
  import { parseDocument } from './src/graph/document/parse-document.ts'
  import { toDocument } from './src/graph/document/to-document.ts'
  import { writeDocument } from './src/graph/document/write-document.ts'
  import { hashGraph } from './src/graph/hash.ts'
  import { validate } from './src/graph/validate/index.ts'
  import { nodeType, registryOf } from './test/support/graph-nodes.ts'

  const deep = nodeType('test::deep', { params: { value: { type: 'json', doc: '' } } }), registry = registryOf(deep), limits = { depth: 256 }
  const text = (levels) => '{"millrace":1,"nodes":[{"id":"a","type":"test::deep","params":{"value":' + '[{"x":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2) + '}}]}'
  const found = parseDocument(text(252), { limits }), graph = fromDocument(found.document, registry, { limits })
  parentPort.postMessage({
    parsed: found.diagnostics.length, valid: validate(found.document, registry, undefined, { limits }).length, hash: hashGraph(graph).graph.length,
    same: writeDocument(toDocument(graph)) === writeDocument(found.document), over: parseDocument(text(254), { limits }).diagnostics.map((one) => one.code),
    far: parseDocument('['.repeat(200_000), { limits }).diagnostics.map((one) => one.code),
    memory: validate({ millrace: 1, nodes: [], ui: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) }, registry, undefined, { limits }).map((one) => one.code),
  })
`

async function inSmallStack(script: string): Promise<Record<string, unknown>> {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('../..', import.meta.url)), loader: 'ts' }, bundle: true, write: false,
    format: 'cjs', platform: 'node', target: 'node20',
    logLevel: 'silent', plugins: [inlineEsbuild()],
  })
  const worker = new Worker(outputFiles[0]!.text, { eval: true, resourceLimits: { stackSizeMb: STACK_MB } })
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  } finally {
    await worker.terminate()
  }
}

test('order, cycles, validation, negotiation, modes, pruning and hashes do not recurse', async () => {
  expect(await inSmallStack(SCRIPT)).toEqual({
    overflow: 'RangeError', order: [99_999, 99_998, 99_997], level: 99_999, hash: true, valid: 0,
    media: { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' },
    pruned: 99_999, bypassed: ['n0', 'out'], muted: 99_999, ring: 99_999, cycle: ['GRAPH_CYCLE'],
  })
}, 120_000)

test(`plans do not recurse: ${PLANNED} nodes`, async () => {
  expect(await inSmallStack(PLAN)).toEqual({ nodes: PLANNED, segments: 1, level: PLANNED - 1, hash: 64, diagnostics: 0 })
}, 300_000)

test('256 levels of nesting are read, checked, hashed and written; more are refused', async () => {
  expect(await inSmallStack(NESTED))
    .toEqual({ parsed: 0, valid: 0, hash: 64, same: true, over: ['LIMIT_EXCEEDED'], far: ['LIMIT_EXCEEDED'], memory: ['LIMIT_EXCEEDED'] })
}, 60_000)

/** Chains of 100 000 nodes through every graph algorithm, in a worker with a stack of 256 KiB: a recursive one would overflow (GR-61). */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

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

test('order, cycles, validation, negotiation, modes, pruning and hashes do not recurse', async () => {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: fileURLToPath(new URL('../..', import.meta.url)), loader: 'ts' }, bundle: true, write: false, format: 'cjs', platform: 'node', target: 'node20',
    logLevel: 'silent',
  })
  const worker = new Worker(outputFiles[0]!.text, { eval: true, resourceLimits: { stackSizeMb: STACK_MB } })
  try {
    const found = await new Promise<Record<string, unknown>>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    expect(found).toEqual({
      overflow: 'RangeError', order: [99_999, 99_998, 99_997], level: 99_999, hash: true, valid: 0, media: { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' },
      pruned: 99_999, bypassed: ['n0', 'out'], muted: 99_999, ring: 99_999, cycle: ['GRAPH_CYCLE'],
    })
  } finally {
    await worker.terminate()
  }
}, 120_000)

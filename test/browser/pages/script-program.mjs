/** Program of a page: a node whose code is a module file or a function's text, on a thread of its own. */
import { createEngine, defineNode, json } from '/dist/index.js'

const base = {
  version: '1.0.0', title: 'T', doc: 'T.', family: 'test', inputs: {}, outputs: { out: { media: json() } },
  params: { x: { type: 'integer', default: 1, doc: 'X.' } }, thread: 'worker',
}
const process = async (_inputs, params, ctx) => ({
  out: {
    media: { kind: 'json' },
    data: { twice: params.x * 2, page: typeof document, node: ctx.node.id },
    position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
  },
})

globalThis.run = async ({ options = {}, codeURL }) => {
  const node = defineNode({ ...base, type: 'test::threaded', ...(codeURL === undefined ? { process } : { codeURL }) })
  const began = performance.now()
  const engine = await createEngine({ workers: 1, logger: () => undefined, ...options })
  try {
    const { outputs, metrics } = await engine.run({ out: node.named('n')({ x: 21 }) })
    return { ok: true, data: outputs.out.data, where: metrics.nodes[0].where, mode: engine.stats().mode.mode }
  } catch (error) {
    return { ok: false, code: error.code, message: error.message, hint: error.hint, ms: performance.now() - began }
  } finally { await engine.close() }
}

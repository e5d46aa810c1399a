/** What an engine costs beside the work: opened, per item of a list, per instance of a node. */
import { createEngine, defineNode, json, type PacketStream } from '../src/index.js'
import type { NodeDefinition } from '../src/graph/node-definition.js'
import { packetOf } from '../src/schedule/packet-data.js'
import { NodeInstances } from '../src/schedule/node-instances.js'
import { listSource } from '../src/nodes/core/list-source.js'
import { pass } from '../src/nodes/core/pass.js'
import { bench, tail, verdict } from './support/bench.js'

/**
 * Question: how soon is an engine there that has not started a thread (MW-43)? Bar: 20 ms. In this process again and again; and the first
 * one of a process, from the built package, with the loading of its parts.
 */
export const open = bench('engine/open', async (b) => {
  const { spawnSync } = await import('node:child_process')
  const { existsSync } = await import('node:fs'), { pathToFileURL } = await import('node:url')
  const row = await b.compare('createEngine, warm', {
    'opened and closed': async () => (await createEngine()).close(),
    'shared: false': async () => (await createEngine({ shared: false })).close(),
    "tier: 'js'": async () => (await createEngine({ tier: 'js' })).close(),
  })
  b.note(verdict('open and close, warm (MW-43)', 20, { ...row, variants: row.variants.slice(0, 1) }))
  if (!existsSync('dist/index.js')) { b.note('dist/index.js: none. `npm run build` for the first engine of a process.'); return }
  const at = pathToFileURL(process.cwd()).href, cold: number[] = [], again: number[] = [], again5: number[] = []
  const script = `const { createEngine } = await import('${at}/dist/index.js'); const ms = []; for (let n = 0; n < 5; n++) { const from = performance.now(), engine = await createEngine(); ms.push(performance.now() - from); await engine.close() } console.log(JSON.stringify(ms))`
  for (let round = 0; round < 30; round++) {
    const ms = JSON.parse(spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout) as number[]
    cold.push(ms[0]!)
    again.push(ms[1]!)
    again5.push(ms[4]!)
  }
  b.note(tail(
    'second engine of a process', 20,
    b.record('createEngine in a process of its own', {
      second: again, 'the first, which loads and compiles all parts': cold, fifth: again5,
    }),
    'p50',
  ))
}, ['node'])

const ITEMS = 10_000
const one = defineNode({
  type: 'bench::one', version: '1.0.0', title: 'One', doc: 'Gives its input.', family: 'bench', params: {},
  inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
  process: async ({ in: input }) => ({ out: await (input as PacketStream).whole() }),
})

const listOf = (data: readonly unknown[]) => defineNode({
  type: 'bench::list', version: '1.0.0', title: 'List', doc: 'Gives a list.', family: 'bench', params: {}, inputs: {},
  outputs: { out: { media: json(), list: true } },
  process: () => Promise.resolve({ out: packetOf({ kind: 'json' }, data, 0, data.length) }),
})()

/**
 * Question: what does an item cost that a node without timer and retry is called for, or that streams through it (EX-50)? Bar: 1 µs beside
 * the node's own code. What is taken off: the same run with nine items in ten less.
 */
export const items = bench('engine/items', async (b) => {
  await using engine = await createEngine({ workers: 0 })
  const many = Array.from({ length: ITEMS }, (_, n) => n)
  const few = many.slice(0, ITEMS / 10)
  const policy = { timeoutMs: 0, retry: { kind: 'none' } } as const
  const list = (data: readonly unknown[]) =>
    async (): Promise<void> => { (await engine.run({ out: one.with({ policy })(listOf(data)) })).close() }
  const stream = (data: readonly unknown[]) =>
    async (): Promise<void> => { (await engine.run({ out: pass.with({ policy })(listSource({ items: data as never })) })).close() }
  const each = async (what: string, of: typeof list): Promise<void> => {
    const { variants: [all, tenth] } = await b.compare(what, { [`${ITEMS} items`]: of(many), [`${ITEMS / 10} items`]: of(few) })
    const ns = (a: number, c: number): string => ((a - c) / (ITEMS * 0.9) * 1e6).toFixed(0)
    b.note(
      `${what}: ${ns(all!.p50Ms, tenth!.p50Ms)} ns an item by the medians, ${ns(all!.minMs, tenth!.minMs)} by the least times (bar 1000)`,
    )
  }
  await each('a call per item of a list', list)
  await each('a stream through a node', stream)
  // What the same protocol costs with nothing but the language: an async generator that a node reads, and a generator that gives on.
  async function* source(data: readonly number[]): AsyncGenerator<object> { for (const item of data) yield { out: { data: item } } }
  async function* through(from: AsyncIterable<object>): AsyncGenerator<object> { for await (const packet of from) yield { out: packet } }
  await each('two async generators and a loop, no engine', (data) => async () => {
    let count = 0
    for await (const packet of through(source(data as number[]))) if (packet !== null) count++
    return void count
  })
})

/**
 * Question: what does an instance of a node cost that is used again (GR-26)? Bar: 1 µs to take it and give it
 * back. Beside one that is made and disposed.
 */
export const instances = bench('engine/instances', async (b) => {
  const all = new NodeInstances()
  const ctx = { signal: new AbortController().signal, log: () => undefined }
  const params = { model: 'small', threshold: 0.5 }, CALLS = 1_000
  const base = { type: 'bench::kept', init: () => ({ at: 0 }), dispose: () => undefined } as unknown as NodeDefinition
  const kept = { ...base, reset: () => undefined } as NodeDefinition
  const use = (definition: NodeDefinition) => async (): Promise<void> => {
    for (let n = 0; n < CALLS; n++) await (await all.take(definition, { ...params }, 'node', ctx)).release(true)
  }
  const { variants: [again, anew] } = await b.compare(`${CALLS} times taken and given back`, {
    'used again': use(kept), 'made and disposed': use(base),
  })
  b.note(`used again ${again!.p50Ms.toFixed(3)} µs (bar 1), least ${again!.minMs.toFixed(3)} µs: ${again!.p50Ms < 1 ? 'met' : again!.minMs < 1 ? 'met at the least only' : 'missed'}; made and disposed ${anew!.p50Ms.toFixed(3)} µs`)
  await all.close()
})

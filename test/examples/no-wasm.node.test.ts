/**
 * Pipeline 5 on a host without WebAssembly (GR-43, GR-44, GR-62): the named tier is refused and says what is
 * missing; `auto` falls back with one warning.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createEngine, createRegistry, fromDocument, type Graph } from '../../src/index.js'
import { importDocument } from '../../src/graph-tools.js'
import * as nodes from '../../src/nodes/index.js'
import { encodeTestWav } from '../support/wav-of.js'
import { speechLike } from '../support/speech-like.js'

const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
let folder: string
beforeAll(() => {
  vi.stubGlobal('WebAssembly', undefined)
  folder = mkdtempSync(join(tmpdir(), 'millrace-pipelines-'))
  writeFileSync(join(folder, 'input.wav'), encodeTestWav(speechLike({ rate: 8_000, seconds: 0.2 }), 8_000))
})
afterAll(() => {
  vi.unstubAllGlobals()
  rmSync(folder, { recursive: true, force: true })
})

function load(form: string, tier?: string): Graph {
  const { document } = importDocument(readFileSync(`examples/pipelines/05-fallback/${form}`, 'utf8'), { registry })
  const graph = fromDocument(document, registry)
  return { ...graph, nodes: graph.nodes.map((node) => ({
    ...node, ...(node.type === 'io::wav-file' && { params: { path: join(folder, 'input.wav') } }),
    ...(node.id === 'gain' && tier !== undefined && { tier }),
  })) }
}

test.each(['seed.json', 'v1.json', 'millrace.json'])('%s', async (form) => {
  await using engine = await createEngine({ registry })
  expect(engine.stats().mode.tier).toBe('js')
  await expect(engine.run(load(form))).rejects.toMatchObject({
    code: 'TIER_UNAVAILABLE', nodeId: 'gain',
    details: { diagnostic: { expected: 'wasm-threads, wasm', got: ['WebAssembly', 'SIMD', 'shared memory'] } },
  })
  // Refused before it was planned: the first plan has the warning of the engine.
  using first = await engine.run(load(form, 'auto')), second = await engine.run(load(form, 'auto'))
  expect([first, second].map(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === 'warning').map(({ code }) => code)))
    .toEqual([['TIER_FALLBACK'], []])
  for (const { metrics } of [first, second]) expect(metrics.nodes.find(({ id }) => id === 'gain')!.tier).toBe('js')
  // The other tier of a list is there.
  const listed = { ...load(form), nodes: load(form).nodes.map((node) => node.id === 'gain' ? { ...node, tier: ['wasm', 'js'] } : node) }
  ;(await engine.run(listed)).close()
  second.close()
})

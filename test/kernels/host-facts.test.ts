import { describe, expect, inject, test } from 'vitest'
import { hostFacts, probeHost, type Globals } from '../../src/kernels/host-facts.js'

const inNode = typeof process === 'object' && typeof process.versions?.node === 'string'
const real: Globals = { WebAssembly, SharedArrayBuffer: typeof SharedArrayBuffer === 'undefined' ? undefined : SharedArrayBuffer, Atomics }
/** A browser's main thread, isolated. */
const page: Globals = {
  WebAssembly, SharedArrayBuffer: function SharedArrayBuffer() {}, Atomics, crossOriginIsolated: true,
  navigator: { hardwareConcurrency: 8, gpu: {} }, Worker: function Worker() {},
}
const node: Globals = {
  ...real, process: { versions: { node: '20.20.2' }, getBuiltinModule: () => ({ availableParallelism: () => 6, cpus: () => [] }) },
}
const reasonOf = (g: Globals, fact: string): string | undefined => probeHost(g).reasons.find((one) => one.fact === fact)?.reason

describe('host facts on faked hosts (PK-05, PK-42, MW-55)', () => {
  test.each<[string, Globals, Partial<Record<string, unknown>>]>([
    ['Node', node, { node: true, browser: false, worklet: false, worker: true, isolated: true, cores: 6, wasm: true, simd: true }],
    [
      'what Node tells of its machine',
      {
        ...node, SharedArrayBuffer: page['SharedArrayBuffer'],
        process: {
          versions: { node: '20.20.2' }, arch: 'arm64', platform: 'linux',
          getBuiltinModule: () => ({ cpus: () => [1], totalmem: () => 2 ** 33 }),
        },
      },
      {
        arch: 'aarch64', memoryBytes: 2 ** 33, tags: ['simd', 'threads', 'sab', 'node', 'os:linux'] },
    ],
    ['what a page tells of its machine', { ...page, navigator: { deviceMemory: 0.5 }, crossOriginIsolated: false },
      { memoryBytes: 2 ** 29, tags: ['simd', 'browser'] }],
    [
      'an Electron renderer counts as browser',
      { ...page, process: { versions: { node: '20.1.0' }, type: 'renderer', getBuiltinModule: () => ({}) } },
      { node: false, browser: true },
    ],
    ['Node before getBuiltinModule is no Node', { ...page, process: { versions: { node: '20.10.0' } } }, { node: false, browser: true }],
    ['Deno', { ...node, Deno: {} }, { node: true, deno: true }],
    ['Bun', { ...node, Bun: {} }, { node: true, bun: true }],
    ['an isolated page', page, { node: false, browser: true, sab: true, isolated: true, cores: 8, webgpu: true, worker: true }],
    ['a page that is not isolated', { ...page, crossOriginIsolated: false, SharedArrayBuffer: undefined },
      { sab: false, isolated: false, wasm: true, waitAsync: false }],
    ['isolated without SharedArrayBuffer (WebKitGTK)', { ...page, SharedArrayBuffer: undefined }, { sab: false, isolated: true }],
    ['SharedArrayBuffer without isolation', { ...page, crossOriginIsolated: false }, { sab: false }],
    ['no WebAssembly', { ...page, WebAssembly: undefined }, { wasm: false, simd: false, sab: false, relaxedSimd: false }],
    ['no SIMD', { ...page, WebAssembly: { ...WebAssembly, validate: () => false, Module: WebAssembly.Module } },
      { wasm: true, simd: false, sab: false }],
    [
      'a policy without wasm-unsafe-eval',
      {
        ...page,
        WebAssembly: {
          validate: () => true,
          Module: class { constructor() { throw new WebAssembly.CompileError('disallowed by embedder') } },
        },
      },
      { wasm: false, simd: false, sab: false },
    ],
    ['a worklet', { WebAssembly, AudioWorkletGlobalScope: function AudioWorkletGlobalScope() {} },
      { worklet: true, browser: false, node: false, worker: false, cores: 1 }],
    ['nothing at all', {}, { node: false, browser: true, wasm: false, worker: false, cores: 1 }],
  ])('%s', (_, globals, expected) => { expect(probeHost(globals)).toMatchObject(expected) })

  test('each no has its reason', () => {
    for (const globals of [node, page, {}, { ...page, crossOriginIsolated: false }, { ...page, WebAssembly: undefined }]) {
      const facts = probeHost(globals) as unknown as Record<string, unknown>
      for (const fact of [
        'node', 'browser', 'worklet', 'bun', 'deno', 'wasm', 'simd', 'sab', 'isolated', 'relaxedSimd', 'memory64', 'waitAsync', 'webgpu',
        'worker',
      ]) {
        expect(facts['reasons']).toHaveLength(new Set((facts['reasons'] as { fact: string }[]).map((one) => one.fact)).size)
        expect((facts['reasons'] as { fact: string }[]).some((one) => one.fact === fact), fact).toBe(facts[fact] === false)
      }
    }
    expect([
      reasonOf(node, 'browser'), reasonOf({ ...node, Bun: {} }, 'deno'), reasonOf({ ...node, Deno: {} }, 'bun'), reasonOf(page, 'node'),
    ]).toEqual([
      'this host is Node', 'this host is Bun', 'this host is Deno', 'this host is a browser'])
    expect(reasonOf({ ...page, crossOriginIsolated: false }, 'sab')).toContain('Cross-Origin-Embedder-Policy')
    expect(reasonOf({ ...page, SharedArrayBuffer: undefined }, 'sab')).toBe('SharedArrayBuffer does not exist')
    expect(reasonOf(
      { ...page, WebAssembly: { validate: () => true, Module: class { constructor() { throw new Error('policy') } } } },
      'wasm',
    )).toContain('wasm-unsafe-eval')
  })

  test('this host, probed once', () => {
    const facts = hostFacts()
    expect(hostFacts()).toBe(facts)
    expect(facts).toMatchObject({ node: inNode, browser: !inNode, worklet: false, wasm: true, simd: true, worker: true })
    expect(facts.cores).toBeGreaterThan(0)
    expect(facts.tags).toContain(inNode ? 'node' : 'browser')
    if (inNode) expect(facts.memoryBytes).toBeGreaterThan(2 ** 20)
    if (!inNode) expect(facts.sab).toBe(inject('isolated'))
    if (!inNode) expect(facts.relaxedSimd).toBe(true)
  })
})
